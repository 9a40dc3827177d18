// SPDX-License-Identifier: Apache-2.0
#include "check_screen.h"
#include "core/base/units.h"
#include "opened.h"

namespace cb::host {
namespace {

using report::Json;

std::string as_text(const Json& checked) {
  const auto number = [&](const char* key) {
    return std::to_string(checked.value(key, uint64_t{0}));
  };
  std::string text;
  for (const Json& finding : checked.value("findings", Json::array()))
    text += "damage in " + report::text_of(finding, "account") + ": " +
            report::text_of(finding, "finding") + "\n";
  for (const Json& note : checked.value("notes", Json::array()))
    text +=
        "note of " + report::text_of(note, "account") + ": " + report::text_of(note, "note") + "\n";
  text += "checked " + number("repositories") + " repositories: " + number("snapshots") +
          " snapshots, " + number("blobs") + " blobs in " + number("packs") + " packs, " +
          format_size(checked.value("bytes", uint64_t{0}));
  text += checked.value("read_data", false) ? ", all data read" : ", without reading the data";
  const size_t count = checked.value("findings", Json::array()).size();
  return text + (count == 0 ? ": no damage found" : ": " + std::to_string(count) + " findings");
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
