// SPDX-License-Identifier: Apache-2.0
#include "core/client/node_cache.h"

namespace cb::client {

using repository::BlobId;
using repository::Node;

std::optional<Node> NodeCache::find(const BlobId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(id);
  if (found == places_.end()) return std::nullopt;
  kept_.splice(kept_.begin(), kept_, found->second);
  return found->second->node;
}

bool NodeCache::has(const BlobId& id) const {
  const std::lock_guard lock(mutex_);
  return places_.contains(id);
}

void NodeCache::keep(const BlobId& id, const Node& node) {
  const size_t size = memory_of(node);
  const std::lock_guard lock(mutex_);
  if (size > limit_ || places_.contains(id)) return;
  while (used_ + size > limit_) {
    used_ -= kept_.back().size;
    places_.erase(kept_.back().id);
    kept_.pop_back();
  }
  kept_.push_front({id, node, size});
  places_[id] = kept_.begin();
  used_ += size;
}

size_t memory_of(const Node& node) {
  size_t size = sizeof(Node) + node.children.size() * sizeof(BlobId) +
                node.lengths.size() * sizeof(uint64_t) +
                node.extents.size() * sizeof(repository::Extent);
  for (const std::string& key : node.keys) size += sizeof(key) + key.size();
  for (const repository::Entry& entry : node.entries) {
    size += sizeof(entry) + entry.path.size() + entry.user.size() + entry.group.size() +
            entry.target.size() + entry.extents.size() * sizeof(repository::Extent);
    for (const repository::Xattr& xattr : entry.xattrs)
      size += sizeof(xattr) + xattr.name.size() + xattr.value.size();
  }
  return size;
}

}  // namespace cb::client
