// SPDX-License-Identifier: Apache-2.0
#include "answer.h"
#include "core/base/units.h"
#include "core/report/table.h"

namespace cb::host {
namespace {

using report::Json;

std::string state_of(const Json& account) {
  return account.value("disabled", false) ? "disabled" : "enabled";
}

std::string accounts_text(const Json& all) {
  report::Table table({{"account"},
                       {"state"},
                       {"devices", true},
                       {"snapshots", true},
                       {"blobs", true},
                       {"stored", true},
                       {"created"}});
  for (const Json& one : all) {
    const Json counts = one.value("counts", Json::object());
    table.add({report::text_of(one, "name"), state_of(one), number(one, "devices"),
               number(counts, "snapshots"), number(counts, "blobs"),
               format_size(counts.value("stored_bytes", uint64_t{0})),
               utc(one.value("created_ns", int64_t{0}))});
  }
  std::string text = table.text();
  for (const Json& one : all)
    if (one.contains("error"))
      text += "account " + report::text_of(one, "name") +
              " cannot be used: " + report::text_of(one, "error") + "\n";
  text.pop_back();
  return text;
}

std::string account_text(const Json& one) {
  const Json counts = one.value("counts", Json::object());
  const std::string repository = report::text_of(one, "repository");
  std::string text = "account     " + report::text_of(one, "name") + " (" + state_of(one) +
                     "), since " + utc(one.value("created_ns", int64_t{0})) + "\n";
  text += std::string("password    ") + (one.value("password", false) ? "set" : "none") + "\n";
  text += "repository  " + (repository.empty() ? "none yet" : repository) + "\n";
  if (one.contains("error"))
    text += "damage      " + report::text_of(one, "error") + "\n";
  else if (!repository.empty())
    text += "stored      " + number(counts, "snapshots") + " snapshots, " +
            number(counts, "blobs") + " blobs in " + number(counts, "packs") + " packs, " +
            format_size(counts.value("stored_bytes", uint64_t{0})) + "\n";
  for (const Json& device : one.value("devices", Json::array()))
    text += "device      " + report::text_of(device, "device") + "  " +
            report::text_of(device, "role") + "  " + report::text_of(device, "state") +
            "  last seen " + last_seen(device.value("last_seen_ns", int64_t{0})) + "\n";
  text.pop_back();
  return text;
}

std::string mode_text(const Json& one) {
  std::string text =
      "client   " + report::text_of(one, "name") + " (" + report::text_of(one, "account") + ")\n";
  text += "mode     " + report::text_of(one, "mode") + ": min-version " +
          number(one, "min_version") + ", ratchet " + report::text_of(one, "ratchet");
  if (one.value("ratchet_as_set", false)) text += " (as legacy.ratchet)";
  const int64_t ended = one.value("ended_ns", int64_t{0});
  if (ended == 0) return text;
  text += "\nended    protocol 3 ended for it at " + utc(ended);
  const int64_t lifted = one.value("lifted_until_ns", int64_t{0});
  if (lifted != 0) text += "; lifted until " + utc(lifted);
  return text;
}

}  // namespace

report::ExitCode run_account_add(const AccountOptions& options) {
  return show(
      options.common, {{"command", "account.add"}, {"account", options.name}}, [](const Json& one) {
        const std::string name = report::text_of(one, "name");
        return "added account " + name + "\nnext: cyberbackupd token create --account " + name;
      });
}

report::ExitCode run_account_list(const AccountOptions& options) {
  return show(options.common, {{"command", "account.list"}}, accounts_text);
}

report::ExitCode run_account_show(const AccountOptions& options) {
  return show(options.common, {{"command", "account.show"}, {"account", options.name}},
              account_text);
}

report::ExitCode run_account_enable(const AccountOptions& options, bool enable) {
  const std::string command = enable ? "account.enable" : "account.disable";
  return show(options.common, {{"command", command}, {"account", options.name}},
              [](const Json& one) {
                return "account " + report::text_of(one, "name") + " is " + state_of(one) +
                       ended_sessions(one);
              });
}

report::ExitCode run_account_mode(const AccountOptions& options) {
  Json request = {{"command", "account.mode"}, {"account", options.name}};
  if (!options.mode.empty()) request["mode"] = options.mode;
  if (options.min_version) request["min_version"] = *options.min_version;
  if (!options.ratchet.empty()) request["ratchet"] = options.ratchet;
  return show(options.common, request, mode_text);
}

report::ExitCode run_token_create(const AccountOptions& options) {
  const auto life = parse_duration(options.expires);
  if (!life) return tell(life.error(), options.common.json);
  const bool legacy = !options.legacy.empty();
  return show(options.common,
              {{"command", "token.create"},
               {"account", legacy ? options.legacy : options.name},
               {"legacy", legacy},
               {"expires_ns", life->count()}},
              [](const Json& one) { return report::text_of(one, "token"); });
}

}  // namespace cb::host
