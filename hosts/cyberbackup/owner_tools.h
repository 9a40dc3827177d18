// SPDX-License-Identifier: Apache-2.0
//
// What the commands share that change an account: the connection, and how they say what was done.
// Used by one thread.
#pragma once

#include "core/client/rotation.h"
#include "core/report/json.h"
#include "hosts/cyberbackup/workplace.h"

namespace cb {

struct Connected {
  std::unique_ptr<Workplace> place;
  std::shared_ptr<client::V4Session> session;
};
// Loads the profile and connects.
Result<Connected> connect_profile(const CommonOptions& options);

// Writes all of it to standard output, or Code::io.
Status write_out(const std::string& text);
// With "event": "done" and "exit": 0.
Status write_done(report::Json json);

// Asks where the account's history ends now.
Result<client::RotationParts> rotation_parts(const Connected& connected);
// What a rotation did, and all that went wrong in it, for people; and its members for scripts.
std::string text_of(const client::RotationReport& report);
report::Json json_of(const client::RotationReport& report);
// Writes `json`, or else `text`, and then ends with what `done` says: scripts get the last line of
// a command, "done", from here when all went well and from report_failure otherwise.
Status tell(const CommonOptions& options, report::Json json, const std::string& text, Status done);
// Code::state when it left something undone.
Status whole(const client::RotationReport& report);

}  // namespace cb
