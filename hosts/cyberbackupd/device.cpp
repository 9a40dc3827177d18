// SPDX-License-Identifier: Apache-2.0
#include "answer.h"
#include "core/identity/password.h"
#include "core/report/table.h"
#include "hosts/cyberbackup/secret_line.h"

namespace cb::host {
namespace {

using report::Json;

std::string devices_text(const Json& all) {
  report::Table table({{"device"}, {"role"}, {"state"}, {"sessions", true}, {"last seen"}});
  for (const Json& one : all)
    table.add({report::text_of(one, "device"), report::text_of(one, "role"),
               report::text_of(one, "state"), number(one, "sessions"),
               last_seen(one.value("last_seen_ns", int64_t{0}))});
  std::string text = table.text();
  text.pop_back();
  return text;
}

Result<std::string> hash_of(const AccountOptions& options) {
  if (options.remove) return std::string();
  CB_ASSIGN(const Secret password,
            options.password_file.empty()
                ? ask_secret({"password", "New password: ", "give it with --password-file", true})
                : secret_of_file(options.password_file, "password"));
  return identity::hash_password(as_text(password.view()));
}

}  // namespace

report::ExitCode run_account_password(const AccountOptions& options) {
  const auto hash = hash_of(options);
  if (!hash) return tell(hash.error(), options.common.json);
  const Json request = {
      {"command", "account.password"}, {"account", options.name}, {"hash", *hash}};
  return show(options.common, request, [](const Json& one) {
    return "account " + report::text_of(one, "name") +
           (one.value("password", false) ? " has a new password" : " has no password any more") +
           ended_sessions(one);
  });
}

report::ExitCode run_device_list(const AccountOptions& options) {
  return show(options.common, {{"command", "device.list"}, {"account", options.name}},
              devices_text);
}

report::ExitCode run_device_change(const AccountOptions& options, const std::string& what) {
  return show(options.common, {{"command", "device." + what}, {"device", options.device}},
              [](const Json& one) {
                return "device " + report::text_of(one, "device") + " is " +
                       report::text_of(one, "state") + ended_sessions(one);
              });
}

}  // namespace cb::host
