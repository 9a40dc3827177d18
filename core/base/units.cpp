// SPDX-License-Identifier: Apache-2.0
#include "core/base/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <utility>

namespace cb {
namespace {

using Unit = std::pair<std::string_view, int64_t>;

constexpr std::array<Unit, 10> kSizeUnits = {{{"", 1},
                                              {"B", 1},
                                              {"kB", 1000},
                                              {"MB", 1000000},
                                              {"GB", 1000000000},
                                              {"TB", 1000000000000},
                                              {"KiB", 1LL << 10},
                                              {"MiB", 1LL << 20},
                                              {"GiB", 1LL << 30},
                                              {"TiB", 1LL << 40}}};
constexpr std::array<Unit, 8> kTimeUnits = {{{"ns", 1},
                                             {"us", 1000},
                                             {"ms", 1000000},
                                             {"s", 1000000000},
                                             {"m", 60 * 1000000000LL},
                                             {"h", 3600 * 1000000000LL},
                                             {"d", 86400 * 1000000000LL},
                                             {"w", 7 * 86400 * 1000000000LL}}};

struct Part {
  int64_t value;
  size_t used;
};

template <size_t N>
Result<Part> parse_part(std::string_view text, const std::array<Unit, N>& units,
                        const char* example) {
  int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto digits = static_cast<size_t>(end - text.data());
  if (problem == std::errc::result_out_of_range)
    return failed(Code::limit, std::string(text), "is too large");
  if (problem != std::errc() || number < 0)
    return failed(Code::invalid, std::string(text), "is not a number with a unit",
                  std::string("write it like ") + example);
  const size_t at = std::min(text.find_first_not_of(' ', digits), text.size());
  const size_t stop = std::min(text.find_first_of("0123456789 ", at), text.size());
  for (const auto& [name, factor] : units) {
    if (text.substr(at, stop - at) != name) continue;
    if (number > std::numeric_limits<int64_t>::max() / factor)
      return failed(Code::limit, std::string(text), "is too large");
    return Part{number * factor, stop};
  }
  return failed(Code::invalid, std::string(text), "has no known unit",
                std::string("write it like ") + example);
}

}  // namespace

Result<int64_t> parse_size(std::string_view text) {
  CB_ASSIGN(const Part part, parse_part(text, kSizeUnits, "64MiB"));
  if (part.used != text.size())
    return failed(Code::invalid, std::string(text), "has text after the unit",
                  "write it like 64MiB");
  return part.value;
}

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  int64_t total = 0;
  std::string_view rest = text;
  do {
    CB_ASSIGN(const Part part, parse_part(rest, kTimeUnits, "30s or 1h30m"));
    if (part.value > std::numeric_limits<int64_t>::max() - total)
      return failed(Code::limit, std::string(text), "is too large");
    total += part.value;
    rest.remove_prefix(part.used);
  } while (!rest.empty());
  return std::chrono::nanoseconds(total);
}

std::string format_size(uint64_t bytes) {
  constexpr std::array<const char*, 6> kNames = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kNames[unit]);
  return text.data();
}

std::string format_duration(std::chrono::nanoseconds duration) {
  const int64_t seconds = duration.count() / 1000000000;
  std::array<char, 32> text{};
  if (seconds < 60)
    std::snprintf(text.data(), text.size(), "%.1fs", static_cast<double>(duration.count()) / 1e9);
  else if (seconds < 3600)
    std::snprintf(text.data(), text.size(), "%dm%02ds", static_cast<int>(seconds / 60),
                  static_cast<int>(seconds % 60));
  else
    std::snprintf(text.data(), text.size(), "%lldh%02dm", static_cast<long long>(seconds / 3600),
                  static_cast<int>(seconds / 60 % 60));
  return text.data();
}

}  // namespace cb
