// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes what is parsed of a stored upload: the header's fixed part, then frames in ragged pieces.
// The first byte chooses the piece size.
#include <algorithm>
#include <cstdlib>

#include "core/repository/object_format.h"

using namespace cb;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteView input(reinterpret_cast<const std::byte*>(data), size);
  if (input.size() >= repository::kPrefixSize)
    static_cast<void>(repository::decode_prefix(input.first<repository::kPrefixSize>()));
  if (input.empty()) return 0;
  const size_t step = std::to_integer<size_t>(input[0]) + 1;
  input = input.subspan(1);
  repository::FrameReader reader;
  while (!input.empty()) {
    const ByteView piece = input.first(std::min(step, input.size()));
    const Status fed = reader.feed(piece, [](const repository::Frame& frame) -> Status {
      if (frame.plain_size == 0 || frame.plain_size > repository::kFramePlain) std::abort();
      if (frame.stored.size() > frame.plain_size) std::abort();
      return {};
    });
    if (!fed) return 0;
    input = input.subspan(piece.size());
  }
  static_cast<void>(reader.end());
  return 0;
}
