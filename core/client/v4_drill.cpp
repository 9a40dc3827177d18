// SPDX-License-Identifier: Apache-2.0
//
// How a device tells the server over a v4 session what came of a drill.
#include "core/client/v4_session_state.h"

namespace cb::client {

Result<int64_t> V4Session::report_drill(const repository::DrillRecord& record) {
  v4::pb::DrillResult message;
  message.set_record(v4::field_of(repository::encode(record)));
  CB_ASSIGN(const Bytes bytes, state_->ask(v4::Request::drill_result, v4::encode(message),
                                           v4::Response::drill_result, state_->limits.answer));
  CB_ASSIGN(const auto reply, v4::parse<v4::pb::DrillReply>(bytes));
  return reply.received_ns();
}

}  // namespace cb::client
