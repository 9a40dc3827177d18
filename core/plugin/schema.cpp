// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/schema.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace cb::plugin {
namespace {

constexpr uint32_t kMostOptions = 256;
// What cb_option was in 1.0: the least stride there can be.
constexpr uint32_t kOptionSize10 = offsetof(cb_option, flags) + sizeof(uint32_t);

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_option_key(std::string_view key) {
  if (key.empty() || key.size() > 32 || !is_lower(key.front())) return false;
  return std::all_of(key.begin(), key.end(),
                     [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
}

std::vector<std::string> split_choices(std::string_view text) {
  std::vector<std::string> choices;
  while (true) {
    const size_t bar = text.find('|');
    choices.emplace_back(text.substr(0, bar));
    if (bar == std::string_view::npos) return choices;
    text.remove_prefix(bar + 1);
  }
}

tl::unexpected<Error> malformed(const cb_descriptor& descriptor, const std::string& option,
                                const std::string& why) {
  return failed(Code::invalid, std::string("option ") + option + " of plugin " + descriptor.id, why,
                "report this to the plugin's author");
}

Status check_choices(const cb_descriptor& descriptor, const config::Option& option) {
  if (option.type != config::Type::choice) {
    if (option.choices.empty()) return {};
    return malformed(descriptor, option.key, "has choices although it is not of type ENUM");
  }
  if (option.choices.empty())
    return malformed(descriptor, option.key, "is an ENUM without choices");
  std::set<std::string> seen;
  for (const std::string& choice : option.choices)
    if (choice.empty() || !seen.insert(choice).second)
      return malformed(descriptor, option.key, "has an empty or repeated choice '" + choice + "'");
  return {};
}

void take_bounds_and_flags(const cb_option& from, config::Option& option) {
  if (from.min < from.max) {
    option.min = from.min;
    option.max = from.max;
  }
  option.required = (from.flags & CB_OPTION_REQUIRED) != 0;
  option.advanced = (from.flags & CB_OPTION_ADVANCED) != 0;
  option.deprecated = (from.flags & CB_OPTION_DEPRECATED) != 0;
}

Result<config::Option> option_of(const cb_descriptor& descriptor, const cb_option& from) {
  config::Option option;
  if (from.key == nullptr || !is_option_key(from.key))
    return malformed(descriptor, from.key == nullptr ? "(null)" : "'" + std::string(from.key) + "'",
                     "has a key that is not of the form [a-z][a-z0-9_]{0,31}");
  option.key = from.key;
  if (from.type < CB_OPTION_BOOL || from.type > CB_OPTION_LIST)
    return malformed(descriptor, option.key,
                     "has type " + std::to_string(from.type) + "; known are 1 to 9");
  option.type = static_cast<config::Type>(from.type);
  if (from.help == nullptr || from.help[0] == '\0')
    return malformed(descriptor, option.key, "has no help");
  option.help = from.help;
  if (from.def != nullptr) option.def = from.def;
  if (from.choices != nullptr) option.choices = split_choices(from.choices);
  CB_TRY(check_choices(descriptor, option));
  take_bounds_and_flags(from, option);

  if (option.type == config::Type::secret && option.def)
    return malformed(descriptor, option.key, "is a SECRET with a default");
  return option;
}

// Every default must be a value that the option itself accepts.
Status check_defaults(const cb_descriptor& descriptor, config::Schema schema) {
  for (config::Option& option : schema) option.required = false;
  const auto values = config::values_from(schema, {});
  if (values) return {};
  return malformed(descriptor, "defaults", values.error().text());
}

Bytes joined(const std::vector<std::string>& items) {
  Bytes all;
  for (const std::string& item : items) {
    const ByteView view = as_bytes(item);
    all.insert(all.end(), view.begin(), view.end());
    all.push_back(std::byte{0});
  }
  return all;
}

}  // namespace

bool is_plugin_id(std::string_view text) {
  return !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
    return is_lower(c) || is_digit(c) || c == '-';
  });
}

Result<config::Schema> schema_of(const cb_descriptor& descriptor) {
  config::Schema schema;
  if (descriptor.option_count == 0) return schema;
  if (descriptor.options == nullptr || descriptor.option_size < kOptionSize10 ||
      descriptor.option_size % alignof(cb_option) != 0 || descriptor.option_count > kMostOptions)
    return malformed(descriptor, "table",
                     "has " + std::to_string(descriptor.option_count) + " entries of " +
                         std::to_string(descriptor.option_size) + " bytes; at most " +
                         std::to_string(kMostOptions) + " of at least " +
                         std::to_string(kOptionSize10) + " bytes are possible");
  std::set<std::string> keys;
  const auto* at = reinterpret_cast<const std::byte*>(descriptor.options);
  for (uint32_t i = 0; i < descriptor.option_count; ++i, at += descriptor.option_size) {
    cb_option from{};
    std::memcpy(&from, at, std::min<size_t>(sizeof from, descriptor.option_size));
    CB_ASSIGN(config::Option option, option_of(descriptor, from));
    if (!keys.insert(option.key).second) return malformed(descriptor, option.key, "comes twice");
    schema.push_back(std::move(option));
  }
  CB_TRY(check_defaults(descriptor, schema));
  return schema;
}

Result<std::unique_ptr<ConfigTable>> ConfigTable::make(const std::string& plugin_id,
                                                       const config::Schema& schema,
                                                       const config::Values& values) {
  const auto& given = values.in_order();
  if (given.size() != schema.size())
    return failed(Code::invalid, "configuration of plugin " + plugin_id,
                  "has " + std::to_string(given.size()) + " values for " +
                      std::to_string(schema.size()) + " options");
  std::unique_ptr<ConfigTable> made(new ConfigTable);
  made->values_.reserve(schema.size());
  for (size_t i = 0; i < schema.size(); ++i) made->add(schema[i], given[i]);
  made->config_.size = sizeof(cb_config);
  made->config_.value_size = sizeof(cb_value);
  made->config_.count = static_cast<uint32_t>(made->values_.size());
  made->config_.values = made->values_.data();
  return made;
}

void ConfigTable::add(const config::Option& option, const config::Value& value) {
  cb_value out{};
  out.type = static_cast<uint32_t>(option.type);
  out.is_set = value.is_set ? 1 : 0;
  if (value.is_set) {
    Bytes text;
    bool is_text = true;
    switch (option.type) {
      case config::Type::text:
      case config::Type::path:
      case config::Type::choice:
        text = to_bytes(as_bytes(value.text));
        break;
      case config::Type::secret:
        text.reserve(value.secret.size() + 1);  // so that keep() leaves no copy behind
        text.assign(value.secret.view().begin(), value.secret.view().end());
        break;
      case config::Type::list:
        text = joined(value.list);
        break;
      default:
        is_text = false;
    }
    out.number = value.number;
    out.length = text.size();
    if (is_text) out.text = keep(std::move(text));
  }
  values_.push_back(out);
}

const char* ConfigTable::keep(Bytes text) {
  text.push_back(std::byte{0});
  return reinterpret_cast<const char*>(texts_.emplace_back(std::move(text)).data());
}

ConfigTable::~ConfigTable() {
  for (Bytes& text : texts_) wipe(text);
}

}  // namespace cb::plugin
