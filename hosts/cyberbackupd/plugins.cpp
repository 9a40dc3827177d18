// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/report/json.h"
#include "core/report/table.h"
#include "core/server/daemon.h"
#include "setup.h"

namespace cb::host {
namespace {

constexpr std::string_view kSuffix = ".so";

// Every plugin file in the folder, whether the settings use it or not.
std::vector<std::string> ids_in(const os::Path& folder) {
  std::vector<std::string> ids;
  const auto names = os::real_file_system().list(folder);
  if (!names) return ids;
  for (const std::string& name : *names)
    if (name.ends_with(kSuffix)) ids.push_back(name.substr(0, name.size() - kSuffix.size()));
  return ids;
}

struct Loaded {
  std::unique_ptr<log::Output> log;
  std::unique_ptr<plugin::Registry> registry;
};

// Loads what lies in the plugin folder and what the settings name; refusals are kept.
Result<Loaded> load_all(const CommonOptions& options, bool ignore_pins) {
  CB_ASSIGN(server::Settings settings, load_for_files(options));
  if (ignore_pins) settings.plugins.pins = plugin::Pins::off;
  Loaded loaded;
  CB_ASSIGN(loaded.log, quiet_log());
  server::Seams seams;
  seams.log = loaded.log.get();
  loaded.registry = server::make_registry(settings, seams, *loaded.log);
  std::vector<std::string> ids = settings.plugin_ids();
  for (const std::string& id : ids_in(settings.plugins.folder))
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  for (const std::string& id : ids) (void)loaded.registry->load(id);
  return loaded;
}

}  // namespace

report::ExitCode run_plugins_list(const CommonOptions& options) {
  const auto loaded = load_all(options, false);
  if (!loaded) return tell(loaded.error(), options.json);
  if (options.json) {
    print(report::json_line(server::plugins_as_json(*loaded->registry)));
    return report::ExitCode::done;
  }
  report::Table table({{"id"}, {"version"}, {"interface"}, {"status"}, {"summary"}});
  std::string refusals;
  for (const plugin::PluginStatus& status : loaded->registry->status()) {
    table.add({status.id, status.version, status.interface_id,
               status.refused ? "refused" : status.maturity, status.summary});
    if (status.refused) refusals += status.id + " was refused: " + status.refused->text() + "\n";
  }
  std::string text = table.text() + refusals;
  text.pop_back();
  print(text);
  return report::ExitCode::done;
}

report::ExitCode run_plugins_options(const CommonOptions& options, const std::string& id,
                                     OptionsForm form) {
  const auto loaded = load_all(options, false);
  if (!loaded) return tell(loaded.error(), options.json);
  const auto schema = loaded->registry->schema(id);
  if (!schema) return tell(schema.error(), options.json);
  const std::vector<config::Section> sections = {
      {id, "Options of " + id + "; they belong into the table of its use.", **schema}};
  std::string text = form == OptionsForm::toml       ? config::options_as_toml(sections)
                     : form == OptionsForm::markdown ? config::options_as_markdown(sections)
                                                     : config::options_as_table(sections);
  text.pop_back();
  print(text);
  return report::ExitCode::done;
}

report::ExitCode run_plugins_pin(const CommonOptions& options) {
  const auto loaded = load_all(options, true);
  if (!loaded) return tell(loaded.error(), options.json);
  std::string text = "[plugins.sha256]";
  report::Json all = report::Json::object();
  for (const plugin::PluginStatus& status : loaded->registry->status()) {
    if (status.refused) continue;
    text += "\n" + status.id + " = \"" + status.sha256 + "\"";
    all[status.id] = status.sha256;
  }
  print(options.json ? report::json_line(all) : text);
  return report::ExitCode::done;
}

}  // namespace cb::host
