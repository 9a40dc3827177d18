// SPDX-License-Identifier: Apache-2.0
#include "core/report/json.h"
#include "core/report/table.h"
#include "setup.h"

namespace cb::host {

report::ExitCode run_config_check(const CommonOptions& options) {
  auto settings = load_for_files(options);
  if (!settings) return tell(settings.error(), options.json);
  auto log = quiet_log();
  if (!log) return tell(log.error(), options.json);
  server::Seams seams;
  seams.log = log->get();
  const auto registry = server::make_registry(*settings, seams, **log);
  const Status good = server::prepare_plugins(*settings, *registry);
  if (!good) return tell(good.error(), options.json);
  if (options.json)
    print(report::json_line({{"ok", true}, {"file", settings->file.string()}}));
  else
    print(settings->file.string() + ": good");
  return report::ExitCode::done;
}

report::ExitCode run_config_show(const CommonOptions& options) {
  const auto settings = load(options);
  if (!settings) return tell(settings.error(), options.json);
  std::string text;
  std::string table;
  report::Json all = report::Json::array();
  for (const server::ShownOption& option : settings->shown) {
    all.push_back({{"key", option.table + "." + option.key},
                   {"value", option.value},
                   {"default", option.is_default}});
    if (option.table != table) text += (text.empty() ? "" : "\n") + ("[" + option.table + "]\n");
    table = option.table;
    text += option.key + " = " + option.value + (option.is_default ? "  # default" : "") + "\n";
  }
  if (!text.empty()) text.pop_back();
  print(options.json ? report::json_line(all) : text);
  return report::ExitCode::done;
}

report::ExitCode run_config_options(OptionsForm form) {
  const auto& sections = server::settings_sections();
  std::string text = form == OptionsForm::toml       ? config::options_as_toml(sections)
                     : form == OptionsForm::markdown ? config::options_as_markdown(sections)
                                                     : config::options_as_table(sections);
  text.pop_back();
  print(text);
  return report::ExitCode::done;
}

}  // namespace cb::host
