// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <algorithm>
#include <charconv>

#include "core/base/units.h"
#include "core/config/check.h"

namespace cb::config {
namespace {

constexpr uint64_t kMaxSecret = 64 * 1024;

Result<Value> wrong(std::string cause, std::string advice = {}) {
  return failed(Code::invalid, "", std::move(cause), std::move(advice));
}

Result<Value> wrong_kind(const Node& node, const std::string& wanted, std::string advice = {}) {
  return wrong("must be " + wanted + ", not " + std::string(name_of(node.kind)), std::move(advice));
}

bool is_bounded(const Option& option) { return option.min < option.max; }

std::string shown_bound(const Option& option, int64_t bound) {
  if (option.type == Type::size && bound >= 0) return format_size(static_cast<uint64_t>(bound));
  if (option.type == Type::duration) return format_duration(std::chrono::nanoseconds(bound));
  return std::to_string(bound);
}

Result<Value> number_value(const Option& option, int64_t number) {
  if (is_bounded(option) && number < option.min)
    return wrong("must be at least " + shown_bound(option, option.min) + ", not " +
                 shown_bound(option, number));
  if (is_bounded(option) && number > option.max)
    return wrong("must be at most " + shown_bound(option, option.max) + ", not " +
                 shown_bound(option, number));
  Value value;
  value.is_set = true;
  value.number = number;
  return value;
}

Result<Value> text_value(const Option& option, std::string text) {
  const auto length = static_cast<int64_t>(text.size());
  if (text.find('\0') != std::string::npos) return wrong("must not hold a zero byte");
  if (is_bounded(option) && length < option.min)
    return wrong("must have at least " + std::to_string(option.min) + " bytes");
  if (is_bounded(option) && length > option.max)
    return wrong("must have at most " + std::to_string(option.max) + " bytes, not " +
                 std::to_string(length));
  Value value;
  value.is_set = true;
  value.text = std::move(text);
  return value;
}

Result<Value> read_boolean(const Node& node) {
  Value value;
  value.is_set = true;
  if (node.kind == Kind::loose) {
    if (node.text != "true" && node.text != "false")
      return wrong("must be true or false, not '" + node.text + "'");
    value.number = node.text == "true" ? 1 : 0;
    return value;
  }
  if (node.kind != Kind::boolean) return wrong_kind(node, "true or false");
  value.number = node.number;
  return value;
}

Result<Value> read_integer(const Option& option, const Node& node) {
  if (node.kind == Kind::integer) return number_value(option, node.number);
  if (node.kind != Kind::loose) return wrong_kind(node, "an integer");
  int64_t number = 0;
  const char* stop = node.text.data() + node.text.size();
  const auto [end, problem] = std::from_chars(node.text.data(), stop, number);
  if (problem != std::errc() || end != stop)
    return wrong("must be an integer, not '" + node.text + "'");
  return number_value(option, number);
}

Result<Value> read_size(const Option& option, const Node& node) {
  if (node.kind == Kind::integer) return number_value(option, node.number);
  if (node.kind != Kind::text && node.kind != Kind::loose)
    return wrong_kind(node, "a size", "write it like \"64MiB\"");
  auto size = parse_size(node.text);
  if (!size) return wrong("'" + node.text + "' " + size.error().cause, "write it like \"64MiB\"");
  return number_value(option, *size);
}

Result<Value> read_duration(const Option& option, const Node& node) {
  if (node.kind != Kind::text && node.kind != Kind::loose)
    return wrong_kind(node, "a duration", "write it like \"30s\" or \"1h30m\"");
  auto time = parse_duration(node.text);
  if (!time)
    return wrong("'" + node.text + "' " + time.error().cause, "write it like \"30s\" or \"1h30m\"");
  return number_value(option, time->count());
}

Result<Value> read_path(const Option& option, const Node& node, const Surroundings& from) {
  if (node.kind != Kind::text && node.kind != Kind::loose) return wrong_kind(node, "a path");
  if (node.text.empty()) return wrong("must not be empty");
  return text_value(option, (from.folder / node.text).lexically_normal().string());
}

Result<Value> read_choice(const Option& option, const Node& node) {
  if (node.kind != Kind::text && node.kind != Kind::loose) return wrong_kind(node, "text");
  const auto found = std::find(option.choices.begin(), option.choices.end(), node.text);
  if (found == option.choices.end()) {
    std::string all;
    for (const std::string& choice : option.choices) all += (all.empty() ? "" : ", ") + choice;
    const std::string near = nearest(node.text, option.choices);
    return wrong("must be one of " + all + ", not '" + node.text + "'",
                 near.empty() ? "" : "did you mean " + near + "?");
  }
  Value value;
  value.is_set = true;
  value.text = node.text;
  value.number = found - option.choices.begin();
  return value;
}

Result<Value> read_list(const Option& option, const Node& node) {
  if (node.kind == Kind::loose && node.text.starts_with('[')) {
    auto parsed = parse_value(node.text, node.at);
    if (!parsed) return wrong("is not a TOML array: '" + node.text + "'");
    return read_list(option, *parsed);
  }
  Value value;
  value.is_set = true;
  if (node.kind == Kind::loose) {
    for (size_t at = 0; at < node.text.size();) {
      const size_t comma = std::min(node.text.find(',', at), node.text.size());
      value.list.push_back(node.text.substr(at, comma - at));
      at = comma + 1;
    }
    return value;
  }
  if (node.kind != Kind::array)
    return wrong_kind(node, "an array of texts", "write it like [\"one\", \"two\"]");
  for (const Node& item : node.items) {
    if (item.kind == Kind::integer) {
      value.list.push_back(std::to_string(item.number));
      continue;
    }
    if (item.kind != Kind::text)
      return wrong("must be an array of texts, but holds " + std::string(name_of(item.kind)));
    if (item.text.find('\0') != std::string::npos) return wrong("must not hold a zero byte");
    value.list.push_back(item.text);
  }
  return value;
}

Result<Value> secret_of(const Option& option, Secret content) {
  const auto length = static_cast<int64_t>(content.size());
  if (content.empty()) return wrong("the secret is empty");
  if (is_bounded(option) && (length < option.min || length > option.max))
    return wrong("the secret has " + std::to_string(length) + " bytes; allowed are " +
                 std::to_string(option.min) + " to " + std::to_string(option.max));
  Value value;
  value.is_set = true;
  value.secret = std::move(content);
  return value;
}

Result<Value> secret_from_file(const Option& option, const std::string& name,
                               const Surroundings& from) {
  const os::Path path = (from.folder / name).lexically_normal();
  const auto info = from.files->info(path);
  if (!info) return wrong("cannot read " + path.string() + ": " + info.error().cause);
  if (!info->is_regular()) return wrong(path.string() + " is not a regular file");
  if ((info->mode & (S_IRWXG | S_IRWXO)) != 0)
    return wrong(path.string() + " is open to its group or to others",
                 "chmod 600 " + path.string());
  auto content = os::read_secret_file(*from.files, path, kMaxSecret);
  if (!content) return wrong("cannot read " + path.string() + ": " + content.error().cause);
  const std::string_view text = as_text(content->view());
  if (text.ends_with("\r\n")) {
    content->truncate(text.size() - 2);
  } else if (text.ends_with('\n')) {
    content->truncate(text.size() - 1);
  }
  return secret_of(option, std::move(*content));
}

Result<Value> secret_from_variable(const Option& option, const std::string& name,
                                   const Surroundings& from) {
  auto found = from.variable ? from.variable(name) : std::nullopt;
  if (!found) return wrong("the environment variable " + name + " is not set");
  Secret content(as_bytes(*found));
  wipe(std::as_writable_bytes(std::span(found->data(), found->size())));
  return secret_of(option, std::move(content));
}

// The message never repeats what was written: it may be the secret.
Result<Value> read_secret(const Option& option, const Node& node, const Surroundings& from) {
  constexpr const char* kForms = "write { file = \"...\" } or { env = \"...\" }";
  if (node.kind == Kind::loose) {
    const auto parsed = parse_value(node.text, node.at);
    if (!parsed || parsed->kind != Kind::table)
      return wrong("a secret must not be written here", kForms);
    return read_secret(option, *parsed, from);
  }
  if (node.kind != Kind::table) return wrong("a secret must not be written here", kForms);
  if (node.members.size() != 1) return wrong("must have exactly one of file and env", kForms);
  const Member& source = node.members.front();
  if (source.key != "file" && source.key != "env")
    return wrong("a secret cannot come from '" + source.key + "'", kForms);
  if (source.value.kind != Kind::text || source.value.text.empty())
    return wrong("'" + source.key + "' must be text and not empty", kForms);
  if (source.key == "file") return secret_from_file(option, source.value.text, from);
  return secret_from_variable(option, source.value.text, from);
}

}  // namespace

Result<Value> read_value(const Option& option, const Node& node, const Surroundings& from) {
  switch (option.type) {
    case Type::boolean:
      return read_boolean(node);
    case Type::integer:
      return read_integer(option, node);
    case Type::size:
      return read_size(option, node);
    case Type::duration:
      return read_duration(option, node);
    case Type::text:
      if (node.kind != Kind::text && node.kind != Kind::loose) return wrong_kind(node, "text");
      return text_value(option, node.text);
    case Type::path:
      return read_path(option, node, from);
    case Type::choice:
      return read_choice(option, node);
    case Type::secret:
      return read_secret(option, node, from);
    case Type::list:
      return read_list(option, node);
  }
  return failed(Code::unsupported, "", "is of a type that this program does not know");
}

}  // namespace cb::config
