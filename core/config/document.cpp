// SPDX-License-Identifier: Apache-2.0
#include "core/config/document.h"

#include <algorithm>

// The parser asserts (and in release builds assumes) things that bad input breaks, such as a digit
// after the T of a date; the checks behind those lines report it. So neither is compiled in.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(condition) static_cast<void>(0)
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

namespace cb::config {
namespace {

Place place_of(const toml::source_region& region, const std::string& file) {
  return {file, region.begin.line, region.begin.column};
}

Node node_of(const toml::node& from, const std::string& file);

Node table_of(const toml::table& from, const std::string& file) {
  Node node;
  for (const auto& [key, value] : from)
    node.members.push_back(
        {std::string(key.str()), place_of(key.source(), file), node_of(value, file)});
  const auto position = [](const Member& m) { return std::pair(m.at.line, m.at.column); };
  std::stable_sort(node.members.begin(), node.members.end(),
                   [&](const Member& a, const Member& b) { return position(a) < position(b); });
  return node;
}

Node node_of(const toml::node& from, const std::string& file) {
  Node node;
  if (const auto* table = from.as_table()) {
    node = table_of(*table, file);
  } else if (const auto* array = from.as_array()) {
    node.kind = Kind::array;
    for (const auto& item : *array) node.items.push_back(node_of(item, file));
  } else if (const auto* boolean = from.as_boolean()) {
    node.kind = Kind::boolean;
    node.number = boolean->get() ? 1 : 0;
  } else if (const auto* integer = from.as_integer()) {
    node.kind = Kind::integer;
    node.number = integer->get();
  } else if (const auto* text = from.as_string()) {
    node.kind = Kind::text;
    node.text = text->get();
  } else {
    node.kind = from.is_floating_point() ? Kind::real : Kind::date;
  }
  node.at = place_of(from.source(), file);
  return node;
}

void set_place(Node& node, const Place& at) {
  node.at = at;
  for (Node& item : node.items) set_place(item, at);
  for (Member& member : node.members) {
    member.at = at;
    set_place(member.value, at);
  }
}

}  // namespace

std::string Place::text() const {
  if (line == 0) return file;
  return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return "a boolean";
    case Kind::integer:
      return "an integer";
    case Kind::real:
      return "a real number";
    case Kind::text:
    case Kind::loose:
      return "text";
    case Kind::date:
      return "a date or time";
    case Kind::array:
      return "an array";
    case Kind::table:
      return "a table";
  }
  return "something unknown";
}

const Node* Node::find(std::string_view key) const {
  for (const Member& member : members)
    if (member.key == key) return &member.value;
  return nullptr;
}

Node* Node::find(std::string_view key) {
  return const_cast<Node*>(static_cast<const Node*>(this)->find(key));
}

Result<Node> parse_document(std::string_view toml, const std::string& file) {
  if (toml.size() > kMaxDocument)
    return failed(Code::limit, file, "is longer than " + std::to_string(kMaxDocument) + " bytes");
  const toml::parse_result parsed = toml::parse(toml);
  if (!parsed) {
    const toml::parse_error& problem = parsed.error();
    return failed(Code::corrupt, place_of(problem.source(), file).text(),
                  "is not TOML: " + std::string(problem.description()));
  }
  Node root = table_of(parsed.table(), file);
  root.at = {file, 1, 1};
  return root;
}

Result<Node> load_document(os::FileSystem& files, const os::Path& path) {
  CB_ASSIGN(const Bytes content, os::read_file(files, path, kMaxDocument));
  return parse_document(as_text(content), path.string());
}

Result<Node> parse_value(std::string_view toml, const Place& at) {
  CB_ASSIGN(Node table, parse_document("value = " + std::string(toml), at.file));
  if (table.members.size() != 1)
    return failed(Code::corrupt, at.text(), "is more than one TOML value");
  Node value = std::move(table.members.front().value);
  set_place(value, at);
  return value;
}

}  // namespace cb::config
