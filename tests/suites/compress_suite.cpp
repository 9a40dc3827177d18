// SPDX-License-Identifier: Apache-2.0
//
// What every compression plugin must do in one shot, through the loader that hosts use.
#include "tests/suites/compress_suite.h"

#include <atomic>
#include <thread>

namespace cb::compress_suite {
namespace {

class CompressSuite : public testing::TestWithParam<std::string> {
 protected:
  LoadedCompress compress_{GetParam()};
};

TEST_P(CompressSuite, what_was_packed_comes_back) {
  for (const auto& [name, plain] : samples()) {
    SCOPED_TRACE(name);
    const Bytes small = packed(*compress_, plain);
    const Result<Bytes> back = unpacked(*compress_, small, plain.size());
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_TRUE(*back == plain);
  }
}

TEST_P(CompressSuite, what_repeats_shrinks) {
  EXPECT_LT(packed(*compress_, zeros(1 << 20)).size(), 10'000u);
  EXPECT_LT(packed(*compress_, prose(1 << 20)).size(), size_t{1} << 19);
}

TEST_P(CompressSuite, bound_is_true_for_every_size) {
  constexpr uint32_t kSeed = 20240607;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937 random(kSeed);
  for (size_t size = 0; size < 300; ++size) packed(*compress_, noise(size, kSeed));
  for (int round = 0; round < 60; ++round) packed(*compress_, noise(random() % 400'000, random()));
  // Sizes around the powers of two, where formats cut their blocks.
  for (size_t block = 1024; block <= (size_t{1} << 20); block *= 2) {
    for (const size_t size : {block - 1, block, block + 1}) packed(*compress_, noise(size));
  }
}

TEST_P(CompressSuite, bound_of_more_than_memory_is_a_limit) {
  const Result<size_t> bound = compress_->bound(SIZE_MAX - 5);
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code, Code::limit);
}

TEST_P(CompressSuite, packing_into_too_little_room_writes_nothing_past_it) {
  const Bytes plain = noise(5000);
  for (const size_t cap : {0u, 1u, 10u, 100u, 4000u, 4999u}) {
    SCOPED_TRACE(cap);
    Room room(cap);
    const Result<size_t> size = compress_->compress(plain, room.span());
    EXPECT_TRUE(room.fence_stands());
    ASSERT_FALSE(size);
    EXPECT_EQ(size.error().code, Code::too_small);
  }
}

TEST_P(CompressSuite, a_bomb_stops_at_the_room_given) {
  const Bytes bomb = packed(*compress_, zeros(size_t{64} << 20));
  for (const size_t cap : {0u, 1u, 1000u, 1u << 20}) {
    SCOPED_TRACE(cap);
    const Result<Bytes> back = unpacked(*compress_, bomb, cap);
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().code, Code::limit);
  }
}

TEST_P(CompressSuite, one_byte_too_little_is_a_limit) {
  for (const auto& [name, plain] : samples()) {
    if (plain.empty()) continue;
    SCOPED_TRACE(name);
    const Result<Bytes> back = unpacked(*compress_, packed(*compress_, plain), plain.size() - 1);
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().code, Code::limit);
  }
}

TEST_P(CompressSuite, truncated_input_is_corrupt_wherever_it_was_cut) {
  const Bytes plain = prose(700);
  const Bytes small = packed(*compress_, plain);
  for (size_t size = 0; size < small.size(); ++size) {
    SCOPED_TRACE(size);
    const Result<Bytes> back = unpacked(*compress_, ByteView(small).first(size), plain.size());
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().code, Code::corrupt);
  }
}

TEST_P(CompressSuite, rubbish_is_refused_within_the_room) {
  constexpr uint32_t kSeed = 99;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937 random(kSeed);
  for (int round = 0; round < 500; ++round) {
    const Result<Bytes> back =
        unpacked(*compress_, noise(1 + random() % 500, random()), random() % 5000);
    ASSERT_FALSE(back) << "round " << round;
    EXPECT_TRUE(back.error().code == Code::corrupt || back.error().code == Code::limit);
  }
}

TEST_P(CompressSuite, damage_never_leads_past_the_room_or_to_another_failure) {
  const Bytes plain = prose(3000);
  const Bytes small = packed(*compress_, plain);
  for (size_t bit = 0; bit < small.size() * 8; ++bit) {
    Bytes damaged = small;
    damaged[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    const Result<Bytes> back = unpacked(*compress_, damaged, plain.size());
    if (back) continue;
    EXPECT_TRUE(back.error().code == Code::corrupt || back.error().code == Code::limit)
        << "bit " << bit << ": " << back.error().text();
  }
}

TEST_P(CompressSuite, frames_in_a_row_are_one_text) {
  const Bytes first = prose(10'000, 1);
  const Bytes second = noise(3000);
  Bytes row = packed(*compress_, first);
  for (const Bytes& next : {Bytes{}, second}) {
    const Bytes frame = packed(*compress_, next);
    row.insert(row.end(), frame.begin(), frame.end());
  }
  Bytes both = first;
  both.insert(both.end(), second.begin(), second.end());
  const Result<Bytes> back = unpacked(*compress_, row, both.size());
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_TRUE(*back == both);
  const Result<Bytes> cut = unpacked(*compress_, row, both.size() - 1);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, Code::limit);
  row.pop_back();
  const Result<Bytes> truncated = unpacked(*compress_, row, both.size());
  ASSERT_FALSE(truncated);
  EXPECT_EQ(truncated.error().code, Code::corrupt);
}

TEST_P(CompressSuite, one_instance_serves_many_threads) {
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (uint32_t worker = 0; worker < 12; ++worker) {
    threads.emplace_back([&, worker] {
      for (uint32_t round = 0; round < 20; ++round) {
        const Bytes plain = prose(1000 + worker * 5000 + round, worker * 100 + round);
        const Bytes small = packed(*compress_, plain);
        const Result<Bytes> back = unpacked(*compress_, small, plain.size());
        if (!back || *back != plain) ++wrong;
        if (unpacked(*compress_, ByteView(small).first(small.size() / 2), plain.size())) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

INSTANTIATE_TEST_SUITE_P(Plugins, CompressSuite, testing::ValuesIn(kPlugins), name_of_case);

}  // namespace
}  // namespace cb::compress_suite
