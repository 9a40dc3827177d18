// SPDX-License-Identifier: Apache-2.0
#include "core/server/legacy_claims.h"

#include <map>
#include <utility>

namespace cb::server {

std::vector<LegacyClaim> fold_rows(const std::vector<catalog::SourceRow>& rows) {
  std::vector<LegacyClaim> claims;
  std::map<std::pair<ClientId, std::string>, size_t> known;
  for (const catalog::SourceRow& row : rows) {
    const auto [at, is_new] = known.try_emplace({row.client, row.file_name}, claims.size());
    if (is_new) claims.emplace_back();
    LegacyClaim& claim = claims[at->second];
    claim.client = row.client;
    claim.file_name = row.file_name;
    if (!row.path.empty()) claim.path = row.path;
    claim.verified = row.verified;
    // A row of content that came begins anew; that of its confirmation has no checksum.
    if (row.crc) claim = {row.client, row.file_name, claim.path, row.verified, {}, row.crc, {}};
    if (row.date.empty() && !row.crc && row.size.value_or(0) == 0) continue;
    claim.size = row.size;
    claim.date = row.date;
  }
  return claims;
}

ClaimProof proof_of(const LegacyClaim& claim, const LegacyContent& content) {
  if (claim.size && *claim.size != content.size) return ClaimProof::contradicts;
  if (!claim.crc) return ClaimProof::none;
  return *claim.crc == content.cksum ? ClaimProof::agrees : ClaimProof::contradicts;
}

}  // namespace cb::server
