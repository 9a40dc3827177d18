// SPDX-License-Identifier: Apache-2.0
//
// For tests: nodes in a map, named by a hash, that counts what is read; and random entries from a
// seed. Not synchronised.
#pragma once

#include <xxhash.h>

#include <map>
#include <random>

#include "core/repository/tree.h"

namespace cb::repository {

class NodeMap {
 public:
  NodeSink sink() {
    return [this](const EncodedNode& node) -> Result<BlobId> {
      Bytes named;
      for (const BlobId& child : node.children)
        named.insert(named.end(), child.bytes.begin(), child.bytes.end());
      named.insert(named.end(), node.plain.begin(), node.plain.end());
      BlobId id;
      for (uint64_t part = 0; part < 4; ++part)
        store_le(id.bytes.data() + 8 * part,
                 uint64_t{XXH3_64bits_withSeed(named.data(), named.size(), part)});
      largest = std::max(largest, node.plain.size());
      nodes[id] = node;
      return id;
    };
  }

  NodeSource source() {
    return [this](const BlobId& id) -> Result<Node> {
      ++reads;
      const auto found = nodes.find(id);
      if (found == nodes.end()) return failed(Code::not_found, "node " + id.hex(), "is not there");
      return decode_node(found->second.plain, found->second.children);
    };
  }

  std::map<BlobId, EncodedNode> nodes;
  size_t reads = 0;
  size_t largest = 0;
};

// The same on every system, unlike the distributions of <random>.
class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  uint64_t below(uint64_t end) { return engine_() % end; }
  bool one_in(uint64_t n) { return below(n) == 0; }
  BlobId id() {
    BlobId id;
    for (size_t i = 0; i < 32; i += 8) store_le(id.bytes.data() + i, uint64_t{engine_()});
    return id;
  }
  std::string text(size_t most, std::string_view alphabet) {
    std::string text(1 + below(most), ' ');
    for (char& c : text) c = alphabet[below(alphabet.size())];
    return text;
  }

 private:
  std::mt19937_64 engine_;
};

inline Extent random_extent(Dice& dice) {
  Extent extent;
  extent.length = 1 + dice.below(1 << 20);
  extent.hole = dice.one_in(8);
  if (extent.hole) return extent;
  extent.blob = dice.id();
  extent.offset = dice.below(1 << 20);
  return extent;
}

inline void random_content(Dice& dice, Entry& entry) {
  if (entry.kind == EntryKind::symlink) entry.target = dice.text(40, "abc/.");
  if (entry.kind == EntryKind::character_device || entry.kind == EntryKind::block_device) {
    entry.major = static_cast<uint32_t>(dice.below(1 << 12));
    entry.minor = static_cast<uint32_t>(dice.below(1 << 20));
  }
  if (entry.kind != EntryKind::file) return;
  if (dice.one_in(50)) {
    entry.extent_root = dice.id();
    entry.size = dice.below(uint64_t{1} << 40);
    return;
  }
  const uint64_t extents = dice.one_in(20) ? dice.below(kInlineExtents + 1) : dice.below(3);
  for (uint64_t i = 0; i < extents; ++i) {
    entry.extents.push_back(random_extent(dice));
    entry.size += entry.extents.back().length;
  }
}

inline Entry random_entry(Dice& dice, std::string path) {
  Entry entry;
  entry.path = std::move(path);
  entry.kind = dice.one_in(5) ? static_cast<EntryKind>(1 + dice.below(7)) : EntryKind::file;
  entry.mode = static_cast<uint32_t>(dice.below(010000));
  entry.uid = static_cast<uint32_t>(dice.below(70000));
  entry.gid = static_cast<uint32_t>(dice.below(70000));
  entry.user = dice.text(8, "abcdef");
  entry.group = dice.text(8, "abcdef");
  entry.mtime_ns = static_cast<int64_t>(dice.below(uint64_t{1} << 61)) - (int64_t{1} << 60);
  entry.flags = dice.one_in(30) ? kEntryChanged : 0;
  entry.attributes = dice.one_in(30) ? 16 : 0;
  if (dice.one_in(20)) {
    entry.device = 1 + dice.below(1000);
    entry.inode = 1 + dice.below(uint64_t{1} << 40);
  }
  if (dice.one_in(20)) entry.xattrs = {{"user.a", dice.text(60, "xyz")}, {"user.b", ""}};
  random_content(dice, entry);
  return entry;
}

struct PathLess {
  bool operator()(const std::string& a, const std::string& b) const {
    return compare_paths(a, b) < 0;
  }
};
using EntryMap = std::map<std::string, Entry, PathLess>;

inline std::string random_path(Dice& dice) {
  std::string path = dice.text(6, "abcdefgh. -\xff") + "x";
  for (uint64_t depth = dice.below(5); depth > 0; --depth)
    path += "/" + dice.text(10, "abcdefgh. -\xff") + "y";
  return path;
}

inline EntryMap random_entries(Dice& dice, size_t count) {
  EntryMap entries;
  while (entries.size() < count) {
    std::string path = random_path(dice);
    entries.emplace(path, random_entry(dice, path));
  }
  return entries;
}

constexpr uint64_t kTreeSeed = 0x1234567890abcdef;

inline BlobId build(NodeMap& nodes, const EntryMap& entries) {
  TreeBuilder builder(kTreeSeed, nodes.sink());
  for (const auto& [path, entry] : entries)
    if (!builder.add(entry)) return {};
  return builder.finish().value_or(BlobId{});
}

}  // namespace cb::repository
