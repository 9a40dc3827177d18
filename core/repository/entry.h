// SPDX-License-Identifier: Apache-2.0
//
// One file, folder or other thing of a snapshot, as both engines see it; how it is written down is
// node.h's. Plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/repository/ids.h"

namespace cb::repository {

enum class EntryKind : uint8_t {
  file = 1,
  folder = 2,
  symlink = 3,
  fifo = 4,
  character_device = 5,
  block_device = 6,
  socket = 7,
};

// A stretch of a file: bytes of a blob, or a hole.
struct Extent {
  uint64_t length = 0;  // bytes, at least 1
  bool hole = false;
  BlobId blob;
  uint64_t offset = 0;  // in the blob's plaintext

  bool operator==(const Extent&) const = default;
};

struct Xattr {
  std::string name;
  std::string value;

  bool operator==(const Xattr&) const = default;
};

constexpr uint64_t kEntryChanged = 1;     // Entry::flags: it changed while it was read
constexpr uint64_t kEntryUnreadable = 2;  // its content could not be read

struct Entry {
  std::string path;  // relative, components joined by '/': "usr/include/stdio.h"
  EntryKind kind = EntryKind::file;
  uint32_t mode = 0;  // the 12 permission bits
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::string user;  // names as the source knew them; may be empty
  std::string group;
  int64_t mtime_ns = 0;  // since 1970 UTC
  uint64_t flags = 0;
  uint32_t attributes = 0;  // FS_IOC_GETFLAGS, those that can be set
  uint64_t device = 0;      // both 0 unless the file has several names
  uint64_t inode = 0;
  std::vector<Xattr> xattrs;  // by name; ACLs are among them

  // Files:
  uint64_t size = 0;              // bytes
  std::vector<Extent> extents;    // empty when `extent_root` is set
  BlobId extent_root;             // of an extent tree; zero when there is none
  std::string target;             // of a symlink
  uint32_t major = 0, minor = 0;  // of a device

  bool operator==(const Entry&) const = default;
};

// The order of paths in a snapshot: component by component, so a folder stands right before what is
// in it. Negative, zero or positive.
int compare_paths(std::string_view a, std::string_view b);

// May this path stand in a snapshot? Not empty; no leading or trailing slash, no empty component,
// no "." and "..", no zero byte; at most 64 KiB.
bool is_snapshot_path(std::string_view path);

// Most bytes of one file.
constexpr uint64_t kMaxFile = uint64_t{1} << 62;
// More extents than these form a tree of nodes of their own.
constexpr size_t kInlineExtents = 64;

// What is wrong with an extent or an entry, so that it may not stand in a snapshot ("has ...");
// empty when nothing is.
std::string_view extent_flaw(const Extent& extent);
std::string_view entry_flaw(const Entry& entry);

}  // namespace cb::repository
