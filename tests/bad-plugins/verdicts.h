// SPDX-License-Identifier: Apache-2.0
//
// Runs cyberbackup-plugin-check on a bad plugin and tells which checks did not pass. Used by one
// thread per test.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace cb::check_test {

// Check -> outcome, for all that are neither passed nor skipped ("put-get" -> "failed").
using Verdicts = std::map<std::string, std::string>;

// These checks, each "failed".
Verdicts all_fail(const std::vector<std::string>& checks);

struct Checked {
  Verdicts bad;
  std::map<std::string, std::string> texts;  // of the same
  std::string unreadable;                    // why the plugins of the file could not be read
  int exit_status = -1;
  std::string output;
};

// Runs it with --json and these further arguments.
Checked run_check(const std::filesystem::path& file, const std::vector<std::string>& arguments);

// One bad plugin and exactly what is to be red.
struct Row {
  const char* plugin;  // name.so in the folder of bad plugins
  Verdicts bad;
  const char* says = "";  // in the text of one of them
};
// Names the row in the output of tests.
void PrintTo(const Row& row, std::ostream* out);

// The plugin's verdict is that of the row, for checks of these groups.
void expect_verdicts(const Row& row, const std::vector<std::string>& groups);

// The name for INSTANTIATE_TEST_SUITE_P: "leaks_memory".
std::string name_of_row(const testing::TestParamInfo<Row>& info);

}  // namespace cb::check_test
