// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/flow_options.h"

#include "core/base/units.h"

namespace cb {

Result<uint64_t> parse_rate(const std::string& flag, const std::string& text) {
  if (text == "none") return uint64_t{0};
  const std::string size = text.ends_with("/s") ? text.substr(0, text.size() - 2) : text;
  const auto rate = parse_size(size);
  if (!rate)
    return failed(Code::invalid, flag + " " + text, "is not a size", "write it like 5MiB, or none");
  if (*rate < static_cast<int64_t>(stream::kLeastRate) ||
      *rate > static_cast<int64_t>(stream::kMostRate))
    return failed(Code::invalid, flag + " " + text,
                  "is not from " + format_size(stream::kLeastRate) + " to " +
                      format_size(stream::kMostRate) + " a second",
                  "leave it out for no limit");
  return static_cast<uint64_t>(*rate);
}

Result<std::shared_ptr<stream::Throttle>> throttle_of(const std::string& flag,
                                                      const std::string& text) {
  if (text.empty()) return std::shared_ptr<stream::Throttle>();
  CB_ASSIGN(const uint64_t rate, parse_rate(flag, text));
  if (rate == 0) return std::shared_ptr<stream::Throttle>();
  return std::make_shared<stream::Throttle>(os::system_clock(), stream::Rate{rate, rate});
}

}  // namespace cb
