// SPDX-License-Identifier: Apache-2.0
#include "core/notify/template.h"

#include <algorithm>

#include "core/report/json.h"

namespace cb::notify {
namespace {

constexpr size_t kLongestTemplate = 16 * 1024;

// "word" of "{word}..."; empty when the text does not begin so.
std::string_view placeholder_at(std::string_view text) {
  const size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", 1);
  if (end == std::string_view::npos || end == 1 || text[end] != '}') return {};
  return text.substr(1, end - 1);
}

std::string list_of_placeholders() {
  std::string all;
  for (const std::string& name : placeholder_names())
    all += (all.empty() ? "{" : ", {") + name + "}";
  return all;
}

}  // namespace

Result<Template> Template::parse(std::string_view text) {
  if (text.size() > kLongestTemplate)
    return failed(Code::invalid, "template", "is longer than 16 KiB");
  Template made;
  std::string plain;
  for (size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("{{")) {
      plain += '{';
      at += 2;
      continue;
    }
    const std::string name(rest.starts_with('{') ? placeholder_at(rest) : std::string_view());
    if (name.empty()) {
      plain += rest[0];
      ++at;
      continue;
    }
    const auto& known = placeholder_names();
    if (std::find(known.begin(), known.end(), name) == known.end())
      return failed(Code::invalid, "template", "has the unknown placeholder {" + name + "}",
                    "known are " + list_of_placeholders() + "; {{ stands for a brace");
    made.pieces_.push_back({std::move(plain), false});
    made.pieces_.push_back({name, true});
    plain.clear();
    at += name.size() + 2;
  }
  made.pieces_.push_back({std::move(plain), false});
  return made;
}

std::string Template::fill(const Values& values, Written written) const {
  std::string text;
  for (const Piece& piece : pieces_) {
    if (!piece.is_name) {
      text += piece.text;
      continue;
    }
    const auto found = std::find_if(values.begin(), values.end(),
                                    [&](const auto& one) { return one.first == piece.text; });
    if (found == values.end()) continue;
    text += written != nullptr ? written(found->second) : found->second;
  }
  return text;
}

std::string in_json(const std::string& value) {
  const std::string quoted = report::json_line(report::Json(value));
  return quoted.substr(1, quoted.size() - 2);
}

std::string on_one_line(const std::string& value) {
  std::string line = value;
  for (char& c : line)
    if (c == '\n' || c == '\r') c = ' ';
  return line;
}

}  // namespace cb::notify
