// SPDX-License-Identifier: Apache-2.0
#include "core/report/json.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "core/base/utf8.h"

namespace cb::report {
namespace {

constexpr size_t kLongestText = 1 << 20;
// What writes, copies or compares a value calls itself for what is inside: a text of brackets alone
// would use up the stack.
constexpr int kMostNested = 64;

// Written as escapes the same text cannot steer the terminal that shows it. Beyond ASCII, JSON has
// something in strings alone.
std::string with_escapes(const std::string& json) {
  std::string out;
  out.reserve(json.size());
  for (std::string_view rest = json; !rest.empty();) {
    const Utf8Character next = first_character(rest);
    const size_t size = std::max<size_t>(next.size, 1);
    const bool is_plain = next.point < 0x7f || next.is_harmless();
    if (is_plain) {
      out += rest.substr(0, size);
    } else {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(next.point));
      out += escape.data();
    }
    rest.remove_prefix(size);
  }
  return out;
}

std::string dumped(const Json& value, int indent) {
  std::string json = value.dump(indent, ' ', false, Json::error_handler_t::replace);
  const bool is_ascii = std::all_of(json.begin(), json.end(),
                                    [](char c) { return static_cast<unsigned char>(c) < 0x7f; });
  return is_ascii ? json : with_escapes(json);
}

}  // namespace

std::string json_line(const Json& value) { return dumped(value, -1); }

std::string json_text(const Json& value) { return dumped(value, 2); }

Result<Json> parse_json(std::string_view text) {
  if (text.size() > kLongestText) return failed(Code::limit, "JSON text", "is longer than 1 MiB");
  bool is_too_deep = false;
  const auto look = [&](int depth, Json::parse_event_t, Json&) {
    is_too_deep |= depth > kMostNested;
    return !is_too_deep;
  };
  Json value = Json::parse(text, look, false);
  if (is_too_deep)
    return failed(Code::limit, "JSON text",
                  "is nested deeper than " + std::to_string(kMostNested) + " levels");
  if (value.is_discarded()) return failed(Code::corrupt, "JSON text", "is not JSON");
  return value;
}

Json json_of(const Error& error) {
  return {{"code", name_of(error.code)},
          {"object", error.object},
          {"cause", error.cause},
          {"advice", error.advice}};
}

std::string text_of(const Json& value, const std::string& key) {
  if (!value.is_object()) return {};
  const auto found = value.find(key);
  if (found == value.end() || !found->is_string()) return {};
  return found->get<std::string>();
}

int64_t number_of(const Json& value, const std::string& key, int64_t otherwise) {
  if (!value.is_object()) return otherwise;
  const auto found = value.find(key);
  return found != value.end() && found->is_number_integer() ? found->get<int64_t>() : otherwise;
}

}  // namespace cb::report
