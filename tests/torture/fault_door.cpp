// SPDX-License-Identifier: Apache-2.0
//
// A door between a program and the system, preloaded into it: the n-th call of a kind fails, as the
// control file says that CB_FAULTS names. The file is mapped, so that a trial can arm the next
// fault in a daemon that runs, and read how many calls of each kind there were. See faults.py,
// which has the same layout.
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdint>

namespace {

enum Kind : uint32_t {
  kOpen,
  kRead,
  kWrite,
  kSync,
  kRename,
  kUnlink,
  kMakeFolder,
  kStat,
  kSize,
  kSocket,
  kSend,
  kReceive,
  kMap,
  kThread,
  kAllocate,
  kKinds,
};

struct Control {
  std::atomic<uint32_t> armed;      // 1: count down; the door sets 2 when it has failed a call
  std::atomic<uint32_t> kind;       // of Kind
  std::atomic<int32_t> error;       // errno
  std::atomic<int64_t> calls_left;  // until the one that fails
  std::atomic<uint64_t> calls[kKinds];
};

std::atomic<Control*> control{nullptr};

__attribute__((constructor)) void map_control() {
  const char* name = ::getenv("CB_FAULTS");
  if (name == nullptr) return;
  using Open = int (*)(const char*, int, ...);
  const auto open_file = reinterpret_cast<Open>(::dlsym(RTLD_NEXT, "open"));
  const int fd = open_file(name, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* at = ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at != MAP_FAILED) control = static_cast<Control*>(at);
  ::close(fd);
}

// Is it this call's turn? Then errno is set.
bool fails(Kind kind) {
  Control* const at = control.load(std::memory_order_acquire);
  if (at == nullptr) return false;
  at->calls[kind].fetch_add(1, std::memory_order_relaxed);
  if (at->armed.load(std::memory_order_acquire) != 1 || at->kind.load() != kind) return false;
  if (at->calls_left.fetch_sub(1) != 1) return false;
  at->armed = 2;
  errno = at->error.load();
  return true;
}

// Bells between threads (eventfd and the like) do not fail.
bool is_bell(int fd) {
  struct stat found {};
  return ::syscall(SYS_fstat, fd, &found) == 0 && (found.st_mode & S_IFMT) == 0;
}

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

// What a program calls, the real thing behind it, and what a failure returns.
#define CB_DOOR(kind, failure, result, name, parameters, arguments)          \
  extern "C" __attribute__((visibility("default"))) result name parameters { \
    using Real = result(*) parameters;                                       \
    static const Real real = next<Real>(#name);                              \
    if (fails(kind)) return failure;                                         \
    return real arguments;                                                   \
  }

// The same for those whose mode comes only with some flags.
#define CB_OPEN_DOOR(name, parameters, arguments)                         \
  extern "C" __attribute__((visibility("default"))) int name parameters { \
    using Real = int(*) parameters;                                       \
    static const Real real = next<Real>(#name);                           \
    if (fails(kOpen)) return -1;                                          \
    mode_t mode = 0;                                                      \
    if ((flags & (O_CREAT | O_TMPFILE)) != 0) {                           \
      va_list list;                                                       \
      va_start(list, flags);                                              \
      mode = va_arg(list, mode_t);                                        \
      va_end(list);                                                       \
    }                                                                     \
    return real arguments;                                                \
  }

CB_OPEN_DOOR(open, (const char* path, int flags, ...), (path, flags, mode))
CB_OPEN_DOOR(open64, (const char* path, int flags, ...), (path, flags, mode))
CB_OPEN_DOOR(openat, (int at, const char* path, int flags, ...), (at, path, flags, mode))
CB_OPEN_DOOR(openat64, (int at, const char* path, int flags, ...), (at, path, flags, mode))

CB_DOOR(kRead, -1, ssize_t, pread, (int fd, void* into, size_t size, off_t at),
        (fd, into, size, at))
CB_DOOR(kRead, -1, ssize_t, pread64, (int fd, void* into, size_t size, off64_t at),
        (fd, into, size, at))
CB_DOOR(kWrite, -1, ssize_t, pwrite, (int fd, const void* from, size_t size, off_t at),
        (fd, from, size, at))
CB_DOOR(kWrite, -1, ssize_t, pwrite64, (int fd, const void* from, size_t size, off64_t at),
        (fd, from, size, at))
CB_DOOR(kSync, -1, int, fsync, (int fd), (fd))
CB_DOOR(kSync, -1, int, fdatasync, (int fd), (fd))
CB_DOOR(kSync, -1, int, sync_file_range, (int fd, off64_t at, off64_t size, unsigned how),
        (fd, at, size, how))
CB_DOOR(kRename, -1, int, rename, (const char* from, const char* to), (from, to))
CB_DOOR(kRename, -1, int, renameat, (int at, const char* from, int there, const char* to),
        (at, from, there, to))
CB_DOOR(kRename, -1, int, renameat2,
        (int at, const char* from, int there, const char* to, unsigned how),
        (at, from, there, to, how))
CB_DOOR(kRename, -1, int, link, (const char* from, const char* to), (from, to))
CB_DOOR(kRename, -1, int, linkat, (int at, const char* from, int there, const char* to, int how),
        (at, from, there, to, how))
CB_DOOR(kUnlink, -1, int, unlink, (const char* path), (path))
CB_DOOR(kUnlink, -1, int, unlinkat, (int at, const char* path, int how), (at, path, how))
CB_DOOR(kMakeFolder, -1, int, mkdir, (const char* path, mode_t mode), (path, mode))
CB_DOOR(kMakeFolder, -1, int, mkdirat, (int at, const char* path, mode_t mode), (at, path, mode))
CB_DOOR(kStat, -1, int, stat, (const char* path, struct stat* into), (path, into))
CB_DOOR(kStat, -1, int, lstat, (const char* path, struct stat* into), (path, into))
CB_DOOR(kStat, -1, int, fstat, (int fd, struct stat* into), (fd, into))
CB_DOOR(kStat, -1, int, fstatat, (int at, const char* path, struct stat* into, int how),
        (at, path, into, how))
CB_DOOR(kStat, -1, int, stat64, (const char* path, struct stat64* into), (path, into))
CB_DOOR(kStat, -1, int, lstat64, (const char* path, struct stat64* into), (path, into))
CB_DOOR(kStat, -1, int, fstat64, (int fd, struct stat64* into), (fd, into))
CB_DOOR(kStat, -1, int, fstatat64, (int at, const char* path, struct stat64* into, int how),
        (at, path, into, how))
CB_DOOR(kStat, -1, int, fstatvfs, (int fd, struct statvfs* into), (fd, into))
CB_DOOR(kStat, -1, int, fstatvfs64, (int fd, struct statvfs64* into), (fd, into))
CB_DOOR(kSize, -1, int, ftruncate, (int fd, off_t size), (fd, size))
CB_DOOR(kSize, -1, int, ftruncate64, (int fd, off64_t size), (fd, size))
CB_DOOR(kSize, -1, int, fallocate64, (int fd, int how, off64_t at, off64_t size),
        (fd, how, at, size))
CB_DOOR(kSocket, -1, int, socket, (int family, int type, int protocol), (family, type, protocol))
CB_DOOR(kSocket, -1, int, connect, (int fd, const struct sockaddr* to, socklen_t size),
        (fd, to, size))
CB_DOOR(kSocket, -1, int, accept, (int fd, struct sockaddr* from, socklen_t* size),
        (fd, from, size))
CB_DOOR(kSocket, -1, int, accept4, (int fd, struct sockaddr* from, socklen_t* size, int flags),
        (fd, from, size, flags))
CB_DOOR(kSend, -1, ssize_t, send, (int fd, const void* from, size_t size, int flags),
        (fd, from, size, flags))
CB_DOOR(kSend, -1, ssize_t, sendmsg, (int fd, const struct msghdr* what, int flags),
        (fd, what, flags))
CB_DOOR(kReceive, -1, ssize_t, recv, (int fd, void* into, size_t size, int flags),
        (fd, into, size, flags))
CB_DOOR(kReceive, -1, ssize_t, recvmsg, (int fd, struct msghdr* what, int flags), (fd, what, flags))
CB_DOOR(kMap, MAP_FAILED, void*, mmap,
        (void* at, size_t size, int how, int flags, int fd, off_t offset),
        (at, size, how, flags, fd, offset))
CB_DOOR(kMap, MAP_FAILED, void*, mmap64,
        (void* at, size_t size, int how, int flags, int fd, off64_t offset),
        (at, size, how, flags, fd, offset))

extern "C" __attribute__((visibility("default"))) ssize_t read(int fd, void* into, size_t size) {
  static const auto real = next<ssize_t (*)(int, void*, size_t)>("read");
  return !is_bell(fd) && fails(kRead) ? -1 : real(fd, into, size);
}
extern "C" __attribute__((visibility("default"))) ssize_t write(int fd, const void* from,
                                                                size_t size) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t)>("write");
  return !is_bell(fd) && fails(kWrite) ? -1 : real(fd, from, size);
}
extern "C" __attribute__((visibility("default"))) int pthread_create(pthread_t* thread,
                                                                     const pthread_attr_t* how,
                                                                     void* (*run)(void*),
                                                                     void* with) {
  using Real = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const Real real = next<Real>("pthread_create");
  if (fails(kThread)) return errno;
  return real(thread, how, run, with);
}

// --- memory: dlsym itself allocates, so the real functions are called by their other names
// --------

extern "C" void* __libc_malloc(size_t size);
extern "C" void* __libc_calloc(size_t count, size_t size);
extern "C" void* __libc_realloc(void* old, size_t size);

extern "C" __attribute__((visibility("default"))) void* malloc(size_t size) {
  return fails(kAllocate) ? nullptr : __libc_malloc(size);
}
extern "C" __attribute__((visibility("default"))) void* calloc(size_t count, size_t size) {
  return fails(kAllocate) ? nullptr : __libc_calloc(count, size);
}
extern "C" __attribute__((visibility("default"))) void* realloc(void* old, size_t size) {
  return fails(kAllocate) ? nullptr : __libc_realloc(old, size);
}
