// SPDX-License-Identifier: Apache-2.0
//
// Values from the environment and the command line, laid over a document before it is checked, so
// that they obey the same schema. Functions are pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/config/document.h"

namespace cb::config {

struct Override {
  std::vector<std::string> path;  // "server", "io_threads"; a number picks from an array
  std::string value;              // as written in TOML, quotes not needed
  std::string origin;             // for messages
};

// Each of `variables` ("NAME=value", as in environ) that begins with `prefix`: with the prefix
// "CYBERBACKUPD_", CYBERBACKUPD_SERVER__IO_THREADS=4 sets server.io_threads. In order of names.
std::vector<Override> overrides_from_environment(std::string_view prefix,
                                                 std::vector<std::string> variables);

// "server.io_threads=4". Code::invalid when it is not of that form.
Result<Override> override_from_argument(std::string_view text);

// Puts the value into the tree; tables on the way are made. Code::invalid when the path leads
// through something that is no table, or past the end of an array.
Status apply(Node& root, const Override& override);

}  // namespace cb::config
