// SPDX-License-Identifier: Apache-2.0
//
// Texts with placeholders: "{subject} at {when}". "{word}" with small letters and '_' is one,
// "{{" stands for "{", and every other brace for itself, so that JSON can be written. Values are
// put in as they are and never read for placeholders again.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/notify/notice.h"

namespace cb::notify {

class Template {
 public:
  // Code::invalid for a placeholder that is not in placeholder_names(), and past 16 KiB.
  static Result<Template> parse(std::string_view text);

  // With each value as `written` makes it (empty: as it is).
  using Written = std::string (*)(const std::string&);
  [[nodiscard]] std::string fill(const Values& values, Written written = nullptr) const;

 private:
  struct Piece {
    std::string text;
    bool is_name = false;
  };
  std::vector<Piece> pieces_;
};

// A value inside the quotes of a JSON text.
std::string in_json(const std::string& value);
// A value on one line: line breaks become spaces.
std::string on_one_line(const std::string& value);

}  // namespace cb::notify
