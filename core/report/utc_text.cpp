// SPDX-License-Identifier: Apache-2.0
#include "core/report/utc_text.h"

#include <array>
#include <ctime>

namespace cb::report {

std::string utc_text(int64_t nanoseconds) {
  const auto seconds = static_cast<std::time_t>(nanoseconds / 1'000'000'000);
  std::tm parts{};
  std::array<char, 32> text{};
  ::gmtime_r(&seconds, &parts);
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace cb::report
