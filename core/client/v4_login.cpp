// SPDX-License-Identifier: Apache-2.0
#include "core/client/v4_login.h"

#include <algorithm>

#include "core/client/enrolment.h"
#include "core/client/run_on_network.h"
#include "core/client/v4_room.h"
#include "core/identity/signing.h"
#include "core/repository/signatures.h"
#include "core/stream/io_threads.h"

namespace cb::client {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr uint32_t kMostHeartbeat = 3600;  // seconds

nanoseconds heartbeat_of(const v4::pb::HelloReply& reply) {
  // In good time.
  return seconds(std::clamp<uint32_t>(reply.heartbeat_seconds(), 1, kMostHeartbeat)) * 2 / 3;
}

Status take_login(const v4::pb::LoginReply& reply, const V4Identity& identity, V4Welcome& welcome) {
  welcome.account = v4::clean_text(reply.account(), 256);
  CB_ASSIGN(welcome.record, repository::decode_repository(as_bytes(reply.repository())));
  CB_TRY(check_record(welcome.record, identity.repository, identity.root));
  CB_TRY(check_revision(welcome.record, {identity.revision, identity.any_revision}));
  CB_ASSIGN(const auto certificate, repository::decode_certificate(as_bytes(reply.certificate())));
  const bool ours = identity::device_id_of(certificate.device) == identity.device.bytes;
  if (!ours || !repository::verify_certificate(certificate, welcome.record))
    return failed(impostor("certificate of this device", "is not one that the owner made"));
  CB_TRY(take_chain_key(reply.chain_key(), welcome));
  welcome.wanted = reply.wanted();
  welcome.room = room_of(reply.room());
  welcome.head_sequence = reply.head().sequence();
  if (welcome.head_sequence == 0) return {};
  CB_ASSIGN(welcome.head_hash, v4::id_of<repository::CommitHash>(reply.head().hash()));
  return {};
}

stream::Task<V4Welcome> say_login(V4Greeting& greeting, const V4Identity& identity,
                                  const V4Limits& limits) {
  CB_CO_ASSIGN(V4Welcome welcome, welcome_of(greeting));
  CB_CO_ASSIGN(const Bytes statement, statement_of(greeting, identity.device));
  CB_CO_ASSIGN(const repository::Signature signature, identity.sign(statement));
  v4::pb::Login login;
  login.set_device(v4::field_of(identity.device.view()));
  login.set_signature(v4::field_of(signature));
  CB_CO_ASSIGN(const Bytes answer,
               co_await ask_once(*greeting.wire, v4::Request::login, 2, v4::encode(login),
                                 v4::Response::login, limits.login));
  CB_CO_ASSIGN(const auto reply, v4::parse<v4::pb::LoginReply>(answer));
  CB_CO_TRY(take_login(reply, identity, welcome));
  co_return welcome;
}

stream::Task<V4Welcome> say_enrol(V4Greeting& greeting, const Enrolment& enrolment,
                                  const V4Limits& limits) {
  CB_CO_ASSIGN(V4Welcome welcome, welcome_of(greeting));
  const Profile& profile = enrolment.profile;
  CB_CO_ASSIGN(const auto key, identity::SigningKey::from_seed(profile.device_seed.view()));
  const repository::DeviceId device{identity::device_id_of(key.public_key())};
  CB_CO_ASSIGN(const Bytes statement, statement_of(greeting, device));
  CB_CO_ASSIGN(const repository::Signature signature, key.sign(statement));
  v4::pb::Enroll message;
  message.set_token_id(v4::field_of(enrolment.token_id.view()));
  message.set_token_secret(v4::field_of(enrolment.token_secret.view()));
  message.set_repository(v4::field_of(enrolment.repository));
  message.set_certificate(v4::field_of(enrolment.certificate));
  for (const Bytes& slot : enrolment.slots) message.add_slots(v4::field_of(slot));
  message.set_signature(v4::field_of(signature));
  CB_CO_ASSIGN(const Bytes answer,
               co_await ask_once(*greeting.wire, v4::Request::enroll, 2, v4::encode(message),
                                 v4::Response::enroll, limits.login));
  CB_CO_ASSIGN(const auto reply, v4::parse<v4::pb::EnrollReply>(answer));
  welcome.account = v4::clean_text(reply.account(), 256);
  welcome.record = profile.record;
  co_return welcome;
}

// The parameters outlive the coroutine.
stream::Task<V4Welcome> enrol_and_leave(const stream::Stack& stack, const stream::Target& target,
                                        const Enrolment& enrolment, const V4Limits& limits) {
  CB_CO_ASSIGN(V4Greeting greeting, co_await greet(stack, target, V4Identity().program, limits));
  auto welcome = co_await say_enrol(greeting, enrolment, limits);
  if (welcome) (void)co_await greeting.wire->connection().shutdown();
  co_await leave(std::move(greeting.wire));
  co_return welcome;
}

}  // namespace

Result<V4Welcome> enroll(const stream::Stack& stack, const stream::Target& target,
                         const Enrolment& enrolment, const V4Limits& limits) {
  stream::IoThreads io(1);
  return run_on_network(io.executor(), enrol_and_leave(stack, target, enrolment, limits));
}

Status take_chain_key(const std::string& field, V4Welcome& welcome) {
  if (field.empty()) return {};
  CB_ASSIGN(welcome.server_key, v4::array_of<repository::kPublicSize>(field));
  welcome.is_copy = true;
  return {};
}

Status check_record(const repository::RepositoryRecord& record,
                    const repository::RepositoryId& repository,
                    const repository::SigningPublic& root) {
  const std::string name = "repository " + record.id.hex();
  if (record.id != repository) return failed(impostor(name, "is not the one of this profile"));
  if (!repository::verify_record(record, root))
    return failed(impostor(name, "has a record that its owner did not sign"));
  if (!record.features.empty())
    return failed(Code::unsupported, name,
                  "needs \"" + record.features.front() + "\", which this program does not know",
                  "update this program");
  return {};
}

stream::Task<V4LoggedIn> log_in(const stream::Stack& stack, const stream::Target& target,
                                const V4Identity& identity, const V4Limits& limits) {
  CB_CO_ASSIGN(V4Greeting greeting, co_await greet(stack, target, identity.program, limits));
  auto welcome = co_await say_login(greeting, identity, limits);
  if (!welcome) {
    co_await leave(std::move(greeting.wire));
    co_return failed(std::move(welcome).error());
  }
  const nanoseconds heartbeat = heartbeat_of(greeting.reply);
  co_return V4LoggedIn{std::move(greeting.wire), std::move(*welcome), heartbeat};
}

}  // namespace cb::client
