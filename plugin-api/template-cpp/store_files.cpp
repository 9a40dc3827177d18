// SPDX-License-Identifier: Apache-2.0
//
// store-files: a plugin of the interface cb.store/1 in one file of C++20. Objects are files in the
// folder `objects`, with ',' for the '/' of their names; what is being written lies in `tmp`.
// Commit makes the content durable, renames, and makes the folder durable. Replace it by yours.
//
// The members of Files may run in parallel; one Put, Get or List is used by one thread at a time.
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cyberbackup/cpp/entry.hpp"
#include "cyberbackup/cpp/store.hpp"

namespace sdk = cyberbackup::sdk;

namespace {

// --- options -------------------------------------------------------------------------------------

// By position in kOptions.
enum Option : size_t { kFolder, kCreate };

constexpr cb_option kOptions[] = {
    {"folder", "The folder that holds the objects.", nullptr, nullptr, 0, 0, CB_OPTION_PATH,
     CB_OPTION_REQUIRED},
    {"create", "Make the folder when it is missing.", "true", nullptr, 0, 0, CB_OPTION_BOOL, 0},
};

// --- files ---------------------------------------------------------------------------------------

// An owned file descriptor. All are closed on exec and none follows a symbolic link.
class Handle {
 public:
  Handle() = default;
  Handle(int folder, const std::string& name, int flags)
      : fd_(::openat(folder, name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600)) {}
  Handle(Handle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Handle() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Object names have no ',', and file names no '/': one stands for the other.
std::string swapped(std::string_view name, char from, char to) {
  std::string made(name);
  std::replace(made.begin(), made.end(), from, to);
  return made;
}
std::string file_of(std::string_view object) { return swapped(object, '/', ','); }
std::string object_of(std::string_view file) { return swapped(file, ',', '/'); }

sdk::Failure not_found(std::string_view name) {
  return sdk::Failure(CB_E_NOT_FOUND, "object " + std::string(name) + " does not exist", ENOENT,
                      CB_ERROR_PERMANENT);
}

// Makes durable. It needs no memory unless it fails: what was published must not fail for that.
void sync(const Handle& handle, std::string_view what) {
  if (::fsync(handle.get()) != 0) throw sdk::os_failure(errno, what);
}

// The names in a folder but "." and "..", in no order.
std::vector<std::string> names_in(int folder) {
  std::vector<std::string> names;
  const int fd = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* stream = fd < 0 ? nullptr : ::fdopendir(fd);
  if (stream == nullptr) {
    const int os_errno = errno;
    if (fd >= 0) ::close(fd);
    throw sdk::os_failure(os_errno, "a folder of the store");
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> closing(stream, ::closedir);
  errno = 0;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) throw sdk::os_failure(errno, "a folder of the store");
  return names;
}

// Describes the file of an object; false when it does not exist.
bool describe(int folder, std::string_view name, cb_object& out) {
  struct stat info {};
  if (::fstatat(folder, file_of(name).c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return false;
    throw sdk::os_failure(errno, "object " + std::string(name));
  }
  const int64_t modified = int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  sdk::set_object(out, name, static_cast<uint64_t>(info.st_size), modified);
  return S_ISREG(info.st_mode);
}

// --- handles -------------------------------------------------------------------------------------

// An object being written: a file in tmp, locked as long as its writer lives.
class Put {
 public:
  Put(const Handle& objects, const Handle& temporaries, std::string name, std::string temporary,
      bool if_absent)
      : objects_(objects),
        temporaries_(temporaries),
        name_(std::move(name)),
        temporary_(std::move(temporary)),
        if_absent_(if_absent),
        file_(temporaries.get(), temporary_, O_WRONLY | O_CREAT | O_EXCL) {
    if (!file_) throw sdk::os_failure(errno, "object " + name_);
    // Between these two lines somebody who looks for leftovers may have been quicker.
    struct stat info {};
    const bool locked = ::flock(file_.get(), LOCK_EX) == 0 && ::fstat(file_.get(), &info) == 0;
    if (locked && info.st_nlink > 0) return;
    ::unlinkat(temporaries_.get(), temporary_.c_str(), 0);
    throw sdk::Failure(CB_E_BUSY, "object " + name_ + ": its temporary file was taken away", 0,
                       CB_ERROR_RETRY);
  }
  Put(const Put&) = delete;
  Put& operator=(const Put&) = delete;
  ~Put() {
    if (!temporary_.empty()) ::unlinkat(temporaries_.get(), temporary_.c_str(), 0);
  }

  void write(std::span<const std::byte> data) {
    while (!data.empty()) {
      const ssize_t took = ::write(file_.get(), data.data(), data.size());
      if (took < 0 && errno == EINTR) continue;
      if (took < 0) throw sdk::os_failure(errno, "object " + name_);
      data = data.subspan(static_cast<size_t>(took));
    }
  }

  void commit() {
    sync(file_, name_);
    publish();
    sync(objects_, name_);
  }

 private:
  // A link is refused by the system when the name is taken; a rename replaces. The destructor
  // removes the temporary name after a link.
  void publish() {
    const std::string file = file_of(name_);
    const int from = temporaries_.get();
    const int to = objects_.get();
    if (if_absent_) {
      if (::linkat(from, temporary_.c_str(), to, file.c_str(), 0) == 0) return;
      if (errno == EEXIST)
        throw sdk::Failure(CB_E_EXISTS, "object " + name_ + " exists already", EEXIST,
                           CB_ERROR_PERMANENT);
      throw sdk::os_failure(errno, "object " + name_);
    }
    if (::renameat(from, temporary_.c_str(), to, file.c_str()) != 0)
      throw sdk::os_failure(errno, "object " + name_);
    temporary_.clear();
  }

  const Handle& objects_;
  const Handle& temporaries_;
  std::string name_;
  std::string temporary_;  // empty once it is no longer there
  bool if_absent_;
  Handle file_;
};

// A range being read. What it reads stays the same when the object is replaced or removed.
class Get {
 public:
  Get(Handle file, std::string name, uint64_t offset, uint64_t length)
      : file_(std::move(file)), name_(std::move(name)), offset_(offset), left_(length) {}

  size_t read(std::span<std::byte> into) {
    const size_t want = static_cast<size_t>(std::min<uint64_t>(into.size(), left_));
    if (want == 0) return 0;
    ssize_t got = 0;
    do {
      got = ::pread(file_.get(), into.data(), want, static_cast<off_t>(offset_));
    } while (got < 0 && errno == EINTR);
    if (got < 0) throw sdk::os_failure(errno, "object " + name_);
    if (got == 0) throw sdk::Failure(CB_E_CORRUPT, "object " + name_ + " became shorter");
    offset_ += static_cast<uint64_t>(got);
    left_ -= static_cast<uint64_t>(got);
    return static_cast<size_t>(got);
  }

 private:
  Handle file_;
  std::string name_;
  uint64_t offset_;
  uint64_t left_;
};

// A listing of the names there were when it began.
class List {
 public:
  List(const Handle& objects, std::string_view prefix, std::string_view after) : objects_(objects) {
    for (const std::string& file : names_in(objects_.get())) {
      std::string name = object_of(file);
      if (sdk::is_store_name(name) && name.starts_with(prefix) && name > after)
        names_.push_back(std::move(name));
    }
    std::sort(names_.begin(), names_.end());
  }

  bool next(cb_object& out) {
    while (at_ < names_.size())
      if (describe(objects_.get(), names_[at_++], out)) return true;
    return false;
  }

 private:
  const Handle& objects_;
  std::vector<std::string> names_;
  size_t at_ = 0;
};

// --- store ---------------------------------------------------------------------------------------

class Files {
 public:
  using Put = ::Put;
  using Get = ::Get;
  using List = ::List;

  static void check(const sdk::Config& config) {
    if (config.text(kFolder) == "/")
      throw sdk::Failure(CB_E_INVALID, "folder: give the store a folder of its own");
  }

  Files(const sdk::Host& host, const sdk::Config& config)
      : host_(host), path_(config.text(kFolder)) {
    const bool made = config.boolean(kCreate) && ::mkdir(path_.c_str(), 0700) == 0;
    root_ = Handle(AT_FDCWD, path_, O_RDONLY | O_DIRECTORY);
    if (!root_) throw sdk::os_failure(errno, path_);
    if (made) sync(Handle(root_.get(), "..", O_RDONLY), path_);
    objects_ = folder("objects");
    temporaries_ = folder("tmp");
    sync(root_, path_);
    host_.random(std::as_writable_bytes(std::span(&first_temporary_, 1)));
    remove_leftovers();
  }

  void stat(std::string_view name, cb_object& out) {
    if (!describe(objects_.get(), name, out)) throw not_found(name);
  }

  std::unique_ptr<Put> put_begin(std::string_view name, uint64_t, uint32_t flags) {
    const std::string temporary = std::to_string(first_temporary_ + temporaries_made_++);
    return std::make_unique<Put>(objects_, temporaries_, std::string(name), temporary,
                                 (flags & CB_PUT_IF_ABSENT) != 0);
  }

  std::unique_ptr<Get> get_open(std::string_view name, uint64_t offset, uint64_t length) {
    Handle file(objects_.get(), file_of(name), O_RDONLY | O_NONBLOCK);
    if (!file && errno == ENOENT) throw not_found(name);
    struct stat info {};
    if (!file || ::fstat(file.get(), &info) != 0)
      throw sdk::os_failure(errno, "object " + std::string(name));
    const uint64_t size = static_cast<uint64_t>(info.st_size);
    if (offset > size || length > size - offset)
      throw sdk::Failure(CB_E_LIMIT, "object " + std::string(name) + " is shorter than that", 0,
                         CB_ERROR_PERMANENT);
    return std::make_unique<Get>(std::move(file), std::string(name), offset,
                                 length == 0 ? size - offset : length);
  }

  void remove(std::string_view name) {
    if (::unlinkat(objects_.get(), file_of(name).c_str(), 0) != 0) {
      if (errno == ENOENT) throw not_found(name);
      throw sdk::os_failure(errno, "object " + std::string(name));
    }
    sync(objects_, name);
  }

  std::unique_ptr<List> list_open(std::string_view prefix, std::string_view after) {
    return std::make_unique<List>(objects_, prefix, after);
  }

  void space(cb_space& out) {
    struct statvfs info {};
    if (::fstatvfs(root_.get(), &info) != 0) throw sdk::os_failure(errno, path_);
    out.total = uint64_t{info.f_blocks} * info.f_frsize;
    out.free = uint64_t{info.f_bavail} * info.f_frsize;
  }

 private:
  Handle folder(const std::string& name) {
    if (::mkdirat(root_.get(), name.c_str(), 0700) != 0 && errno != EEXIST)
      throw sdk::os_failure(errno, path_ + "/" + name);
    Handle made(root_.get(), name, O_RDONLY | O_DIRECTORY);
    if (!made) throw sdk::os_failure(errno, path_ + "/" + name);
    return made;
  }

  // A temporary file whose lock can be had has lost its writer. Files of other names are not ours.
  void remove_leftovers() {
    size_t removed = 0;
    for (const std::string& name : names_in(temporaries_.get())) {
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      const Handle file(temporaries_.get(), name, O_RDONLY | O_NONBLOCK);
      if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;
      if (::unlinkat(temporaries_.get(), name.c_str(), 0) == 0) ++removed;
    }
    if (removed > 0)
      host_.log(CB_LOG_INFO, "removed " + std::to_string(removed) + " unfinished objects");
  }

  sdk::Host host_;
  std::string path_;
  Handle root_;
  Handle objects_;
  Handle temporaries_;
  uint64_t first_temporary_ = 0;
  std::atomic<uint64_t> temporaries_made_ = 0;
};

// --- descriptor and entry ------------------------------------------------------------------------

constexpr cb_descriptor kDescriptor =
    sdk::describe<Files>({.id = "store-files",
                          .interface_id = CB_STORE_INTERFACE,
                          .version = CB_PLUGIN_VERSION,
                          .vendor = "Example",
                          .license = "Apache-2.0",
                          .summary = "Objects as files in one flat folder.",
                          .status = "wip",
                          .posture = "trusted-peer",
                          .capabilities = CB_STORE_DURABLE | CB_STORE_ATOMIC_REPLACE |
                                          CB_STORE_RANGE | CB_STORE_LIST_AFTER},
                         kOptions, sdk::store_ops<Files>());

}  // namespace

CB_PLUGIN_ENTRY(kDescriptor)
