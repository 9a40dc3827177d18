// SPDX-License-Identifier: Apache-2.0
#include "core/config/override.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace cb::config {
namespace {

std::vector<std::string> split(std::string_view text, std::string_view by) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t stop = std::min(text.find(by, at), text.size());
    parts.emplace_back(text.substr(at, stop - at));
    at = stop + by.size();
  }
  return parts;
}

bool has_empty(const std::vector<std::string>& parts) {
  return std::any_of(parts.begin(), parts.end(), [](const auto& part) { return part.empty(); });
}

Result<Node*> item_of(Node& array, const std::string& part, const std::string& origin) {
  size_t index = 0;
  const char* stop = part.data() + part.size();
  const auto [end, problem] = std::from_chars(part.data(), stop, index);
  if (problem != std::errc() || end != stop)
    return failed(Code::invalid, origin,
                  "'" + part + "' must be a number: it picks one of " +
                      std::to_string(array.items.size()) + " blocks");
  if (index >= array.items.size())
    return failed(Code::invalid, origin,
                  "there is no block " + part + " (there are " +
                      std::to_string(array.items.size()) + ", from 0)");
  return &array.items[index];
}

Result<Node*> step_into(Node& node, const std::string& part, const Override& override) {
  if (node.kind == Kind::array) return item_of(node, part, override.origin);
  if (node.kind != Kind::table)
    return failed(Code::invalid, override.origin,
                  "'" + part + "' is sought in " + std::string(name_of(node.kind)));
  if (Node* found = node.find(part)) return found;
  const Place at{override.origin, 0, 0};
  node.members.push_back({part, at, {}});
  node.members.back().value.at = at;
  return &node.members.back().value;
}

}  // namespace

std::vector<Override> overrides_from_environment(std::string_view prefix,
                                                 std::vector<std::string> variables) {
  std::sort(variables.begin(), variables.end());
  std::vector<Override> found;
  for (const std::string& variable : variables) {
    const size_t equals = variable.find('=');
    if (!variable.starts_with(prefix) || equals == std::string::npos) continue;
    std::string name = variable.substr(prefix.size(), equals - prefix.size());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    std::vector<std::string> path = split(name, "__");
    if (has_empty(path)) continue;
    found.push_back({std::move(path), variable.substr(equals + 1),
                     "environment variable " + variable.substr(0, equals)});
  }
  return found;
}

Result<Override> override_from_argument(std::string_view text) {
  const size_t equals = text.find('=');
  std::vector<std::string> path = split(text.substr(0, equals), ".");
  if (equals == std::string_view::npos || has_empty(path))
    return failed(Code::invalid, "--set " + std::string(text), "is not of the form key=value",
                  "write it like --set server.io_threads=4");
  return Override{std::move(path), std::string(text.substr(equals + 1)),
                  "--set " + std::string(text.substr(0, equals))};
}

Status apply(Node& root, const Override& override) {
  Node* node = &root;
  for (const std::string& part : override.path) {
    CB_ASSIGN(node, step_into(*node, part, override));
  }
  if (node->kind == Kind::table && !node->members.empty())
    return failed(Code::invalid, override.origin, "names a table, not a value");
  Node value;
  value.kind = Kind::loose;
  value.text = override.value;
  value.at = {override.origin, 0, 0};
  *node = std::move(value);
  return {};
}

}  // namespace cb::config
