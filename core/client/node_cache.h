// SPDX-License-Identifier: Apache-2.0
//
// Lately used nodes, decoded, within a number of bytes. Thread-safe.
#pragma once

#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "core/repository/node.h"

namespace cb::client {

class NodeCache {
 public:
  explicit NodeCache(size_t limit) : limit_(limit) {}

  [[nodiscard]] std::optional<repository::Node> find(const repository::BlobId& id);
  [[nodiscard]] bool has(const repository::BlobId& id) const;
  // Drops the longest unused ones until all fit; a node that alone does not fit is not kept.
  void keep(const repository::BlobId& id, const repository::Node& node);

 private:
  struct Kept {
    repository::BlobId id;
    repository::Node node;
    size_t size = 0;
  };

  const size_t limit_;
  mutable std::mutex mutex_;
  std::list<Kept> kept_;  // lately used first
  std::unordered_map<repository::BlobId, std::list<Kept>::iterator, repository::IdHash> places_;
  size_t used_ = 0;
};

// About how many bytes of memory a decoded node takes.
size_t memory_of(const repository::Node& node);

}  // namespace cb::client
