// SPDX-License-Identifier: Apache-2.0
//
// Cutting: frozen vectors, the plain words of the format as an oracle, any portions, and speed.
#include "core/repository/cutter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <random>

namespace cb::repository {
namespace {

// splitmix64: simple to write again in any language.
uint64_t next(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

GearTable gear(uint64_t seed) {
  GearTable table;
  for (uint64_t& word : table) word = next(seed);
  return table;
}

Bytes content(size_t size, uint64_t seed) {
  Bytes bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(next(seed) & 0xff);
  return bytes;
}

constexpr Cutting kSmall{32 * 1024, 64 * 1024, 128 * 1024, 32 * 1024};
constexpr Cutting kLarge{};

std::vector<size_t> pieces(const Cutter& cutter, ByteView data) {
  std::vector<size_t> lengths;
  while (!data.empty()) {
    lengths.push_back(cutter.cut(data));
    data = data.subspan(lengths.back());
  }
  return lengths;
}

std::vector<size_t> pieces_in_portions(const Cutter& cutter, ByteView data, std::mt19937& random) {
  StreamCutter stream(cutter);
  std::vector<size_t> lengths;
  size_t open = 0;
  while (!data.empty()) {
    const size_t most = random() % 3 == 0 ? 3 : 100'000;
    ByteView portion = data.first(std::min<size_t>(data.size(), random() % most));
    data = data.subspan(portion.size());
    while (!portion.empty()) {
      bool ended = false;
      const size_t taken = stream.take(portion, ended);
      open += taken;
      portion = portion.subspan(taken);
      if (ended) lengths.push_back(std::exchange(open, 0));
    }
  }
  if (open > 0) lengths.push_back(open);
  return lengths;
}

// The format's words, one by one.
std::vector<size_t> oracle(const GearTable& table, const Cutting& sizes, ByteView data) {
  const int bits = std::countr_zero(sizes.average);
  std::vector<size_t> lengths;
  uint64_t hash = 0;
  size_t length = 0;
  for (const std::byte b : data) {
    if (length >= sizes.min - 64) hash = (hash << 1) + table[static_cast<size_t>(b)];
    ++length;
    const bool hard = (hash >> (64 - bits - 2)) == 0;
    const bool easy = (hash >> (64 - bits + 2)) == 0;
    const bool cut = (length >= sizes.min && length < sizes.average && hard) ||
                     (length >= sizes.average && easy) || length == sizes.max;
    if (!cut) continue;
    lengths.push_back(std::exchange(length, 0));
    hash = 0;
  }
  if (length > 0) lengths.push_back(length);
  return lengths;
}

TEST(Cutter, cuts_where_it_always_did) {
  EXPECT_EQ(pieces(Cutter(gear(1), kSmall), content(600'000, 2)),
            (std::vector<size_t>{71684, 67819, 85549, 83600, 67244, 86189, 77079, 60836}));
  EXPECT_EQ(pieces(Cutter(gear(1), kLarge), content(6'000'000, 3)),
            (std::vector<size_t>{1122156, 1367211, 1235962, 1182099, 1092572}));
  EXPECT_EQ(pieces(Cutter(gear(1), kSmall), Bytes(300'000)),
            (std::vector<size_t>{131'072, 131'072, 37'856}));
}

TEST(Cutter, cuts_as_the_words_of_the_format_say) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Cutting sizes{64u << (seed % 5), 4096, 8192u << (seed % 3), 64};
    ASSERT_TRUE(check_cutting(sizes));
    const GearTable table = gear(seed);
    const Bytes data = content(200'000, seed + 100);
    EXPECT_EQ(pieces(Cutter(table, sizes), data), oracle(table, sizes, data)) << "seed " << seed;
  }
}

TEST(Cutter, any_portions_give_the_same_pieces) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 20; ++round) {
    const Cutter cutter(gear(random()), Cutting{512, 2048, 16384, 512});
    const Bytes data = content(random() % 300'000, random());
    ASSERT_EQ(pieces_in_portions(cutter, data, random), pieces(cutter, data)) << round;
  }
}

TEST(Cutter, pieces_keep_to_the_sizes_and_lie_around_the_average) {
  const auto lengths = pieces(Cutter(gear(5), kSmall), content(16 << 20, 6));
  for (size_t i = 0; i + 1 < lengths.size(); ++i) {
    EXPECT_GE(lengths[i], kSmall.min);
    EXPECT_LE(lengths[i], kSmall.max);
  }
  const size_t average = (16 << 20) / lengths.size();
  EXPECT_GT(average, kSmall.average * 3 / 4);
  EXPECT_LT(average, kSmall.average * 5 / 4);
}

TEST(Cutter, an_insertion_at_the_front_moves_few_cuts) {
  const Cutter cutter(gear(7), kSmall);
  const Bytes before = content(8 << 20, 8);
  Bytes after = content(100, 9);
  after.insert(after.end(), before.begin(), before.end());
  // Distance of each cut from the end.
  const auto ends = [&](const Bytes& data) {
    std::vector<size_t> result;
    size_t left = data.size();
    for (const size_t length : pieces(cutter, data)) result.push_back(left -= length);
    return result;
  };
  const auto old_cuts = ends(before);
  const auto new_cuts = ends(after);
  const auto kept = std::count_if(new_cuts.begin(), new_cuts.end(), [&](size_t cut) {
    return std::find(old_cuts.begin(), old_cuts.end(), cut) != old_cuts.end();
  });
  EXPECT_GE(static_cast<size_t>(kept) + 6, old_cuts.size());
}

TEST(Cutter, refuses_sizes_that_cannot_be_cut_with) {
  EXPECT_TRUE(check_cutting(kSmall));
  EXPECT_TRUE(check_cutting(kLarge));
  const Cutting bad[] = {{63, 4096, 8192, 64},         {5000, 4096, 8192, 64},
                         {64, 4096, 4095, 64},         {64, 4097, 8192, 64},
                         {64, 4096, kMaxData + 1, 64}, {64, 4096, 8192, 8193},
                         {64, 128, 8192, 64},          {64, 0, 0, 0}};
  for (const Cutting& sizes : bad)
    EXPECT_EQ(check_cutting(sizes).error().code, Code::invalid) << sizes.average;
}

}  // namespace
}  // namespace cb::repository
