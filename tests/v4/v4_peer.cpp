// SPDX-License-Identifier: Apache-2.0
#include "tests/v4/v4_peer.h"

#include <stdexcept>

#include "core/protocol/v4/channel.h"
#include "core/repository/pairing_token.h"
#include "core/stream/run_coroutine.h"
#include "tests/folders.h"

namespace cb::server {
namespace {

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

void must(const Status& status) {
  if (!status) throw std::runtime_error(status.error().text());
}

plugin::Transport transport(plugin::Registry& registry, const std::string& id,
                            const std::map<std::string, std::string>& written) {
  must(registry.load(id));
  const config::Schema* schema = must(registry.schema(id));
  return must(registry.make_transport(id, must(config::values_from(*schema, written))));
}

template <typename IdType>
IdType drawn() {
  IdType id;
  must(os::system_random().fill(id.bytes));
  return id;
}

}  // namespace

V4Owner V4Owner::make() {
  V4Owner owner{must(identity::SigningKey::make(os::system_random())),
                must(identity::SigningKey::make(os::system_random())),
                {},
                {},
                {},
                {}};
  owner.device.bytes = identity::device_id_of(owner.key.public_key());
  owner.record.id = drawn<repository::RepositoryId>();
  owner.record.root = owner.root.public_key();
  owner.record.epochs = {{1, Bytes(32, std::byte{7})}};
  owner.record.created_ns = 1;
  owner.record.signature = must(owner.root.sign(repository::signed_part(owner.record)));
  owner.certificate.device = owner.key.public_key();
  owner.certificate.created_ns = 1;
  owner.certificate.signature =
      must(owner.root.sign(repository::signed_part(owner.certificate, owner.record.id)));
  owner.slot.id = drawn<repository::SlotId>();
  owner.slot.kind = repository::SlotKind::recovery_code;
  owner.slot.sealed = Bytes(100, std::byte{5});
  return owner;
}

V4Owner V4Owner::with_another_device() const {
  V4Owner other{must(identity::SigningKey::from_seed(root.seed().view())),
                must(identity::SigningKey::make(os::system_random())),
                {},
                record,
                certificate,
                slot};
  other.device.bytes = identity::device_id_of(other.key.public_key());
  other.certificate.device = other.key.public_key();
  other.certificate.signature =
      must(root.sign(repository::signed_part(other.certificate, record.id)));
  return other;
}

v4::pb::Enroll V4Owner::enroll(const std::string& token, ByteView statement) const {
  const repository::PairingToken parsed = must(repository::parse_pairing_token(token));
  v4::pb::Enroll message;
  message.set_token_id(v4::field_of(parsed.id.view()));
  message.set_token_secret(v4::field_of(parsed.secret.view()));
  message.set_repository(v4::field_of(repository::encode(record)));
  message.set_certificate(v4::field_of(repository::encode(certificate)));
  message.add_slots(v4::field_of(repository::encode(slot)));
  message.set_signature(v4::field_of(must(key.sign(statement))));
  return message;
}

repository::Signature V4Owner::sign_snapshot(const repository::BlobId& snapshot) const {
  return must(key.sign(repository::snapshot_signed_part(record.id, snapshot)));
}

std::string V4Answer::failure() const {
  if (code != v4::Response::failure) return {};
  return v4::error_of(as<v4::pb::Failure>()).text();
}

V4Peer::V4Peer(uint16_t port, const std::string& pin) : port_(port) {
  plugin::HostServices services;
  services.log = &log_;
  services.clock = &os::system_clock();
  services.random = [](const std::string&) -> os::Random& { return os::system_random(); };
  plugin::LoadOptions options;
  options.folder = test::plugins();
  options.check_owner = false;
  options.probe_unknown = false;
  registry_ = std::make_unique<plugin::Registry>(std::move(services), options);
  std::vector<plugin::Transport> top_first;
  if (!pin.empty())
    top_first.push_back(transport(*registry_, "transport-tls", {{"pin", "[\"" + pin + "\"]"}}));
  top_first.push_back(transport(*registry_, "transport-tcp", {}));
  stack_.emplace(must(stream::Stack::make(std::move(top_first))));
  connect();
}

void V4Peer::connect() {
  auto connected = stream::test::run(
      context_,
      stack_->connect(context_.get_executor(), {"127.0.0.1", port_, ""}, std::chrono::seconds(10)));
  up_ = connected ? Status{} : failed(connected.error());
  if (!up_) return;
  connection_ = std::move(*connected);
  connection_->set_read_timeout(std::chrono::seconds(30));
  connection_->set_write_timeout(std::chrono::seconds(30));
}

V4Peer::~V4Peer() { cut(); }

void V4Peer::cut() {
  if (!connection_) return;
  stream::test::run(context_, connection_->close());
  connection_.reset();
}

bool V4Peer::again() {
  cut();
  connect();
  return up_.has_value();
}

bool V4Peer::is_resumed() {
  const auto resumed = connection_->stream().info(CB_INFO_RESUMED);
  return resumed && resumed->front() == std::byte{1};
}

bool V4Peer::send(ByteView bytes) {
  return connection_ && stream::test::run(context_, connection_->write(bytes)).has_value();
}

bool V4Peer::request(v4::Request code, uint32_t id, ByteView message, ByteView bulk) {
  const Bytes front = v4::request_front({}, code, id, message, bulk.size());
  return send(front) && (bulk.empty() || send(bulk));
}

bool V4Peer::read_exactly(ByteSpan into) {
  return connection_ && stream::test::run(context_, connection_->read_exactly(into)).has_value();
}

std::optional<V4Answer> V4Peer::frame() {
  protocol::ResponseHeaderBytes raw{};
  if (!read_exactly(raw)) return std::nullopt;
  const auto header = protocol::decode_response_header(raw);
  const auto code = v4::response_of(header.code);
  if (header.version != v4::kVersion || !code) throw std::runtime_error("no response of v4");
  Bytes payload(header.payload_size);
  if (!read_exactly(payload)) return std::nullopt;
  const v4::Payload parsed = must(v4::parse_payload(payload));
  return V4Answer{*code, parsed.request_id, to_bytes(parsed.message), to_bytes(parsed.bulk)};
}

std::optional<V4Answer> V4Peer::answer() {
  while (true) {
    auto next = frame();
    if (!next || next->code != v4::Response::taken) return next;
    taken = next->as<v4::pb::Taken>();
  }
}

bool V4Peer::ended() {
  std::array<std::byte, 4096> gone{};
  while (connection_) {
    const auto got = stream::test::run(context_, connection_->read_some(gone));
    if (!got) return got.error().code != Code::timeout;
    if (*got == 0) return true;
  }
  return true;
}

v4::pb::Hello V4Peer::usual_hello() {
  v4::pb::Hello hello;
  hello.set_version_min(4);
  hello.set_version_max(4);
  hello.add_features("receipts");
  hello.set_program("test");
  return hello;
}

std::optional<v4::pb::HelloReply> V4Peer::hello(const v4::pb::Hello& message) {
  hello_bytes = v4::encode(message);
  if (!request(v4::Request::hello, next_id++, hello_bytes)) return std::nullopt;
  const auto reply = answer();
  if (!reply || reply->code != v4::Response::hello) return std::nullopt;
  reply_bytes = reply->message;
  return reply->as<v4::pb::HelloReply>();
}

Bytes V4Peer::statement(const repository::DeviceId& device) {
  const auto reply = v4::parse<v4::pb::HelloReply>(reply_bytes);
  auto binding = connection_->stream().info(CB_INFO_CHANNEL_BINDING);
  return must(v4::channel_statement(binding ? *binding : Bytes(32), v4::view_of(reply->nonce()),
                                    hello_bytes, reply_bytes, device));
}

std::optional<V4Answer> V4Peer::enroll(const V4Owner& owner, const std::string& token) {
  if (!hello()) return std::nullopt;
  request(v4::Request::enroll, next_id++, owner.enroll(token, statement(owner.device)));
  return answer();
}

std::optional<V4Answer> V4Peer::login(const V4Owner& owner) {
  if (!hello()) return std::nullopt;
  v4::pb::Login login;
  login.set_device(v4::field_of(owner.device.view()));
  login.set_signature(v4::field_of(must(owner.key.sign(statement(owner.device)))));
  request(v4::Request::login, next_id++, login);
  return answer();
}

bool V4Peer::put(uint32_t id, const repository::BlobHead& head, ByteView stored) {
  const Bytes message = v4::encode(v4::put_of(head));
  size_t take = v4::bulk_in_frame(message.size(), stored.size());
  bool sent = request(v4::Request::put, id, message, stored.first(take));
  for (stored = stored.subspan(take); sent && !stored.empty(); stored = stored.subspan(take)) {
    take = v4::bulk_in_frame(0, stored.size());
    sent = request(v4::Request::put_more, id, {}, stored.first(take));
  }
  return sent;
}

}  // namespace cb::server
