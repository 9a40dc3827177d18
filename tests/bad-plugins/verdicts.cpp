// SPDX-License-Identifier: Apache-2.0
#include "tests/bad-plugins/verdicts.h"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "core/report/json.h"
#include "tests/folders.h"

namespace cb::check_test {
namespace {

std::string quoted(const std::string& text) { return "'" + text + "'"; }

std::string output_of(const std::string& command, int& exit_status) {
  std::string output;
  FILE* const pipe = ::popen(command.c_str(), "re");
  if (pipe == nullptr) return output;
  std::array<char, 4096> some{};
  for (size_t n = 1; n > 0;) {
    n = std::fread(some.data(), 1, some.size(), pipe);
    output.append(some.data(), n);
  }
  const int status = ::pclose(pipe);
  exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return output;
}

}  // namespace

Verdicts all_fail(const std::vector<std::string>& checks) {
  Verdicts verdicts;
  for (const std::string& check : checks) verdicts[check] = "failed";
  return verdicts;
}

Checked run_check(const std::filesystem::path& file, const std::vector<std::string>& arguments) {
  std::string command = quoted(test::program("cyberbackup-plugin-check")) + " --json --seed 1 " +
                        quoted(file.string());
  for (const std::string& argument : arguments) command += " " + quoted(argument);
  Checked checked;
  checked.output = output_of(command, checked.exit_status);
  const auto all = report::parse_json(checked.output);
  if (!all || all->find("checks") == all->end()) return checked;
  checked.unreadable = report::text_of(*all, "unreadable");
  for (const report::Json& check : all->at("checks")) {
    const std::string outcome = report::text_of(check, "outcome");
    if (outcome == "passed" || outcome == "skipped") continue;
    const std::string name = report::text_of(check, "name");
    checked.bad[name] = outcome;
    checked.texts[name] = report::text_of(check, "text");
  }
  return checked;
}

void expect_verdicts(const Row& row, const std::vector<std::string>& groups) {
  std::vector<std::string> arguments;
  for (const std::string& group : groups) arguments.insert(arguments.end(), {"--only", group});
  const auto file = std::filesystem::path(CB_BAD_PLUGIN_DIR) / (std::string(row.plugin) + ".so");
  const Checked checked = run_check(file, arguments);
  EXPECT_EQ(checked.bad, row.bad) << checked.output;
  const bool fails = !checked.unreadable.empty() ||
                     std::any_of(row.bad.begin(), row.bad.end(),
                                 [](const auto& one) { return one.second != "warning"; });
  EXPECT_EQ(checked.exit_status, fails ? 1 : 0) << checked.output;
  const bool said = std::any_of(checked.texts.begin(), checked.texts.end(), [&](const auto& one) {
    return one.second.find(row.says) != std::string::npos;
  });
  EXPECT_TRUE(said || *row.says == '\0') << "nothing says '" << row.says << "':\n"
                                         << checked.output;
}

void PrintTo(const Row& row, std::ostream* out) { *out << row.plugin; }

std::string name_of_row(const testing::TestParamInfo<Row>& info) {
  std::string name = info.param.plugin;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace cb::check_test
