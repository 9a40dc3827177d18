// SPDX-License-Identifier: Apache-2.0
#include "core/report/json.h"

namespace cb::report {
namespace {

constexpr size_t kLongestText = 1 << 20;

std::string dumped(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string json_line(const Json& value) { return dumped(value, -1); }

std::string json_text(const Json& value) { return dumped(value, 2); }

Result<Json> parse_json(std::string_view text) {
  if (text.size() > kLongestText) return failed(Code::limit, "JSON text", "is longer than 1 MiB");
  Json value = Json::parse(text, nullptr, false);
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
