// SPDX-License-Identifier: Apache-2.0
//
// Backup into the server's engine and restore out of it: what comes back is judged by rsync and by
// the maps of holes.
#include <fcntl.h>

#include <cstdlib>
#include <sstream>

#include "core/client/backup_fixture.h"
#include "core/client/restore.h"
#include "core/client/snapshot_check.h"
#include "core/repository/engine_fixture.h"
#include "core/repository/local_remote.h"

namespace cb::client {
namespace {

namespace fs = std::filesystem;
using repository::must;

// Everything that a file system can hold, and names that no program likes.
constexpr const char* kMakeTree = R"sh(
set -e
cd "$1"
mkdir -p plain/deep/er "with space" 'empty folder' closed sticky
echo hello > plain/hello; : > plain/empty; printf 'no newline' > plain/deep/er/x
printf 'a' > "$(printf 'new\nline')"; printf 'b' > "$(printf 'bad\377utf8')"
printf 'c' > 'emoji-😀'; printf 'd' > -dash; printf 'e' > 'back\slash'; printf 'f' > 'quote"'"'"
printf 'g' > "$(printf '%0255d' 7)"; printf 'h' > 'star*?[x]'; printf 'i' > ' '
ln -s hello plain/link; ln -s /nowhere dangling; ln -s "$(printf 'odd\nt\377')" oddlink
ln plain/hello plain/second; ln plain/hello 'with space/third'; ln -s x symhard; ln symhard symhard2
mkfifo pipe; chmod 4755 plain/hello; chmod 1777 sticky
echo s > closed/secret; chmod 000 closed/secret
touch -d '1960-02-03 04:05:06.7' plain/old
touch -d '2099-01-01 00:00:00.123456789' plain/future
setfattr -n user.note -v 'value' plain/empty; setfattr -n user.note -v 'of a folder' plain
truncate -s 3M sparse; printf x | dd of=sparse bs=1 seek=1500000 conv=notrunc status=none
head -c 700000 /dev/urandom > large; cp --sparse=always sparse sparse2; truncate -s 100M allhole
head -c 300000 /dev/urandom | dd of=mixed bs=4096 seek=500 status=none; truncate -s 9M mixed
for i in $(seq 400); do head -c $((i * 40)) /dev/urandom > plain/deep/f$i; done
if [ "$(id -u)" = 0 ]; then
  mknod null c 1 3; mknod disk b 7 200; chown 1234:4321 plain/deep/f1; chown -h 77:88 dangling
  setfacl -m u:1234:r plain/deep/f2; setfacl -d -m g:55:rwx 'empty folder'
  setfattr -n trusted.t -v t plain/deep/f3
fi
chmod 500 closed; touch -d '2001-02-03 04:05:06.789' plain/deep closed 'empty folder'
)sh";

class RoundTrip : public BackupFixture {
 protected:
  void SetUp() override {
    catalog::Account account;
    account.name = "account";
    must(house_.catalog().accounts().add_account(account));
    must(house_.engine().create(fresh_.record, account.name));
    connect_ = [this] { return local(); };
    target_ = folder_ / "target";
  }

  Result<std::shared_ptr<repository::Remote>> local() {
    return repository::make_local_remote(house_.engine(), fresh_.record.id, parts().device);
  }

  // What the command prints.
  static std::string output(const std::string& command, int* status = nullptr) {
    std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    std::string text;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += static_cast<char>(c);
    const int ended = ::pclose(pipe);
    if (status != nullptr) *status = ended;
    return text;
  }

  void make_tree() {
    const fs::path script = folder_ / "make";
    std::ofstream(script) << kMakeTree;
    int status = 0;
    const std::string said = output("bash " + script.string() + " " + source_.string(), &status);
    ASSERT_EQ(status, 0) << said;
  }

  RestoreResult restore(const BackupResult& made, Overwrite overwrite, bool verify) {
    auto opener = must(repository::Opener::make(suite(), fresh_.record.id, fresh_.keyring));
    BlobFetcher fetcher(must(local()), *opener);
    Restore::Parts parts;
    parts.fetcher = &fetcher;
    parts.clock = &os::system_clock();
    parts.state_folder = folder_;
    Restore restore(parts);
    RestoreRequest request;
    request.root = made.commit.root;
    request.path = source_.string().substr(1);
    request.target = target_;
    request.overwrite = overwrite;
    request.verify = verify;
    return must(restore.run(request));
  }

  static std::string said_by(const RestoreResult& result) {
    std::string text;
    for (const RestoreProblem& problem : result.problems)
      text += problem.path + ": " + problem.error.text() + "\n";
    return text;
  }

  // Where rsync sees a difference; empty when there is none.
  std::string differences() {
    return output("rsync -aHAXn --delete --checksum --itemize-changes " + source_.string() + "/ " +
                  target_.string() + "/");
  }

  // Where data lies in a file: "begin-end" of each stretch.
  static std::string data_map(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return "(unreadable)";
    std::ostringstream map;
    for (off_t at = 0;;) {
      const off_t begin = ::lseek(fd, at, SEEK_DATA);
      if (begin < 0) break;
      at = ::lseek(fd, begin, SEEK_HOLE);
      map << begin << "-" << at << " ";
    }
    ::close(fd);
    return map.str();
  }

  void expect_same() {
    EXPECT_EQ(differences(), "");
    for (const auto& one : fs::recursive_directory_iterator(source_)) {
      if (one.is_symlink() || !one.is_regular_file()) continue;
      const fs::path path = fs::relative(one.path(), source_);
      EXPECT_EQ(data_map(target_ / path), data_map(one.path())) << path;
    }
  }

  repository::EngineHouse house_;
  fs::path target_;
};

TEST_F(RoundTrip, every_kind_of_entry_comes_back_as_rsync_sees_it) {
  make_tree();
  const BackupResult made = backup();
  for (const bool verify : {false, true}) {
    const RestoreResult result = restore(made, Overwrite::always, verify);
    EXPECT_EQ(result.problem_count, 0U) << said_by(result);
    expect_same();
  }
}

TEST_F(RoundTrip, a_restore_over_an_older_state_changes_it_into_the_snapshot) {
  make_tree();
  restore(backup(), Overwrite::if_changed, false);
  int status = 0;
  output("cd " + source_.string() +
             " && echo changed > plain/hello && rm -f dangling && mkdir dangling && "
             "rm -f large && ln -s x large && rm -rf closed && echo file > closed && "
             "chmod 700 plain/deep && setfattr -x user.note plain && touch plain/deep/f7",
         &status);
  ASSERT_EQ(status, 0);
  const BackupResult second = backup();
  output("rm -rf " + (target_ / "closed").string());
  const RestoreResult result = restore(second, Overwrite::if_changed, true);
  EXPECT_EQ(result.problem_count, 0U) << said_by(result);
  expect_same();
  EXPECT_GT(result.counts.files_kept, 300U);
}

TEST_F(RoundTrip, the_check_finds_nothing_wrong) {
  make_tree();
  (void)backup();
  write("plain/hello2", text(100));
  (void)backup();
  auto opener = must(repository::Opener::make(suite(), fresh_.record.id, fresh_.keyring));
  const auto remote = must(local());
  BlobFetcher fetcher(remote, *opener);
  SnapshotCheck::Parts parts;
  parts.remote = remote.get();
  parts.fetcher = &fetcher;
  parts.repository = fresh_.record.id;
  parts.key_of = [this](const repository::DeviceId&) {
    return std::optional<repository::SigningPublic>(device_.public_key());
  };
  SnapshotCheck check(std::move(parts));
  const SnapshotCheckResult result = must(check.run(true));
  EXPECT_EQ(result.damage_count, 0U);
  EXPECT_EQ(result.snapshots, 2U);
  EXPECT_GT(result.blobs, 10U);
}

}  // namespace
}  // namespace cb::client
