// SPDX-License-Identifier: Apache-2.0
//
// Trees of files as a backup sees them: everything a file system knows about a name, reached from
// open folders only, so that a path component that turns into a symbolic link leads nowhere else.
// Abstract so that tests can fail the n-th call. A Folder and a Tree are thread-safe; so is a Node
// but for what changes it; a TreeFile reads and writes at offsets from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/os/file_system.h"

namespace cb::os {

struct NodeStat {
  uint32_t mode = 0;  // st_mode: type and the 12 permission bits
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t links = 0;
  uint64_t size = 0;       // bytes
  uint64_t allocated = 0;  // bytes on disk
  int64_t mtime_ns = 0;    // since 1970 UTC
  int64_t ctime_ns = 0;
  uint64_t device = 0;  // the file system it lies in
  uint64_t inode = 0;
  uint32_t major = 0, minor = 0;  // of a device
  [[nodiscard]] bool is_regular() const;
  [[nodiscard]] bool is_folder() const;
  [[nodiscard]] bool is_symlink() const;
};

// A stretch of a file that holds data: [begin, end).
struct DataStretch {
  uint64_t begin = 0;
  uint64_t end = 0;
};

// What a listing says about a name before it is looked at.
enum class NameKind : uint8_t { unknown, folder, other };

// FS_IOC_GETFLAGS bits that can be set again; the rest describes how the file system stores a file.
extern const uint32_t kSettableAttributes;
// Those of them that forbid changes: nothing works on such a file but taking them away.
extern const uint32_t kLockingAttributes;
// Those that must be set while the file is still empty.
extern const uint32_t kEarlyAttributes;

// Something in a file system, held open. Errors name its path.
class Node {
 public:
  virtual ~Node() = default;  // closes

  virtual Result<NodeStat> stat() = 0;
  // Sorted; empty where the file system has none.
  virtual Result<std::vector<std::string>> xattr_names() = 0;
  // Nothing when it is gone.
  virtual Result<std::optional<std::string>> xattr(const std::string& name) = 0;
  // FS_IOC_GETFLAGS; Code::unsupported where there are none.
  virtual Result<uint32_t> attributes() = 0;

  virtual Status set_xattr(const std::string& name, const std::string& value) = 0;
  virtual Status remove_xattr(const std::string& name) = 0;
  virtual Status set_attributes(uint32_t attributes) = 0;
  virtual Status set_owner(uint32_t uid, uint32_t gid) = 0;
  virtual Status set_mode(uint32_t mode) = 0;  // the 12 permission bits; not for symbolic links
  virtual Status set_mtime(int64_t ns) = 0;
};

class TreeFile : public Node {
 public:
  // Reads up to into.size() bytes; 0 is the end of the file.
  virtual Result<size_t> read_at(ByteSpan into, uint64_t offset) = 0;
  // Writes all of `from`, or fails.
  virtual Status write_at(ByteView from, uint64_t offset) = 0;
  // The first data at or after `offset`; nothing when only a hole or the end follows. Where the
  // file system knows no holes, the rest of the file.
  virtual Result<std::optional<DataStretch>> next_data(uint64_t offset) = 0;
  virtual Status set_size(uint64_t size) = 0;
  // Takes the space for a stretch; Code::no_space before anything is written.
  virtual Status reserve(uint64_t offset, uint64_t length) = 0;
  // For large files: begins to write a stretch to the disk, as far as the system can.
  virtual void write_back(uint64_t offset, uint64_t length) = 0;
  // Waits until a stretch is there, and lets it leave the page cache. An error of the disk is told
  // here and not again by sync().
  virtual Status drop_written(uint64_t offset, uint64_t length) = 0;
  virtual Status sync() = 0;
};

// An open folder. Names have no slash; a symbolic link at a name is never followed.
class Folder : public Node {
 public:
  // Calls `sink` for each name but "." and "..", in no order. The view is good during the call.
  virtual Status each_name(const std::function<void(std::string_view, NameKind)>& sink) = 0;
  virtual Result<NodeStat> stat_name(const std::string& name) = 0;
  virtual Result<std::string> read_link(const std::string& name) = 0;
  // Also of a folder that may only be passed through; its each_name is denied then.
  virtual Result<std::shared_ptr<Folder>> open_folder(const std::string& name) = 0;
  // For reading, without touching the access time where that is allowed. Does not block on a fifo.
  virtual Result<std::unique_ptr<TreeFile>> open_file(const std::string& name) = 0;
  // For metadata only, whatever it is.
  virtual Result<std::unique_ptr<Node>> open_node(const std::string& name) = 0;

  // Code::exists when the name is taken. For reading and writing.
  virtual Result<std::unique_ptr<TreeFile>> create_file(const std::string& name, uint32_t mode) = 0;
  // An existing regular file for reading and writing.
  virtual Result<std::unique_ptr<TreeFile>> reopen_file(const std::string& name) = 0;
  virtual Status make_folder(const std::string& name, uint32_t mode) = 0;
  virtual Status make_symlink(const std::string& target, const std::string& name) = 0;
  // A fifo, socket or device; `mode` says which (st_mode).
  virtual Status make_special(const std::string& name, uint32_t mode, uint32_t major,
                              uint32_t minor) = 0;
  // Gives `name` in `from` a second name here.
  virtual Status make_link(Folder& from, const std::string& name, const std::string& here) = 0;
  // Within this folder, replacing `to`.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& name) = 0;         // not a folder
  virtual Status remove_folder(const std::string& name) = 0;  // an empty one
  // Makes the names of this folder durable.
  virtual Status sync() = 0;
  // Makes everything in the file system of this folder durable.
  virtual Status sync_file_system() = 0;
  // The descriptor; stays owned by the Folder.
  [[nodiscard]] virtual int fd() const = 0;
};

class Tree {
 public:
  virtual ~Tree() = default;
  // Opens a folder by its absolute path, following symbolic links: whoever names it means it.
  virtual Result<std::shared_ptr<Folder>> open(const Path& path) = 0;
  // The absolute path of something that is there, without symbolic links, "." and "..".
  virtual Result<std::string> resolve(const Path& path) = 0;
};

// The system's. Lives for ever.
Tree& real_tree();

}  // namespace cb::os
