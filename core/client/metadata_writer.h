// SPDX-License-Identifier: Apache-2.0
//
// Gives something that was restored what its entry says beside its content. What cannot be set is
// told and does not keep the rest from being set. Thread-safe.
#pragma once

#include <functional>

#include "core/os/account_names.h"
#include "core/os/tree.h"
#include "core/repository/entry.h"

namespace cb::client {

class MetadataWriter {
 public:
  // The names outlive it. Without `owners`, things stay with who restores them.
  MetadataWriter(os::AccountNames& names, bool owners) : names_(names), owners_(owners) {}

  using Problem = std::function<void(Error)>;
  // Owner, extended attributes with ACLs, mode, time: in this order, since each may change what was
  // set before it the other way round.
  void apply(os::Node& node, const repository::Entry& entry, const Problem& problem) const;
  // The attributes but for those in `without`. Last of all: they may forbid every change.
  void apply_attributes(os::Node& node, const repository::Entry& entry, uint32_t without,
                        const Problem& problem) const;

 private:
  // Which of the set-id bits may stand.
  [[nodiscard]] uint32_t apply_owner(os::Node& node, const repository::Entry& entry,
                                     const os::NodeStat& now, const Problem& problem) const;
  static void apply_xattrs(os::Node& node, const repository::Entry& entry, const Problem& problem);

  os::AccountNames& names_;
  bool owners_;
};

// Takes away what forbids changes (immutable, append only). True when there was such a thing.
bool unlock(os::Node& node);

}  // namespace cb::client
