// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as one line of JSON, as the admin socket and files of notices have them: what is taken
// is written on one line and taken again as the same.
#include <cstdlib>

#include "core/report/json.h"

using namespace cb;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto json = report::parse_json({reinterpret_cast<const char*>(data), size});
  if (!json) return 0;
  const std::string line = report::json_line(*json);
  if (line.find('\n') != std::string::npos) std::abort();
  const auto again = report::parse_json(line);
  // A line may be longer than what may be read.
  if (!again && line.size() < 1024UL * 1024) std::abort();
  if (again && report::json_line(*again) != line) std::abort();
  (void)report::text_of(*json, "command");
  (void)report::number_of(*json, "most", 7);
  return 0;
}
