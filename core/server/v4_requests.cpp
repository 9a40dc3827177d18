// SPDX-License-Identifier: Apache-2.0
//
// What a v4 session answers once it is logged in, beside taking blobs in.
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/identity/signing.h"
#include "core/server/v4_message.h"
#include "core/server/v4_reading.h"
#include "core/server/v4_session.h"

namespace cb::server {
namespace {

using repository::BlobId;
using v4::Request;
using v4::Response;

// A frame of snapshots is sent when it has so many bytes.
constexpr size_t kSnapshotsFrame = 128 * 1024;
// How often who waits for one of the places of limited restores looks.
constexpr auto kPlaceStep = std::chrono::milliseconds(100);

// Message after message of a list that may be long.
class SnapshotFrames {
 public:
  explicit SnapshotFrames(const std::vector<repository::SnapshotInfo>& all) : all_(all) {}

  // The next message; the last has `last`.
  v4::pb::SnapshotsReply next() {
    v4::pb::SnapshotsReply reply;
    size_t size = 0;
    while (at_ < all_.size() && size < kSnapshotsFrame) {
      *reply.add_snapshots() = v4::message_of(all_[at_++]);
      size += reply.snapshots().rbegin()->ByteSizeLong();
    }
    reply.set_last(at_ == all_.size());
    return reply;
  }

 private:
  const std::vector<repository::SnapshotInfo>& all_;
  size_t at_ = 0;
};

}  // namespace

// On a worker, as all the functions that it calls.
Result<V4Session::Answer> V4Session::plain_request(Request code, const Bytes& message) {
  if (guest_) return replica_request(code, message);
  CB_TRY(shared_.accounts->confirm(*member_));
  switch (code) {
    case Request::forget:
    case Request::undelete:
      return forget(code, message);
    case Request::slots:
      return slots();
    case Request::add_slot:
      return add_slot(message);
    case Request::remove_slot:
      return remove_slot(message);
    case Request::counts:
      return counts();
    case Request::chain:
      return chain(message);
    case Request::wanted:
      return wanted(message);
    case Request::signatures:
      return signatures(message);
    case Request::drill_result:
      return drill_result(message);
    case Request::devices:
      return devices();
    case Request::add_device:
      return add_device(message);
    default:
      return owner_request(code, message);
  }
}

Result<V4Session::Answer> V4Session::owner_request(Request code, const Bytes& message) {
  switch (code) {
    case Request::add_invite:
      return add_invite(message);
    case Request::remove_invite:
      return remove_invite(message);
    case Request::set_device:
      return set_device(message);
    case Request::put_record:
      return put_record(message);
    case Request::sessions:
      return sessions(message);
    case Request::put_sessions:
      return put_sessions(message);
    case Request::copies:
      return copies(message);
    case Request::verified:
      return verified(message);
    case Request::retention:
      return retention();
    case Request::set_retention:
      return set_retention(message);
    default:
      return failed(Code::state, "request", "is not answered here");
  }
}

stream::Task<void> V4Session::have(const Frame& frame, const Bytes& message) {
  CB_CO_ASSIGN(const auto said, v4::parse<v4::pb::Have>(message));
  CB_CO_ASSIGN(const std::vector<BlobId> ids, v4::split_ids(said.ids(), v4::kIdsMax));
  const Result<std::vector<bool>> present = co_await puts_.have(ids);
  if (!present) co_return co_await fail_request(frame.request_id, present.error(), false);
  v4::pb::HaveReply reply;
  reply.mutable_present()->reserve(present->size());
  for (const bool is_there : *present) reply.mutable_present()->push_back(is_there ? '\1' : '\0');
  co_return co_await send(Response::have, frame.request_id, v4::encode(reply));
}

Result<V4Session::Answer> V4Session::forget(Request code, const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::Forget>(message));
  CB_ASSIGN(const auto snapshot, v4::id_of<BlobId>(said.snapshot()));
  repository::Engine& engine = *shared_.parts.engine;
  const bool forgets = code == Request::forget;
  const auto done = forgets ? engine.forget(member_->repository, snapshot, member_->device)
                            : engine.undelete(member_->repository, snapshot, member_->device);
  if (!done) return failed(done.error());
  audit(forgets ? "v4.snapshot.forgotten" : "v4.snapshot.undeleted", "snapshot", snapshot.hex());
  v4::pb::ForgetReply reply;
  reply.set_commit(v4::field_of(repository::encode(*done)));
  return Answer{Response::forget, v4::encode(reply)};
}

Result<V4Session::Answer> V4Session::slots() {
  CB_ASSIGN(const auto all, shared_.parts.engine->slots(member_->repository));
  v4::pb::SlotsReply reply;
  for (const repository::KeySlot& slot : all)
    reply.add_slots(v4::field_of(repository::encode(slot)));
  return Answer{Response::slots, v4::encode(reply)};
}

Result<V4Session::Answer> V4Session::counts() {
  CB_ASSIGN(const repository::RemoteCounts counts,
            shared_.parts.engine->counts(member_->repository));
  return Answer{Response::counts, v4::encode(v4::message_of(counts))};
}

stream::Task<void> V4Session::flush(const Frame& frame) {
  CB_CO_TRY(co_await puts_.flush());
  if (puts_.refused()) co_return co_await fail_request(frame.request_id, *puts_.refused(), false);
  v4::pb::FlushReply reply;
  reply.set_durable(puts_.durable());
  co_return co_await send(Response::flush, frame.request_id, v4::encode(reply));
}

// What the client says of a backup is kept beside it; where that cannot be, the backup counts all
// the same.
Result<repository::CommitAnswer> V4Session::commit_reported(
    repository::Intake& intake, const repository::CommitRequest& request) {
  CB_ASSIGN(auto answer, intake.commit(request));
  const bool is_whole = (request.flags & repository::kSnapshotCheckpoint) == 0;
  if (!request.report || !is_whole || !answer.missing.empty()) return answer;
  CB_ASSIGN(const repository::CommitRecord commit, repository::decode_commit(answer.receipt));
  const Status kept =
      shared_.parts.watch->take_report(member_->repository, commit, *request.report);
  if (!kept)
    shared_.parts.log->warn("v4.report-not-kept",
                            {{"peer", peer_}, {"error", kept.error().text()}});
  return answer;
}

stream::Task<void> V4Session::commit(const Frame& frame, const Bytes& message) {
  CB_CO_ASSIGN(const auto said, v4::parse<v4::pb::Commit>(message));
  CB_CO_ASSIGN(const repository::CommitRequest request, v4::request_of(said));
  if (const Status fits = check_snapshot_size(request.bytes); !fits)
    co_return co_await fail_request(frame.request_id, fits.error(), false);
  // So that a blob that cannot be stored and a commit that is refused are told apart.
  CB_CO_TRY(co_await puts_.flush());
  if (puts_.refused()) co_return co_await fail_request(frame.request_id, *puts_.refused(), false);
  const auto work = [&](repository::Intake& intake) -> Result<repository::CommitAnswer> {
    CB_TRY(shared_.accounts->confirm(*member_));
    CB_TRY(identity::verify(member_->public_key,
                            repository::snapshot_signed_part(member_->repository, request.snapshot),
                            request.device_signature));
    return commit_reported(intake, request);
  };
  const Result<repository::CommitAnswer> done = co_await puts_.with_intake(work);
  CB_CO_TRY(co_await puts_.tell());
  if (!done) co_return co_await fail_request(frame.request_id, done.error(), false);
  if (done->missing.empty()) {
    ++shared_.counters->commits;
    if ((request.flags & repository::kSnapshotCheckpoint) == 0) backup_.reset();
    shared_.parts.log->info("v4.commit", {{"peer", peer_},
                                          {"account", member_->account.name},
                                          {"snapshot", request.snapshot.hex()},
                                          {"files", request.files},
                                          {"bytes", request.bytes}});
  }
  co_return co_await send(Response::commit, frame.request_id, v4::encode(v4::message_of(*done)));
}

// Whose copies a Get means: without a device this one's.
stream::Task<repository::Viewer> V4Session::viewer_of(const std::string& field) {
  if (field.empty()) co_return member_->viewer();
  CB_CO_ASSIGN(const auto device, v4::id_of<repository::DeviceId>(field));
  co_return co_await shared_.parts.workers->run(
      [&] { return shared_.accounts->viewer_of(*member_, device); });
}

stream::Task<void> V4Session::get(const Frame& frame, const Bytes& message) {
  CB_CO_ASSIGN(const auto said, v4::parse<v4::pb::Get>(message));
  CB_CO_ASSIGN(std::vector<BlobId> ids, v4::split_ids(said.ids(), v4::kIdsMax));
  const Result<repository::Viewer> whose = co_await viewer_of(said.device());
  if (!whose) co_return co_await fail_request(frame.request_id, whose.error(), false);
  Outgoing what;
  what.repository = member_->repository;
  what.copies = {*whose, said.exact()};
  what.ids = std::move(ids);
  what.is_asked = [](const BlobId&) { return true; };
  co_return co_await send_blobs(frame, std::move(what));
}

// Whom a rule holds keeps a buffer for as long as that takes: half of them stay for the others.
stream::Task<HeldPlace> V4Session::place_to_be_held() {
  const size_t half = std::max<size_t>(1, shared_.parts.buffers->counts().limit / 2);
  boost::asio::steady_timer timer(connection_->executor());
  while (true) {
    auto place = HeldPlace::take(shared_.counters->held_restores, static_cast<uint32_t>(half));
    if (place) co_return std::move(*place);
    if (connection_->is_cancelled())
      co_return failed(Code::cancelled, "connection", "is being closed");
    timer.expires_after(kPlaceStep);
    (void)co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
}

stream::Task<void> V4Session::send_blobs(const Frame& frame, Outgoing what) {
  CB_CO_TRY(co_await puts_.settle());
  std::optional<HeldPlace> place;
  if (out_.is_limited()) {
    CB_CO_ASSIGN(HeldPlace free, co_await place_to_be_held());
    place.emplace(std::move(free));
  }
  stream::Buffer first = co_await shared_.parts.buffers->take();
  if (!first) co_return failed(Code::cancelled, "connection", "is being closed");
  stream::Buffer second;
  if (!place) second = shared_.parts.buffers->try_take();
  const auto is_wanted = [this] { return shared_.parts.readers->counts().queued > 0; };
  V4Outflow out(connection_->executor(),
                {frame.request_id, settings_.write_timeout, is_wanted, &out_}, std::move(first),
                std::move(second));
  V4Reading reading(*shared_.parts.engine, what.repository, what.copies, std::move(what.ids), out);
  Background job(*shared_.parts.readers, connection_->executor());
  Status sent, read;
  do {
    out.resume();
    job.start([&reading] { return reading.run(); });
    sent = co_await out.send(*connection_);
    read = co_await job.finish();
  } while (sent && read && reading.goes_on());
  shared_.counters->bytes_out += out.bytes();
  shared_.counters->blobs_out += reading.blobs();
  CB_CO_TRY(sent);
  if (!read) co_return co_await fail_request(frame.request_id, read.error(), false);
  v4::pb::GetEnd end;
  std::vector<BlobId> missing = reading.missing();
  std::erase_if(missing, [&](const BlobId& id) { return !what.is_asked(id); });
  end.set_missing(v4::join_ids(missing));
  last_request_ = shared_.parts.clock->monotonic();
  co_return co_await send(Response::get_end, frame.request_id, v4::encode(end));
}

stream::Task<void> V4Session::snapshots(const Frame& frame, const Bytes& message) {
  CB_CO_ASSIGN(const auto said, v4::parse<v4::pb::Snapshots>(message));
  const auto all = co_await shared_.parts.workers->run([&] {
    return shared_.parts.engine->replicas().snapshots(member_->repository, said.with_trash(),
                                                      said.with_kept());
  });
  if (!all) co_return co_await fail_request(frame.request_id, all.error(), false);
  SnapshotFrames frames(*all);
  while (true) {
    const v4::pb::SnapshotsReply reply = frames.next();
    CB_CO_TRY(co_await send(Response::snapshots, frame.request_id, v4::encode(reply)));
    if (reply.last()) co_return Status{};
  }
}

}  // namespace cb::server
