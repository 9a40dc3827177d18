// SPDX-License-Identifier: Apache-2.0
#include "core/os/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <mutex>

#include "core/os/tree_node.h"

namespace cb::os {
namespace {

constexpr size_t kListingBytes = 64 * 1024;

// Opens with O_NOFOLLOW, and without touching the access time where that is allowed.
int open_quietly(int folder, const char* name, int flags) {
  flags |= O_CLOEXEC | O_NOCTTY | O_NOFOLLOW;
  const int fd = ::openat(folder, name, flags | O_NOATIME);
  if (fd >= 0 || errno != EPERM) return fd;
  return ::openat(folder, name, flags);
}

class RealTreeFile final : public RealNode<TreeFile> {
 public:
  RealTreeFile(int fd, std::string path) : RealNode(fd, false, std::move(path)) {}

  Result<size_t> read_at(ByteSpan into, uint64_t offset) override {
    return moved([&] { return ::pread(fd_.get(), into.data(), into.size(), as_off(offset)); },
                 "read");
  }

  Status write_at(ByteView from, uint64_t offset) override {
    while (!from.empty()) {
      const auto put = [&] {
        return ::pwrite(fd_.get(), from.data(), from.size(), as_off(offset));
      };
      CB_ASSIGN(const size_t n, moved(put, "write"));
      from = from.subspan(n);
      offset += n;
    }
    return {};
  }

  Result<std::optional<DataStretch>> next_data(uint64_t offset) override {
    const off_t begin = ::lseek(fd_.get(), as_off(offset), SEEK_DATA);
    if (begin < 0 && errno == ENXIO) return std::optional<DataStretch>();
    if (begin < 0 && errno != EINVAL && errno != ENOTSUP) return fault("find its data");
    if (begin < 0) {
      CB_ASSIGN(const NodeStat now, stat());
      if (offset >= now.size) return std::optional<DataStretch>();
      return std::optional<DataStretch>({offset, now.size});
    }
    const off_t end = ::lseek(fd_.get(), begin, SEEK_HOLE);
    if (end < 0 && errno == ENXIO) return std::optional<DataStretch>();  // it shrank just now
    if (end < 0) return fault("find its holes");
    return std::optional<DataStretch>({static_cast<uint64_t>(begin), static_cast<uint64_t>(end)});
  }

  Status set_size(uint64_t size) override {
    if (::ftruncate(fd_.get(), as_off(size)) != 0) return fault("set its size");
    return {};
  }

  Status reserve(uint64_t offset, uint64_t length) override {
    if (length == 0) return {};
    const int done = ::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, as_off(offset), as_off(length));
    // A file system that cannot promise space is not short of it.
    if (done != 0 && errno != EOPNOTSUPP && errno != ENOSYS) return fault("reserve space");
    return {};
  }

  void write_back(uint64_t offset, uint64_t length) override {
    static_cast<void>(
        ::sync_file_range(fd_.get(), as_off(offset), as_off(length), SYNC_FILE_RANGE_WRITE));
  }

  Status drop_written(uint64_t offset, uint64_t length) override {
    constexpr unsigned kWait =
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    const int done = ::sync_file_range(fd_.get(), as_off(offset), as_off(length), kWait);
    if (done != 0 && (errno == EIO || errno == ENOSPC || errno == EDQUOT))
      return fault("write it to the disk");
    static_cast<void>(
        ::posix_fadvise(fd_.get(), as_off(offset), as_off(length), POSIX_FADV_DONTNEED));
    return {};
  }

  Status sync() override {
    if (::fsync(fd_.get()) != 0) return fault("make it durable");
    return {};
  }

 private:
  static off_t as_off(uint64_t value) { return static_cast<off_t>(value); }

  template <typename Call>
  Result<size_t> moved(Call call, const char* doing) {
    while (true) {
      const ssize_t n = call();
      if (n >= 0) return static_cast<size_t>(n);
      if (errno != EINTR) return fault(doing);
    }
  }
};

class RealFolder final : public RealNode<Folder> {
 public:
  RealFolder(int fd, bool path_only, std::string path) : RealNode(fd, path_only, std::move(path)) {}

  Status each_name(const std::function<void(std::string_view, NameKind)>& sink) override {
    if (path_only_) return failed(fail_errno(EACCES, path_, "read folder"));
    const std::lock_guard lock(listing_);  // the position is the descriptor's
    if (::lseek(fd_.get(), 0, SEEK_SET) != 0) return fault("read folder");
    const auto buffer = std::make_unique<std::array<char, kListingBytes>>();
    while (true) {
      const long n = ::syscall(SYS_getdents64, fd_.get(), buffer->data(), buffer->size());
      if (n < 0) return fault("read folder");
      if (n == 0) return {};
      for (long at = 0; at < n;) {
        const auto* entry = reinterpret_cast<const dirent64*>(buffer->data() + at);
        at += entry->d_reclen;
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") sink(name, kind_of(entry->d_type));
      }
    }
  }

  Result<NodeStat> stat_name(const std::string& name) override {
    return stat_at(fd_.get(), name.c_str(), path_);
  }

  Result<std::string> read_link(const std::string& name) override {
    std::string target(256, 0);
    while (true) {
      const ssize_t n = ::readlinkat(fd_.get(), name.c_str(), target.data(), target.size());
      if (n < 0) return fault_at(name, "read the link");
      if (static_cast<size_t>(n) < target.size()) {
        target.resize(static_cast<size_t>(n));
        return target;
      }
      target.resize(target.size() * 4);
    }
  }

  Result<std::shared_ptr<Folder>> open_folder(const std::string& name) override {
    int fd = open_quietly(fd_.get(), name.c_str(), O_RDONLY | O_DIRECTORY);
    const bool path_only = fd < 0 && errno == EACCES;
    if (path_only)
      fd = ::openat(fd_.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return fault_at(name, "open folder");
    return std::make_shared<RealFolder>(fd, path_only, below(name));
  }

  Result<std::unique_ptr<TreeFile>> open_file(const std::string& name) override {
    return file(open_quietly(fd_.get(), name.c_str(), O_RDONLY | O_NONBLOCK), name, "open");
  }

  Result<std::unique_ptr<Node>> open_node(const std::string& name) override {
    const int fd = ::openat(fd_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return fault_at(name, "open");
    return std::make_unique<RealNode<Node>>(fd, true, below(name));
  }

  Result<std::unique_ptr<TreeFile>> create_file(const std::string& name, uint32_t mode) override {
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
    return file(::openat(fd_.get(), name.c_str(), flags, mode), name, "create");
  }

  Result<std::unique_ptr<TreeFile>> reopen_file(const std::string& name) override {
    const int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    const int fd = ::openat(fd_.get(), name.c_str(), flags);
    CB_ASSIGN(auto opened, file(fd, name, "open for writing"));
    CB_ASSIGN(const NodeStat what, opened->stat());
    if (!what.is_regular()) return failed(Code::exists, below(name), "is not a regular file");
    return opened;
  }

  Status make_folder(const std::string& name, uint32_t mode) override {
    return done(::mkdirat(fd_.get(), name.c_str(), mode), name, "make folder");
  }
  Status make_symlink(const std::string& target, const std::string& name) override {
    return done(::symlinkat(target.c_str(), fd_.get(), name.c_str()), name, "make symbolic link");
  }
  Status make_special(const std::string& name, uint32_t mode, uint32_t major,
                      uint32_t minor) override {
    return done(::mknodat(fd_.get(), name.c_str(), mode, makedev(major, minor)), name,
                "make special file");
  }
  Status make_link(Folder& from, const std::string& name, const std::string& here) override {
    return done(::linkat(from.fd(), name.c_str(), fd_.get(), here.c_str(), 0), here,
                "make hard link");
  }
  Status rename(const std::string& from, const std::string& to) override {
    return done(::renameat(fd_.get(), from.c_str(), fd_.get(), to.c_str()), to,
                "put a new file in its place");
  }
  Status remove(const std::string& name) override {
    return done(::unlinkat(fd_.get(), name.c_str(), 0), name, "remove");
  }
  Status remove_folder(const std::string& name) override {
    return done(::unlinkat(fd_.get(), name.c_str(), AT_REMOVEDIR), name, "remove folder");
  }

  Status sync() override {
    if (path_only_) return failed(fail_errno(EACCES, path_, "make folder durable"));
    if (::fsync(fd_.get()) != 0) return fault("make folder durable");
    return {};
  }
  Status sync_file_system() override {
    if (path_only_) return failed(fail_errno(EACCES, path_, "make folder durable"));
    if (::syncfs(fd_.get()) != 0) return fault("make the file system durable");
    return {};
  }
  [[nodiscard]] int fd() const override { return fd_.get(); }

 private:
  static NameKind kind_of(unsigned char type) {
    if (type == DT_UNKNOWN) return NameKind::unknown;
    return type == DT_DIR ? NameKind::folder : NameKind::other;
  }
  [[nodiscard]] std::string below(const std::string& name) const {
    return path_ == "/" ? path_ + name : path_ + "/" + name;
  }
  [[nodiscard]] tl::unexpected<Error> fault_at(const std::string& name, const char* doing) const {
    return failed(fail_errno(errno, below(name), doing));
  }
  Status done(int result, const std::string& name, const char* doing) {
    if (result != 0) return fault_at(name, doing);
    return {};
  }
  Result<std::unique_ptr<TreeFile>> file(int fd, const std::string& name, const char* doing) {
    if (fd < 0) return fault_at(name, doing);
    return std::make_unique<RealTreeFile>(fd, below(name));
  }

  std::mutex listing_;
};

class RealTree final : public Tree {
 public:
  Result<std::shared_ptr<Folder>> open(const Path& path) override {
    const std::string text = path.string();
    int fd = ::open(text.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOCTTY);
    const bool path_only = fd < 0 && errno == EACCES;
    if (path_only) fd = ::open(text.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return failed(fail_errno(errno, text, "open folder"));
    return std::make_shared<RealFolder>(fd, path_only, text);
  }

  Result<std::string> resolve(const Path& path) override {
    const std::unique_ptr<char, void (*)(void*)> found(::realpath(path.c_str(), nullptr), ::free);
    if (found == nullptr) return failed(fail_errno(errno, path.string(), "find"));
    return std::string(found.get());
  }
};

}  // namespace

bool NodeStat::is_regular() const { return S_ISREG(mode); }
bool NodeStat::is_folder() const { return S_ISDIR(mode); }
bool NodeStat::is_symlink() const { return S_ISLNK(mode); }

Tree& real_tree() {
  static RealTree tree;
  return tree;
}

}  // namespace cb::os
