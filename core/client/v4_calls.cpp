// SPDX-License-Identifier: Apache-2.0
#include "core/client/v4_calls.h"

#include <algorithm>

#include "core/protocol/v4/messages.h"

namespace cb::client {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

namespace {

// The calls whose sink this thread is in.
thread_local V4Calls* in_sink_of = nullptr;

size_t size_of(const V4Part& part) { return part.message.size() + part.blob.stored.size(); }

// Does the answer go on? A list's own word for that counts.
bool has_more(const V4Frame& frame) {
  if (frame.code == v4::Response::blob || frame.code == v4::Response::blob_more) return true;
  if (frame.code != v4::Response::snapshots) return false;
  const auto reply = v4::parse<v4::pb::SnapshotsReply>(frame.message);
  return reply && !reply->last();
}

Error nonsense(const std::string& what) { return fail(Code::corrupt, "answer", what); }

}  // namespace

V4Calls::V4Calls(size_t held, std::function<void()> resume)
    : most_held_(held), resume_(std::move(resume)) {}

uint32_t V4Calls::next_id() {
  const std::lock_guard lock(mutex_);
  do ++last_id_;
  while (last_id_ == v4::kPushedId || calls_.contains(last_id_));
  return last_id_;
}

Result<V4Calls::CallPtr> V4Calls::begin(nanoseconds limit) {
  auto call = std::make_shared<Call>();
  call->id = next_id();
  call->limit = limit;
  call->deadline = steady_clock::now() + limit;
  const std::lock_guard lock(mutex_);
  if (error_) return failed(*error_);
  calls_.emplace(call->id, call);
  return call;
}

Result<V4Part> V4Calls::next(Call& call) {
  const Waiting waiting(*this);
  std::unique_lock lock(mutex_);
  call.came.wait(lock, [&] { return !call.parts.empty() || call.error; });
  if (call.parts.empty()) return failed(*call.error);
  V4Part part = std::move(call.parts.front());
  call.parts.pop_front();
  call.deadline = steady_clock::now() + call.limit;
  give_back(size_of(part), lock);
  return part;
}

void V4Calls::end(const CallPtr& call, bool complete) {
  std::unique_lock lock(mutex_);
  size_t dropped = 0;
  for (const V4Part& part : call->parts) dropped += size_of(part);
  call->parts.clear();
  call->abandoned = true;
  if (complete || call->error) calls_.erase(call->id);
  give_back(dropped, lock);
}

// Unlocks.
void V4Calls::give_back(size_t bytes, std::unique_lock<std::mutex>& lock) {
  held_ -= bytes;
  const bool go_on = paused_ && !is_full();
  if (go_on) paused_ = false;
  lock.unlock();
  if (go_on) resume_();
}

Result<bool> V4Calls::deliver(const V4Frame& frame) {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(frame.request_id);
  if (found == calls_.end()) return false;
  const CallPtr call = found->second;
  progress_ = steady_clock::now();
  call->deadline = progress_ + call->limit;
  if (call->abandoned) {
    if (!has_more(frame)) calls_.erase(found);
    return true;
  }
  if (frame.code == v4::Response::failure) {
    CB_ASSIGN(const auto failure, v4::parse<v4::pb::Failure>(frame.message));
    call->error = v4::error_of(failure);
  } else if (frame.code == v4::Response::blob || frame.code == v4::Response::blob_more) {
    CB_TRY(grow(*call, frame));
  } else {
    held_ += frame.message.size();
    call->parts.push_back({frame.code, to_bytes(frame.message), {}});
  }
  call->came.notify_all();
  return true;
}

// Adds a frame's bulk to the blob under way; a blob that is whole becomes a part.
Status V4Calls::grow(Call& call, const V4Frame& frame) {
  if ((frame.code == v4::Response::blob) == call.growing.has_value())
    return failed(nonsense("has the parts of a blob out of order"));
  if (frame.code == v4::Response::blob) {
    CB_ASSIGN(const auto message, v4::parse<v4::pb::Blob>(frame.message));
    CB_ASSIGN(repository::BlobHead head, v4::head_of(message));
    call.growing.emplace();
    call.growing->stored.reserve(head.stored_size);
    call.growing->head = std::move(head);
  }
  Bytes& stored = call.growing->stored;
  const size_t size = call.growing->head.stored_size;
  if (frame.bulk.size() > size - stored.size())
    return failed(nonsense("has more bytes of a blob than it announced"));
  stored.insert(stored.end(), frame.bulk.begin(), frame.bulk.end());
  if (stored.size() < size) return {};
  held_ += size;
  call.parts.push_back({v4::Response::blob, {}, std::move(*call.growing)});
  call.growing.reset();
  return {};
}

void V4Calls::fail_all(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (error_) return;
  error_ = error;
  for (const auto& [id, call] : calls_) {
    if (!call->error) call->error = error;
    call->came.notify_all();
  }
}

void V4Calls::note_progress() {
  const std::lock_guard lock(mutex_);
  progress_ = steady_clock::now();
}

std::optional<nanoseconds> V4Calls::overdue(Moment now, nanoseconds extension) {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, call] : calls_) {
    call->deadline = std::max(call->deadline + extension, progress_ + call->limit);
    // While parts lie here it is the caller who takes his time.
    if (call->deadline < now && call->parts.empty() && !call->error) return call->limit;
  }
  return std::nullopt;
}

nanoseconds V4Calls::longest_limit() {
  const std::lock_guard lock(mutex_);
  nanoseconds longest{};
  for (const auto& [id, call] : calls_) longest = std::max(longest, call->limit);
  return longest;
}

bool V4Calls::must_pause() {
  const std::lock_guard lock(mutex_);
  paused_ = is_full() && !error_;
  return paused_;
}

V4Calls::InSink::InSink(V4Calls& calls) : before_(in_sink_of) { in_sink_of = &calls; }
V4Calls::InSink::~InSink() { in_sink_of = before_; }

V4Calls::Waiting::Waiting(V4Calls& calls) : lifted_(in_sink_of == &calls ? &calls : nullptr) {
  if (lifted_ == nullptr) return;
  std::unique_lock lock(lifted_->mutex_);
  ++lifted_->lifted_;
  lifted_->give_back(0, lock);
}

V4Calls::Waiting::~Waiting() {
  if (lifted_ == nullptr) return;
  const std::lock_guard lock(lifted_->mutex_);
  --lifted_->lifted_;
}

}  // namespace cb::client
