// SPDX-License-Identifier: Apache-2.0
//
// From whom this server copies: what [replication] says, and what `replica add` noted. Functions
// keep nothing.
#pragma once

#include "core/catalog/replication.h"
#include "core/os/file_system.h"
#include "core/replication/v4_source.h"
#include "core/server/replication_settings.h"

namespace cb::replication {

// A source, ready to be dialled.
struct Source {
  std::string name;
  SourceLogin login;
  std::array<std::byte, 32> pin{};
  std::vector<std::string> accounts;  // none: all
  bool removes_vanished = false;
  bool heals_only = false;
  std::optional<uint64_t> most_stored;  // of one account; nothing: as the settings say; 0: any
};

// Code::invalid names what is wrong with token or addresses.
Result<Source> resolve(const server::ReplicationSource& source);

// Those of commands; their tokens lie in `keys`, each for the daemon's user alone. One whose token
// cannot be read has none.
Result<std::vector<server::ReplicationSource>> noted_sources(catalog::Replication& rows,
                                                             os::FileSystem& files,
                                                             const os::Path& keys);

}  // namespace cb::replication
