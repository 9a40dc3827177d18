// SPDX-License-Identifier: Apache-2.0
#include "core/config/check.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace cb::config {
namespace {

std::string joined(const std::string& table, const std::string& key) {
  return table.empty() ? key : table + "." + key;
}

// Levenshtein distance, one row at a time.
size_t edits(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = a[i - 1] == b[j - 1] ? diagonal : 1 + std::min({diagonal, above, row[j - 1]});
      diagonal = above;
    }
  }
  return row[b.size()];
}

Node loose(const std::string& text, Place at) {
  Node node;
  node.kind = Kind::loose;
  node.text = text;
  node.at = std::move(at);
  return node;
}

// The written value, else the default, else an unset value; problems are added.
Value value_for(const Option& option, const Member* written, const std::string& table_name,
                const Place& table_at, const Surroundings& from, Problems& problems) {
  const std::string key = joined(table_name, option.key);
  if (written == nullptr && !option.def) {
    if (option.required)
      problems.add(table_at, key, "is required, but was not written", option.help);
    return {};
  }
  if (written != nullptr && option.deprecated)
    problems.warn(written->at, key, "is deprecated", option.help);
  const Place place = written != nullptr ? written->value.at : table_at;
  auto value =
      read_value(option, written != nullptr ? written->value : loose(*option.def, place), from);
  if (value) return std::move(*value);
  const std::string origin = written != nullptr ? "" : "the default ";
  problems.add(place, key, origin + value.error().cause, value.error().advice);
  return {};
}

}  // namespace

std::string Problem::text() const {
  std::string line = at.text();
  if (!line.empty()) line += ": ";
  if (!key.empty()) line += key + ": ";
  line += cause;
  if (!advice.empty()) line += " (" + advice + ")";
  return line;
}

void Problems::add(Place at, std::string key, std::string cause, std::string advice) {
  list.push_back({std::move(at), std::move(key), std::move(cause), std::move(advice), false});
}

void Problems::warn(Place at, std::string key, std::string cause, std::string advice) {
  list.push_back({std::move(at), std::move(key), std::move(cause), std::move(advice), true});
}

bool Problems::has_errors() const {
  return std::any_of(list.begin(), list.end(), [](const Problem& p) { return !p.warning; });
}

Error Problems::error(const std::string& object) const {
  std::string all;
  for (const Problem& problem : list)
    if (!problem.warning) all += (all.empty() ? "" : "\n") + problem.text();
  return fail(Code::invalid, object, all);
}

Surroundings surroundings(const os::Path& folder) {
  Surroundings from;
  from.folder = folder;
  from.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* found = std::getenv(name.c_str());
    if (found == nullptr) return std::nullopt;
    return found;
  };
  return from;
}

Values check_table(const Node* table, const std::string& name, const Schema& schema,
                   const std::vector<std::string>& others, const Surroundings& from,
                   Problems& problems) {
  std::vector<Value> values(schema.size());
  if (table != nullptr && table->kind != Kind::table) {
    problems.add(table->at, name, "must be a table, not " + std::string(name_of(table->kind)));
    return {schema, std::move(values)};
  }
  const Node nothing;
  const Node& written = table != nullptr ? *table : nothing;
  std::vector<std::string> known = others;
  for (const Option& option : schema) known.push_back(option.key);
  check_known_keys(written, name, known, problems);
  for (size_t i = 0; i < schema.size(); ++i) {
    const auto member = std::find_if(written.members.begin(), written.members.end(),
                                     [&](const Member& m) { return m.key == schema[i].key; });
    const Member* found = member == written.members.end() ? nullptr : &*member;
    values[i] = value_for(schema[i], found, name, written.at, from, problems);
  }
  return {schema, std::move(values)};
}

void check_known_keys(const Node& table, const std::string& name,
                      const std::vector<std::string>& known, Problems& problems) {
  for (const Member& member : table.members) {
    if (std::find(known.begin(), known.end(), member.key) != known.end()) continue;
    const std::string near = nearest(member.key, known);
    problems.add(member.at, joined(name, member.key), "is not a known key",
                 near.empty() ? "" : "did you mean " + joined(name, near) + "?");
  }
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr size_t kLongestWord = 64;
  if (word.size() > kLongestWord) return {};
  std::string best;
  size_t best_edits = std::max<size_t>(2, word.size() / 2) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = edits(word, candidate);
    if (distance >= best_edits || distance >= std::max(word.size(), candidate.size())) continue;
    best = candidate;
    best_edits = distance;
  }
  return best;
}

}  // namespace cb::config
