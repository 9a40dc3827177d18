// SPDX-License-Identifier: Apache-2.0
//
// JSON for scripts: the only place that knows the library. Functions are pure and do not throw.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace cb::report {

using Json = nlohmann::ordered_json;  // members keep their order

// The value on one line; bytes that are not UTF-8 become U+FFFD.
std::string json_line(const Json& value);

// The value over several lines, indented by two.
std::string json_text(const Json& value);

// Code::corrupt when `text` is not one JSON value, Code::limit past 1 MiB or 64 levels.
Result<Json> parse_json(std::string_view text);

// {"code", "object", "cause", "advice"}.
Json json_of(const Error& error);

// A text member; empty when it is missing or no text.
std::string text_of(const Json& value, const std::string& key);

// An integer member; `otherwise` when it is missing or none.
int64_t number_of(const Json& value, const std::string& key, int64_t otherwise);

}  // namespace cb::report
