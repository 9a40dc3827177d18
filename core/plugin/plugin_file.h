// SPDX-License-Identifier: Apache-2.0
//
// A plugin's file, opened once: its content and hash come through the same descriptor that is
// loaded later, so it cannot be swapped between check and use. Used by one thread.
#pragma once

#include <sys/types.h>

#include <string>

#include "core/base/bytes.h"
#include "core/os/file_system.h"

namespace cb::plugin {

// Lower-case hex SHA-256 of `content`.
Result<std::string> sha256_hex(ByteView content);

// An owned descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  [[nodiscard]] int get() const { return fd_; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

class PluginFile {
 public:
  // Opens and reads `path`. Code::not_found says where a plugin was looked for.
  static Result<PluginFile> open(const os::Path& path);
  // The same for a file that is open already; `path` is for messages.
  static Result<PluginFile> adopt(Descriptor descriptor, const os::Path& path);

  [[nodiscard]] const os::Path& path() const { return path_; }
  // "plugin /usr/lib/.../x.so": the file in messages.
  [[nodiscard]] std::string object() const { return "plugin " + path_.string(); }
  [[nodiscard]] ByteView content() const { return content_; }
  [[nodiscard]] const std::string& sha256() const { return sha256_; }
  [[nodiscard]] uint64_t device() const { return device_; }
  [[nodiscard]] uint64_t inode() const { return inode_; }
  [[nodiscard]] int fd() const { return descriptor_.get(); }

  // A sealed copy in memory that nobody can change.
  [[nodiscard]] Result<Descriptor> sealed_copy() const;
  // Gives the descriptor away.
  Descriptor take_descriptor() { return std::move(descriptor_); }

 private:
  PluginFile() = default;

  os::Path path_;
  Descriptor descriptor_;
  Bytes content_;
  std::string sha256_;
  uint64_t device_ = 0;
  uint64_t inode_ = 0;
};

}  // namespace cb::plugin
