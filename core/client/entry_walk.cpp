// SPDX-License-Identifier: Apache-2.0
#include "core/client/entry_walk.h"

namespace cb::client {

using repository::BlobId;
using repository::Entry;
using repository::Node;
using repository::NodeType;

bool is_damage(const Error& error) {
  return error.code == Code::not_found || error.code == Code::corrupt || error.code == Code::auth ||
         error.code == Code::unsupported || error.code == Code::io || error.code == Code::limit ||
         error.code == Code::invalid;
}

Status EntryWalk::begin(const BlobId& root, std::string from) {
  from_ = std::move(from);
  levels_.clear();
  CB_ASSIGN(Node node, source_(root));
  if (node.type != NodeType::entries)
    return failed(Code::corrupt, "node " + root.hex(), "is not one of a file list");
  levels_.push_back({std::move(node), 0, {}});
  return {};
}

Result<std::optional<Entry>> EntryWalk::next() {
  while (!levels_.empty()) {
    CB_ASSIGN(std::optional<Entry> entry, step());
    if (entry) return entry;
  }
  return std::nullopt;
}

Result<std::optional<Entry>> EntryWalk::step() {
  Level& level = levels_.back();
  const bool leaf = level.node.level == 0;
  const size_t count = leaf ? level.node.entries.size() : level.node.children.size();
  if (level.next >= count) {
    levels_.pop_back();
    return std::nullopt;
  }
  if (!leaf) {
    CB_TRY(descend(level));
    return std::nullopt;
  }
  Entry& entry = level.node.entries[level.next++];
  if (!from_.empty() && repository::compare_paths(entry.path, from_) < 0) return std::nullopt;
  return std::optional<Entry>(std::move(entry));
}

Status EntryWalk::descend(Level& level) {
  const size_t at = level.next++;
  const std::string& last = level.node.keys.at(at);
  if (!from_.empty() && repository::compare_paths(last, from_) < 0) return {};
  const std::string after = at == 0 ? level.after : level.node.keys[at - 1];
  auto child = source_(level.node.children[at]);
  if (child && (child->type != NodeType::entries || child->level + 1 != level.node.level))
    child = failed(Code::corrupt, "node " + level.node.children[at].hex(),
                   "does not fit below the node that names it");
  if (child) {
    levels_.push_back({std::move(*child), 0, after});
    return {};
  }
  if (!is_damage(child.error())) return tl::unexpected<Error>(child.error());
  lost_({after, last, child.error()});
  return {};
}

}  // namespace cb::client
