// SPDX-License-Identifier: Apache-2.0
//
// Any lines as exclude patterns and the last one as a path. What a pattern says must not depend on
// whether it is asked about alone or as the last one of many; and no pattern may take long.
#include <cstdlib>
#include <vector>

#include "core/client/excludes.h"

using namespace cb;
using namespace cb::client;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> patterns;
  size_t end = 0;
  while ((end = rest.find('\n')) != std::string_view::npos) {
    patterns.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  const auto excludes = Excludes::compile(patterns);
  if (!excludes) return 0;
  for (const bool folder : {false, true}) {
    const bool matched = excludes->match(rest, folder);
    if (patterns.empty() && matched) std::abort();
    if (patterns.empty()) continue;
    const auto last = Excludes::compile({patterns.back()});
    if (!last) std::abort();
    // A pattern that excludes decides, whatever stood before it.
    if (last->match(rest, folder) && !matched) std::abort();
  }
  return 0;
}
