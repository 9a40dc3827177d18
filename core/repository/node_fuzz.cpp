// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes the decoder of nodes: whatever it takes, the encoder writes again byte for byte. The first
// byte is the count of children, the last digits of their ids.
#include <cstdlib>

#include "core/repository/node.h"

using namespace cb;
using namespace cb::repository;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::vector<BlobId> children(data[0]);
  for (size_t i = 0; i < children.size(); ++i) children[i].bytes[0] = static_cast<std::byte>(i + 1);
  const ByteView plain(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  const auto node = decode_node(plain, children);
  if (!node) return 0;
  const EncodedNode again = encode(*node);
  if (again.children != children) std::abort();
  if (!std::equal(plain.begin(), plain.end(), again.plain.begin(), again.plain.end())) std::abort();
  return 0;
}
