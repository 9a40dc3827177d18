// SPDX-License-Identifier: Apache-2.0
//
// The walk over everything that hangs below a blob, by the children that the catalog knows. Used by
// one thread at a time.
#pragma once

#include <set>
#include <unordered_set>

#include "core/catalog/index.h"
#include "core/repository/ids.h"

namespace cb::repository {

class ClosureWalk {
 public:
  enum class Trust { closed, nothing };

  // With Trust::closed it does not go below blobs that an earlier walk found whole.
  ClosureWalk(catalog::Index& index, int64_t repository, const catalog::View& view, Trust trust)
      : index_(index), repository_(repository), view_(view), trust_(trust) {}

  // Walks from here on; several walks share what they saw.
  Status walk(const BlobId& from);

  // Blobs with children that were seen: closed, when nothing is missing. In the view of a device
  // without the open ones: what hangs below them there may be the device's own.
  [[nodiscard]] const std::vector<int64_t>& walked() const { return walked_; }
  // Each once, the first kMaxMissing.
  [[nodiscard]] const std::vector<BlobId>& missing() const { return missing_; }

  // How many ids were looked up.
  [[nodiscard]] uint64_t asked() const { return count_; }

  static constexpr size_t kMaxMissing = 4096;

 private:
  void miss(const BlobId& id);
  void ask(const BlobId& id);
  void take(const catalog::BlobLink& link);

  catalog::Index& index_;
  int64_t repository_;
  catalog::View view_;
  Trust trust_;
  std::vector<BlobId> waiting_;
  // The last ids that were asked for, so that a child that many name costs one look-up. (A tree:
  // who puts blobs chooses their ids, and could choose such as make a hash table slow.)
  std::set<BlobId> asked_;
  uint64_t count_ = 0;
  std::unordered_set<int64_t> seen_;
  std::vector<int64_t> walked_;
  std::unordered_set<BlobId, IdHash> missed_;
  std::vector<BlobId> missing_;
};

}  // namespace cb::repository
