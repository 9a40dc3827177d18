// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes the decoder of nodes: whatever it takes, the encoder writes again byte for byte. The first
// byte is the count of children, the last digits of their ids.
#include <cstdlib>

#include "core/repository/node.h"

using namespace cb;
using namespace cb::repository;

namespace {

// A path that a restore can use as it is: it leads nowhere but down.
bool leads_down(const std::string& path) {
  const std::string framed = "/" + path + "/";
  for (const char* wrong : {"//", "/./", "/../"})
    if (framed.find(wrong) != std::string::npos) return false;
  return framed.find('\0') == std::string::npos;
}

void check_paths(const Node& node) {
  for (size_t i = 0; i < node.entries.size(); ++i) {
    if (!leads_down(node.entries[i].path)) std::abort();
    if (i > 0 && compare_paths(node.entries[i - 1].path, node.entries[i].path) >= 0) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::vector<BlobId> children(data[0]);
  for (size_t i = 0; i < children.size(); ++i) children[i].bytes[0] = static_cast<std::byte>(i + 1);
  const ByteView plain(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  const auto node = decode_node(plain, children);
  if (!node) return 0;
  check_paths(*node);
  const EncodedNode again = encode(*node);
  if (again.children != children) std::abort();
  if (!std::equal(plain.begin(), plain.end(), again.plain.begin(), again.plain.end())) std::abort();
  return 0;
}
