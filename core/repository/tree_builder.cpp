// SPDX-License-Identifier: Apache-2.0
//
// The builders: what may be added, and in which order.
#include "core/repository/tree_levels.h"

namespace cb::repository {
namespace {

// A node ends at 128 KiB at the latest; with one item more it still is one.
constexpr size_t kMaxItem = 512 * 1024;

// No fewer bytes than the item takes.
size_t most_bytes(const Entry& entry) {
  size_t size = 256 + entry.path.size() + entry.user.size() + entry.group.size() +
                entry.target.size() + 64 * entry.extents.size();
  for (const Xattr& xattr : entry.xattrs) size += xattr.name.size() + xattr.value.size() + 16;
  return size;
}

}  // namespace

struct TreeBuilder::State {
  TreeLevels levels;
  std::string last;
};

TreeBuilder::TreeBuilder(uint64_t seed, NodeSink sink)
    : state_(new State{TreeLevels(NodeType::entries, seed, std::move(sink)), {}}) {}
TreeBuilder::~TreeBuilder() = default;

Status TreeBuilder::add(const Entry& entry) {
  if (const auto flaw = entry_flaw(entry); !flaw.empty())
    return failed(Code::invalid, entry.path, std::string(flaw));
  if (!state_->last.empty() && compare_paths(state_->last, entry.path) >= 0)
    return failed(Code::invalid, entry.path, "does not come behind " + state_->last);
  if (most_bytes(entry) > kMaxItem)
    return failed(Code::limit, entry.path,
                  "has more than 512 KiB of names and extended attributes");
  state_->last = entry.path;
  return state_->levels.add(entry);
}

Result<BlobId> TreeBuilder::finish() { return state_->levels.finish(); }

struct ExtentBuilder::State {
  TreeLevels levels;
  std::vector<Extent> first;  // until they are too many
  uint64_t count = 0;
};

ExtentBuilder::ExtentBuilder(uint64_t seed, NodeSink sink)
    : state_(new State{TreeLevels(NodeType::extents, seed, std::move(sink)), {}}) {}
ExtentBuilder::~ExtentBuilder() = default;

Status ExtentBuilder::add(const Extent& extent) {
  if (const auto flaw = extent_flaw(extent); !flaw.empty())
    return failed(Code::invalid, "extent", std::string(flaw));
  if (++state_->count <= kInlineExtents) {
    state_->first.push_back(extent);
    return {};
  }
  for (const Extent& early : std::exchange(state_->first, {})) CB_TRY(state_->levels.add(early));
  return state_->levels.add(extent);
}

Status ExtentBuilder::finish(Entry& entry) {
  entry.extents = std::move(state_->first);
  entry.extent_root = {};
  if (state_->count <= kInlineExtents) return {};
  CB_ASSIGN(entry.extent_root, state_->levels.finish());
  return {};
}

}  // namespace cb::repository
