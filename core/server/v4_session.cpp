// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_session.h"

#include <algorithm>
#include <utility>

#include "core/server/peer_address.h"
#include "core/server/thrown.h"

namespace cb::server {
namespace {

using boost::asio::awaitable;
using v4::Request;
using v4::Response;

// How long an ending connection is still read, so that the peer gets the last answer, and how much
// beside the bulk that it may have under way.
constexpr std::chrono::seconds kLinger{2};
constexpr uint64_t kLingerBytes = kMiB;
// A silence after which the client is told what it may not know yet.
constexpr std::chrono::milliseconds kBriefly{20};
// How often an idle session looks after its packs.
constexpr std::chrono::seconds kTick{1};

Error disorder(std::string cause) { return fail(Code::state, "request", std::move(cause)); }

// Messages whose bytes are wiped once they were read.
bool has_secret(Request request) {
  return request == Request::enroll || request == Request::password_login ||
         request == Request::open_invite || request == Request::join ||
         request == Request::migrate || request == Request::prove_key ||
         request == Request::replica_login;
}

// An end that nobody needs to be told of.
bool is_lost(const Error& error) {
  return error.code == Code::closed || error.code == Code::cancelled;
}

}  // namespace

V4Session::V4Session(const Shared& shared, const V4Settings& settings,
                     std::unique_ptr<stream::Connection> connection, ByteView first)
    : shared_(shared),
      settings_(settings),
      connection_(std::move(connection)),
      peer_(connection_->peer()),
      network_(network_of(peer_)),
      in_(shared.parts.traffic, *shared.parts.clock, moving(Direction::in)),
      out_(shared.parts.traffic, *shared.parts.clock, moving(Direction::out)),
      input_(*connection_, *shared.parts.clock, first),
      puts_({shared.parts.engine, shared.parts.workers, shared.parts.buffers, shared.parts.clock,
             settings.request_timeout},
            connection_->executor()),
      began_(shared.parts.clock->monotonic()),
      last_request_(began_) {}

TrafficShare::Whose V4Session::moving(Direction direction) const {
  return {direction, without_port(peer_), [this] { return connection_->is_cancelled(); }};
}

awaitable<void> V4Session::run() {
  ++shared_.counters->sessions;
  ++shared_.counters->sessions_total;
  connection_->set_write_timeout(settings_.write_timeout);
  puts_.set_tell([this](const V4Puts::Progress& progress) {
    v4::pb::Taken taken;
    taken.set_bytes(progress.bytes);
    taken.set_durable(progress.durable);
    return send(Response::taken, v4::kPushedId, v4::encode(taken));
  });
  puts_.set_tell_refused([this](uint32_t request_id, const Error& why) {
    return fail_request(request_id, why, false);
  });
  input_.limit_bulk(in_, [this] { return puts_.remind(); });
  Status end;
  std::exception_ptr thrown;
  try {
    end = co_await serve();
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown) end = failed(error_of(thrown, peer_));
  if (!end) {
    shared_.parts.log->write(is_lost(end.error()) ? log::Level::debug : log::Level::warn,
                             "v4.session.ended", {{"peer", peer_}, {"why", end.error().text()}});
    if (!is_lost(end.error())) ++shared_.counters->disorders;
    if (!is_lost(end.error()) || is_over()) (void)co_await end_with(request_id_, end.error());
  }
  co_await puts_.close();
  backup_.reset();
  running_.reset();
  co_await connection_->close();
  if (is_in()) --shared_.counters->logged_in;
  --shared_.counters->sessions;
}

// Ends with an error, the clean end of the peer (Code::closed) included.
stream::Task<void> V4Session::serve() {
  while (true) {
    if (running_) running_->listens(shared_.parts.clock->monotonic());
    CB_CO_TRY(co_await wait_for_frame());
    CB_CO_ASSIGN(const Frame frame, co_await read_frame());
    if (running_) running_->works();
    request_id_ = frame.request_id;
    CB_CO_TRY(check_order(frame));
    last_request_ = shared_.parts.clock->monotonic();
    const auto begun = last_request_;
    CB_CO_TRY(co_await keep_pace(frame));
    const Status taken = co_await take(frame);
    reading_.reset();
    shared_.counters->requests.note(static_cast<uint16_t>(frame.code),
                                    shared_.parts.clock->monotonic() - begun);
    CB_CO_TRY(taken);
    // A frame may have taken long: its bulk waits for its turn.
    last_request_ = shared_.parts.clock->monotonic();
    CB_CO_TRY(co_await puts_.age());
  }
}

// Not in the middle of a blob, so that what came of it is not lost.
bool V4Session::is_over() const {
  return is_in() && !puts_.is_open() &&
         shared_.parts.clock->monotonic() - entered_ >= settings_.session_limit;
}

// How much longer the peer may be silent, or the session last.
std::chrono::nanoseconds V4Session::patience() const {
  const std::chrono::nanoseconds now = shared_.parts.clock->monotonic();
  if (!is_in()) return began_ + settings_.login_timeout - now;
  const std::chrono::nanoseconds lease = last_request_ + settings_.lease - now;
  if (puts_.is_open()) return lease;
  return std::min(lease, entered_ + settings_.session_limit - now);
}

// How long the rest of a request may take; none outlasts the time for a login.
std::chrono::nanoseconds V4Session::time_of_request() const {
  return is_in() ? settings_.request_timeout : std::min(settings_.request_timeout, patience());
}

stream::Task<void> V4Session::wait_for_frame() {
  std::chrono::nanoseconds step = kBriefly;
  while (true) {
    if (is_over())
      co_return failed(Code::closed, peer_,
                       "the session has lasted " + format_duration(settings_.session_limit),
                       "connect again");
    const std::chrono::nanoseconds left = patience();
    if (left.count() <= 0)
      co_return failed(Code::timeout, peer_,
                       is_in()
                           ? "sent nothing for " + format_duration(settings_.lease)
                           : "did not log in within " + format_duration(settings_.login_timeout));
    request_id_ = v4::kPushedId;
    CB_CO_ASSIGN(const bool ready, co_await input_.wait(std::min(step, left)));
    if (ready) co_return Status{};
    step = puts_.is_all_durable() ? std::chrono::nanoseconds(settings_.lease) : kTick;
    if (!is_in()) continue;
    request_id_ = puts_.request_id();
    CB_CO_TRY(co_await puts_.settle());
    CB_CO_TRY(co_await puts_.tell());
    CB_CO_TRY(co_await puts_.age());
  }
}

stream::Task<V4Session::Frame> V4Session::read_frame() {
  std::array<std::byte, protocol::kRequestHeaderSize + v4::kFrameHeadSize> raw{};
  const ByteSpan all(raw);
  CB_CO_TRY(co_await input_.read(all.first<protocol::kRequestHeaderSize>(), time_of_request()));
  const auto header = protocol::decode_request_header(
      std::span<const std::byte>(raw).first<protocol::kRequestHeaderSize>());
  if (header.version != v4::kVersion)
    co_return failed(downgrade("request", "has the protocol version " +
                                              std::to_string(header.version) +
                                              ", which is not served here"));
  const std::optional<Request> code = v4::request_of(header.code);
  if (!code) co_return failed(disorder("has the unknown code " + std::to_string(header.code)));
  if (header.payload_size < v4::kFrameHeadSize || header.payload_size > v4::kFrameMax)
    co_return failed(
        disorder("has a payload of " + std::to_string(header.payload_size) + " bytes"));
  CB_CO_TRY(co_await input_.read(all.last<v4::kFrameHeadSize>(), time_of_request()));
  CB_CO_ASSIGN(const v4::FrameHead head,
               v4::decode_frame_head(std::span<const std::byte>(raw).last<v4::kFrameHeadSize>(),
                                     header.payload_size));
  if (head.message_size > v4::message_limit(*code))
    co_return failed(disorder("has a message of " + std::to_string(head.message_size) +
                              " bytes, at most " + std::to_string(v4::message_limit(*code))));
  const auto bulk =
      static_cast<uint32_t>(header.payload_size - v4::kFrameHeadSize - head.message_size);
  if (bulk > 0 && !v4::has_bulk(*code))
    co_return failed(disorder("has bulk, which this code has not"));
  co_return Frame{*code, head.request_id, head.message_size, bulk};
}

Status V4Session::check_order(const Frame& frame) const {
  if (frame.request_id == v4::kPushedId) return failed(disorder("has the request id 0"));
  if (puts_.is_open() && frame.code != Request::put_more)
    return failed(disorder("came in the middle of a blob"));
  if (may(frame.code)) return {};
  if (frame.code == Request::hello) return failed(disorder("is a second hello"));
  if (!is_in()) return failed(disorder("came before the login"));
  const auto privilege = v4::privilege_of(frame.code);
  if (!privilege || *privilege == v4::Privilege::stranger)
    return failed(disorder("is not due now"));
  return {};
}

bool V4Session::may(Request request) const {
  const auto privilege = v4::privilege_of(request);
  return privilege && v4::has_privilege(standing_, *privilege);
}

// Somebody who is logged in, and has not the privilege. Blobs have no answer of their own.
stream::Task<void> V4Session::deny(const Frame& frame) {
  const bool is_person = standing_ == v4::Standing::person;
  Error why =
      guest_
          ? fail(Code::denied, "replica " + guest_->name, "may only copy",
                 "use a device of the owner")
          : fail(Code::denied,
                 is_person ? "account " + member_->account.name : "device " + member_->device.hex(),
                 is_person ? "a password alone does not allow this" : "may not do this in its role",
                 "use a device of the owner");
  if (v4::has_bulk(frame.code)) co_return failed(std::move(why));
  co_return co_await fail_request(frame.request_id, why, false);
}

bool V4Session::changes_copy(Request request) const {
  return member_ && member_->origin && v4::changes_copy(request);
}

// A copy follows its source, and nobody else.
Error V4Session::only_read() const {
  return fail(Code::denied, "account " + member_->account.name,
              "is a copy of that of server " + member_->origin->source + ", and only read here",
              "back up to that server; when it is lost, ask this one's operator");
}

// The rest of a frame, and its answer.
stream::Task<void> V4Session::take(const Frame& frame) {
  if (frame.code == Request::put_more && may(frame.code))
    co_return co_await puts_.more(frame.request_id, frame.bulk_size, input_);
  Bytes message(frame.message_size);
  CB_CO_TRY(co_await input_.read(message, time_of_request()));
  if (!may(frame.code)) co_return co_await deny(frame);
  const bool is_refused = changes_copy(frame.code);
  if (is_refused && frame.code != Request::put)
    co_return co_await fail_request(frame.request_id, only_read(), false);
  if (const Status open = is_refused ? Status{} : admit(frame.code); !open) {
    CB_CO_TRY(co_await turn_away(frame, open.error()));
    if (!v4::has_bulk(frame.code)) co_return Status{};
  }
  if (frame.code != Request::put) {
    Status answered = co_await answer(frame, message);
    if (has_secret(frame.code)) wipe(message);
    co_return answered;
  }
  CB_CO_ASSIGN(const auto put, v4::parse<v4::pb::Put>(message));
  CB_CO_ASSIGN(repository::BlobHead head, v4::head_of(put));
  message = {};
  if (is_refused) CB_CO_TRY(co_await puts_.deny(frame.request_id, only_read()));
  shared_.counters->bytes_in += head.stored_size;
  ++shared_.counters->blobs_in;
  CB_CO_TRY(co_await admit_blob(frame, head.stored_size));
  co_return co_await puts_.put(frame.request_id, std::move(head), frame.message_size,
                               frame.bulk_size, input_);
}

stream::Task<void> V4Session::answer(const Frame& frame, const Bytes& message) {
  switch (frame.code) {
    case Request::hello:
      return hello(frame, message);
    case Request::enroll:
    case Request::login:
    case Request::password_login:
    case Request::open_invite:
    case Request::join:
    case Request::migrate:
    case Request::prove_key:
    case Request::adopt:
    case Request::replica_login:
      return let_in(frame, message);
    case Request::heartbeat:
      return send(Response::heartbeat, frame.request_id, message);
    case Request::have:
      return have(frame, message);
    case Request::flush:
      return flush(frame);
    case Request::commit:
      return commit(frame, message);
    case Request::get:
      return get(frame, message);
    case Request::replica_get:
      return replica_get(frame, message);
    case Request::snapshots:
      return snapshots(frame, message);
    default:
      break;
  }
  const auto plain = [](V4Session& self, Frame of, const Bytes& what) -> stream::Task<void> {
    Result<Answer> answered = co_await self.shared_.parts.workers->run(
        [&self, &of, &what] { return self.plain_request(of.code, what); });
    co_return co_await self.send(of, std::move(answered));
  };
  return plain(*this, frame, message);
}

stream::Task<void> V4Session::send(Response code, uint32_t request_id, Bytes message) {
  const Bytes frame = v4::response_front(code, request_id, message, 0);
  co_return co_await connection_->write(frame);
}

// The same for an answer that nothing here is to remember.
stream::Task<void> V4Session::send_secret(const Frame& frame, Answer answer) {
  Bytes bytes = v4::response_front(answer.code, frame.request_id, answer.message, 0);
  wipe(answer.message);
  Status sent = co_await connection_->write(bytes);
  wipe(bytes);
  co_return sent;
}

stream::Task<void> V4Session::send(const Frame& frame, Result<Answer> answer) {
  if (answer) co_return co_await send(answer->code, frame.request_id, std::move(answer->message));
  // What cannot be read breaks the rules; everything else is an answer like any other.
  if (answer.error().code == Code::state) co_return failed(answer.error());
  co_return co_await fail_request(frame.request_id, answer.error(), false);
}

stream::Task<void> V4Session::fail_request(uint32_t request_id, const Error& why, bool fatal) {
  shared_.parts.log->info("v4.request.refused", {{"peer", peer_}, {"why", why.text()}});
  shared_.counters->requests.note_failure(why.code);
  co_return co_await send(Response::failure, request_id, v4::encode(v4::failure_of(why, fatal)));
}

// Somebody, the peer or who sits in between, wants less than version 4.
Error V4Session::downgrade(const std::string& object, std::string cause) const {
  Error why = fail(Code::unsupported, object, std::move(cause),
                   "use protocol 4, and a program of the same age as the server");
  shared_.parts.log->warn("v4.downgrade.refused", {{"peer", peer_}, {"why", why.text()}});
  audit_stranger("v4.downgrade.refused", "unsupported", why.text());
  return why;
}

void V4Session::audit(std::string_view event, std::string_view key,
                      const std::string& value) const {
  const std::string who = member_->device.is_zero() ? "password" : member_->device.hex();
  shared_.parts.log->info(
      event, {{"peer", peer_}, {"account", member_->account.name}, {"by", who}, {key, value}});
  shared_.parts.audit->write({member_->account.name + "/" + who, peer_, std::string(event),
                              std::string(key) + " " + value, "done", ""});
}

void V4Session::audit_stranger(std::string_view event, std::string outcome,
                               std::string detail) const {
  shared_.parts.audit->post_of_stranger(
      {"", peer_, std::string(event), "", std::move(outcome), std::move(detail)});
}

// Somebody came in who never was here, or without a device.
void V4Session::audit_entrance(std::string_view event) const {
  const bool is_person = member_->device.is_zero();
  shared_.parts.audit->post(
      {member_->account.name + "/" + (is_person ? "password" : member_->device.hex()), peer_,
       std::string(event), "account " + member_->account.name, "done", ""});
}

stream::Task<void> V4Session::end_with(uint32_t request_id, const Error& why) {
  shared_.counters->requests.note_failure(why.code);
  CB_CO_TRY(co_await send(Response::failure, request_id, v4::encode(v4::failure_of(why, true))));
  CB_CO_TRY(co_await connection_->shutdown());
  co_return co_await input_.drain(kLinger, settings_.credit + kLingerBytes);
}

}  // namespace cb::server
