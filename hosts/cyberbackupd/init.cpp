// SPDX-License-Identifier: Apache-2.0
#include "core/server/init.h"

#include "core/os/lower_rights.h"
#include "core/report/json.h"
#include "setup.h"

namespace cb::host {
namespace {

std::string what_next(const server::InitResult& result) {
  std::string text = "made " + result.config.string() + "\n";
  for (const std::string& listener : result.listeners) text += "listens on " + listener + "\n";
  if (!result.pin.empty())
    text += "pin of the certificate's key (clients need it): " + result.pin + "\n";
  text +=
      "keep a copy of keys/ in a safe place: without it nothing that clients of protocol 3 sent\n"
      "can be read, and clients of protocol 4 do not know their server again\n";
  // Root's folder is no use to another user, and the daemon had better be one.
  if (os::is_root())
    text += "for a daemon that runs as an ordinary user: chown -R USER: " +
            result.config.parent_path().string() + "\n";
  return text + "next: cyberbackupd serve --config " + result.config.string();
}

}  // namespace

report::ExitCode run_init(const InitOptions& options) {
  auto log = quiet_log();
  if (!log) return tell(log.error(), options.json);
  server::Seams seams;
  seams.log = log->get();
  server::InitRequest request;
  request.folder = options.folder;
  request.listen_v3 = options.listen_v3;
  request.listen_v4 = options.listen_v4;
  request.store = options.store;
  request.plugin_folder =
      options.plugins.empty() ? default_plugin_folder() : os::Path(options.plugins);
  request.probe_program = probe_program();
  request.write_plugin_folder = !options.plugins.empty();
  const auto result = server::init_folder(request, seams);
  if (!result) return tell(result.error(), options.json);
  if (options.json)
    print(report::json_line({{"config", result->config.string()},
                             {"listeners", result->listeners},
                             {"pin", result->pin}}));
  else
    print(what_next(*result));
  return report::ExitCode::done;
}

}  // namespace cb::host
