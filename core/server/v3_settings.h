// SPDX-License-Identifier: Apache-2.0
//
// What an operator can set about protocol v3. Plain values.
#pragma once

#include <chrono>
#include <cstdint>

#include "core/base/units.h"
#include "core/protocol/v3/messages.h"

namespace cb::server {

// Which OAEP hash the AES key for a v3 client is wrapped with (legacy-protocol 5). Automatic:
// learned per client.
enum class OaepChoice { automatic, sha256, sha1 };

using v3::Dialect;

// Which v3 clients may take their repository over with protocol 4 without a token: none, those that
// the operator allowed, or all.
enum class V3Migration { token, allowed, open };

struct V3Settings {
  OaepChoice oaep = OaepChoice::automatic;

  // Answer 1030 with 1604 at once, as the original servers do, or only when no 1028 came for
  // ack_delay.
  bool ack_resend_at_once = false;
  std::chrono::nanoseconds ack_delay = std::chrono::milliseconds(1500);

  // A connection without data for this long is closed.
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(60);
  // A request's header and fields must arrive within this, counted from its first byte; so must
  // every 64 KiB of content.
  std::chrono::nanoseconds request_timeout = std::chrono::seconds(60);
  // An answer that the peer does not read ends the connection after this.
  std::chrono::nanoseconds write_timeout = std::chrono::seconds(60);
  // An upload without a new packet for this long is forgotten.
  std::chrono::nanoseconds upload_timeout = std::chrono::minutes(15);

  // How often one file may be announced as "will resend" (1030) on one connection.
  uint32_t max_resends = 16;
  // Plain size of one file; the protocol cannot name more than 4 GiB - 1.
  uint64_t max_upload = 4 * kGiB - 1;
  // New names per minute and peer address.
  uint32_t registrations_per_minute = 60;
  // New uploads are refused when the store would have less than this left.
  uint64_t space_reserve = 64 * kMiB;

  // 4: protocol 3 is served to nobody.
  int min_version = 3;
  // A client's first login of protocol 4 ends protocol 3 for it, unless its policy says otherwise.
  bool ratchet = true;
  // May names that nobody has register?
  bool new_clients = true;
  V3Migration migrate = V3Migration::allowed;
};

}  // namespace cb::server
