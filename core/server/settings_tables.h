// SPDX-License-Identifier: Apache-2.0
//
// The configuration between document and Settings: each table checked against its schema. Used by
// settings.cpp alone; plain values.
#pragma once

#include <map>

#include "core/server/settings.h"

namespace cb::server {

struct CheckedTable {
  const config::Section* section = nullptr;
  std::string name;                    // "server", "listen.0"
  const config::Node* node = nullptr;  // as written; null when it was not
  config::Values values;
};

struct Tables {
  config::Node root;
  config::Surroundings from;
  std::map<std::string, CheckedTable> single;
  std::vector<CheckedTable> listen;
  std::map<std::string, std::vector<CheckedTable>> repeated;  // the others that are written [[so]]

  // Where `key` was written, else the table, else the file.
  [[nodiscard]] config::Place place(const CheckedTable& of, const char* key) const;
};

// Reads the file, lays the overrides over it and checks each table of settings_sections. `tables`
// must stay where it is: its tables point into its root.
Status read_tables(const SettingsRequest& request, Tables& tables, config::Problems& problems);

// [observe] and [log.levels]; what is wrong goes to `problems`.
ObserveSettings observe_settings_of(const Tables& tables, config::Problems& problems);
log::ModuleLevels log_levels_of(const Tables& tables, config::Problems& problems);

}  // namespace cb::server
