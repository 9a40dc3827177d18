// SPDX-License-Identifier: Apache-2.0
//
// What a v4 session answers another server that copies repositories. All on workers, but for the
// blobs.
#include <algorithm>

#include "core/repository/replicas.h"
#include "core/server/v4_message.h"
#include "core/server/v4_session.h"

namespace cb::server {
namespace {

using repository::BlobId;
using repository::RepositoryId;
using v4::Request;
using v4::Response;

constexpr size_t kMostCopyable = 500;  // accounts of one answer: they fit a frame
constexpr int kMostLooks = 5;          // for a record that does not change meanwhile

v4::pb::ReplicaAccount message_of(const V4Copyable& one) {
  v4::pb::ReplicaAccount message;
  message.set_account(one.account.name);
  message.set_repository(v4::field_of(one.record.id.view()));
  message.set_root(v4::field_of(one.record.root));
  message.mutable_head()->set_sequence(one.head.sequence);
  message.mutable_head()->set_hash(v4::field_of(one.head.hash.view()));
  message.set_chain_key(v4::field_of(one.chain_key));
  return message;
}

}  // namespace

Result<V4Session::Answer> V4Session::replica_login(const Bytes& message) {
  CB_ASSIGN(auto said, v4::parse<v4::pb::ReplicaLogin>(message));
  CB_ASSIGN(const auto token, v4::array_of<16>(said.token_id()));
  const Secret secret = take_secret(*said.mutable_token_secret());
  CB_ASSIGN(V4Guest guest, proved("replica token " + to_hex(token),
                                  shared_.replicas->login(token, secret, peer_)));
  v4::pb::ReplicaLoginReply reply;
  reply.set_name(guest.name);
  guest_ = std::move(guest);
  pace_.set_rate(shared_.parts.limits->usual_requests());
  return Answer{Response::replica_login, v4::encode(reply)};
}

stream::Task<void> V4Session::let_replica_in(const Frame& frame, Result<Answer> answer) {
  standing_ = v4::Standing::replica;
  entered_ = shared_.parts.clock->monotonic();
  ++shared_.counters->logins;
  ++shared_.counters->logged_in;
  shared_.parts.log->info("v4.replica.login", {{"peer", peer_}, {"replica", guest_->name}});
  shared_.parts.audit->post({"replica " + guest_->name, peer_, "v4.replica.login",
                             "token " + to_hex(guest_->token), "done", ""});
  co_return co_await send(frame, std::move(answer));
}

Result<V4Session::Answer> V4Session::replica_request(Request code, const Bytes& message) {
  switch (code) {
    case Request::replica_accounts:
      return replica_accounts(message);
    case Request::replica_records:
      return replica_records(message);
    case Request::replica_devices:
      return replica_devices(message);
    case Request::replica_chain:
      return replica_chain(message);
    default:
      return failed(Code::state, "request", "is not answered here");
  }
}

Result<V4Session::Answer> V4Session::replica_accounts(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::ReplicaAccounts>(message));
  CB_ASSIGN(const auto found, shared_.replicas->accounts(*guest_, said.after(), kMostCopyable));
  v4::pb::ReplicaAccountsReply reply;
  for (const V4Copyable& one : found) *reply.add_accounts() = message_of(one);
  reply.set_last(found.size() < kMostCopyable);
  return Answer{Response::replica_accounts, v4::encode(reply)};
}

Result<V4Session::Answer> V4Session::replica_records(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::ReplicaRecords>(message));
  CB_ASSIGN(const auto id, v4::id_of<RepositoryId>(said.repository()));
  CB_ASSIGN(const catalog::Account account, shared_.replicas->account_of(*guest_, id));
  CB_ASSIGN(auto record, shared_.parts.engine->record(id));
  CB_ASSIGN(auto slots, shared_.parts.engine->slots(id));
  // Slots of a newer record than this would be refused.
  for (int tries = 0; tries < kMostLooks; ++tries) {
    CB_ASSIGN(auto still, shared_.parts.engine->record(id));
    if (still == record) break;
    record = std::move(still);
    CB_ASSIGN(slots, shared_.parts.engine->slots(id));
  }
  v4::pb::ReplicaRecordsReply reply;
  reply.set_account(v4::field_of(repository::encode(repository::note_of(account))));
  reply.set_repository(v4::field_of(repository::encode(record)));
  for (const repository::KeySlot& slot : slots)
    reply.add_slots(v4::field_of(repository::encode(slot)));
  return Answer{Response::replica_records, v4::encode(reply)};
}

Result<V4Session::Answer> V4Session::replica_devices(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::ReplicaDevices>(message));
  CB_ASSIGN(const auto id, v4::id_of<RepositoryId>(said.repository()));
  CB_ASSIGN(const catalog::Account account, shared_.replicas->account_of(*guest_, id));
  v4::pb::DevicesReply reply;
  CB_TRY(add_devices(account.number, reply));
  return Answer{Response::devices, v4::encode(reply)};
}

Result<V4Session::Answer> V4Session::replica_chain(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::ReplicaChain>(message));
  CB_ASSIGN(const auto id, v4::id_of<RepositoryId>(said.repository()));
  CB_TRY(shared_.replicas->account_of(*guest_, id));
  return chain_page(id, said.sequence());
}

// The records of the sessions come first, so that whoever stores the blobs has them. Rules about
// the traffic of an account are about its copies, too.
stream::Task<void> V4Session::replica_get(const Frame& frame, const Bytes& message) {
  CB_CO_ASSIGN(const auto said, v4::parse<v4::pb::ReplicaGet>(message));
  CB_CO_ASSIGN(std::vector<BlobId> asked, v4::split_ids(said.ids(), v4::kIdsMax));
  std::sort(asked.begin(), asked.end());
  std::string account;
  const auto prepare = [&]() -> Result<Outgoing> {
    Outgoing what;
    CB_ASSIGN(what.repository, v4::id_of<RepositoryId>(said.repository()));
    CB_ASSIGN(const auto whose, shared_.replicas->account_of(*guest_, what.repository));
    account = whose.name;
    what.copies.exact = true;
    what.copies.whole = true;
    if (!said.device().empty()) {
      CB_ASSIGN(const auto device, v4::id_of<repository::DeviceId>(said.device()));
      CB_ASSIGN(what.copies.whose, shared_.parts.engine->viewer(device));
    }
    CB_ASSIGN(what.ids, shared_.parts.engine->replicas().sessions_of(what.repository,
                                                                     what.copies.whose, asked));
    what.ids.insert(what.ids.end(), asked.begin(), asked.end());
    return what;
  };
  Result<Outgoing> what = co_await shared_.parts.workers->run(prepare);
  if (!what) co_return co_await fail_request(frame.request_id, what.error(), false);
  out_.set_account(account);
  what->is_asked = [&asked](const BlobId& id) {
    return std::binary_search(asked.begin(), asked.end(), id);
  };
  co_return co_await send_blobs(frame, std::move(*what));
}

}  // namespace cb::server
