// SPDX-License-Identifier: Apache-2.0
#include "core/client/metadata_reader.h"

#include <sys/stat.h>

namespace cb::client {
namespace {

using repository::Entry;
using repository::EntryKind;

// A node of the snapshot's tree has at most 1 MiB, and names count too.
constexpr size_t kXattrBytes = 512 * 1024;

bool is_worth_telling(const Error& error) {
  // Who may not read a file hears of that when its content is read.
  return error.code != Code::not_found && error.code != Code::denied;
}

}  // namespace

EntryKind entry_kind(uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return EntryKind::folder;
    case S_IFLNK:
      return EntryKind::symlink;
    case S_IFIFO:
      return EntryKind::fifo;
    case S_IFCHR:
      return EntryKind::character_device;
    case S_IFBLK:
      return EntryKind::block_device;
    case S_IFSOCK:
      return EntryKind::socket;
    default:
      return EntryKind::file;
  }
}

Entry MetadataReader::from_stat(std::string path, const os::NodeStat& stat) {
  Entry entry;
  entry.path = std::move(path);
  entry.kind = entry_kind(stat.mode);
  entry.mode = stat.mode & 07777;
  entry.uid = stat.uid;
  entry.gid = stat.gid;
  entry.user = names_.user(stat.uid);
  entry.group = names_.group(stat.gid);
  entry.mtime_ns = stat.mtime_ns;
  if (stat.links > 1 && entry.kind != EntryKind::folder) {
    entry.device = stat.device;
    entry.inode = stat.inode;
  }
  if (entry.kind == EntryKind::file) entry.size = stat.size;
  if (entry.kind == EntryKind::character_device || entry.kind == EntryKind::block_device) {
    entry.major = stat.major;
    entry.minor = stat.minor;
  }
  return entry;
}

void MetadataReader::read_xattrs(os::Node& node, Entry& entry, const Problem& problem) {
  auto names = node.xattr_names();
  if (!names) {
    if (is_worth_telling(names.error())) problem(std::move(names).error());
    return;
  }
  size_t bytes = 0;
  for (std::string& name : *names) {
    auto value = node.xattr(name);
    if (!value) {
      if (is_worth_telling(value.error())) problem(std::move(value).error());
      continue;
    }
    if (!*value) continue;
    bytes += name.size() + (*value)->size();
    if (bytes > kXattrBytes) {
      problem(fail(Code::limit, entry.path, "has more than 512 KiB of extended attributes",
                   "the rest of them is not in the backup"));
      return;
    }
    entry.xattrs.push_back({std::move(name), std::move(**value)});
  }
}

void MetadataReader::read_node(os::Node& node, bool attributes, Entry& entry, uint64_t device,
                               const Problem& problem) {
  read_xattrs(node, entry, problem);
  if (!attributes || without_attributes_.load(std::memory_order_relaxed) == device) return;
  auto flags = node.attributes();
  if (flags) {
    entry.attributes = *flags & os::kSettableAttributes;
  } else if (flags.error().code == Code::unsupported) {
    without_attributes_.store(device, std::memory_order_relaxed);
  } else if (is_worth_telling(flags.error())) {
    problem(std::move(flags).error());
  }
}

Entry MetadataReader::read_folder(os::Folder& folder, std::string path, const os::NodeStat& stat,
                                  const Problem& problem) {
  Entry entry = from_stat(std::move(path), stat);
  read_node(folder, true, entry, stat.device, problem);
  return entry;
}

Result<Entry> MetadataReader::read(os::Folder& folder, const std::string& name, std::string path,
                                   const os::NodeStat& stat, const Problem& problem) {
  Entry entry = from_stat(std::move(path), stat);
  if (entry.kind == EntryKind::symlink) {
    CB_ASSIGN(entry.target, folder.read_link(name));
  }
  if (entry.kind == EntryKind::file) {
    const auto file = folder.open_file(name);
    if (file) {
      read_node(**file, true, entry, stat.device, problem);
      return entry;
    }
    if (file.error().code == Code::not_found) return failed(file.error());
  }
  const auto node = folder.open_node(name);
  if (node) {
    read_node(**node, false, entry, stat.device, problem);
  } else if (node.error().code == Code::not_found) {
    return failed(node.error());
  } else if (is_worth_telling(node.error())) {
    problem(node.error());
  }
  return entry;
}

}  // namespace cb::client
