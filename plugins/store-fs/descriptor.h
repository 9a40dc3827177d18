// SPDX-License-Identifier: Apache-2.0
//
// An owned file descriptor and the few system calls the store makes with it. Nothing here follows a
// symbolic link. Failures are thrown as sdk::Failure. A Descriptor is used by one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace store_fs {

// Throws the Failure that fits `os_errno`: "`what`: the system's text".
[[noreturn]] void throw_errno(int os_errno, const std::string& what);

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();

  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

  // Closes and throws what close reports, which on some file systems is a late write error.
  void close(const std::string& what);

 private:
  int fd_ = -1;
};

// Opens the folder `name` below `parent`; an empty Descriptor when it does not exist.
Descriptor open_folder(int parent, const std::string& name);

// The same, making the folder if it is missing; `made` tells.
Descriptor make_folder(int parent, const std::string& name, bool& made);

// Makes the entries of a folder, or the content of a file, durable.
void sync(const Descriptor& fd, const std::string& what);

// Renames within one file system. With `if_absent` it returns false when `to` is taken, atomically;
// else `to` is replaced.
bool rename_file(int from_folder, const std::string& from, int to_folder, const std::string& to,
                 bool if_absent);

}  // namespace store_fs
