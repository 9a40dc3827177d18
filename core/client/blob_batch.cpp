// SPDX-License-Identifier: Apache-2.0
#include "core/client/blob_batch.h"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

namespace cb::client {

using repository::BlobId;
using repository::BlobKind;
using repository::DeviceId;
using repository::SessionId;
using repository::StoredBlob;

namespace {

constexpr const char* kCheckAll = "a check of all content tells what else is damaged";
constexpr unsigned kMostLost = 3;  // connections lost in one round without a blob coming

BlobId record_of(const SessionId& session) {
  BlobId id;
  std::copy(session.bytes.begin(), session.bytes.end(), id.bytes.begin());
  return id;
}

// Is it about one blob, so that others may still be had?
bool is_of_one_blob(Code code) {
  return code == Code::not_found || code == Code::corrupt || code == Code::io ||
         code == Code::limit || code == Code::unsupported;
}

Error missing(const BlobId& id) {
  return fail(Code::corrupt, "blob " + id.hex(), "is missing in the repository", kCheckAll);
}

// Where a session's record is to come from: from who put the blob, if that is known.
repository::CopyChoice copy_of(repository::CopyChoice chosen, const repository::BlobHead& head) {
  if (!head.device.is_zero()) chosen.device = head.device;
  return chosen;
}

// To whoever restores, a blob that its seal does not vouch for is a damaged one.
Error damaged(Error error) {
  if (error.code == Code::auth || error.code == Code::not_found) error.code = Code::corrupt;
  if (error.advice.empty()) error.advice = kCheckAll;
  return error;
}

}  // namespace

// A copy that came and does not open, or could not be read.
struct BlobBatches::Unopened {
  StoredBlob blob;  // its id at least
  Error error;
};

// One call of get: what is still open, and what waits for its session's key.
struct BlobBatches::Round {
  const BlobFetcher::Answer* answer = nullptr;
  repository::CopyChoice copy;
  std::unordered_set<BlobId, repository::IdHash> open;
  std::vector<BlobId> order;
  std::vector<StoredBlob> held;
  std::vector<Unopened> unopened;
  Status answered;  // what `answer` failed with

  // By value: it may be one of those that are open.
  Status give(BlobId id, Result<repository::PlainBlob> blob) {
    open.erase(id);
    answered = (*answer)(id, std::move(blob));
    return answered;
  }
};

BlobBatches::BlobBatches(Parts parts, repository::Opener& opener)
    : opener_(opener),
      connect_(std::move(parts.reconnect)),
      devices_(std::move(parts.devices)),
      remote_(std::move(parts.remote)) {}

void BlobBatches::read_as(const DeviceId& device) {
  const std::lock_guard lock(mutex_);
  device_ = device;
}

Status BlobBatches::get(std::span<const BlobId> ids, const BlobFetcher::Answer& answer) {
  Round round;
  round.answer = &answer;
  round.order.assign(ids.begin(), ids.end());
  round.open.insert(ids.begin(), ids.end());
  {
    const std::lock_guard lock(mutex_);
    round.copy.device = device_;
  }
  unsigned lost = 0;
  while (!round.open.empty()) {
    const size_t before = round.open.size();
    const auto used = remote();
    const Status done = after_round(round, one_round(round, *used), lost);
    if (!round.answered) return round.answered;
    if (round.open.empty()) break;
    if (round.open.size() < before) lost = 0;
    if (done) continue;
    if (done.error().code != Code::closed || !connect_ || ++lost > kMostLost) return done;
    CB_TRY(reconnect(used));
  }
  return {};
}

// Answers what a round could not, unless the connection is to be made again first.
Status BlobBatches::after_round(Round& round, Status done, unsigned& lost) {
  const bool goes_on = done || done.error().code != Code::closed;
  if (!round.answered || round.open.empty() || !goes_on) return done;
  // What was asked for and neither came nor is told to be missing: the same to us.
  if (done) done = failed(Code::not_found, "blobs", "did not come");
  return after_failure(round, done.error(), lost);
}

// Asks once for everything that is open.
Status BlobBatches::one_round(Round& round, repository::Remote& remote) {
  std::vector<BlobId> wanted;
  for (const BlobId& id : round.order)
    if (round.open.contains(id)) wanted.push_back(id);
  round.held.clear();
  const Status done =
      remote.get(wanted, round.copy, [&](StoredBlob blob) { return take(round, std::move(blob)); });
  if (!round.answered) return round.answered;
  CB_TRY(open_held(round, remote));
  CB_TRY(try_others(round, remote));
  return done;
}

// No request is made in here: it runs while another is being answered.
Status BlobBatches::take(Round& round, StoredBlob blob) {
  bytes_ += blob.stored.size();
  if (!round.open.contains(blob.head.id)) return {};
  if (!blob.head.session.is_zero() && !opener_.knows(blob.head.session)) {
    round.held.push_back(std::move(blob));
    return {};
  }
  return answer_with(round, std::move(blob));
}

Result<repository::PlainBlob> BlobBatches::open(const StoredBlob& blob) const {
  if (!blob.head.session.is_zero() && !opener_.knows(blob.head.session)) {
    const std::lock_guard lock(mutex_);
    const auto bad = bad_sessions_.find(blob.head.session);
    if (bad != bad_sessions_.end()) return failed(bad->second);
  }
  auto opened = opener_.open(blob);
  if (opened && opened->id != blob.head.id)
    opened =
        failed(Code::auth, "blob " + blob.head.id.hex(), "holds something else than its id says");
  if (opened) return opened;
  Error error = damaged(std::move(opened).error());
  if (!blob.head.device.is_zero())
    error.cause += ", in the copy that device " + blob.head.device.hex() + " put";
  return failed(std::move(error));
}

// What does not open is put aside until nothing is being answered: another copy may open.
Status BlobBatches::answer_with(Round& round, StoredBlob blob) {
  const BlobId id = blob.head.id;
  auto opened = open(blob);
  if (opened || !devices_) return round.give(id, std::move(opened));
  round.unopened.push_back({std::move(blob), std::move(opened).error()});
  return {};
}

Status BlobBatches::open_held(Round& round, repository::Remote& remote) {
  auto held = std::exchange(round.held, {});
  for (const StoredBlob& blob : held)
    if (!opener_.knows(blob.head.session))
      CB_TRY(learn(blob.head.session, copy_of(round.copy, blob.head), remote));
  for (StoredBlob& blob : held)
    if (round.open.contains(blob.head.id)) CB_TRY(answer_with(round, std::move(blob)));
  return {};
}

// A session's record counts as the blob's device has it: another may have put one of that id.
Status BlobBatches::learn(const SessionId& session, const repository::CopyChoice& copy,
                          repository::Remote& remote) {
  {
    // What failed once fails again, until another copy is asked for.
    const std::lock_guard lock(mutex_);
    if (!copy.exact && bad_sessions_.contains(session)) return {};
  }
  const BlobId wanted = record_of(session);
  Bytes record;
  Status learnt =
      failed(Code::not_found, "session record " + session.hex(),
             "is missing in the repository: without it nothing that this backup sent opens");
  const Status got = remote.get({&wanted, 1}, copy, [&](StoredBlob blob) -> Status {
    bytes_ += blob.stored.size();
    if (blob.head.kind == BlobKind::session && blob.head.id == wanted)
      learnt = opener_.learn(session, record = std::move(blob.stored));
    return {};
  });
  if (!got && !is_of_one_blob(got.error().code)) return got;
  const std::lock_guard lock(mutex_);
  if (!learnt) {
    bad_sessions_.insert_or_assign(session, damaged(learnt.error()));
    return {};
  }
  records_.insert_or_assign(session, std::move(record));
  bad_sessions_.erase(session);
  return {};
}

Status BlobBatches::try_others(Round& round, repository::Remote& remote) {
  for (Unopened& unopened : std::exchange(round.unopened, {}))
    if (round.open.contains(unopened.blob.head.id))
      CB_TRY(try_copies(round, std::move(unopened), remote));
  return {};
}

// The key of its session may have come from another device's record; then each device's own copy.
Status BlobBatches::try_copies(Round& round, Unopened unopened, repository::Remote& remote) {
  const repository::BlobHead& head = unopened.blob.head;
  if (!unopened.blob.stored.empty() && !head.session.is_zero()) {
    CB_TRY(learn(head.session, copy_of({round.copy.device, true}, head), remote));
    auto opened = open(unopened.blob);
    if (opened) return round.give(head.id, std::move(opened));
  }
  for (const DeviceId& device : devices_()) {
    if (device == head.device) continue;
    CB_ASSIGN(const bool answered, try_copy(round, head.id, device, remote));
    if (answered) return round.answered;
  }
  return round.give(head.id, failed(std::move(unopened.error)));
}

Result<bool> BlobBatches::try_copy(Round& round, const BlobId& id, const DeviceId& device,
                                   repository::Remote& remote) {
  std::optional<StoredBlob> copy;
  const Status got = remote.get({&id, 1}, {device, true}, [&](StoredBlob blob) -> Status {
    bytes_ += blob.stored.size();
    copy = std::move(blob);
    return {};
  });
  if (!got && !is_of_one_blob(got.error().code)) return failed(got.error());
  if (!got || !copy || copy->head.id != id) return false;
  if (!copy->head.session.is_zero()) CB_TRY(learn(copy->head.session, {device, false}, remote));
  auto opened = open(*copy);
  if (!opened) return false;
  CB_TRY(round.give(id, std::move(opened)));
  return true;
}

Status BlobBatches::after_failure(Round& round, const Error& error, unsigned& lost) {
  if (error.code == Code::not_found) {
    const auto gone = std::vector<BlobId>(round.open.begin(), round.open.end());
    for (const BlobId& id : gone) CB_TRY(round.give(id, failed(missing(id))));
    return {};
  }
  if (!is_of_one_blob(error.code)) return failed(error);
  if (round.open.size() > 1) return one_by_one(round);
  lost = 0;
  Unopened unread{{}, damaged(error)};
  unread.blob.head.id = *round.open.begin();
  if (!devices_) return round.give(unread.blob.head.id, failed(std::move(unread.error)));
  const auto used = remote();
  return try_copies(round, std::move(unread), *used);
}

// One of several cannot be read, and the failure does not tell which.
Status BlobBatches::one_by_one(Round& round) {
  const auto left = std::vector<BlobId>(round.open.begin(), round.open.end());
  for (const BlobId& id : left) {
    CB_TRY(get({&id, 1}, *round.answer));
    round.open.erase(id);
  }
  return {};
}

Status BlobBatches::reconnect(const std::shared_ptr<repository::Remote>& lost) {
  const std::lock_guard lock(mutex_);
  if (remote_ != lost) return {};  // another thread did it
  CB_ASSIGN(remote_, connect_());
  return {};
}

std::map<SessionId, Bytes> BlobBatches::session_records() const {
  const std::lock_guard lock(mutex_);
  return records_;
}

std::shared_ptr<repository::Remote> BlobBatches::remote() {
  const std::lock_guard lock(mutex_);
  return remote_;
}

}  // namespace cb::client
