// SPDX-License-Identifier: Apache-2.0
#include "core/config/print.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "core/base/units.h"
#include "core/config/check.h"

namespace cb::config {
namespace {

std::string heading(const Section& section) {
  return section.repeated ? "[[" + section.name + "]]" : "[" + section.name + "]";
}

std::string meaning(const Option& option) {
  std::string text = option.help;
  if (!option.choices.empty()) {
    std::string all;
    for (const std::string& choice : option.choices) all += (all.empty() ? "" : ", ") + choice;
    text += " One of: " + all + ".";
  }
  if (option.required) text += " Required.";
  if (option.reloadable) text += " Reloadable.";
  if (option.advanced) text += " Advanced.";
  if (option.deprecated) text += " Deprecated.";
  return text;
}

std::string default_of(const Option& option) {
  return option.def ? as_toml(option, *option.def) : "-";
}

void pad_to(std::string& line, size_t column) {
  line.append(line.size() < column ? column - line.size() : 1, ' ');
}

// In a Markdown table a bar would end the cell.
std::string cell(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.replace(at, 1, "\\|");
  return text;
}

// The unit that shows a number of nanoseconds exactly.
std::string exact_duration(int64_t nanoseconds) {
  constexpr std::array<std::pair<const char*, int64_t>, 6> kUnits = {{{"h", 3600000000000},
                                                                      {"m", 60000000000},
                                                                      {"s", 1000000000},
                                                                      {"ms", 1000000},
                                                                      {"us", 1000},
                                                                      {"ns", 1}}};
  if (nanoseconds == 0) return "0s";
  for (const auto& [unit, factor] : kUnits)
    if (nanoseconds % factor == 0) return std::to_string(nanoseconds / factor) + unit;
  return {};
}

std::string exact_size(int64_t bytes) {
  constexpr std::array<std::pair<const char*, int64_t>, 3> kUnits = {
      {{"GiB", kGiB}, {"MiB", kMiB}, {"KiB", kKiB}}};
  for (const auto& [unit, factor] : kUnits)
    if (bytes != 0 && bytes % factor == 0) return toml_text(std::to_string(bytes / factor) + unit);
  return std::to_string(bytes);
}

std::string list_as_toml(const std::vector<std::string>& items) {
  std::string text = "[";
  for (const std::string& item : items) text += (text.size() > 1 ? ", " : "") + toml_text(item);
  return text + "]";
}

}  // namespace

std::string_view name_of(Type type) {
  constexpr std::array<std::string_view, 10> kNames = {
      "?", "boolean", "integer", "size", "duration", "text", "path", "choice", "secret", "list"};
  const auto index = static_cast<size_t>(type);
  return index < kNames.size() ? kNames[index] : kNames[0];
}

std::string toml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04X", static_cast<unsigned>(c));
      out += escape.data();
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string as_toml(const Option& option, const std::string& loose) {
  if (option.type == Type::boolean || option.type == Type::integer) return loose;
  if (option.type == Type::secret) return "{ file = \"...\" }";
  if (option.type != Type::list) return toml_text(loose);
  Node node;
  node.kind = Kind::loose;
  node.text = loose;
  const auto value = read_value(option, node, {});
  return list_as_toml(value ? value->list : std::vector<std::string>{});
}

std::string as_toml(const Option& option, const Value& value) {
  switch (option.type) {
    case Type::boolean:
      return value.number != 0 ? "true" : "false";
    case Type::integer:
      return std::to_string(value.number);
    case Type::size:
      return exact_size(value.number);
    case Type::duration:
      return toml_text(exact_duration(value.number));
    case Type::secret:
      return "\"(secret)\"";
    case Type::list:
      return list_as_toml(value.list);
    default:
      return toml_text(value.text);
  }
}

std::string options_as_table(const std::vector<Section>& sections) {
  size_t key_width = 0;
  size_t default_width = 0;
  for (const Section& section : sections)
    for (const Option& option : section.schema) {
      key_width = std::max(key_width, option.key.size() + 4);
      default_width = std::max(default_width, default_of(option).size() + 2);
    }
  std::string out;
  for (const Section& section : sections) {
    out += (out.empty() ? "" : "\n") + heading(section) + "  " + section.help + "\n";
    for (const Option& option : section.schema) {
      std::string line = "  " + option.key;
      pad_to(line, key_width);
      line += name_of(option.type);
      pad_to(line, key_width + 10);
      line += default_of(option);
      pad_to(line, key_width + 10 + default_width);
      out += line + meaning(option) + "\n";
    }
  }
  return out;
}

std::string options_as_toml(const std::vector<Section>& sections) {
  std::string out;
  for (const Section& section : sections) {
    out += (out.empty() ? "" : "\n") + std::string("# ") + section.help + "\n";
    out += (section.optional ? "#" : "") + heading(section) + "\n";
    for (const Option& option : section.schema) {
      out += "# " + meaning(option) + " (" + std::string(name_of(option.type)) + ")\n";
      out += "#" + option.key + " = " +
             (option.def ? as_toml(option, *option.def) : as_toml(option, std::string())) + "\n";
    }
  }
  return out;
}

std::string options_as_markdown(const std::vector<Section>& sections) {
  std::string out;
  for (const Section& section : sections) {
    out += (out.empty() ? "" : "\n") + std::string("## `") + heading(section) + "`\n\n";
    out += section.help + "\n\n| key | type | default | meaning |\n|---|---|---|---|\n";
    for (const Option& option : section.schema) {
      const std::string def = option.def ? "`" + default_of(option) + "`" : "";
      out += "| `" + option.key + "` | " + std::string(name_of(option.type)) + " | " + cell(def) +
             " | " + cell(meaning(option)) + " |\n";
    }
  }
  return out;
}

}  // namespace cb::config
