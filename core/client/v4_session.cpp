// SPDX-License-Identifier: Apache-2.0
#include "core/client/v4_session.h"

#include <unordered_set>

#include "core/client/run_on_network.h"
#include "core/client/v4_session_state.h"
#include "core/identity/signing.h"

namespace cb::client {

using repository::BlobId;
using repository::CommitRecord;
using Order = V4Link::Order;
using std::chrono::nanoseconds;

namespace {

// So long may a peer be silent: three beats, but not less than this.
constexpr nanoseconds kShortestSilence = std::chrono::seconds(60);

}  // namespace

// --- beginning and end ---------------------------------------------------------------------------

V4Session::V4Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
V4Session::~V4Session() = default;

Result<std::shared_ptr<V4Session>> V4Session::open(const stream::Stack& stack,
                                                   const stream::Target& target,
                                                   const V4Identity& identity,
                                                   const V4Limits& limits) {
  auto state = std::make_unique<State>(identity, limits);
  CB_ASSIGN(
      V4LoggedIn logged_in,
      run_on_network(state->io.executor(), log_in(stack, target, state->identity, state->limits)));
  state->begin(std::move(logged_in));
  return std::make_shared<V4Session>(std::move(state));
}

void V4Session::State::begin(V4LoggedIn logged_in) {
  welcome = std::move(logged_in.welcome);
  peer = logged_in.wire->peer();
  V4Link::Settings settings;
  settings.credit = welcome.credit;
  settings.heartbeat = logged_in.heartbeat;
  settings.silence = std::max<nanoseconds>(logged_in.heartbeat * 3, kShortestSilence);
  settings.write = limits.write;
  link = std::make_unique<V4Link>(io.executor(), std::move(logged_in.wire), calls, settings);
  link->start();
}

const V4Welcome& V4Session::welcome() const { return state_->welcome; }

void V4Session::close() { state_->link->close(); }

// --- asking --------------------------------------------------------------------------------------

Error V4Session::State::strange(const std::string& what) const {
  return fail(Code::corrupt, peer, what, "tell the operator; the server may need an update");
}

Result<V4Calls::CallPtr> V4Session::State::begin(v4::Request code, ByteView message,
                                                 nanoseconds limit, Order order) {
  CB_ASSIGN(V4Calls::CallPtr call, calls.begin(limit));
  const Status sent = link->send(code, call->id, message, order);
  if (sent) return call;
  calls.end(call, true);
  return failed(sent.error());
}

Result<V4Part> V4Session::State::part(V4Calls::Call& call, v4::Response expected) {
  CB_ASSIGN(V4Part part, calls.next(call));
  if (part.code != expected)
    return failed(strange("gave an answer of kind " +
                          std::to_string(static_cast<unsigned>(part.code)) + " instead of " +
                          std::to_string(static_cast<unsigned>(expected))));
  return part;
}

Result<Bytes> V4Session::State::ask(v4::Request code, ByteView message, v4::Response expected,
                                    nanoseconds limit, Order order) {
  CB_ASSIGN(const V4Calls::CallPtr call, begin(code, message, limit, order));
  auto answer = part(*call, expected);
  calls.end(call, true);
  CB_TRY(answer);
  return std::move(answer->message);
}

Status V4Session::State::tell(v4::Request code, ByteView message, nanoseconds limit) {
  CB_TRY(ask(code, message, v4::Response::done, limit));
  return {};
}

Result<Bytes> V4Session::State::ask_behind_blobs(v4::Request code, ByteView message,
                                                 v4::Response expected) {
  CB_TRY(link->put_state());
  auto answer = ask(code, message, expected, limits.flush, Order::behind_blobs);
  CB_TRY(link->put_state());
  return answer;
}

// --- blobs ---------------------------------------------------------------------------------------

Result<std::vector<bool>> V4Session::State::take_have(V4Calls::Call& call, size_t count) {
  CB_ASSIGN(const V4Part answer, part(call, v4::Response::have));
  CB_ASSIGN(const auto reply, v4::parse<v4::pb::HaveReply>(answer.message));
  if (reply.present().size() != count)
    return failed(strange("answered for " + std::to_string(reply.present().size()) + " ids, not " +
                          std::to_string(count)));
  std::vector<bool> present;
  for (const char c : reply.present()) present.push_back(c != 0);
  return present;
}

Result<std::vector<bool>> V4Session::have(std::span<const BlobId> ids) {
  std::vector<bool> present;
  present.reserve(ids.size());
  while (!ids.empty()) {
    const auto some = ids.first(std::min(ids.size(), v4::kIdsMax));
    v4::pb::Have message;
    message.set_ids(v4::join_ids(some));
    CB_ASSIGN(const V4Calls::CallPtr call,
              state_->begin(v4::Request::have, v4::encode(message), state_->limits.answer));
    const auto answer = state_->take_have(*call, some.size());
    state_->calls.end(call, true);
    CB_TRY(answer);
    present.insert(present.end(), answer->begin(), answer->end());
    ids = ids.subspan(some.size());
  }
  return present;
}

Result<uint64_t> V4Session::put(repository::StoredBlob blob) {
  if (blob.stored.size() != blob.head.stored_size || blob.stored.empty())
    return failed(Code::invalid, "blob " + blob.head.id.hex(), "is not as long as its head says");
  return state_->link->put(std::move(blob));
}

uint64_t V4Session::durable_puts() const { return state_->link->durable(); }

Status V4Session::flush() {
  CB_TRY(state_->link->put_state());
  CB_ASSIGN(const Bytes answer, state_->ask(v4::Request::flush, {}, v4::Response::flush,
                                            state_->limits.flush, Order::behind_blobs));
  CB_ASSIGN(const auto reply, v4::parse<v4::pb::FlushReply>(answer));
  CB_TRY(state_->link->put_state());
  if (state_->link->learn_durable(reply.durable())) return {};
  return failed(state_->strange("has more blobs than were put"));
}

Status V4Session::get(std::span<const BlobId> ids, const repository::CopyChoice& copy,
                      const BlobSink& sink) {
  if (ids.empty()) return {};
  if (ids.size() > v4::kIdsMax)
    return failed(Code::limit, "get", "asks for more than 4,096 blobs at once");
  v4::pb::Get message;
  message.set_ids(v4::join_ids(ids));
  if (!copy.device.is_zero()) message.set_device(v4::field_of(copy.device.view()));
  message.set_exact(copy.exact);
  CB_ASSIGN(const V4Calls::CallPtr call,
            state_->begin(v4::Request::get, v4::encode(message), state_->limits.answer));
  bool came_to_an_end = false;
  Status received = state_->receive(*call, ids, sink, came_to_an_end);
  // What is still on its way when a sink fails is dropped as it comes.
  state_->calls.end(call, came_to_an_end);
  return received;
}

Status V4Session::State::receive(V4Calls::Call& call, std::span<const BlobId> ids,
                                 const BlobSink& sink, bool& came_to_an_end) {
  std::unordered_set<BlobId, repository::IdHash> wanted(ids.begin(), ids.end());
  for (;;) {
    CB_ASSIGN(V4Part answer, calls.next(call));
    if (answer.code == v4::Response::get_end) break;
    if (answer.code != v4::Response::blob || wanted.erase(answer.blob.head.id) == 0)
      return failed(strange("sent something else than the blobs that were asked for"));
    const V4Calls::InSink in_sink(calls);
    CB_TRY(sink(std::move(answer.blob)));
  }
  came_to_an_end = true;
  if (wanted.empty()) return {};
  return failed(Code::not_found, "blob " + wanted.begin()->hex(),
                wanted.size() == 1 ? "is not in the repository"
                                   : "and " + std::to_string(wanted.size() - 1) +
                                         " more are not in the repository",
                "run cyberbackup check");
}

// --- snapshots -----------------------------------------------------------------------------------

// A commit record that the server signed.
Result<CommitRecord> V4Session::State::verified(ByteView receipt) const {
  CB_ASSIGN(CommitRecord record, repository::decode_commit(receipt));
  CB_TRY(identity::verify(welcome.server_key, repository::signed_part(record, identity.repository),
                          record.signature));
  return record;
}

// The profile keeps what answers the request.
Status V4Session::State::keep(ByteView receipt) const {
  return identity.receipt ? identity.receipt(receipt) : Status();
}

namespace {

// What readers choose snapshots by is as it was asked for.
bool answers(const CommitRecord& record, const repository::CommitRequest& request,
             const repository::DeviceId& device) {
  return record.type == repository::CommitType::commit && record.commit_id == request.commit_id &&
         record.snapshot == request.snapshot && record.root == request.root &&
         record.flags == request.flags && record.device == device;
}

}  // namespace

Result<repository::CommitAnswer> V4Session::commit(const repository::CommitRequest& request) {
  CB_ASSIGN(const Bytes bytes,
            state_->ask_behind_blobs(v4::Request::commit, v4::encode(v4::message_of(request)),
                                     v4::Response::commit));
  CB_ASSIGN(const auto reply, v4::parse<v4::pb::CommitReply>(bytes));
  CB_ASSIGN(repository::CommitAnswer answer, v4::answer_of(reply));
  if (!answer.missing.empty()) return answer;
  CB_ASSIGN(const CommitRecord record, state_->verified(answer.receipt));
  if (!answers(record, request, state_->identity.device))
    return failed(state_->strange("gave the receipt of another commit"));
  CB_TRY(state_->keep(answer.receipt));
  return answer;
}

Result<CommitRecord> V4Session::State::wish(v4::Request code, const BlobId& snapshot) {
  v4::pb::Forget message;
  message.set_snapshot(v4::field_of(snapshot.view()));
  CB_ASSIGN(const Bytes bytes, ask(code, v4::encode(message), v4::Response::forget, limits.flush));
  CB_ASSIGN(const auto reply, v4::parse<v4::pb::ForgetReply>(bytes));
  CB_ASSIGN(CommitRecord record, verified(as_bytes(reply.commit())));
  if (record.snapshot != snapshot) return failed(strange("gave the receipt of another wish"));
  CB_TRY(keep(as_bytes(reply.commit())));
  return record;
}

Result<CommitRecord> V4Session::forget(const BlobId& snapshot) {
  return state_->wish(v4::Request::forget, snapshot);
}

Result<CommitRecord> V4Session::undelete(const BlobId& snapshot) {
  return state_->wish(v4::Request::undelete, snapshot);
}

// All parts of the list; a server that makes one up without end fills no memory.
Result<std::vector<repository::SnapshotInfo>> V4Session::State::take_snapshots(
    V4Calls::Call& call) {
  std::vector<repository::SnapshotInfo> all;
  size_t left = limits.listed;
  for (bool last = false; !last;) {
    CB_ASSIGN(const V4Part answer, part(call, v4::Response::snapshots));
    CB_ASSIGN(const auto reply, v4::parse<v4::pb::SnapshotsReply>(answer.message));
    last = reply.last();
    if (!last && reply.snapshots().empty())
      return failed(strange("gave no snapshots, and says that there are more"));
    if (answer.message.size() > left)
      return failed(Code::limit, peer,
                    "lists more than " + std::to_string(limits.listed) + " bytes of snapshots",
                    "ask the operator what happened; no account comes to that");
    left -= answer.message.size();
    for (const auto& snapshot : reply.snapshots()) {
      CB_ASSIGN(repository::SnapshotInfo info, v4::info_of(snapshot));
      all.push_back(std::move(info));
    }
  }
  return all;
}

Result<std::vector<repository::SnapshotInfo>> V4Session::snapshots(bool with_trash) {
  v4::pb::Snapshots message;
  message.set_with_trash(with_trash);
  message.set_with_kept(with_trash);
  CB_ASSIGN(const V4Calls::CallPtr call,
            state_->begin(v4::Request::snapshots, v4::encode(message), state_->limits.answer));
  auto list = state_->take_snapshots(*call);
  state_->calls.end(call, list.has_value());
  return list;
}

// --- the rest ------------------------------------------------------------------------------------

Result<repository::RepositoryRecord> V4Session::record() { return state_->welcome.record; }

Result<std::vector<repository::KeySlot>> V4Session::slots() {
  CB_ASSIGN(const Bytes bytes,
            state_->ask(v4::Request::slots, {}, v4::Response::slots, state_->limits.answer));
  CB_ASSIGN(const auto reply, v4::parse<v4::pb::SlotsReply>(bytes));
  std::vector<repository::KeySlot> slots;
  for (const std::string& one : reply.slots()) {
    CB_ASSIGN(repository::KeySlot slot, repository::decode_slot(as_bytes(one)));
    slots.push_back(std::move(slot));
  }
  return slots;
}

Status V4Session::add_slot(const repository::KeySlot& slot) {
  v4::pb::AddSlot message;
  message.set_slot(v4::field_of(repository::encode(slot)));
  return state_->tell(v4::Request::add_slot, v4::encode(message), state_->limits.answer);
}

Status V4Session::remove_slot(const repository::SlotId& slot) {
  v4::pb::RemoveSlot message;
  message.set_slot(v4::field_of(slot.view()));
  return state_->tell(v4::Request::remove_slot, v4::encode(message), state_->limits.answer);
}

Result<repository::RemoteCounts> V4Session::counts() {
  CB_ASSIGN(const Bytes bytes,
            state_->ask(v4::Request::counts, {}, v4::Response::counts, state_->limits.answer));
  CB_ASSIGN(const auto reply, v4::parse<v4::pb::CountsReply>(bytes));
  return v4::counts_of(reply);
}

}  // namespace cb::client
