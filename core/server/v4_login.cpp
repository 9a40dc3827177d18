// SPDX-License-Identifier: Apache-2.0
//
// How a v4 session begins: hello, then enrolment or login over the channel statement.
#include <algorithm>

#include "core/protocol/v4/channel.h"
#include "core/server/program.h"
#include "core/server/v4_message.h"
#include "core/server/v4_session.h"

namespace cb::server {
namespace {

using v4::Request;
using v4::Response;

constexpr size_t kLongestProgram = 100;

// What a client can rely on beyond what every server of version 4 does.
constexpr std::array<std::string_view, 2> kFeatures = {"receipts", v4::kSignaturesFeature};

Result<V4Enrolment> enrolment_of(const v4::pb::Enroll& message) {
  V4Enrolment enrolment;
  CB_ASSIGN(enrolment.token, v4::array_of<16>(message.token_id()));
  CB_ASSIGN(const auto secret, v4::array_of<32>(message.token_secret()));
  enrolment.token_secret = Secret(secret);
  CB_ASSIGN(enrolment.repository, repository::decode_repository(v4::view_of(message.repository())));
  CB_ASSIGN(enrolment.newcomer, new_device_of(message, kMostSlots));
  return enrolment;
}

}  // namespace

stream::Task<void> V4Session::hello(const Frame& frame, const Bytes& message) {
  CB_CO_TRY(shared_.guard->admit(network_));
  CB_CO_ASSIGN(const auto said, v4::parse<v4::pb::Hello>(message));
  CB_CO_ASSIGN(const v4::pb::HelloReply reply, greet(said));
  hello_ = message;
  hello_reply_ = v4::encode(reply);
  standing_ = v4::Standing::greeted;
  shared_.parts.log->debug(
      "v4.hello", {{"peer", peer_}, {"program", v4::clean_text(said.program(), kLongestProgram)}});
  co_return co_await send(Response::hello, frame.request_id, hello_reply_);
}

Result<v4::pb::HelloReply> V4Session::greet(const v4::pb::Hello& said) {
  if (said.version_min() > v4::kVersion || said.version_max() < v4::kVersion)
    return failed(downgrade(
        "hello", "the client speaks versions " + std::to_string(said.version_min()) + " to " +
                     std::to_string(said.version_max()) + ", this server version 4"));
  auto binding = connection_->stream().info(CB_INFO_CHANNEL_BINDING);
  if (!binding && !settings_.unsafe_plain_transport) return failed(std::move(binding).error());
  binding_ = binding ? std::move(*binding) : Bytes(32);
  CB_TRY(shared_.parts.random->fill(nonce_));
  v4::pb::HelloReply reply;
  reply.set_version(v4::kVersion);
  for (const std::string& feature : said.features())
    if (std::find(kFeatures.begin(), kFeatures.end(), feature) != kFeatures.end())
      reply.add_features(feature);
  reply.set_program(std::string("cyberbackupd ") + kProgramVersion);
  reply.set_nonce(v4::field_of(nonce_));
  reply.set_frame_max(v4::kFrameMax);
  reply.set_credit(static_cast<uint32_t>(settings_.credit));
  const auto seconds = [](std::chrono::nanoseconds time) {
    return static_cast<uint32_t>(std::chrono::ceil<std::chrono::seconds>(time).count());
  };
  reply.set_heartbeat_seconds(seconds(settings_.heartbeat));
  reply.set_lease_seconds(seconds(settings_.lease));
  reply.set_time_ns(shared_.parts.clock->wall().count());
  reply.set_server_key(v4::field_of(shared_.parts.server_key));
  return reply;
}

Result<Bytes> V4Session::statement(const repository::DeviceId& device) const {
  return v4::channel_statement(binding_, nonce_, hello_, hello_reply_, device);
}

// From now on the session is ended when its member is put out; looking again then, nobody slips in
// between. On a worker.
Status V4Session::enter(V4Member member) {
  member_ = std::move(member);
  CB_TRY(take_allowance());
  CB_TRY(shared_.accounts->confirm(*member_));
  CB_ASSIGN(member_->origin, shared_.parts.engine->replicas().origin(member_->repository));
  if (!member_->device.is_zero())
    shared_.parts.v3_policy->close_ratchet(member_->account.name, peer_);
  return {};
}

// What did not prove itself is counted against its subject and the address. (What did, and is
// turned away for another reason, guesses nothing.)
template <typename T>
Result<T> V4Session::proved(const std::string& subject, Result<T> result) {
  if (result) return result;
  const Code code = result.error().code;
  if (code != Code::denied && code != Code::auth) return result;
  return failed(shared_.guard->proof_failed(subject, network_, std::move(result).error()));
}

template Result<V4Guest> V4Session::proved(const std::string&, Result<V4Guest>);
template Result<V4Opened> V4Session::proved(const std::string&, Result<V4Opened>);
template Result<V4Member> V4Session::proved(const std::string&, Result<V4Member>);
template Result<V4Candidate> V4Session::proved(const std::string&, Result<V4Candidate>);
template Result<V4Handover> V4Session::proved(const std::string&, Result<V4Handover>);

// On a worker.
Result<V4Session::Answer> V4Session::entrance(Request code, const Bytes& message) {
  switch (code) {
    case Request::enroll:
      return enroll(message);
    case Request::login:
      return login(message);
    case Request::password_login:
      return password_login(message);
    case Request::open_invite:
      return open_invite(message);
    case Request::join:
      return join(message);
    case Request::migrate:
      return migrate(message);
    case Request::prove_key:
      return prove_key(message);
    case Request::adopt:
      return adopt(message);
    case Request::replica_login:
      return replica_login(message);
    default:
      return failed(Code::state, "request", "is no login");
  }
}

namespace {

// How the log names what a stranger asks for, when it is granted and when it is refused.
struct EntranceEvents {
  const char* granted;
  const char* refused;
};

EntranceEvents events_of(Request code) {
  switch (code) {
    case Request::enroll:
      return {"v4.enrolled", "v4.enrolment.refused"};
    case Request::open_invite:
      return {"v4.invite.opened", "v4.invite.refused"};
    case Request::join:
      return {"v4.joined", "v4.join.refused"};
    case Request::migrate:
      return {"v4.migration.asked", "v4.migration.refused"};
    case Request::prove_key:
      return {"v4.migration.proved", "v4.migration.refused"};
    case Request::adopt:
      return {"v4.migration.adopted", "v4.migration.refused"};
    case Request::password_login:
      return {"v4.login.password", "v4.login.refused"};
    case Request::replica_login:
      return {"v4.replica.login", "v4.replica.refused"};
    default:
      return {"v4.login", "v4.login.refused"};
  }
}

}  // namespace

// Who proved who it is and comes when there are too many did nothing wrong: its program tries
// again.
stream::Task<void> V4Session::refuse_entrance(uint32_t request_id, const char* event, Error why) {
  if (member_ && why.code == Code::busy) {
    shared_.parts.log->info("v4.turned-away", {{"peer", peer_}, {"why", why.text()}});
    (void)co_await end_with(request_id, why);
    co_return failed(Code::closed, peer_, "was turned away");
  }
  ++shared_.counters->logins_refused;
  shared_.parts.log->warn(event, {{"peer", peer_}, {"why", why.text()}});
  audit_stranger(event, outcome_of(Status(failed(why))), why.text());
  co_return failed(std::move(why));
}

// What strangers ask for; a refusal ends the connection.
stream::Task<void> V4Session::let_in(const Frame& frame, const Bytes& message) {
  // A login ends this stage, opening an invite does not.
  if (frame.code == Request::open_invite || frame.code == Request::migrate)
    CB_CO_TRY(shared_.guard->admit(network_));
  const EntranceEvents events = events_of(frame.code);
  Result<Answer> answer =
      co_await shared_.parts.workers->run([&] { return entrance(frame.code, message); });
  if (!answer)
    co_return co_await refuse_entrance(frame.request_id, events.refused, std::move(answer).error());
  if (guest_) co_return co_await let_replica_in(frame, std::move(answer));
  if (!member_) {
    shared_.parts.log->info(events.granted, {{"peer", peer_}});
    co_return co_await send_secret(frame, std::move(*answer));
  }
  const bool is_new =
      frame.code == Request::enroll || frame.code == Request::join || frame.code == Request::adopt;
  ++(is_new ? shared_.counters->enrolments : shared_.counters->logins);
  ++shared_.counters->logged_in;
  entered_ = shared_.parts.clock->monotonic();
  standing_ = member_->device.is_zero() ? v4::Standing::person : v4::standing_of(member_->role);
  puts_.set_owner(member_->repository, member_->viewer());
  in_.set_account(member_->account.name);
  out_.set_account(member_->account.name);
  shared_.parts.log->info(events.granted, {{"peer", peer_},
                                           {"account", member_->account.name},
                                           {"device", member_->device.hex()},
                                           {"repository", member_->repository.hex()}});
  if (is_new || member_->device.is_zero()) audit_entrance(events.granted);
  co_return co_await send(frame, std::move(answer));
}

// On a worker.
Result<V4Session::Answer> V4Session::enroll(const Bytes& message) {
  CB_ASSIGN(auto said, v4::parse<v4::pb::Enroll>(message));
  CB_ASSIGN(const V4Enrolment enrolment, enrolment_of(said));
  wipe_field(*said.mutable_token_secret());
  CB_ASSIGN(const auto signature, v4::array_of<repository::kSignatureSize>(said.signature()));
  CB_ASSIGN(const Bytes signed_bytes, statement(enrolment.newcomer.device));
  CB_ASSIGN(V4Member member, proved("token " + to_hex(enrolment.token),
                                    shared_.accounts->enroll(enrolment, signed_bytes, signature)));
  CB_TRY(enter(std::move(member)));
  v4::pb::EnrollReply reply;
  reply.set_account(member_->account.name);
  return Answer{Response::enroll, v4::encode(reply)};
}

// On a worker.
Result<V4Session::Answer> V4Session::login(const Bytes& message) {
  CB_ASSIGN(const auto said, v4::parse<v4::pb::Login>(message));
  CB_ASSIGN(const auto device, v4::id_of<repository::DeviceId>(said.device()));
  CB_ASSIGN(const auto signature, v4::array_of<repository::kSignatureSize>(said.signature()));
  CB_ASSIGN(const Bytes signed_bytes, statement(device));
  CB_ASSIGN(
      const catalog::Device known,
      proved("device " + device.hex(), shared_.accounts->prove(device, signed_bytes, signature)));
  CB_ASSIGN(V4Member member, shared_.accounts->login(known));
  CB_TRY(enter(std::move(member)));
  repository::Engine& engine = *shared_.parts.engine;
  CB_ASSIGN(const repository::RepositoryRecord record, engine.record(member_->repository));
  CB_ASSIGN(const repository::Engine::Head head, engine.head(member_->repository));
  CB_ASSIGN(const uint64_t wanted, engine.count_wanted(member_->repository, member_->viewer()));
  v4::pb::LoginReply reply;
  reply.set_account(member_->account.name);
  reply.set_repository(v4::field_of(repository::encode(record)));
  reply.set_certificate(v4::field_of(member_->certificate));
  reply.mutable_head()->set_sequence(head.sequence);
  reply.mutable_head()->set_hash(v4::field_of(head.hash.view()));
  reply.set_wanted(wanted);
  *reply.mutable_room() = room();
  if (member_->origin) reply.set_chain_key(v4::field_of(member_->origin->server_key));
  return Answer{Response::login, v4::encode(reply)};
}

}  // namespace cb::server
