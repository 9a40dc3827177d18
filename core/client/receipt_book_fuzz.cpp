// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as what a device keeps of the chain: what is taken is written again the same.
#include <algorithm>
#include <cstdlib>

#include "core/client/receipt_book.h"
#include "core/identity/signing.h"

using namespace cb;

namespace {

void expect_same(ByteView bytes) {
  const auto book = client::decode_receipt_book(bytes);
  if (!book) return;
  const Bytes again = client::encode(*book);
  if (!std::equal(again.begin(), again.end(), bytes.begin(), bytes.end())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
  expect_same(bytes);
  // With the sum that nobody guesses.
  Bytes summed = to_bytes(bytes);
  const identity::Hash sum = identity::sha256(bytes);
  summed.insert(summed.end(), sum.begin(), sum.end());
  expect_same(summed);
  return 0;
}
