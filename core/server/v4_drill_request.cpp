// SPDX-License-Identifier: Apache-2.0
//
// What a v4 session answers about drills. On a worker.
#include "core/server/drill_book.h"
#include "core/server/v4_message.h"
#include "core/server/v4_session.h"

namespace cb::server {

Result<V4Session::Answer> V4Session::drill_result(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::DrillResult>(message));
  const Bytes record = to_bytes(v4::view_of(said.record()));
  CB_ASSIGN(const int64_t received, shared_.parts.drills->take(*member_, record));
  shared_.parts.log->info(
      "v4.drill",
      {{"peer", peer_}, {"account", member_->account.name}, {"device", member_->device.hex()}});
  v4::pb::DrillReply reply;
  reply.set_received_ns(received);
  return Answer{v4::Response::drill_result, v4::encode(reply)};
}

}  // namespace cb::server
