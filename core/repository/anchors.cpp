// SPDX-License-Identifier: Apache-2.0
//
// Anchors of content (docs/repository-format.md, "Signatures"). The sums of a gear hash wait for
// each other, so content is gone through in two halves at once.
#include "core/repository/blob_signature.h"

namespace cb::repository {
namespace {

constexpr size_t kMarked = 64;  // bytes that a hash remembers
constexpr uint64_t kAnchorMask = ~uint64_t{0} << (64 - 16);
constexpr uint32_t kApart = 4096;

uint64_t step(const std::array<uint64_t, 256>& gear, uint64_t hash, std::byte next) {
  return (hash << 1) + gear[std::to_integer<size_t>(next)];
}

// The hash of the 64 bytes before `end`.
uint64_t hash_before(const std::array<uint64_t, 256>& gear, const std::byte* end) {
  uint64_t hash = 0;
  for (const std::byte* at = end - kMarked; at != end; ++at) hash = step(gear, hash, *at);
  return hash;
}

bool is_mark(uint64_t hash) { return (hash & kAnchorMask) == 0; }

// Goes on in both halves until one has an anchor or `count` bytes are done; returns how many are.
size_t advance(const std::array<uint64_t, 256>& gear, const std::byte* a, const std::byte* b,
               size_t count, uint64_t& hash_a, uint64_t& hash_b) {
  uint64_t first = hash_a;
  uint64_t second = hash_b;
  size_t done = 0;
  while (done < count) {
    first = step(gear, first, a[done]);
    second = step(gear, second, b[done]);
    ++done;
    if (is_mark(first) || is_mark(second)) [[unlikely]]
      break;
  }
  hash_a = first;
  hash_b = second;
  return done;
}

}  // namespace

std::vector<Anchor> find_anchors(const std::array<uint64_t, 256>& gear, ByteView content) {
  if (content.size() < 2 * kMarked) return {};
  const std::byte* const begin = content.data();
  // The second half is as long as the first, or one byte longer.
  const size_t middle = kMarked + (content.size() - kMarked) / 2;
  std::vector<Anchor> first;
  std::vector<Anchor> second;
  const auto note = [](std::vector<Anchor>& found, size_t end, uint64_t hash) {
    if (is_mark(hash)) found.push_back({static_cast<uint32_t>(end), hash});
  };
  uint64_t hash_a = hash_before(gear, begin + kMarked);
  uint64_t hash_b = hash_before(gear, begin + middle);
  note(first, kMarked, hash_a);
  const size_t count = middle - kMarked;
  for (size_t done = 0; done < count;) {
    done +=
        advance(gear, begin + kMarked + done, begin + middle + done, count - done, hash_a, hash_b);
    note(first, kMarked + done, hash_a);
    note(second, middle + done, hash_b);
  }
  for (size_t at = middle + count; at < content.size(); ++at) {
    hash_b = step(gear, hash_b, begin[at]);
    note(second, at + 1, hash_b);
  }
  std::vector<Anchor> anchors;
  for (const std::vector<Anchor>* found : {&first, &second})
    for (const Anchor& anchor : *found)
      if (anchors.empty() || anchor.end - anchors.back().end >= kApart) anchors.push_back(anchor);
  return anchors;
}

}  // namespace cb::repository
