// SPDX-License-Identifier: Apache-2.0
//
// Options between the two worlds: cb_option arrays become a config::Schema, and config::Values
// become the cb_config that a plugin reads by index. Functions are pure; a ConfigTable is used by
// one thread.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/config/schema.h"
#include "cyberbackup/base.h"

namespace cb::plugin {

// Is `text` 1 to 32 characters of [a-z0-9-]?
bool is_plugin_id(std::string_view text);

// Reads the options of a descriptor, whose id and size were checked. Code::invalid names the option
// that is not well formed.
Result<config::Schema> schema_of(const cb_descriptor& descriptor);

// Values as a plugin sees them. Everything in it is wiped at the end.
class ConfigTable {
 public:
  // Code::invalid when `values` are not of this schema.
  static Result<std::unique_ptr<ConfigTable>> make(const std::string& plugin_id,
                                                   const config::Schema& schema,
                                                   const config::Values& values);
  ~ConfigTable();
  ConfigTable(const ConfigTable&) = delete;
  ConfigTable& operator=(const ConfigTable&) = delete;

  // Valid as long as this object.
  [[nodiscard]] const cb_config* table() const { return &config_; }

 private:
  ConfigTable() = default;
  void add(const config::Option& option, const config::Value& value);
  const char* keep(Bytes text);

  std::deque<Bytes> texts_;
  std::vector<cb_value> values_;
  cb_config config_{};
};

}  // namespace cb::plugin
