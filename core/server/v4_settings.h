// SPDX-License-Identifier: Apache-2.0
//
// What an operator can set about protocol v4. Plain values.
#pragma once

#include <chrono>
#include <cstdint>

#include "core/base/units.h"

namespace cb::server {

struct V4Settings {
  // A session that sends nothing for this long is ended.
  std::chrono::nanoseconds lease = std::chrono::minutes(10);
  // How often clients are asked to send something.
  std::chrono::nanoseconds heartbeat = std::chrono::minutes(1);
  // A connection that is not logged in after this is ended.
  std::chrono::nanoseconds login_timeout = std::chrono::seconds(30);
  // A frame's header and message must arrive within this, counted from its first byte; so must
  // every 64 KiB of bulk.
  std::chrono::nanoseconds request_timeout = std::chrono::seconds(60);
  // An answer that the peer does not read ends the connection after this.
  std::chrono::nanoseconds write_timeout = std::chrono::seconds(60);
  // A session that is older is ended between two requests; the client comes again.
  std::chrono::nanoseconds session_limit = std::chrono::hours(24);
  // Conversations that one address may begin in a minute.
  uint32_t hellos_per_minute = 3000;
  // Failed logins of an account, a device, an invite (four times as many of an address) before
  // each further one must wait, how long at first (then twice as long each time) and at most.
  uint32_t login_tries = 5;
  std::chrono::nanoseconds login_wait = std::chrono::seconds(2);
  std::chrono::nanoseconds longest_login_wait = std::chrono::minutes(15);
  // Passwords that are checked at one time; each takes 64 MiB and a worker.
  uint32_t password_checks = 2;
  // Bytes of bulk that a client may have under way unanswered.
  uint64_t credit = 4 * kMiB;
  // Serve over transports that do not encrypt or authenticate. For tests alone.
  bool unsafe_plain_transport = false;
};

}  // namespace cb::server
