// SPDX-License-Identifier: Apache-2.0
//
// Nodes as values: written with NodeWriter, read here with every rule checked.
#include "core/repository/node.h"

#include <algorithm>

#include "core/repository/node_writer.h"
#include "core/repository/record_reader.h"

namespace cb::repository {
namespace {

constexpr size_t kLeastEntry = 14;  // bytes of the shortest item

// Reads the items of one node.
class NodeReader {
 public:
  NodeReader(ByteView plain, std::span<const BlobId> children)
      : from_(plain, "node"), children_(children) {}

  Result<Node> read();

 private:
  void check_children();
  std::string path(std::string_view last);
  // The child with this number; numbers appear in the order of first use.
  BlobId child(uint64_t number);
  Extent extent();
  void content(Entry& file);
  void entry(Entry& entry, std::string_view last);
  void entries(Node& node);
  void keys(Node& node);
  void extents(Node& node);
  void stretches(Node& node);

  RecordReader from_;
  std::span<const BlobId> children_;
  size_t used_ = 0;  // of the children
};

void NodeReader::check_children() {
  if (children_.size() > kMaxChildren) return from_.refuse("has too many children");
  std::vector<BlobId> sorted(children_.begin(), children_.end());
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    from_.refuse("names a child twice");
  if (!sorted.empty() && sorted.front().is_zero()) from_.refuse("has a child without an id");
}

std::string NodeReader::path(std::string_view last) {
  const uint64_t shared = from_.uint();
  const std::string_view suffix = as_text(from_.bytes());
  const bool longest = shared == last.size() ||
                       (shared < last.size() && !suffix.empty() && last[shared] != suffix.front());
  if (!longest) {
    from_.refuse("has a path that shares another stretch with the one before than it says");
    return {};
  }
  std::string path;
  path.reserve(shared + suffix.size());
  path.append(last.substr(0, shared)).append(suffix);
  if (!is_snapshot_path(path)) from_.refuse("has a path that may not stand in a snapshot");
  if (!last.empty() && compare_paths(last, path) >= 0) from_.refuse("has paths out of order");
  return path;
}

BlobId NodeReader::child(uint64_t number) {
  if (number > used_ || number >= children_.size()) {
    from_.refuse("names its children out of order");
    return {};
  }
  used_ = std::max<size_t>(used_, number + 1);
  return children_[number];
}

Extent NodeReader::extent() {
  Extent extent;
  extent.length = from_.uint();
  const uint64_t blob = from_.uint();
  extent.hole = blob == 0;
  if (blob != 0) {
    extent.blob = child(blob - 1);
    extent.offset = from_.uint();
  }
  return extent;
}

void NodeReader::content(Entry& file) {
  file.size = from_.uint();
  const uint8_t form = from_.byte();
  if (form > 1) return from_.refuse("has a form of content that there is not");
  if (form == 1) {
    file.extent_root = child(from_.uint());
    return;
  }
  file.extents.resize(from_.count(2));
  for (Extent& one : file.extents) one = extent();
}

void NodeReader::entry(Entry& entry, std::string_view last) {
  entry.path = path(last);
  const uint8_t kind = from_.byte();
  if (kind < 1 || kind > 7) return from_.refuse("has a kind of entry that there is not");
  entry.kind = static_cast<EntryKind>(kind);
  entry.mode = from_.uint32();
  entry.uid = from_.uint32();
  entry.gid = from_.uint32();
  entry.user = from_.text();
  entry.group = from_.text();
  entry.mtime_ns = from_.sint();
  entry.flags = from_.uint();
  entry.attributes = from_.uint32();
  entry.device = from_.uint();
  entry.inode = from_.uint();
  entry.xattrs.resize(from_.count(2));
  for (Xattr& xattr : entry.xattrs) {
    xattr.name = from_.text();
    xattr.value = from_.text();
  }
  if (entry.kind == EntryKind::file) content(entry);
  if (entry.kind == EntryKind::symlink) entry.target = from_.text();
  if (entry.kind == EntryKind::character_device || entry.kind == EntryKind::block_device) {
    entry.major = from_.uint32();
    entry.minor = from_.uint32();
  }
  if (const auto flaw = entry_flaw(entry); !flaw.empty()) from_.refuse(flaw);
}

void NodeReader::entries(Node& node) {
  // Not resized to the count: an entry in memory is far larger than the shortest one written.
  const size_t count = from_.count(kLeastEntry);
  node.entries.reserve(std::min<size_t>(count, 1024));
  for (size_t i = 0; i < count && from_.ok(); ++i) {
    // Made first: it may move those before.
    Entry& one = node.entries.emplace_back();
    entry(one, i == 0 ? "" : std::string_view(node.entries[i - 1].path));
  }
}

void NodeReader::keys(Node& node) {
  const size_t count = from_.count(2);
  if (count == 0 || count != children_.size())
    return from_.refuse("has not as many keys as children");
  node.keys.reserve(count);
  for (size_t i = 0; i < count && from_.ok(); ++i)
    node.keys.push_back(path(i == 0 ? "" : std::string_view(node.keys[i - 1])));
  node.children.assign(children_.begin(), children_.end());
  used_ = children_.size();
}

void NodeReader::extents(Node& node) {
  const size_t count = from_.count(2);
  if (count == 0) return from_.refuse("has no extents");
  uint64_t sum = 0;
  for (size_t i = 0; i < count && from_.ok(); ++i) {
    const Extent& one = node.extents.emplace_back(extent());
    if (const auto flaw = extent_flaw(one); !flaw.empty()) return from_.refuse(flaw);
    if (one.length > kMaxFile - sum) return from_.refuse("has extents of impossible length");
    sum += one.length;
  }
}

void NodeReader::stretches(Node& node) {
  const size_t count = from_.count(2);
  if (count == 0) return from_.refuse("has no extents");
  node.lengths.resize(count);
  node.children.resize(count);
  uint64_t sum = 0;
  for (size_t i = 0; i < count && from_.ok(); ++i) {
    node.lengths[i] = from_.uint();
    node.children[i] = child(from_.uint());
    if (node.lengths[i] == 0 || node.lengths[i] > kMaxFile - sum)
      return from_.refuse("has a stretch of impossible length");
    sum += node.lengths[i];
  }
}

Result<Node> NodeReader::read() {
  check_children();
  Node node;
  const uint8_t type = from_.byte();
  node.level = from_.byte();
  if (type < 1 || type > 2) from_.refuse("has a type that there is not");
  if (node.level > kMaxLevel) from_.refuse("has an impossible level");
  if (from_.ok()) {
    node.type = static_cast<NodeType>(type);
    if (node.type == NodeType::entries)
      node.level == 0 ? entries(node) : keys(node);
    else
      node.level == 0 ? extents(node) : stretches(node);
  }
  if (used_ != children_.size()) from_.refuse("has a child that it does not use");
  CB_TRY(from_.done());
  return node;
}

}  // namespace

EncodedNode encode(const Node& node) {
  NodeWriter to(node.type, node.level);
  for (const Entry& entry : node.entries) to.entry(entry);
  for (const Extent& extent : node.extents) to.extent(extent);
  for (size_t i = 0; i < node.keys.size(); ++i) to.key(node.keys[i], node.children[i]);
  for (size_t i = 0; i < node.lengths.size(); ++i) to.stretch(node.lengths[i], node.children[i]);
  return to.take();
}

Result<Node> decode_node(ByteView plain, std::span<const BlobId> children) {
  if (plain.size() > kMaxNode) return failed(Code::corrupt, "node", "is longer than a node may be");
  return NodeReader(plain, children).read();
}

}  // namespace cb::repository
