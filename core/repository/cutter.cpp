// SPDX-License-Identifier: Apache-2.0
#include "core/repository/cutter.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace cb::repository {
namespace {

// Bytes that the hash remembers.
constexpr uint64_t kWindow = 64;

// The `count` highest bits of a word.
uint64_t high_bits(int count) { return ~uint64_t{0} << (64 - count); }

uint64_t step(const GearTable& gear, uint64_t hash, std::byte next) {
  return (hash << 1) + gear[std::to_integer<size_t>(next)];
}

// Hashes on from `at` and stops behind the first byte with no bit of `mask` in the hash; nullptr
// when there is none before `end`.
const std::byte* find_cut(const GearTable& gear, const std::byte* at, const std::byte* end,
                          uint64_t mask, uint64_t& hash) {
  uint64_t h = hash;
  // Four at a time: the table is read ahead of the sums.
  for (; end - at >= 4; at += 4) {
    h = step(gear, h, at[0]);
    if ((h & mask) == 0) [[unlikely]]
      return at + 1;
    h = step(gear, h, at[1]);
    if ((h & mask) == 0) [[unlikely]]
      return at + 2;
    h = step(gear, h, at[2]);
    if ((h & mask) == 0) [[unlikely]]
      return at + 3;
    h = step(gear, h, at[3]);
    if ((h & mask) == 0) [[unlikely]]
      return at + 4;
  }
  for (; at != end; ++at) {
    h = step(gear, h, *at);
    if ((h & mask) == 0) return at + 1;
  }
  hash = h;
  return nullptr;
}

}  // namespace

Status check_cutting(const Cutting& sizes) {
  const bool ordered = sizes.min >= kWindow && sizes.min <= sizes.average &&
                       sizes.average <= sizes.max && sizes.max <= kMaxData;
  const bool power = std::has_single_bit(sizes.average) && sizes.average >= 256;
  if (ordered && power && sizes.small_file <= sizes.max) return {};
  return failed(Code::invalid, "cutting sizes",
                std::to_string(sizes.min) + ", " + std::to_string(sizes.average) + " and " +
                    std::to_string(sizes.max) + " bytes cannot be cut with");
}

Cutter::Cutter(const GearTable& gear, const Cutting& sizes) : gear_(gear), sizes_(sizes) {
  const int bits = std::countr_zero(sizes.average);
  hard_ = high_bits(bits + 2);
  easy_ = high_bits(bits - 2);
}

size_t Cutter::cut(ByteView data) const {
  uint64_t length = 0;
  uint64_t hash = 0;
  bool ended = false;
  return advance(data, length, hash, ended);
}

size_t Cutter::advance(ByteView data, uint64_t& length, uint64_t& hash, bool& ended) const {
  const uint64_t start = length;
  const uint64_t end = std::min(sizes_.max, start + data.size());
  const std::byte* const base = data.data();
  ended = false;
  // The byte with offset min - 1 is the first that a piece may end with.
  length = std::max(start, std::min(end, sizes_.min - kWindow));
  for (; length < std::min(end, sizes_.min - 1); ++length)
    hash = step(gear_, hash, base[length - start]);
  const std::byte* found = nullptr;
  const std::pair<uint64_t, uint64_t> stretches[] = {{sizes_.average - 1, hard_},
                                                     {sizes_.max - 1, easy_}};
  for (const auto& [border, mask] : stretches) {
    const uint64_t to = std::min(end, border);
    if (length >= to) continue;
    found = find_cut(gear_, base + (length - start), base + (to - start), mask, hash);
    length = to;
    if (found != nullptr) break;
  }
  if (found != nullptr) {
    ended = true;
    length = start + static_cast<uint64_t>(found - base);
  } else if (end == sizes_.max) {
    ended = true;
    length = end;
  }
  return static_cast<size_t>(length - start);
}

size_t StreamCutter::take(ByteView data, bool& ended) {
  const size_t taken = cutter_->advance(data, length_, hash_, ended);
  if (ended) restart();
  return taken;
}

void StreamCutter::restart() {
  length_ = 0;
  hash_ = 0;
}

}  // namespace cb::repository
