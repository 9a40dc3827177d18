// SPDX-License-Identifier: Apache-2.0
//
// Runs the chosen checks on a file and on each plugin in it. Used by one thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hosts/cyberbackup-plugin-check/check.h"
#include "hosts/cyberbackup-plugin-check/report.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {

// Names of checks or groups. Empty `only`: all.
struct Selection {
  std::vector<std::string> only;
  std::vector<std::string> skip;

  [[nodiscard]] bool includes(const Check& check) const;
  // Code::invalid names the first word that is neither check nor group, and the nearest that is.
  [[nodiscard]] Status check_names() const;
};

class Runner {
 public:
  Runner(Settings settings, Selection selection, bool in_process, Report& report)
      : settings_(std::move(settings)),
        selection_(std::move(selection)),
        in_process_(in_process),
        report_(report) {}

  void run();

 private:
  void run_on_file();
  void run_on(const Surveyed& plugin);
  void try_one(const Check& check, uint32_t index);
  // Why the check cannot be tried after what came of another one; empty when it can.
  [[nodiscard]] std::string what_is_missing(const Check& check) const;

  const Settings settings_;
  const Selection selection_;
  const bool in_process_;
  Report& report_;
  std::map<std::string_view, Outcome> of_file_;
  std::map<std::string_view, Outcome> of_plugin_;  // the one at hand
};

}  // namespace cb::check
