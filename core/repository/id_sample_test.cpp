// SPDX-License-Identifier: Apache-2.0
#include "core/repository/id_sample.h"

#include <gtest/gtest.h>
#include <xxhash.h>

namespace cb::repository {
namespace {

BlobId id_of(uint64_t number) {
  BlobId id;
  store_le(id.bytes.data(), number);
  return id;
}

TEST(IdSample, few_are_counted_exactly_and_each_once) {
  IdSample first(1), second(1);
  for (uint64_t i = 0; i < 100; ++i) first.add(id_of(i), 10);
  for (uint64_t i = 50; i < 110; ++i) second.add(id_of(i), 20);
  second.add(id_of(109), 20);
  const auto apart = difference_of(first, second);
  EXPECT_EQ(apart.first.blobs, 50u);
  EXPECT_EQ(apart.first.bytes, 500u);
  EXPECT_EQ(apart.second.blobs, 10u);
  EXPECT_EQ(apart.second.bytes, 200u);
}

TEST(IdSample, many_are_counted_about_right_even_when_one_side_is_thinner) {
  IdSample first(2, 1000), second(2, 1000);
  for (uint64_t i = 0; i < 100'000; ++i) first.add(id_of(i), 10);
  for (uint64_t i = 0; i < 20'000; ++i) second.add(id_of(i), 10);
  const auto apart = difference_of(first, second);
  EXPECT_NEAR(static_cast<double>(apart.first.blobs), 80'000, 16'000);
  EXPECT_NEAR(static_cast<double>(apart.first.bytes), 800'000, 160'000);
  EXPECT_EQ(apart.second.blobs, 0u);
}

TEST(IdSample, ids_that_one_secret_leaves_out_are_ordinary_ones_to_another) {
  // Only what the first secret's hash has in common in its lowest bits.
  IdSample other(4, 1000), nothing(4);
  uint64_t chosen = 0;
  for (uint64_t i = 0; chosen < 20'000; ++i) {
    if ((XXH3_64bits_withSeed(id_of(i).bytes.data(), BlobId::kSize, 3) & 15) == 0) continue;
    other.add(id_of(i), 1);
    ++chosen;
  }
  EXPECT_NEAR(static_cast<double>(difference_of(other, nothing).first.blobs), 20'000, 4'000);
}

}  // namespace
}  // namespace cb::repository
