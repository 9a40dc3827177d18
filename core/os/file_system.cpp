// SPDX-License-Identifier: Apache-2.0
#include "core/os/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "core/os/random.h"

namespace cb::os {
namespace {

FileInfo info_of(const struct stat& st) {
  FileInfo info;
  info.size = static_cast<uint64_t>(st.st_size);
  info.modified_ns = static_cast<int64_t>(st.st_mtim.tv_sec) * 1000000000 + st.st_mtim.tv_nsec;
  info.mode = st.st_mode;
  info.owner = st.st_uid;
  info.device = st.st_dev;
  info.inode = st.st_ino;
  return info;
}

class RealFile final : public File {
 public:
  RealFile(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  RealFile(const RealFile&) = delete;
  RealFile& operator=(const RealFile&) = delete;
  ~RealFile() override { ::close(fd_); }

  Result<size_t> read(ByteSpan into) override {
    return moved([&] { return ::read(fd_, into.data(), into.size()); }, "read");
  }
  Result<size_t> read_at(ByteSpan into, uint64_t offset) override {
    return moved([&] { return ::pread(fd_, into.data(), into.size(), static_cast<off_t>(offset)); },
                 "read");
  }
  Status write(ByteView from) override {
    while (!from.empty()) {
      CB_ASSIGN(const size_t n,
                moved([&] { return ::write(fd_, from.data(), from.size()); }, "write"));
      from = from.subspan(n);
    }
    return {};
  }
  Status write_at(ByteView from, uint64_t offset) override {
    while (!from.empty()) {
      const auto at = static_cast<off_t>(offset);
      CB_ASSIGN(const size_t n,
                moved([&] { return ::pwrite(fd_, from.data(), from.size(), at); }, "write"));
      from = from.subspan(n);
      offset += n;
    }
    return {};
  }
  Status sync() override {
    if (::fsync(fd_) != 0) return failed(fail_errno(errno, name_, "fsync"));
    return {};
  }
  Result<FileInfo> info() override {
    struct stat st {};
    if (::fstat(fd_, &st) != 0) return failed(fail_errno(errno, name_, "stat"));
    return info_of(st);
  }
  [[nodiscard]] int fd() const override { return fd_; }

 private:
  template <typename Call>
  Result<size_t> moved(Call call, const char* doing) {
    while (true) {
      const ssize_t n = call();
      if (n >= 0) return static_cast<size_t>(n);
      if (errno != EINTR) return failed(fail_errno(errno, name_, doing));
    }
  }

  int fd_;
  std::string name_;
};

class RealFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const Path& path, Open how, uint32_t permissions) override {
    int flags = O_CLOEXEC | O_NOCTTY;
    if (how == Open::read) flags |= O_RDONLY;
    if (how == Open::create_new) flags |= O_RDWR | O_CREAT | O_EXCL;
    if (how == Open::replace) flags |= O_RDWR | O_CREAT | O_TRUNC;
    if (how == Open::update) flags |= O_RDWR | O_CREAT;
    const int fd = ::open(path.c_str(), flags, permissions);
    if (fd < 0) return failed(fail_errno(errno, path.string(), "open"));
    return std::make_unique<RealFile>(fd, path.string());
  }

  Result<std::unique_ptr<File>> open_unnamed(const Path& folder) override {
    const int fd = ::open(folder.c_str(), O_CLOEXEC | O_RDWR | O_TMPFILE, 0600);
    if (fd < 0) return failed(fail_errno(errno, folder.string(), "open a temporary file"));
    return std::make_unique<RealFile>(fd, folder.string() + "/(unnamed)");
  }

  Status rename(const Path& from, const Path& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0)
      return failed(fail_errno(errno, from.string(), "rename to " + to.string()));
    return {};
  }

  Status remove(const Path& path) override {
    if (::remove(path.c_str()) != 0) return failed(fail_errno(errno, path.string(), "remove"));
    return {};
  }

  Status make_folders(const Path& path, uint32_t permissions) override {
    Path so_far;
    for (const Path& part : path) {
      so_far /= part;
      if (::mkdir(so_far.c_str(), permissions) == 0 || errno == EEXIST) continue;
      const int problem = errno;
      struct stat st {};
      if (::stat(so_far.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) continue;
      return failed(fail_errno(problem, so_far.string(), "make folder"));
    }
    CB_ASSIGN(const FileInfo made, info(path));
    if (!made.is_folder())
      return failed(Code::exists, path.string(), "is there, but is not a folder");
    return {};
  }

  Result<std::vector<std::string>> list(const Path& folder) override {
    DIR* stream = ::opendir(folder.c_str());
    if (stream == nullptr) return failed(fail_errno(errno, folder.string(), "open folder"));
    const std::unique_ptr<DIR, int (*)(DIR*)> closer(stream, ::closedir);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
      errno = 0;
    }
    if (errno != 0) return failed(fail_errno(errno, folder.string(), "read folder"));
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<FileInfo> info(const Path& path) override {
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0) return failed(fail_errno(errno, path.string(), "stat"));
    return info_of(st);
  }

  Status sync_folder(const Path& folder) override {
    const int fd = ::open(folder.c_str(), O_CLOEXEC | O_RDONLY | O_DIRECTORY);
    if (fd < 0) return failed(fail_errno(errno, folder.string(), "open folder"));
    const RealFile closer(fd, folder.string());
    if (::fsync(fd) != 0) return failed(fail_errno(errno, folder.string(), "fsync folder"));
    return {};
  }

  Result<Space> space(const Path& path) override {
    struct statvfs st {};
    if (::statvfs(path.c_str(), &st) != 0)
      return failed(fail_errno(errno, path.string(), "statvfs"));
    return Space{st.f_blocks * st.f_frsize, st.f_bavail * st.f_frsize};
  }
};

// A file to be read from its beginning to its end.
class WholeFile {
 public:
  static Result<WholeFile> open(FileSystem& files, const Path& path, uint64_t limit) {
    WholeFile whole;
    CB_ASSIGN(whole.file_, files.open(path, Open::read));
    CB_ASSIGN(const FileInfo info, whole.file_->info());
    if (info.is_folder()) return failed(Code::invalid, path.string(), "is a folder, not a file");
    whole.path_ = path;
    whole.room_ = static_cast<size_t>(std::min(info.size, limit)) + 1;
    return whole;
  }
  // More by one byte than it had when it was opened, or than is allowed.
  [[nodiscard]] size_t room() const { return room_; }
  // Into room() bytes; how many there were.
  [[nodiscard]] Result<size_t> read(ByteSpan into) const {
    size_t have = 0;
    while (have < into.size()) {
      CB_ASSIGN(const size_t n, file_->read(into.subspan(have)));
      if (n == 0) return have;
      have += n;
    }
    return failed(Code::limit, path_.string(),
                  "is longer than " + std::to_string(into.size() - 1) + " bytes");
  }

 private:
  std::unique_ptr<File> file_;
  Path path_;
  size_t room_ = 0;
};

// A temporary name beside `path` that two writers do not share.
Result<Path> temporary_beside(const Path& path) {
  std::array<std::byte, 8> salt{};
  CB_TRY(system_random().fill(salt));
  return Path(path.string() + ".tmp-" + to_hex(salt));
}

}  // namespace

bool FileInfo::is_regular() const { return S_ISREG(mode); }
bool FileInfo::is_folder() const { return S_ISDIR(mode); }

FileSystem& real_file_system() {
  static RealFileSystem files;
  return files;
}

Result<Secret> read_secret_file(FileSystem& files, const Path& path, uint64_t limit) {
  CB_ASSIGN(const WholeFile file, WholeFile::open(files, path, limit));
  Secret content(file.room());
  CB_ASSIGN(const size_t size, file.read(content.span()));
  content.truncate(size);
  return content;
}

Result<Bytes> read_file(FileSystem& files, const Path& path, uint64_t limit) {
  CB_ASSIGN(const WholeFile file, WholeFile::open(files, path, limit));
  Bytes content(file.room());
  CB_ASSIGN(const size_t size, file.read(content));
  content.resize(size);
  return content;
}

Status write_file_atomically(FileSystem& files, const Path& path, ByteView content,
                             uint32_t permissions) {
  CB_ASSIGN(const Path temporary, temporary_beside(path));
  const auto write = [&]() -> Status {
    CB_ASSIGN(const std::unique_ptr<File> file,
              files.open(temporary, Open::create_new, permissions));
    CB_TRY(file->write(content));
    return file->sync();
  };
  Status done = write();
  if (done) done = files.rename(temporary, path);
  if (!done) {
    (void)files.remove(temporary);
    return done;
  }
  return files.sync_folder(path.has_parent_path() ? path.parent_path() : Path("."));
}

}  // namespace cb::os
