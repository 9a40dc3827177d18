// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/owner_tools.h"

#include <cstdio>

namespace cb {

Result<Connected> connect_profile(const CommonOptions& options) {
  Connected connected;
  CB_ASSIGN(connected.place, Workplace::open(options));
  CB_TRY(connected.place->load_profile());
  CB_ASSIGN(connected.session, connected.place->dial());
  return connected;
}

Status write_out(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
    return {};
  return failed(Code::io, "standard output", "took not all that was written");
}

Status write_done(report::Json json) {
  json["event"] = "done";
  json["exit"] = 0;
  return write_out(report::json_line(json) + "\n");
}

Result<client::RotationParts> rotation_parts(const Connected& connected) {
  CB_ASSIGN(const client::ChainPlace head, connected.place->newest_commit(*connected.session));
  return client::RotationParts{connected.place->suite().crypto, &os::system_random(),
                               connected.session.get(), head.sequence + 1};
}

std::string text_of(const client::RotationReport& report) {
  std::string text = report.went_on
                         ? "Finished the rotation that was begun before, with new keys once more.\n"
                         : "";
  text += "Key epoch " + std::to_string(report.epoch) + ": " + std::to_string(report.slots) +
          " key slots sealed, " + std::to_string(report.sessions) + " sessions wrapped anew.\n";
  if (report.finished) text += "The older keys are gone; nothing was uploaded again.\n";
  if (!report.withdrawn.empty())
    text +=
        "Invites of owners and readers that waited were withdrawn, since they held the older "
        "keys: " +
        std::to_string(report.withdrawn.size()) + ". Make new ones.\n";
  for (const std::string& problem : report.problems) text += "Not wrapped anew: " + problem + "\n";
  return text;
}

report::Json json_of(const client::RotationReport& report) {
  report::Json withdrawn = report::Json::array();
  for (const repository::InviteId& id : report.withdrawn) withdrawn.push_back(id.hex());
  return {{"epoch", report.epoch},       {"went_on", report.went_on},
          {"finished", report.finished}, {"sessions", report.sessions},
          {"slots", report.slots},       {"withdrawn_invites", withdrawn},
          {"problems", report.problems}};
}

Status tell(const CommonOptions& options, report::Json json, const std::string& text, Status done) {
  if (!options.json) {
    CB_TRY(write_out(text));
  } else if (done) {
    CB_TRY(write_done(std::move(json)));
  } else {
    json["event"] = "result";
    CB_TRY(write_out(report::json_line(json) + "\n"));
  }
  return done;
}

Status whole(const client::RotationReport& report) {
  if (report.finished) return {};
  const std::string cause = report.problems.empty() ? "sessions of the older keys came in meanwhile"
                                                    : std::to_string(report.problems.size()) +
                                                          " sessions could not be wrapped anew";
  return failed(Code::state, "key rotation", "kept the older keys, too: " + cause,
                "run `cyberbackup key rotate` again, and `cyberbackup check`");
}

}  // namespace cb
