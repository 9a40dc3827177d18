// SPDX-License-Identifier: Apache-2.0
//
// A set of blobs with their sizes that does not grow without end: when there are too many it keeps
// every second one by a keyed hash of its id, and counts each twice, and so on. Two samples of one
// secret keep the same ones, so they can be compared. Used by one thread at a time.
#pragma once

#include <map>

#include "core/repository/ids.h"

namespace cb::repository {

class IdSample {
 public:
  struct Count {
    uint64_t blobs = 0, bytes = 0;
  };
  struct Difference {
    Count first, second;  // what each of two has alone, about
  };
  static constexpr size_t kMost = 256 * 1024;

  // `secret`: unknown to who chooses ids. `most` is for tests.
  explicit IdSample(uint64_t secret, size_t most = kMost) : secret_(secret), most_(most) {}

  void add(const BlobId& id, uint64_t size);

 private:
  friend Difference difference_of(IdSample& first, IdSample& second);
  [[nodiscard]] bool is_in(const BlobId& id) const;
  void thin_to(unsigned halvings);
  [[nodiscard]] Count without(const IdSample& other) const;

  uint64_t secret_;
  size_t most_;
  unsigned halvings_ = 0;
  std::map<BlobId, uint64_t> sizes_;
};

// Both are as thin as the thinner one afterwards.
IdSample::Difference difference_of(IdSample& first, IdSample& second);

}  // namespace cb::repository
