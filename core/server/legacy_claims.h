// SPDX-License-Identifier: Apache-2.0
//
// What the rows of an old server's database say about each client's files, once the events of one
// file are one. Functions are pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/catalog/legacy_source.h"
#include "core/server/legacy_files.h"

namespace cb::server {

// That a client sent a file of this name.
struct LegacyClaim {
  ClientId client;
  std::string file_name;
  std::string path;  // as written
  bool verified = false;
  std::optional<uint64_t> size;
  std::optional<uint32_t> crc;
  std::string date;  // as written; empty: none
};

// One claim for each client and file name, in the order of their first rows. The newest row that
// tells size, date or checksum counts for it; the checksum stands in another row than the
// confirmation, and an event that failed tells none.
std::vector<LegacyClaim> fold_rows(const std::vector<catalog::SourceRow>& rows);

enum class ClaimProof {
  none,        // the claim tells no checksum
  agrees,      // the content has its checksum
  contradicts  // the content has another checksum or size
};
ClaimProof proof_of(const LegacyClaim& claim, const LegacyContent& content);

}  // namespace cb::server
