// SPDX-License-Identifier: Apache-2.0
//
// How entries and the summary of a cache are written down. Each entry leans on the one before it in
// its block. Functions are pure.
#pragma once

#include "core/client/cache.h"
#include "core/repository/record_reader.h"

namespace cb::client {

// `last` and `last_blob` are what the entry before left; both are brought up to date.
void write_cached(repository::RecordWriter& out, const CachedEntry& entry, CachedEntry& last,
                  repository::BlobId& last_blob);
// Leaves the entry in `last`. Flaws show in the reader.
void read_cached(repository::RecordReader& in, CachedEntry& last, repository::BlobId& last_blob);

void write_summary(repository::RecordWriter& out, const CacheSummary& summary);
CacheSummary read_summary(repository::RecordReader& in);

}  // namespace cb::client
