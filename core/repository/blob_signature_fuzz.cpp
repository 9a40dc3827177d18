// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a signature: refused, or encoded again they are the same.
#include <cstdint>
#include <cstdlib>

#include "core/repository/blob_signature.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto signature = cb::repository::decode_blob_signature(bytes);
  if (!signature) return 0;
  const cb::Bytes again = cb::repository::encode(*signature);
  if (!std::equal(again.begin(), again.end(), bytes.begin(), bytes.end())) std::abort();
  if (signature->size() > cb::repository::kMaxData) std::abort();
  return 0;
}
