// SPDX-License-Identifier: Apache-2.0
//
// What a v3 session answers, and how it ends with a refusal.
#include "core/server/v3_session.h"

namespace cb::server {
namespace {

using v3::Reply;

// How long, and how much, an ending connection is still read so that the peer gets the last answer.
constexpr std::chrono::seconds kLinger{2};
constexpr uint64_t kMaxLinger = kMiB;

}  // namespace

stream::Task<V3Session::Next> V3Session::tell_outcome(const ClientId& id,
                                                      const V3Outcome& outcome) {
  switch (outcome.kind) {
    case V3Outcome::Kind::nothing:
      break;
    case V3Outcome::Kind::received:
      CB_CO_TRY(co_await send(Reply::file_received, v3::encode(outcome.reply)));
      break;
    case V3Outcome::Kind::done:
      CB_CO_TRY(co_await send(Reply::acknowledged, id.view()));
      break;
    case V3Outcome::Kind::refused:
      co_return co_await refuse(outcome.why);
    case V3Outcome::Kind::ended:
      co_return co_await refuse_and_end(outcome.why);
  }
  co_return Next::go_on;
}

stream::Task<void> V3Session::send(Reply reply, ByteView first, ByteView second) {
  const Bytes message = v3::response_bytes(reply, {first, second}, dialect_);
  co_return co_await connection_->write(message);
}

void V3Session::audit(std::string_view event, std::string object, std::string outcome,
                      std::string detail) const {
  shared_.parts.audit->post_of_stranger(
      {"", peer_, std::string(event), std::move(object), std::move(outcome), std::move(detail)});
}

stream::Task<V3Session::Next> V3Session::refuse(const Error& why, uint64_t unread) {
  ++shared_.counters->requests_refused;
  shared_.counters->requests.note_failure(why.code);
  shared_.parts.log->warn("v3.request.refused", {{"peer", peer_}, {"why", why.text()}});
  input_.begin_content(settings_.request_timeout);
  CB_CO_TRY(co_await input_.skip(unread));
  CB_CO_TRY(co_await send(Reply::error));
  co_return Next::go_on;
}

stream::Task<V3Session::Next> V3Session::refuse_and_end(const Error& why) {
  if (why.code == Code::closed || why.code == Code::timeout || why.code == Code::cancelled)
    co_return failed(why);  // nobody is listening
  CB_CO_ASSIGN(const Next answered, co_await refuse(why));
  (void)answered;
  CB_CO_TRY(co_await connection_->shutdown());
  input_.limit_content(nullptr);
  input_.begin_content(kLinger);
  (void)co_await input_.skip(kMaxLinger);
  co_return Next::end;
}

}  // namespace cb::server
