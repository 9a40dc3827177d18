// SPDX-License-Identifier: Apache-2.0
#include "bench/mix/content.h"

#include <random>

namespace cb::bench {
namespace {

constexpr size_t kLeast = 16 << 10;
constexpr size_t kMost = 64 << 10;

}  // namespace

Bytes content_of(const repository::BlobId& id) {
  std::mt19937_64 random(load_le<uint64_t>(id.bytes.data()));
  Bytes bytes(kLeast + random() % (kMost - kLeast) / 8 * 8);
  for (size_t at = 0; at < bytes.size(); at += 8) store_le(bytes.data() + at, uint64_t{random()});
  return bytes;
}

}  // namespace cb::bench
