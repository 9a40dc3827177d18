// SPDX-License-Identifier: Apache-2.0
//
// Applies a schema to a table of a document: types, units, bounds, choices, defaults, unknown keys
// and secrets. All problems are collected, each with its place. Functions keep no state; they read
// the files and environment variables that secrets name.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/document.h"
#include "core/config/schema.h"
#include "core/os/file_system.h"

namespace cb::config {

// One thing that is wrong, or (warning) only strange.
struct Problem {
  Place at;
  std::string key;    // with its tables: "server.io_threads"
  std::string cause;  // "must be at least 1, not 0"
  std::string advice;
  bool warning = false;

  // "d.toml:3:1: server.io_thread: is not a known key (did you mean io_threads?)".
  [[nodiscard]] std::string text() const;
};

struct Problems {
  std::vector<Problem> list;

  void add(Place at, std::string key, std::string cause, std::string advice = {});
  void warn(Place at, std::string key, std::string cause, std::string advice = {});
  [[nodiscard]] bool has_errors() const;
  // Everything as one Error (Code::invalid): the first problem's text, the others on further lines.
  [[nodiscard]] Error error(const std::string& object) const;
};

// What values are read with.
struct Surroundings {
  os::Path folder;  // absolute; relative paths start here
  os::FileSystem* files = &os::real_file_system();
  // An environment variable; nothing when it is not set.
  std::function<std::optional<std::string>(const std::string&)> variable;
};

// The process' environment and files, with relative paths from `folder`.
Surroundings surroundings(const os::Path& folder);

// Reads one value as `option` says. The Error has no object: the caller knows the place.
Result<Value> read_value(const Option& option, const Node& node, const Surroundings& from);

// Checks `table` (null: nothing was written) against the schema. `name` is the table's own name for
// messages ("server"; empty for the top); `others` are keys that are checked elsewhere. What is
// wrong goes to `problems`, and that option's value is left unset.
Values check_table(const Node* table, const std::string& name, const Schema& schema,
                   const std::vector<std::string>& others, const Surroundings& from,
                   Problems& problems);

// Reports each key of `table` that is not in `known`, with the nearest one that is.
void check_known_keys(const Node& table, const std::string& name,
                      const std::vector<std::string>& known, Problems& problems);

// The candidate that takes fewest edits to reach; empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace cb::config
