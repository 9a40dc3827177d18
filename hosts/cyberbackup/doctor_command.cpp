// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup doctor`: looks at everything that a backup needs, and says what to do.
#include <algorithm>
#include <cstdio>

#include "core/report/json.h"
#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/doctor_checks.h"

namespace cb {
namespace {

constexpr const char* kDoctorExample =
    "Examples:\n"
    "  cyberbackup doctor\n"
    "  cyberbackup doctor --profile laptop --json\n"
    "\n"
    "Exits with 1 when something fails; warnings alone end with 0.";

std::string name_of(Health health) {
  if (health == Health::ok) return "ok";
  return health == Health::warn ? "warn" : "fail";
}

Findings examine(const CommonOptions& options) {
  Findings findings;
  const auto place = Workplace::open(options);
  if (!place) {
    findings.push_back(failed_finding("plugins", place.error()));
    return findings;
  }
  findings.push_back({Health::ok, "plugins", "are loaded", ""});
  check_cache((*place)->cache_folder(), findings);
  const Status loaded = (*place)->load_profile();
  if (!loaded) {
    findings.push_back(failed_finding("profile", loaded.error()));
    return findings;
  }
  check_profile_files(**place, findings);
  check_servers(**place, findings);
  return findings;
}

void print_findings(const Findings& findings, const CommonOptions& options) {
  for (const Finding& finding : findings) {
    if (finding.health == Health::ok && options.quiet) continue;
    std::printf("%-5s %s: %s\n", name_of(finding.health).c_str(), finding.subject.c_str(),
                finding.text.c_str());
    if (!finding.advice.empty()) std::printf("      -> %s\n", finding.advice.c_str());
  }
}

void print_json(const Findings& findings, bool sound) {
  report::Json all = report::Json::array();
  for (const Finding& finding : findings)
    all.push_back({{"health", name_of(finding.health)},
                   {"subject", finding.subject},
                   {"text", finding.text},
                   {"advice", finding.advice}});
  std::puts(report::json_line({{"sound", sound}, {"findings", all}}).c_str());
}

int run_doctor(const CommonOptions& options) {
  const Findings findings = examine(options);
  const bool sound = std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.health == Health::fail;
  });
  if (options.json)
    print_json(findings, sound);
  else
    print_findings(findings, options);
  return static_cast<int>(sound ? report::ExitCode::done : report::ExitCode::failed);
}

}  // namespace

void add_doctor_command(CLI::App& app, CommonOptions& options, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("doctor", "Look at everything that a backup needs, and say what to do");
  command->footer(kDoctorExample);
  command->callback([&options, &exit_code] { exit_code = run_doctor(options); });
}

}  // namespace cb
