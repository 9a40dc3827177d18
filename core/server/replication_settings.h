// SPDX-License-Identifier: Apache-2.0
//
// What [replication] says: which servers' repositories are copied to this one. Plain values.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/secret.h"
#include "core/os/file_system.h"

namespace cb::server {

// A server whose repositories are copied, or that only heals this one's.
struct ReplicationSource {
  std::string name;
  std::shared_ptr<const Secret> token;           // its text
  std::vector<std::string> servers;              // "host:port"; none: as the token says
  std::optional<std::array<std::byte, 32>> pin;  // the same
  std::vector<std::string> accounts;             // only these; none: all that the token lets see
  bool removes_vanished = false;                 // what the source removes goes here, too
  bool heals_only = false;                       // fetches damaged blobs, and copies nothing
  std::optional<uint64_t> most_stored;           // instead of the settings'; 0: any number
};

struct ReplicationSettings {
  uint64_t limit = 0;                                          // bytes a second; 0: none
  std::chrono::nanoseconds most_time = std::chrono::hours(1);  // of one run; 0: none
  uint64_t most_stored = 0;                                    // bytes of one account; 0: any
  std::vector<ReplicationSource> sources;
};

// Where the token of a source lies that a command noted.
os::Path replica_token_file(const os::Path& keys, const std::string& source);

// What accounts of copies may be called: a source's word is not taken for everything.
bool is_account_name(const std::string& name);
// The same for names of sources and replicas, which become names of files.
bool is_source_name(const std::string& name);

}  // namespace cb::server
