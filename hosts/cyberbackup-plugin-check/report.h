// SPDX-License-Identifier: Apache-2.0
//
// What came of the checks: lines for people as they come, or one JSON object at the end, and the
// verdict over all. Used by one thread.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "hosts/cyberbackup-plugin-check/check.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {

class Report {
 public:
  enum class Form { text, json };
  // With `strict`, warnings fail. Writes to stdout.
  Report(Form form, bool strict, const Settings& settings);

  // The file itself, then each plugin of it, begins.
  void begin(const Surveyed* plugin);
  void add(const Check& check, const Verdict& verdict, std::chrono::nanoseconds took);
  // The check is not for the plugin that began last.
  void leave_out(const Check& check, const std::string& why);
  // No check of the plugins could run.
  void cannot_read_plugins(const std::string& why);

  // Tells what was left out and the summary.
  void finish();
  [[nodiscard]] bool ok() const;

 private:
  struct Entry {
    const Check* check;
    std::string plugin;  // id; empty for the file
    Verdict verdict;
    std::chrono::nanoseconds took;
  };
  struct LeftOut {
    const Check* check;
    std::string plugin;
    std::string why;
  };
  [[nodiscard]] size_t count(Outcome outcome) const;
  [[nodiscard]] std::string left_out_text() const;
  [[nodiscard]] std::string summary() const;
  [[nodiscard]] std::string json() const;

  const Form form_;
  const bool strict_;
  const Settings settings_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::string plugin_;
  std::vector<Surveyed> plugins_;
  std::vector<Entry> entries_;
  std::vector<LeftOut> left_out_;
  std::string unreadable_;
};

// Every check with its group, sentence and whom it is for, as text or as JSON.
std::string catalogue_text(Report::Form form);

}  // namespace cb::check
