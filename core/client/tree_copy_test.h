// SPDX-License-Identifier: Apache-2.0
//
// For tests: a tree with everything in it, and a backup and restore without a repository between.
// Plain functions.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "core/client/safe_target.h"
#include "core/client/scanner.h"

namespace cb::client {

namespace fs = std::filesystem;

inline fs::path new_test_folder() {
  std::string name = (fs::canonical(fs::temp_directory_path()) / "cb-target-XXXXXX").string();
  return ::mkdtemp(name.data());
}

// Also when there are locked files in it.
inline void remove_test_folder(const fs::path& path) {
  const std::string command =
      "chattr -R -ia '" + path.string() + "' 2> /dev/null; rm -rf '" + path.string() + "'";
  if (std::system(command.c_str()) != 0) std::abort();
}

inline bool run(const fs::path& folder, const std::string& script) {
  return std::system(("cd '" + folder.string() + "' && bash -ec '" + script + "'").c_str()) == 0;
}

// Every kind of entry, nasty names, and, where that is allowed, owners, ACLs, devices and flags.
inline void make_everything(const fs::path& path) {
  const auto write = [&](const std::string& name, const std::string& content) {
    std::ofstream(path / name, std::ios::binary) << content;
  };
  fs::create_directories(path / "sub/deeper/empty");
  write("plain", "content of a plain file");
  write("empty", "");
  write("a\nnewline", "1");
  write(std::string(255, 'n'), "2");
  write("invalid \xff\xfe utf8", "3");
  write("\xf0\x9f\x98\x80", "4");
  write("-rf", "5");
  write("sub/quote'\"\\ $(x)", "6");
  write("sub/large", std::string(3'000'000, 'L'));
  fs::create_symlink("plain", path / "link");
  fs::create_symlink("/nowhere/\xff", path / "sub/dangling");
  fs::create_hard_link(path / "plain", path / "sub/second name");
  fs::create_hard_link(path / "plain", path / "zz third");
  write("old", "before 1970");
  write("tight", "nobody may read");
  const bool made =
      run(path,
          "truncate -s 5M hole; echo end >> hole; truncate -s 40M sub/onlyhole;"
          "touch -d \"1965-03-04 05:06:07.123456789\" old; touch -d @1234567890.987654321 plain;"
          "touch -h -d @99.5 link; chmod 0 tight; chmod 2751 sub/large; mkfifo -m 631 sub/fifo;"
          "chmod 1777 sub/deeper; touch -d @1000000000.1 sub/deeper/empty; chmod 0555 sub");
  if (!made || ::mknod((path / "socket").c_str(), S_IFSOCK | 0644, 0) != 0) std::abort();
  if (::geteuid() != 0) return;
  const bool more =
      run(path,
          "mknod -m 640 char c 5 1; mknod -m 600 block b 7 250; chown 1:2 empty; chown -h 3:4 link;"
          "chown 12345:54321 sub/large; chmod 4755 sub/large; chown 5:60 sub/fifo;"
          "setfattr -n user.note -v text plain; setfattr -n user.empty old;"
          "setfattr -n user.folder -v x sub/deeper; setfattr -n trusted.t -v y tight;"
          "setfattr -h -n trusted.link -v z link;"
          "setfacl -m u:daemon:rw,g:12:r old; setfacl -d -m u:daemon:rwx,g:7:x sub;"
          "chattr +A old; chattr +d sub/deeper; chattr +i -- -rf; chattr +i plain;"
          "chattr +a sub/deeper/empty");
  if (!more) std::abort();
}

struct CopyResult {
  std::map<std::string, Error> failures;  // by path below the target
  int copied = 0;                         // files whose content was written
};

class TreeCopy {
 public:
  TreeCopy(SafeTarget& target, const fs::path& source) : target_(target) {
    base_ = source.string().substr(1);
    ScanRequest request;
    request.paths = {source.string()};
    request.threads = 2;
    scanner_ = Scanner::open({&os::real_tree(), &names_, {}}, request).value();
  }

  CopyResult run() {
    while (const auto item = scanner_->next().value()) {
      if (item->entry.path.size() <= base_.size()) continue;
      repository::Entry entry = item->entry;
      entry.path = entry.path.substr(base_.size() + 1);
      leave_folders(entry.path);
      note(entry.path, restore(*item, entry));
    }
    leave_folders("");
    note("", target_.finish());
    return std::move(result_);
  }

 private:
  using Kind = repository::EntryKind;

  void note(const std::string& path, Status done) {
    if (!done) result_.failures.emplace(path, std::move(done).error());
  }

  // Finishes the folders that `path` is not in.
  void leave_folders(const std::string& path) {
    while (!folders_.empty() && !path.starts_with(folders_.back().path + "/")) {
      note(folders_.back().path, target_.finish_folder(folders_.back()));
      folders_.pop_back();
    }
  }

  Status restore(const ScanItem& item, const repository::Entry& entry) {
    CB_ASSIGN(const SafeTarget::Standing standing, target_.standing(entry));
    if (entry.kind == Kind::folder) {
      CB_TRY(target_.make_folder(entry));
      if (standing != SafeTarget::Standing::kept) folders_.push_back(entry);
      return {};
    }
    if (standing == SafeTarget::Standing::kept) return {};
    if (entry.inode != 0) {
      const auto [first, fresh] =
          first_names_.emplace(std::make_pair(entry.device, entry.inode), entry.path);
      if (!fresh) return target_.make_hard_link(entry, first->second);
    }
    if (standing == SafeTarget::Standing::same) return target_.settle(entry);
    if (entry.kind == Kind::symlink) return target_.make_symlink(entry);
    if (entry.kind != Kind::file) return target_.make_special(entry);
    return copy(item, entry);
  }

  Status copy(const ScanItem& item, const repository::Entry& entry) {
    CB_ASSIGN(const auto from, item.open());
    CB_ASSIGN(const auto to, target_.begin_file(entry));
    Bytes buffer(1 << 20);
    uint64_t at = 0;
    while (true) {
      CB_ASSIGN(const auto data, from->next_data(at));
      if (!data) break;
      for (at = data->begin; at < data->end;) {
        const size_t most = std::min<uint64_t>(buffer.size(), data->end - at);
        CB_ASSIGN(const size_t n, from->read_at(ByteSpan(buffer).first(most), at));
        if (n == 0) break;
        CB_TRY(to->write_at(at, ByteView(buffer).first(n)));
        at += n;
      }
    }
    ++result_.copied;
    return to->finish();
  }

  SafeTarget& target_;
  std::string base_;
  os::AccountNames names_;
  std::unique_ptr<Scanner> scanner_;
  std::vector<repository::Entry> folders_;
  std::map<std::pair<uint64_t, uint64_t>, std::string> first_names_;
  CopyResult result_;
};

// What rsync would have to change to make the second like the first; empty when they are equal.
inline std::string differences(const fs::path& a, const fs::path& b) {
  const std::string root = ::geteuid() == 0 ? " --devices --specials" : "";
  const std::string command = "rsync -aHAXn --delete --checksum --itemize-changes" + root + " '" +
                              a.string() + "/' '" + b.string() +
                              "/' 2>&1 | grep -v '^\\.d..t.* \\./$'";
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  char line[1024];
  while (::fgets(line, sizeof line, pipe) != nullptr) out += line;
  ::pclose(pipe);
  return out;
}

// Flags as lsattr shows them and allocated blocks of files, by path.
inline std::string flags_and_blocks(const fs::path& path) {
  std::string out;
  const std::string command = "cd '" + path.string() +
                              "' && { find . -type f -printf '%P %b\\n' | sort; find . -type f -o "
                              "-type d | sort | xargs -d "
                              "'\\n' lsattr -d 2> /dev/null | sed 's/e-* / /'; }";
  FILE* pipe = ::popen(command.c_str(), "r");
  char line[1024];
  while (::fgets(line, sizeof line, pipe) != nullptr) out += line;
  ::pclose(pipe);
  return out;
}

// Names of temporary files that are left anywhere below.
inline std::vector<std::string> leftovers(const fs::path& path) {
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(path))
    if (entry.path().filename().string().starts_with(".cyberbackup-restore-"))
      out.push_back(entry.path().string());
  return out;
}

}  // namespace cb::client
