// SPDX-License-Identifier: Apache-2.0
//
// Which blobs are known to be in the repository: the first halves of their ids in one flat table
// with a cap, past which nothing more is remembered. Used by one thread at a time.
#pragma once

#include "core/client/cache.h"

namespace cb::client {

class KnownIds {
 public:
  // 32 MiB at most.
  explicit KnownIds(size_t most = 1'000'000) : most_(most) {}

  [[nodiscard]] bool contains(const ShortId& id) const;
  // False when it was there already.
  bool insert(const ShortId& id);
  void erase(const ShortId& id);
  void clear();
  [[nodiscard]] size_t size() const { return size_; }

 private:
  [[nodiscard]] size_t slot_of(const ShortId& id) const;
  void grow();

  size_t most_;
  size_t size_ = 0;
  std::vector<ShortId> slots_;  // open addressing; zero: free
};

}  // namespace cb::client
