// SPDX-License-Identifier: Apache-2.0
#include "core/replication/v4_source.h"

#include <algorithm>
#include <unordered_set>

#include "core/client/run_on_network.h"
#include "core/client/v4_greeting.h"
#include "core/client/v4_link.h"
#include "core/protocol/v4/messages.h"
#include "core/repository/signatures.h"
#include "core/server/replication_settings.h"
#include "core/stream/io_threads.h"

namespace cb::replication {
namespace {

using client::V4Calls;
using client::V4Greeting;
using client::V4Limits;
using client::V4Link;
using client::V4Part;
using repository::BlobId;
using repository::RepositoryId;
using std::chrono::nanoseconds;
using v4::Request;
using v4::Response;

constexpr uint32_t kMostHeartbeat = 3600;  // seconds
constexpr size_t kMostAccounts = 100'000;  // of a source that makes them up without end

// A source of before this answers that it knows no such request, and hangs up.
Error told_of_age(Error error) {
  if (error.code != Code::state) return error;
  return fail(Code::unsupported, error.object, "is too old to be copied from: " + error.cause,
              "update the source");
}

stream::Task<Bytes> say_login(V4Greeting& greeting, const SourceLogin& login,
                              const V4Limits& limits) {
  v4::pb::ReplicaLogin message;
  message.set_token_id(v4::field_of(login.token.view()));
  message.set_token_secret(v4::field_of(login.secret.view()));
  co_return co_await client::ask_once(*greeting.wire, Request::replica_login, 2,
                                      v4::encode(message), Response::replica_login, limits.login);
}

// The parameters outlive the coroutine.
stream::Task<V4Greeting> log_in_as_replica(const stream::Stack& stack, const stream::Target& target,
                                           const SourceLogin& login, const V4Limits& limits) {
  CB_CO_ASSIGN(V4Greeting greeting, co_await client::greet(stack, target, login.program, limits));
  auto said = co_await say_login(greeting, login, limits);
  if (!said) {
    co_await client::leave(std::move(greeting.wire));
    co_return failed(told_of_age(std::move(said).error()));
  }
  co_return greeting;
}

Result<SourceAccount> account_of(const v4::pb::ReplicaAccount& message) {
  SourceAccount account;
  account.account = message.account();
  CB_ASSIGN(account.repository, v4::id_of<RepositoryId>(message.repository()));
  CB_ASSIGN(account.root, v4::array_of<repository::kPublicSize>(message.root()));
  account.head = message.head().sequence();
  if (account.head != 0) {
    CB_ASSIGN(account.head_hash, v4::id_of<repository::CommitHash>(message.head().hash()));
  }
  CB_ASSIGN(account.chain_key, v4::array_of<repository::kPublicSize>(message.chain_key()));
  return account;
}

class V4Source final : public SourceRemote {
 public:
  explicit V4Source(const V4Limits& limits)
      : limits_(limits), calls_(limits.held, [this] { link_->resume(); }) {}
  ~V4Source() override {
    if (link_) link_->stop();
    io_.stop();
    io_.join();
  }

  Status open(const stream::Stack& stack, const SourceLogin& login) {
    Result<V4Greeting> greeting = failed(Code::invalid, "source", "names no server");
    for (const stream::Target& target : login.servers) {
      greeting =
          client::run_on_network(io_.executor(), log_in_as_replica(stack, target, login, limits_));
      if (greeting) break;
    }
    if (!greeting) return failed(std::move(greeting).error());
    begin(std::move(*greeting));
    return {};
  }

  Result<std::vector<SourceAccount>> accounts() override;
  Result<SourceRecords> records(const RepositoryId& repository) override;
  Result<std::vector<repository::DeviceEntry>> devices(const RepositoryId& repository) override;
  Result<repository::ChainPage> chain(const RepositoryId& repository, uint64_t sequence) override;
  Result<std::vector<BlobId>> get(const RepositoryId& repository,
                                  const repository::DeviceId& device, std::span<const BlobId> ids,
                                  const Sink& sink) override;

 private:
  void begin(V4Greeting greeting);
  [[nodiscard]] Error strange(const std::string& what) const {
    return fail(Code::corrupt, peer_, what, "tell the source's operator; it may need an update");
  }
  Result<V4Calls::CallPtr> start(Request code, const Bytes& message);
  Result<Bytes> ask(Request code, const google::protobuf::MessageLite& message, Response expected);
  Result<std::vector<BlobId>> receive(V4Calls::Call& call, std::span<const BlobId> ids,
                                      const Sink& sink, bool& came_to_an_end);

  const V4Limits limits_;
  stream::IoThreads io_{1};
  std::string peer_;
  V4Calls calls_;
  std::unique_ptr<V4Link> link_;
};

void V4Source::begin(V4Greeting greeting) {
  peer_ = greeting.wire->peer();
  V4Link::Settings settings;
  settings.heartbeat = std::chrono::seconds(std::clamp<uint32_t>(greeting.reply.heartbeat_seconds(),
                                                                 1, kMostHeartbeat)) *
                       2 / 3;
  settings.silence = std::max<nanoseconds>(settings.heartbeat * 3, std::chrono::seconds(60));
  settings.write = limits_.write;
  link_ = std::make_unique<V4Link>(io_.executor(), std::move(greeting.wire), calls_, settings);
  link_->start();
}

Result<V4Calls::CallPtr> V4Source::start(Request code, const Bytes& message) {
  CB_ASSIGN(V4Calls::CallPtr call, calls_.begin(limits_.answer));
  const Status sent = link_->send(code, call->id, message, V4Link::Order::urgent);
  if (sent) return call;
  calls_.end(call, true);
  return failed(sent.error());
}

Result<Bytes> V4Source::ask(Request code, const google::protobuf::MessageLite& message,
                            Response expected) {
  CB_ASSIGN(const V4Calls::CallPtr call, start(code, v4::encode(message)));
  auto answer = calls_.next(*call);
  calls_.end(call, true);
  CB_TRY(answer);
  if (answer->code != expected) return failed(strange("gave an answer of another kind"));
  return std::move(answer->message);
}

Result<std::vector<SourceAccount>> V4Source::accounts() {
  std::vector<SourceAccount> all;
  v4::pb::ReplicaAccounts message;
  for (bool last = false; !last;) {
    CB_ASSIGN(const Bytes answer,
              ask(Request::replica_accounts, message, Response::replica_accounts));
    CB_ASSIGN(const auto reply, v4::parse<v4::pb::ReplicaAccountsReply>(answer));
    last = reply.last() || reply.accounts().empty();
    for (const auto& one : reply.accounts()) {
      CB_ASSIGN(SourceAccount account, account_of(one));
      // It goes into logs, the audit log, the catalog and metrics.
      if (!server::is_account_name(account.account))
        return failed(strange("lists an account whose name is none"));
      if (account.account <= message.after() || all.size() == kMostAccounts)
        return failed(strange("lists its accounts out of order, or without end"));
      message.set_after(account.account);
      all.push_back(std::move(account));
    }
  }
  return all;
}

Result<SourceRecords> V4Source::records(const RepositoryId& repository) {
  v4::pb::ReplicaRecords message;
  message.set_repository(v4::field_of(repository.view()));
  CB_ASSIGN(const Bytes answer, ask(Request::replica_records, message, Response::replica_records));
  CB_ASSIGN(const auto reply, v4::parse<v4::pb::ReplicaRecordsReply>(answer));
  SourceRecords records;
  CB_ASSIGN(records.account, repository::decode_account(v4::view_of(reply.account())));
  CB_ASSIGN(records.record, repository::decode_repository(v4::view_of(reply.repository())));
  for (const std::string& one : reply.slots()) {
    CB_ASSIGN(records.slots.emplace_back(), repository::decode_slot(v4::view_of(one)));
  }
  return records;
}

Result<std::vector<repository::DeviceEntry>> V4Source::devices(const RepositoryId& repository) {
  v4::pb::ReplicaDevices message;
  message.set_repository(v4::field_of(repository.view()));
  CB_ASSIGN(const Bytes answer, ask(Request::replica_devices, message, Response::devices));
  CB_ASSIGN(const auto reply, v4::parse<v4::pb::DevicesReply>(answer));
  std::vector<repository::DeviceEntry> devices;
  for (const auto& info : reply.devices()) {
    repository::DeviceEntry& entry = devices.emplace_back();
    CB_ASSIGN(entry.certificate, repository::decode_certificate(v4::view_of(info.certificate())));
    entry.state = info.state();
    entry.last_seen_ns = info.last_seen_ns();
  }
  return devices;
}

Result<repository::ChainPage> V4Source::chain(const RepositoryId& repository, uint64_t sequence) {
  v4::pb::ReplicaChain message;
  message.set_repository(v4::field_of(repository.view()));
  message.set_sequence(sequence);
  CB_ASSIGN(const Bytes answer, ask(Request::replica_chain, message, Response::chain));
  CB_ASSIGN(const auto reply, v4::parse<v4::pb::ChainReply>(answer));
  repository::ChainPage page;
  for (const std::string& commit : reply.commits())
    page.commits.push_back(to_bytes(v4::view_of(commit)));
  page.last = reply.last();
  return page;
}

Result<std::vector<BlobId>> V4Source::get(const RepositoryId& repository,
                                          const repository::DeviceId& device,
                                          std::span<const BlobId> ids, const Sink& sink) {
  if (ids.empty()) return std::vector<BlobId>();
  v4::pb::ReplicaGet message;
  message.set_repository(v4::field_of(repository.view()));
  message.set_ids(v4::join_ids(ids));
  if (!device.is_zero()) message.set_device(v4::field_of(device.view()));
  CB_ASSIGN(const V4Calls::CallPtr call, start(Request::replica_get, v4::encode(message)));
  bool came_to_an_end = false;
  auto missing = receive(*call, ids, sink, came_to_an_end);
  calls_.end(call, came_to_an_end);
  return missing;
}

Result<std::vector<BlobId>> V4Source::receive(V4Calls::Call& call, std::span<const BlobId> ids,
                                              const Sink& sink, bool& came_to_an_end) {
  std::unordered_set<BlobId, repository::IdHash> wanted(ids.begin(), ids.end());
  for (;;) {
    CB_ASSIGN(V4Part answer, calls_.next(call));
    if (answer.code == Response::get_end) break;
    if (answer.code != Response::blob) return failed(strange("sent something else than blobs"));
    const bool is_asked = wanted.erase(answer.blob.head.id) > 0;
    if (!is_asked && answer.blob.head.kind != repository::BlobKind::session)
      return failed(strange("sent blobs that nobody asked for"));
    const Status taken = sink(std::move(answer.blob));
    if (!taken) return failed(taken.error());
  }
  came_to_an_end = true;
  return std::vector<BlobId>(wanted.begin(), wanted.end());
}

}  // namespace

Result<std::unique_ptr<SourceRemote>> open_source(const stream::Stack& stack,
                                                  const SourceLogin& login,
                                                  const client::V4Limits& limits) {
  auto source = std::make_unique<V4Source>(limits);
  CB_TRY(source->open(stack, login));
  return source;
}

}  // namespace cb::replication
