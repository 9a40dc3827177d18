// SPDX-License-Identifier: Apache-2.0
//
// Rules of retention as options of a command line, as both programs take them.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/retention/rules.h"

namespace cb::host {

struct RuleOptions {
  std::string last, hourly, daily, weekly, monthly, yearly;  // as written; empty: not given
  std::string within, cadence, trash_stay;
  std::vector<std::string> tags;  // hashes, or in clear where the program can hash them
  bool keep_all = false;
  bool none = false;  // no rules of its own
};

// Declares them; `tag_name` is "--keep-tag" or "--keep-tag-hash".
void add_rule_options(CLI::App& command, RuleOptions& options, const std::string& tag_name);

// The rules that were written, with these hashes of tags; nothing for --none. Code::invalid, with
// the reason, for impossible ones and for none at all.
Result<std::optional<retention::Rules>> rules_of(const RuleOptions& options,
                                                 const std::vector<retention::Hash>& tags);

// "2026-12-31", "2026-12-31T12:00:00Z" or, from `now_ns` on, "90d": nanoseconds since 1970.
Result<int64_t> parse_moment(const std::string& text, int64_t now_ns);

}  // namespace cb::host
