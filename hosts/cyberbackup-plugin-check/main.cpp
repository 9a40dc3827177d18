// SPDX-License-Identifier: Apache-2.0
//
// cyberbackup-plugin-check: tries whether a plugin keeps the contract of its interface. Reads the
// command line and runs the checks.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <random>

#include "core/base/units.h"
#include "core/os/process.h"
#include "core/plugin/probe.h"
#include "core/report/exit_code.h"
#include "core/report/json.h"
#include "hosts/cyberbackup-plugin-check/catalogue.h"
#include "hosts/cyberbackup-plugin-check/child.h"
#include "hosts/cyberbackup-plugin-check/runner.h"

namespace cb::check {
namespace {

using report::ExitCode;

struct CommandLine {
  Settings settings;
  Selection selection;
  ChildWork child;
  std::string file, config, known_answers, fuzz = "0s", timeout = "1h", scratch;
  uint64_t seed = 0;
  bool list = false;
  bool json = false;
  bool in_process = false;
  bool strict = false;
  bool probe = false;
};

constexpr const char* kFooter = R"(Examples:
  cyberbackup-plugin-check build/store-example.so
  cyberbackup-plugin-check store-example.so --only put-get --in-process --seed 7
  cyberbackup-plugin-check compress-example.so --fuzz 60s --strict

Exits with 0 if nothing failed (with --strict: nor warned), 1 if something did, 2 if it was called
wrongly.)";

void declare(CLI::App& app, CommandLine& line) {
  app.footer(kFooter);
  app.set_version_flag("--version", CB_PROGRAM_VERSION);
  app.add_option("FILE", line.file, "The plugin's file");
  app.add_flag("--list", line.list, "Print all checks and whom they are for");
  app.add_option("--only", line.selection.only, "Only this check or group; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_option("--skip", line.selection.skip, "Not this check or group; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_flag("--json", line.json, "Print one JSON object");
  app.add_flag("--in-process", line.in_process,
               "No child processes, for debuggers: a crash ends everything");
  app.add_option("--seed", line.seed, "Repeats the random data of a run that printed it");
  app.add_option("--fuzz", line.fuzz, "How long each fuzzing check goes on")->type_name("60s");
  app.add_option("--timeout", line.timeout, "The most that any check may take, but for --fuzz")
      ->type_name("30s");
  app.add_option("--config", line.config, "The plugin's options in TOML")->type_name("FILE");
  app.add_option("--known-answers", line.known_answers, "What a crypto suite must compute")
      ->type_name("FILE");
  app.add_option("--below", line.settings.below, "The store below a store filter: id or file")
      ->capture_default_str();
  app.add_flag("--strict", line.strict, "Warnings fail");
  app.add_flag("--probe", line.probe, "Only load it as a host that meets it first does");
  app.add_option("--child-scratch", line.scratch)->group("");
  app.add_option("--child-plugin", line.child.index)->group("");
  app.add_flag("--child-survey", line.child.survey)->group("");
}

ExitCode misused(const std::string& why) {
  std::fprintf(stderr, "cyberbackup-plugin-check: %s\n", why.c_str());
  return ExitCode::usage;
}

// Loads the file in the probe that hosts use, and says what came of it.
ExitCode run_probe(const CommandLine& line) {
  plugin::LoadOptions options;
  options.probe_program = os::program_folder() / "cyberbackup-plugin-probe";
  const auto file = plugin::PluginFile::open(line.settings.file);
  const Status came = file ? plugin::probe(*file, options, nullptr) : failed(file.error());
  if (line.json) {
    report::Json all = {{"file", line.settings.file.string()}, {"ok", came.has_value()}};
    if (!came) all["error"] = report::json_of(came.error());
    std::puts(report::json_line(all).c_str());
  } else {
    std::puts(came ? "loads" : came.error().text().c_str());
  }
  return came ? ExitCode::done : ExitCode::failed;
}

ExitCode run_checks(const CommandLine& line) {
  Report report(line.json ? Report::Form::json : Report::Form::text, line.strict, line.settings);
  Runner(line.settings, line.selection, line.in_process, report).run();
  report.finish();
  return report.ok() ? ExitCode::done : ExitCode::failed;
}

// Makes settings of what was written.
Status settle(CommandLine& line, bool seeded) {
  CB_ASSIGN(line.settings.fuzz, parse_duration(line.fuzz));
  CB_ASSIGN(line.settings.timeout, parse_duration(line.timeout));
  CB_TRY(line.selection.check_names());
  line.settings.file = std::filesystem::absolute(line.file);
  if (!line.config.empty()) line.settings.config = std::filesystem::absolute(line.config);
  if (!line.known_answers.empty())
    line.settings.known_answers = std::filesystem::absolute(line.known_answers);
  // Short enough to be typed again.
  line.settings.seed = seeded ? line.seed : std::random_device()() % 1'000'000;
  line.child.scratch = line.scratch;
  CB_TRY(os::real_file_system().info(line.settings.file));
  return {};
}

ExitCode run(int argc, char** argv) {
  CLI::App app("Tries whether a plugin keeps the contract of its interface.",
               "cyberbackup-plugin-check");
  CommandLine line;
  declare(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ExitCode::done : ExitCode::usage;
  }
  if (line.list) {
    std::fputs(catalogue_text(line.json ? Report::Form::json : Report::Form::text).c_str(), stdout);
    return ExitCode::done;
  }
  if (line.file.empty()) return misused("name a plugin's file (--help tells more)");
  const Status settled = settle(line, app.count("--seed") > 0);
  if (!settled) return misused(settled.error().text());
  if (line.probe) return run_probe(line);
  if (line.child.scratch.empty()) return run_checks(line);
  for (const Check& check : catalogue())
    if (line.selection.includes(check)) line.child.check = &check;
  work_as_child(line.settings, line.child);
}

}  // namespace
}  // namespace cb::check

int main(int argc, char** argv) { return static_cast<int>(cb::check::run(argc, argv)); }
