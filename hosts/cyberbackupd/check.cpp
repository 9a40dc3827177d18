// SPDX-License-Identifier: Apache-2.0
#include "check_screen.h"
#include "core/base/units.h"
#include "opened.h"

namespace cb::host {
namespace {

using report::Json;

constexpr const char* kAdvice =
    "what to do: `cyberbackupd job run verify` writes damaged records anew and has the next "
    "backups "
    "send damaged blobs again; then `cyberbackupd job run compact` writes packs anew that are "
    "damaged beside their blobs; then check once more. If the catalog is damaged, or records do "
    "not "
    "follow each other: end the daemon, then `cyberbackupd rebuild-catalog`";

std::string as_text(const Json& checked) {
  const auto number = [&](const char* key) {
    return std::to_string(checked.value(key, uint64_t{0}));
  };
  const auto in = [](const Json& told) {
    const std::string account = report::text_of(told, "account");
    return account.empty() ? std::string() : " in " + account;
  };
  std::string text;
  for (const Json& finding : checked.value("findings", Json::array()))
    text += "damage" + in(finding) + ": " + report::text_of(finding, "finding") + "\n";
  for (const Json& note : checked.value("notes", Json::array()))
    text +=
        "note of " + report::text_of(note, "account") + ": " + report::text_of(note, "note") + "\n";
  text += "checked " + number("repositories") + " repositories: " + number("snapshots") +
          " snapshots, " + number("blobs") + " blobs in " + number("packs") + " packs, " +
          format_size(checked.value("bytes", uint64_t{0}));
  text += checked.value("read_data", false) ? ", all data read" : ", without reading the data";
  const size_t count = checked.value("findings", Json::array()).size();
  if (count == 0) return text + ": no damage found";
  return text + ": " + std::to_string(count) + " findings\n" + kAdvice;
}

}  // namespace

report::ExitCode run_check(const CheckOptions& options) {
  CheckScreen screen("check", options.common.json);
  const auto checked =
      run_admin(options.common, {{"command", "check"}, {"read_data", options.read_data}},
                [&](uint64_t done, uint64_t total) { screen.show(done, total); });
  screen.finish();
  if (!checked) return tell(checked.error(), options.common.json);
  print(options.common.json ? report::json_line(*checked) : as_text(*checked));
  const bool damaged = !checked->value("findings", Json::array()).empty();
  return damaged ? report::ExitCode::failed : report::ExitCode::done;
}

}  // namespace cb::host
