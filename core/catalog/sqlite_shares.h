// SPDX-License-Identifier: Apache-2.0
//
// Whom the bytes of packs and commit records count for, as parts of the transactions that write
// those. The sums in stored_usage are kept by triggers of the schema. For whoever holds the
// connection.
#pragma once

#include <map>

#include "core/catalog/index.h"
#include "core/catalog/statement.h"

namespace cb::catalog {

// A new pack counts for a device.
Status add_share(Connection& connection, int64_t repository, int64_t pack, const Bytes16& device,
                 uint64_t bytes);

// `pack`, which has no share yet, is of `size` bytes and took blobs out of others: what those
// counted for that part now counts here, for the same devices, so that nobody's sum changes. `from`
// has the bytes that came out of each.
Status move_shares(Connection& connection, int64_t repository, int64_t pack, uint64_t size,
                   const std::map<int64_t, uint64_t>& from);

// A commit record, and what the session that it ended had stored (0: not known).
Status count_commit(Connection& connection, int64_t repository, const CommitRow& commit,
                    uint64_t growth);

}  // namespace cb::catalog
