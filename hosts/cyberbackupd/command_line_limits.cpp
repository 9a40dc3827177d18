// SPDX-License-Identifier: Apache-2.0
//
// Commands about what accounts and devices may take.
#include "command_line.h"

namespace cb::host {
namespace {

constexpr const char* kSetExample =
    "cyberbackupd limits set --account alice --stored 500GiB --soft 400GiB --grace 14d\n"
    "  cyberbackupd limits set --account alice --device ID --stored 100GiB --sessions 2\n"
    "  cyberbackupd limits set --account alice --soft none --stored default";

void add_values(CLI::App& set, LimitOptions& options) {
  const auto add_value = [&](const char* option, const char* name, const char* what) {
    set.add_option(option, options.values[name], what);
  };
  add_value("--stored", "stored", "What it may store, sealed and deduplicated, as 500GiB");
  add_value("--soft", "soft", "What it may store for good; more is tolerated for the grace");
  add_value("--grace", "grace", "How long more than the soft limit is tolerated, as 14d");
  add_value("--sessions", "sessions", "Sessions at one time");
  add_value("--requests", "requests", "Requests of one session in a second; more have to wait");
  add_value("--upload", "upload", "What one session may send");
  add_value("--snapshot", "snapshot", "What one snapshot may hold, as its client says");
}

}  // namespace

void add_limits(CLI::App& app, Chosen& chosen) {
  const auto all =
      app.get_subcommands([](const CLI::App* one) { return one->get_name() == "limits"; });
  CLI::App* limits = all.empty() ? add(app, "limits", "What accounts and devices may take",
                                       "cyberbackupd limits show")
                                 : all.front();
  limits->require_subcommand(1);
  CLI::App* show = add(*limits, "show", "Print limits, and what is stored",
                       "cyberbackupd limits show --account alice");
  show->add_option("--account", chosen.limits.account, "Only this account");
  add_common(*show, chosen.common);
  show->callback(
      [&] { chosen.command = [&] { return run_limits_show(chosen.with_common(chosen.limits)); }; });
  CLI::App* set = add(*limits, "set",
                      "Set limits: a size, a time or a number; `none` for no limit, `default` for "
                      "what the configuration says",
                      kSetExample);
  set->add_option("--account", chosen.limits.account, "The account")->required();
  set->add_option("--device", chosen.limits.device, "Only this device of it");
  add_values(*set, chosen.limits);
  add_common(*set, chosen.common);
  set->callback(
      [&] { chosen.command = [&] { return run_limits_set(chosen.with_common(chosen.limits)); }; });
}

}  // namespace cb::host
