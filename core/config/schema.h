// SPDX-License-Identifier: Apache-2.0
//
// Typed options: what may be written in a configuration, and the values that came of it. A schema
// is plain data; one schema serves checking, defaults, the options table, the sample file and the
// manual.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/secret.h"

namespace cb::config {

// The numbers are those of CB_OPTION_* (plugin-api base.h).
enum class Type : uint32_t {
  boolean = 1,
  integer = 2,
  size = 3,      // bytes, "64MiB"
  duration = 4,  // nanoseconds, "30s"
  text = 5,
  path = 6,  // absolute after loading: relative ones start at the folder of the file
  choice = 7,
  secret = 8,  // { file = "..." } or { env = "..." }, never inline
  list = 9,    // of text; integers are read as text
};

struct Option {
  std::string key;
  Type type = Type::text;
  std::string help = {};                // one sentence
  std::optional<std::string> def = {};  // as it would be written
  std::vector<std::string> choices = {};
  int64_t min = std::numeric_limits<int64_t>::min();  // bounds of numbers and of text length
  int64_t max = std::numeric_limits<int64_t>::max();
  bool required = false;
  bool reloadable = false;
  bool advanced = false;
  bool deprecated = false;
};

using Schema = std::vector<Option>;

// The value of one option. Move-only because it may be a secret.
struct Value {
  bool is_set = false;  // written or defaulted
  int64_t number = 0;   // boolean, integer, size, duration, index of the choice
  std::string text;     // text, path, choice
  std::vector<std::string> list;
  Secret secret;
};

// Values in the order of their schema, with look-up by key. Asking for a key that the schema does
// not have, or as another type, is a programming error and ends the program.
class Values {
 public:
  Values() = default;
  Values(const Schema& schema, std::vector<Value> values);

  [[nodiscard]] const std::vector<Value>& in_order() const { return values_; }
  [[nodiscard]] const Value& at(std::string_view key) const;
  [[nodiscard]] bool is_set(std::string_view key) const { return at(key).is_set; }
  [[nodiscard]] bool boolean(std::string_view key) const { return at(key).number != 0; }
  [[nodiscard]] int64_t number(std::string_view key) const { return at(key).number; }
  [[nodiscard]] std::chrono::nanoseconds duration(std::string_view key) const {
    return std::chrono::nanoseconds(at(key).number);
  }
  [[nodiscard]] const std::string& text(std::string_view key) const { return at(key).text; }
  [[nodiscard]] const std::vector<std::string>& list(std::string_view key) const {
    return at(key).list;
  }

 private:
  std::map<std::string, size_t, std::less<>> index_;
  std::vector<Value> values_;
};

// Values made of defaults and of `written` ("key" -> as it would be written in TOML without
// quotes), for hosts and tests that configure a plugin without a file.
Result<Values> values_from(const Schema& schema, const std::map<std::string, std::string>& written);

}  // namespace cb::config
