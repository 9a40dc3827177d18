// SPDX-License-Identifier: Apache-2.0
#include "core/server/v3_session.h"

#include <algorithm>
#include <utility>

#include "core/protocol/v3/names.h"
#include "core/server/peer_address.h"
#include "core/server/thrown.h"

namespace cb::server {
namespace {

using boost::asio::awaitable;
using protocol::RequestHeader;
using v3::Reply;
using v3::Request;

// Longest payload of the requests that are read whole, and the longest that is skipped after a
// refusal; what is longer ends the connection.
constexpr uint32_t kMaxFields = 1024;
constexpr uint64_t kMaxSkip = 16 * kMiB + 1024;
// A connection that has named no client of ours after this is closed, whatever else it says.
constexpr std::chrono::seconds kLoginTimeout{60};

Error wrong(Code code, std::string cause) { return fail(code, "request", std::move(cause)); }

// A client that sends its integers most significant byte first (legacy-protocol 9, row "Byte
// order").
bool is_big_endian(uint16_t code) {
  return v3::request_of(static_cast<uint16_t>((code >> 8) | (code << 8))).has_value();
}

}  // namespace

V3Session::V3Session(const Shared& shared, const V3Settings& settings, V3Listener listener,
                     std::unique_ptr<stream::Connection> connection, ByteView first)
    : shared_(shared),
      settings_(settings),
      listener_(std::move(listener)),
      dialect_(listener_.dialect),
      connection_(std::move(connection)),
      peer_(connection_->peer()),
      at_{listener_.name, without_port(peer_)},
      in_(shared.parts.traffic, *shared.parts.clock,
          {Direction::in, at_.address, [this] { return connection_->is_cancelled(); }}),
      input_(*connection_, *shared.parts.buffers, *shared.parts.clock),
      transfers_(shared.parts, settings, dialect_, at_, *shared.counters),
      began_(shared.parts.clock->monotonic()) {
  input_.preload(first);
  input_.limit_content(&in_);
  transfers_.set_end([this] { connection_->cancel(); });
}

awaitable<void> V3Session::run() {
  ++shared_.counters->sessions;
  ++shared_.counters->sessions_total;
  connection_->set_write_timeout(settings_.write_timeout);
  Status end;
  std::exception_ptr thrown;
  try {
    end = co_await serve();
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown) end = failed(error_of(thrown, peer_));
  input_.release();
  const bool peer_ended = !end && end.error().code == Code::closed;
  if (!end && !peer_ended && end.error().code != Code::cancelled)
    shared_.parts.log->warn("v3.session.ended", {{"peer", peer_}, {"why", end.error().text()}});
  co_await transfers_.clear();
  co_await settle_oaep(peer_ended);
  co_await connection_->close();
  --shared_.counters->sessions;
}

// Ends with an error, the clean end of the peer (Code::closed) included, or after a refusal.
stream::Task<void> V3Session::serve() {
  while (true) {
    CB_CO_ASSIGN(const bool ready, co_await wait_for_request());
    if (!ready) continue;
    protocol::RequestHeaderBytes raw{};
    CB_CO_TRY(co_await input_.read(raw, at_most(settings_.request_timeout)));
    const RequestHeader header = protocol::decode_request_header(raw);
    const auto begun = shared_.parts.clock->monotonic();
    const Result<Next> answered = co_await answer(header);
    shared_.counters->requests.note(header.code, shared_.parts.clock->monotonic() - begun);
    CB_CO_TRY(answered);
    if (*answered == Next::end) co_return Status{};
  }
}

// So much of a time as is left to a stranger, for whom it is not more than that for all it says.
std::chrono::nanoseconds V3Session::at_most(std::chrono::nanoseconds time) const {
  if (known_) return time;
  return std::min<std::chrono::nanoseconds>(
      time, began_ + kLoginTimeout - shared_.parts.clock->monotonic());
}

// True when a request has begun. False after a delayed 1604 was sent instead.
stream::Task<bool> V3Session::wait_for_request() {
  std::chrono::nanoseconds patience = at_most(settings_.idle_timeout);
  if (ack_due_)
    patience = std::max(*ack_due_ - shared_.parts.clock->monotonic(), std::chrono::nanoseconds(1));
  if (patience.count() <= 0)
    co_return failed(Code::timeout, peer_,
                     "named no client within " + format_duration(kLoginTimeout));
  CB_CO_ASSIGN(const bool ready, co_await input_.wait(patience));
  if (ready) co_return true;
  if (!ack_due_)
    co_return failed(Code::timeout, peer_, "sent nothing for " + format_duration(patience));
  ack_due_.reset();
  const ClientId id = granted_ ? granted_->client : known_.value_or(ClientId{});
  CB_CO_TRY(co_await send(Reply::acknowledged, id.view()));
  co_return false;
}

stream::Task<V3Session::Next> V3Session::answer(const RequestHeader& header) {
  if (!listener_.serves()) {
    shared_.parts.log->warn("v3.refused.listener", {{"listener", listener_.name}, {"peer", peer_}});
    co_return co_await refuse_and_end(
        wrong(Code::unsupported, "listener " + listener_.name + " does not serve protocol 3"));
  }
  if (header.version != v3::kVersion)
    co_return co_await refuse_and_end(
        wrong(Code::unsupported,
              "protocol version " + std::to_string(header.version) + " is not served here"));
  const std::optional<Request> request = v3::request_of(header.code);
  if (request) {
    ack_due_.reset();  // whatever comes now, the peer is not waiting for that 1604
    if (const Status open = transfers_.admit(); !open)
      co_return co_await refuse_and_end(open.error());
    co_return co_await dispatch(*request, header);
  }
  if (is_big_endian(header.code))
    co_return co_await refuse_and_end(
        wrong(Code::unsupported, "the client sends big-endian integers, which is not supported"));
  const Error why = wrong(Code::unsupported, "unknown code " + std::to_string(header.code));
  CB_CO_ASSIGN(const bool known, co_await is_known(header.client));
  if (!known || header.payload_size > kMaxSkip) co_return co_await refuse_and_end(why);
  co_return co_await refuse(why, header.payload_size);
}

stream::Task<V3Session::Next> V3Session::dispatch(Request request, const RequestHeader& header) {
  switch (request) {
    case Request::sign_up:
      return sign_up(header);
    case Request::send_key:
      return send_key(header);
    case Request::reconnect:
      return reconnect(header);
    case Request::send_file:
      return send_file(header);
    default:
      return verdict(request, header);
  }
}

// The payload of a request that has only fields; Code::corrupt for a size that none has.
stream::Task<Bytes> V3Session::read_payload(const RequestHeader& header) {
  const bool is_key = v3::request_of(header.code) == Request::send_key;
  const bool fits =
      is_key ? header.payload_size >= v3::kPublicKeyPayloadSize && header.payload_size <= kMaxFields
             : header.payload_size == v3::kNamePayloadSize;
  if (!fits)
    co_return failed(wrong(Code::corrupt, "code " + std::to_string(header.code) +
                                              " with a payload of " +
                                              std::to_string(header.payload_size) + " bytes"));
  Bytes payload(header.payload_size);
  CB_CO_TRY(co_await input_.read(payload, at_most(settings_.request_timeout)));
  co_return payload;
}

stream::Task<bool> V3Session::is_known(const ClientId& id) {
  if (known_ == id) co_return true;
  CB_CO_ASSIGN(const std::optional<catalog::LegacyClient> client,
               co_await shared_.parts.workers->run([&] { return shared_.accounts->find(id); }));
  if (client) known_ = id;
  co_return client.has_value();
}

// 1025 on a worker; `served`: whether the client may speak protocol 3 at all.
Result<ClientId> V3Session::add_name(const std::string& name, Status& served) {
  const V3Policy& policy = *shared_.parts.policy;
  CB_ASSIGN(const auto holder, shared_.parts.catalog->client_by_name(name));
  served = holder ? policy.check(holder->id, peer_) : policy.check_new(name, peer_);
  CB_TRY(served);
  return shared_.accounts->add(name, at_.address);
}

stream::Task<V3Session::Next> V3Session::sign_up(const RequestHeader& header) {
  const Result<Bytes> payload = co_await read_payload(header);
  if (!payload) co_return co_await refuse_and_end(payload.error());
  const std::string name(v3::text_in(*payload));
  // A client that asks for its own name again could not open its key.
  if (granted_ && granted_->name == name) co_await settle_oaep(true);
  if (!shared_.registrations->allow(at_.address))
    co_return co_await refuse_and_end(
        wrong(Code::limit, "too many registrations from " + at_.address));
  Result<ClientId> id = ClientId{};
  Status served;
  if (const Status valid = v3::check_user_name(name); !valid)
    id = failed(valid.error());
  else
    id = co_await shared_.parts.workers->run([&] { return add_name(name, served); });
  if (!id) {
    ++shared_.counters->requests_refused;
    shared_.parts.log->warn("v3.registration.refused",
                            {{"peer", peer_}, {"why", id.error().text()}});
    audit("v3.registration.refused", "name " + name, outcome_of(id), id.error().text());
    const bool fault = served ? id.error().code != Code::exists && id.error().code != Code::invalid
                              : served.error().code != Code::denied;
    if (fault) co_return co_await refuse(id.error());
    CB_CO_TRY(co_await send(Reply::sign_up_refused));
    co_return Next::go_on;
  }
  ++shared_.counters->registrations;
  known_ = *id;
  shared_.parts.log->info("v3.client.registered",
                          {{"peer", peer_}, {"client", id->hex()}, {"name", name}});
  audit("v3.client.registered", "client " + id->hex(), "done", "name " + name);
  CB_CO_TRY(co_await send(Reply::signed_up, id->view()));
  co_return Next::go_on;
}

// 1026 on a worker. After 1606 it may come under the id of that answer: an implied registration.
Result<V3Grant> V3Session::grant_key(const ClientId& id, const std::string& name, ByteView key) {
  const V3GrantRules rules{settings_.oaep, dialect_, at_.address};
  CB_TRY(shared_.parts.policy->check(id, peer_));
  Result<V3Grant> grant = shared_.accounts->take_key(id, key, rules);
  if (grant) shared_.parts.policy->note_login(id, at_);
  if (grant || grant.error().code != Code::not_found || refused_ != id || id.is_zero())
    return grant;
  CB_TRY(v3::check_user_name(name));
  if (!shared_.registrations->allow(at_.address))
    return failed(wrong(Code::limit, "too many registrations from " + at_.address));
  CB_TRY(shared_.parts.policy->check_new(name, peer_));
  CB_TRY(shared_.accounts->add_as(id, name, at_.address));
  ++shared_.counters->registrations;
  grant = shared_.accounts->take_key(id, key, rules);
  if (grant) shared_.parts.policy->note_login(id, at_);
  return grant;
}

stream::Task<V3Session::Next> V3Session::send_key(const RequestHeader& header) {
  const Result<Bytes> payload = co_await read_payload(header);
  if (!payload) co_return co_await refuse_and_end(payload.error());
  const Result<v3::PublicKeyMessage> message = v3::parse_public_key(*payload);
  if (!message) co_return co_await refuse(message.error());
  const std::string name(v3::text_in(message->name));
  Result<V3Grant> grant = co_await shared_.parts.workers->run(
      [&] { return grant_key(header.client, name, message->key); });
  if (!grant && (grant.error().code == Code::not_found || grant.error().code == Code::denied))
    co_return co_await refuse_and_end(grant.error());
  if (grant) granted_ = Granted{header.client, name, grant->hash, grant->key, false};
  co_return co_await tell_grant(Reply::key, header.client, std::move(grant));
}

// 1027 on a worker; `served` as above.
Result<V3Grant> V3Session::grant_again(const ClientId& id, const std::string& name,
                                       Status& served) {
  served = shared_.parts.policy->check(id, peer_);
  CB_TRY(served);
  Result<V3Grant> grant =
      shared_.accounts->reconnect(id, name, V3GrantRules{settings_.oaep, dialect_, at_.address});
  if (grant) shared_.parts.policy->note_login(id, at_);
  return grant;
}

stream::Task<V3Session::Next> V3Session::reconnect(const RequestHeader& header) {
  const Result<Bytes> payload = co_await read_payload(header);
  if (!payload) co_return co_await refuse_and_end(payload.error());
  const std::string name(v3::text_in(*payload));
  Status served;
  Result<V3Grant> grant =
      co_await shared_.parts.workers->run([&] { return grant_again(header.client, name, served); });
  // 1606 would make it register again.
  if (!served) co_return co_await refuse_and_end(served.error());
  if (grant) granted_ = Granted{header.client, name, grant->hash, grant->key, false};
  if (grant || grant.error().code != Code::denied)
    co_return co_await tell_grant(Reply::reconnected, header.client, std::move(grant));
  ++shared_.counters->requests_refused;
  refused_ = header.client;
  shared_.parts.log->warn("v3.reconnect.refused", {{"peer", peer_}, {"why", grant.error().text()}});
  audit("v3.reconnect.refused", "client " + header.client.hex(), "denied", grant.error().text());
  CB_CO_TRY(co_await send(Reply::reconnect_refused, header.client.view()));
  co_return Next::go_on;
}

stream::Task<V3Session::Next> V3Session::tell_grant(Reply reply, const ClientId& id,
                                                    Result<V3Grant> grant) {
  if (!grant) co_return co_await refuse(grant.error());
  known_ = id;
  if (grant->cipher.size() != v3::kWrappedKeySize)
    co_return co_await refuse(wrong(Code::unsupported, "the public key is not of 1024 bits"));
  CB_CO_TRY(co_await send(reply, id.view(), grant->cipher));
  co_return Next::go_on;
}

stream::Task<V3Session::Next> V3Session::send_file(const RequestHeader& header) {
  const size_t head_size = dialect_ == Dialect::of_2023 ? v3::kFileHead2023Size : v3::kFileHeadSize;
  if (header.payload_size < head_size)
    co_return co_await refuse_and_end(
        wrong(Code::corrupt,
              "a packet with a payload of " + std::to_string(header.payload_size) + " bytes"));
  std::array<std::byte, v3::kFileHeadSize> head{};
  CB_CO_TRY(
      co_await input_.read(ByteSpan(head).first(head_size), at_most(settings_.request_timeout)));
  CB_CO_ASSIGN(const bool known, co_await is_known(header.client));
  if (!known)
    co_return co_await refuse_and_end(
        fail(Code::not_found, "client " + header.client.hex(), "is not registered here"));
  in_.set_account(V3Keys::account_of(header.client));
  const bool own_key = granted_ && granted_->client == header.client;
  if (own_key) granted_->used = true;
  V3Transfers::Key key = own_key ? granted_->key : shared_.accounts->current_key(header.client);

  CB_CO_ASSIGN(const V3Outcome outcome,
               co_await transfers_.packet(header.client, ByteView(head).first(head_size),
                                          header.payload_size, std::move(key), input_));
  co_return co_await tell_outcome(header.client, outcome);
}

stream::Task<V3Session::Next> V3Session::verdict(Request request, const RequestHeader& header) {
  const Result<Bytes> payload = co_await read_payload(header);
  if (!payload) co_return co_await refuse_and_end(payload.error());
  CB_CO_ASSIGN(const bool known, co_await is_known(header.client));
  if (!known)
    co_return co_await refuse_and_end(
        fail(Code::not_found, "client " + header.client.hex(), "is not registered here"));
  if (request == Request::checksum_right) {
    CB_CO_ASSIGN(const V3Outcome outcome, co_await transfers_.confirm(header.client, *payload));
    const bool opened = outcome.kind == V3Outcome::Kind::done;
    if (opened && granted_ && granted_->client == header.client && granted_->used) {
      const catalog::OaepHash hash = granted_->hash;
      const Status noted = co_await shared_.parts.workers->run(
          [&] { return shared_.accounts->note_opened(header.client, hash); });
      if (!noted) shared_.parts.log->warn("v3.oaep.not-kept", {{"why", noted.error().text()}});
    }
    co_return co_await tell_outcome(header.client, outcome);
  }
  CB_CO_ASSIGN(const V3Outcome dropped, co_await transfers_.drop(header.client, *payload));
  if (request == Request::checksum_give_up) co_return co_await tell_outcome(header.client, dropped);
  if (++resends_ > settings_.max_resends)
    co_return co_await refuse_and_end(wrong(Code::limit, "too many resends on one connection"));
  if (settings_.ack_resend_at_once) co_return co_await tell_outcome(header.client, dropped);
  ack_due_ = shared_.parts.clock->monotonic() + settings_.ack_delay;
  co_return Next::go_on;
}

// A key that was given out and never used could not be opened: try the other hash next time. Only
// the peer's own doing counts, not a timeout or the daemon's end.
awaitable<void> V3Session::settle_oaep(bool peer_ended) {
  if (!granted_) co_return;
  const Granted granted = *std::exchange(granted_, std::nullopt);
  if (granted.used || !peer_ended || settings_.oaep != OaepChoice::automatic) co_return;
  const Status noted = co_await shared_.parts.workers->run(
      [&] { return shared_.accounts->note_unopened(granted.client, granted.hash); });
  if (!noted) shared_.parts.log->warn("v3.oaep.not-kept", {{"why", noted.error().text()}});
}

}  // namespace cb::server
