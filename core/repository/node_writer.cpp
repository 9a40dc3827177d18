// SPDX-License-Identifier: Apache-2.0
//
// Items of nodes, byte by byte.
#include "core/repository/node_writer.h"

#include <algorithm>

namespace cb::repository {

size_t ChildTable::slot_of(const BlobId& id) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = IdHash{}(id)&mask;
  while (slots_[slot] != 0 && ids_[slots_[slot] - 1] != id) slot = (slot + 1) & mask;
  return slot;
}

void ChildTable::grow() {
  slots_.assign(std::max<size_t>(64, slots_.size() * 2), 0);
  for (size_t i = 0; i < ids_.size(); ++i) slots_[slot_of(ids_[i])] = static_cast<uint32_t>(i + 1);
}

uint64_t ChildTable::number_of(const BlobId& id) {
  // Neighbours mostly lie in one blob.
  if (!ids_.empty() && ids_.back() == id) return ids_.size() - 1;
  if (2 * (ids_.size() + 1) > slots_.size()) grow();
  uint32_t& number = slots_[slot_of(id)];
  if (number == 0) {
    ids_.push_back(id);
    number = static_cast<uint32_t>(ids_.size());
  }
  return number - 1;
}

std::vector<BlobId> ChildTable::take() {
  std::fill(slots_.begin(), slots_.end(), 0);
  return std::exchange(ids_, {});
}

void NodeWriter::path(std::string_view path) {
  const auto end = std::mismatch(path.begin(), path.end(), last_.begin(), last_.end()).first;
  const auto shared = static_cast<size_t>(end - path.begin());
  items_.uint(shared);
  items_.text(path.substr(shared));
  last_ = path;
  ++count_;
}

void NodeWriter::key(std::string_view path, const BlobId& child) {
  this->path(path);
  children_.number_of(child);
}

void NodeWriter::extent(const Extent& extent) {
  items_.uint(extent.length);
  ++count_;
  if (extent.hole) return items_.uint(0);
  items_.uint(children_.number_of(extent.blob) + 1);
  items_.uint(extent.offset);
}

void NodeWriter::stretch(uint64_t length, const BlobId& child) {
  items_.uint(length);
  items_.uint(children_.number_of(child));
  ++count_;
}

void NodeWriter::content(const Entry& file) {
  items_.uint(file.size);
  if (!file.extent_root.is_zero()) {
    items_.byte(1);
    return items_.uint(children_.number_of(file.extent_root));
  }
  items_.byte(0);
  items_.uint(file.extents.size());
  const uint64_t count = count_;
  for (const Extent& one : file.extents) extent(one);
  count_ = count;
}

void NodeWriter::entry(const Entry& entry) {
  path(entry.path);
  items_.byte(static_cast<uint8_t>(entry.kind));
  items_.uint(entry.mode);
  items_.uint(entry.uid);
  items_.uint(entry.gid);
  items_.text(entry.user);
  items_.text(entry.group);
  items_.sint(entry.mtime_ns);
  items_.uint(entry.flags);
  items_.uint(entry.attributes);
  items_.uint(entry.device);
  items_.uint(entry.inode);
  items_.list(entry.xattrs, [this](const Xattr& xattr) {
    items_.text(xattr.name);
    items_.text(xattr.value);
  });
  if (entry.kind == EntryKind::file) return content(entry);
  if (entry.kind == EntryKind::symlink) return items_.text(entry.target);
  if (entry.kind != EntryKind::character_device && entry.kind != EntryKind::block_device) return;
  items_.uint(entry.major);
  items_.uint(entry.minor);
}

EncodedNode NodeWriter::take() {
  RecordWriter node;
  node.reserve(items_.written().size() + 12);
  node.byte(static_cast<uint8_t>(type_));
  node.byte(level_);
  node.uint(count_);
  node.fixed(items_.written());
  items_.clear();
  last_.clear();
  count_ = 0;
  return {node.take(), children_.take()};
}

}  // namespace cb::repository
