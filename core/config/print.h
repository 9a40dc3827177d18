// SPDX-License-Identifier: Apache-2.0
//
// Schemas as people read them: a table for the terminal, a commented sample file, a manual page.
// Functions are pure.
#pragma once

#include <string>
#include <vector>

#include "core/config/schema.h"

namespace cb::config {

// One table of a configuration file.
struct Section {
  std::string name;  // "server", "listen.tls"
  std::string help;  // one sentence
  Schema schema = {};
  bool repeated = false;  // written as [[name]]
  bool optional = false;  // a sample leaves even its heading out
};

// "size", "list of text".
std::string_view name_of(Type type);

// Columns: key, type, default, meaning. Ends with a newline.
std::string options_as_table(const std::vector<Section>& sections);

// A sample file in which every option is commented out at its default.
std::string options_as_toml(const std::vector<Section>& sections);

std::string options_as_markdown(const std::vector<Section>& sections);

// `text` in TOML quotes.
std::string toml_text(std::string_view text);

// A default or other loose text as it is written in TOML for this type.
std::string as_toml(const Option& option, const std::string& loose);

// A value as it is written in TOML; a secret is never shown.
std::string as_toml(const Option& option, const Value& value);

}  // namespace cb::config
