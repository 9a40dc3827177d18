// SPDX-License-Identifier: Apache-2.0
//
// Files and folders: the one door to them for the core, abstract so that tests can fail the n-th
// call. A FileSystem is thread-safe; a File is used by one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/secret.h"

namespace cb::os {

using Path = std::filesystem::path;

struct FileInfo {
  uint64_t size = 0;  // bytes
  int64_t modified_ns = 0;
  uint32_t mode = 0;  // st_mode: type and permission bits
  uint32_t owner = 0;
  uint64_t device = 0;
  uint64_t inode = 0;
  [[nodiscard]] bool is_regular() const;
  [[nodiscard]] bool is_folder() const;
};

struct Space {
  uint64_t total = 0;  // bytes
  uint64_t free = 0;   // bytes this user may still use
};

enum class Open {
  read,        // existing file
  create_new,  // Code::exists if the name is taken
  replace,     // created, or emptied
  update,      // created, or as it is
};

class File {
 public:
  virtual ~File() = default;  // closes

  // Reads up to into.size() bytes; 0 is the end of the file.
  virtual Result<size_t> read(ByteSpan into) = 0;
  // Reads at an offset without moving the position; 0 is the end of the file.
  virtual Result<size_t> read_at(ByteSpan into, uint64_t offset) = 0;
  // Writes all of `from`, or fails.
  virtual Status write(ByteView from) = 0;
  virtual Status write_at(ByteView from, uint64_t offset) = 0;
  // Makes content and size durable (fsync).
  virtual Status sync() = 0;
  virtual Result<FileInfo> info() = 0;
  // The descriptor; stays owned by the File.
  [[nodiscard]] virtual int fd() const = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Opens a regular file, close-on-exec. `permissions` only matter when it is created.
  virtual Result<std::unique_ptr<File>> open(const Path& path, Open how,
                                             uint32_t permissions = 0600) = 0;
  // A file without a name in `folder`; gone when closed.
  virtual Result<std::unique_ptr<File>> open_unnamed(const Path& folder) = 0;
  // Renames within one file system, replacing `to`.
  virtual Status rename(const Path& from, const Path& to) = 0;
  // Removes a file or an empty folder.
  virtual Status remove(const Path& path) = 0;
  // Makes a folder and its missing parents.
  virtual Status make_folders(const Path& path, uint32_t permissions = 0700) = 0;
  // Names in a folder, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> list(const Path& folder) = 0;
  // Follows symbolic links.
  virtual Result<FileInfo> info(const Path& path) = 0;
  // Makes the entries of a folder durable.
  virtual Status sync_folder(const Path& folder) = 0;
  virtual Result<Space> space(const Path& path) = 0;
};

// The system's files. Lives for ever.
FileSystem& real_file_system();

// Reads a whole file of at most `limit` bytes; Code::limit when it is longer.
Result<Bytes> read_file(FileSystem& files, const Path& path, uint64_t limit);

// The same into memory that is wiped.
Result<Secret> read_secret_file(FileSystem& files, const Path& path, uint64_t limit);

// Puts `content` under `path` so that a crash leaves the old file or the new one: temporary name,
// write, sync, rename, sync of the folder.
Status write_file_atomically(FileSystem& files, const Path& path, ByteView content,
                             uint32_t permissions = 0600);

}  // namespace cb::os
