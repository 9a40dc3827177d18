// SPDX-License-Identifier: Apache-2.0
#include "core/config/schema.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "core/config/check.h"

namespace cb::config {

Values::Values(const Schema& schema, std::vector<Value> values) : values_(std::move(values)) {
  if (values_.size() != schema.size()) {
    std::fprintf(stderr, "config: %zu values for %zu options\n", values_.size(), schema.size());
    std::abort();
  }
  for (size_t i = 0; i < schema.size(); ++i) index_.emplace(schema[i].key, i);
}

const Value& Values::at(std::string_view key) const {
  const auto found = index_.find(key);
  if (found == index_.end()) {
    std::fprintf(stderr, "config: the schema has no option '%.*s'\n", static_cast<int>(key.size()),
                 key.data());
    std::abort();
  }
  return values_[found->second];
}

Result<Values> values_from(const Schema& schema,
                           const std::map<std::string, std::string>& written) {
  Node table;
  for (const auto& [key, text] : written) {
    Node value;
    value.kind = Kind::loose;
    value.text = text;
    table.members.push_back({key, {}, std::move(value)});
  }
  Problems problems;
  Values values =
      check_table(&table, "", schema, {}, surroundings(std::filesystem::current_path()), problems);
  if (problems.has_errors()) return failed(problems.error("options"));
  return values;
}

}  // namespace cb::config
