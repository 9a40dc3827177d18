// SPDX-License-Identifier: Apache-2.0
//
// What enrolling, joining and logging in share: reaching a server that no profile names yet, and
// saying who has come. Used by one thread.
#pragma once

#include <functional>
#include <string>

#include "core/client/joining.h"
#include "hosts/cyberbackup/workplace.h"

namespace cb {

// A failure, and whether it came from reaching the server.
struct Failure {
  Error error;
  bool dialled = false;
};
using Newcoming = tl::expected<void, Failure>;

client::EnrolmentParts enrolment_parts(const Workplace& place);

// Tries the servers in turn; one that refused has the last word.
template <typename T>
Result<T> try_servers(
    Workplace& place, const client::AccountPlace& where,
    const std::function<Result<T>(const stream::Stack&, const stream::Target&)>& ask) {
  CB_ASSIGN(const stream::Stack stack, place.stack(where.pin));
  Error last = fail(Code::invalid, "account", "names no server");
  for (const std::string& server : where.servers) {
    CB_ASSIGN(const stream::Target target, client::parse_server(server));
    auto answer = ask(stack, target);
    if (answer || answer.error().code == Code::denied || answer.error().code == Code::exists ||
        answer.error().code == Code::busy)
      return answer;
    last = std::move(answer).error();
  }
  return failed(std::move(last));
}

// From now on, a server that signs the account's history with another key is refused.
Status remember_server(const Workplace& place, const repository::RepositoryId& repository,
                       const client::V4Welcome& welcome);

// Tells that the device is in. Code::io when it could not be written.
Status tell_joined(const CommonOptions& options, const client::Joining& joining);

// `enroll` with an owner's invite.
Newcoming join_by_invite(const CommonOptions& options, const std::string& text);

}  // namespace cb
