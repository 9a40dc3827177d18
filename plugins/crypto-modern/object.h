// SPDX-License-Identifier: Apache-2.0
//
// A sealed object: a header that names the suite and holds 32 random bytes, then chunks under a key
// derived from both and from the associated data. A Seal or Open is for one thread at a time.
#pragma once

#include <optional>

#include "aead.h"

namespace crypto_modern {

inline constexpr size_t kHeaderSize = 33;
inline constexpr size_t kChunkPlain = 65536;
// Per object at most 2^24 chunks of 2^12 blocks: GCM's advantage bound stays under 2^-56.
inline constexpr uint64_t kMaxChunks = uint64_t{1} << 24;

using Header = std::array<std::byte, kHeaderSize>;
using ObjectKey = SecretArray<kAeadKeySize>;

// The suite that a header names, or nothing when it is none of ours.
std::optional<Suite> suite_of(View header);

class Seal {
 public:
  Seal(const Algorithms& algorithms, Suite suite, const ObjectKey& key);

  // Seals the next chunk and returns plain.size() + kTagSize.
  size_t chunk(View plain, bool last, Span sealed);

 private:
  AeadKey key_;
  uint64_t next_ = 0;
};

class Open {
 public:
  Open(const Algorithms& algorithms, Suite suite, const ObjectKey& key);

  // Opens chunk `index`, in any order, and returns the bytes of plaintext. CB_E_AUTH when it is not
  // the chunk that was sealed there.
  size_t chunk(uint64_t index, bool last, View sealed, Span plain);

 private:
  AeadKey key_;
};

}  // namespace crypto_modern
