// SPDX-License-Identifier: Apache-2.0
//
// The ciphertext of one v3 file, arriving in pieces of any size, turned into plain bytes
// (legacy-protocol 5 and 9). Holds at most one chunk. Used by one thread at a time.
#pragma once

#include <functional>
#include <optional>

#include "core/plugin/crypto.h"

namespace cb::server {

using PlainSink = std::function<Status(ByteView plain)>;

class V3Cipher {
 public:
  // Ciphertext that is opened at a time; props().chunk_plain of the legacy suite.
  static constexpr size_t kChunk = 65536;

  // Expects `cipher_size` bytes. `plain_size` is what the sender announced, if the dialect says it.
  V3Cipher(plugin::Open open, uint64_t cipher_size, std::optional<uint64_t> plain_size);

  // Takes the next bytes and gives `sink` what can be opened. A zero IV in front of the ciphertext
  // is dropped; zero fill behind it is skipped. Code::corrupt for anything else that is too long,
  // and for bad padding.
  Status feed(ByteView cipher, const PlainSink& sink);

  // Bytes that make the chunk under way whole: whoever brings so many at once need not be kept.
  [[nodiscard]] size_t wanted() const;

  // After the last piece: Code::corrupt unless everything announced was there.
  Status finish() const;

  [[nodiscard]] uint64_t plain_bytes() const { return plain_bytes_; }

 private:
  [[nodiscard]] size_t target() const;
  Status open_chunk(ByteView chunk, const PlainSink& sink);
  Status skip_fill(ByteView fill);

  plugin::Open open_;
  uint64_t cipher_size_;
  std::optional<uint64_t> plain_size_;
  uint64_t opened_ = 0;  // ciphertext bytes
  uint64_t plain_bytes_ = 0;
  uint64_t fill_bytes_ = 0;
  bool first_block_seen_ = false;
  Bytes held_;  // the chunk that is not complete yet
};

}  // namespace cb::server
