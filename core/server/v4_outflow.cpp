// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_outflow.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/protocol/v4/frame.h"
#include "core/protocol/v4/messages.h"

namespace cb::server {
namespace {

namespace asio = boost::asio;

constexpr size_t kPacedBytes = 64 * 1024;
// So long a worker waits for the network at most, and before it lets somebody else have its turn.
constexpr auto kPatience = std::chrono::seconds(1);
constexpr auto kStep = std::chrono::milliseconds(100);
constexpr auto kHeldStep = std::chrono::seconds(1);
constexpr size_t kFrontSize = protocol::kResponseHeaderSize + v4::kFrameHeadSize;

}  // namespace

V4Outflow::V4Outflow(asio::any_io_executor strand, Settings settings, stream::Buffer first,
                     stream::Buffer second)
    : strand_(std::move(strand)),
      filled_(std::make_shared<asio::steady_timer>(strand_)),
      settings_(std::move(settings)),
      count_(second ? 2 : 1) {
  sides_[0].buffer = std::move(first);
  sides_[1].buffer = std::move(second);
}

Status V4Outflow::head(const repository::BlobHead& head) {
  if (cut_ == head.id) {
    cut_.reset();
    skip_ = passed_;
    return append(std::exchange(rest_, {}));
  }
  close_frame();
  blob_ = head.id;
  passed_ = 0;
  skip_ = 0;
  return append(v4::response_front(v4::Response::blob, settings_.request_id,
                                   v4::encode(v4::blob_of(head)), 0));
}

Status V4Outflow::content(ByteView stored) {
  const size_t again = std::min<uint64_t>(skip_, stored.size());
  skip_ -= again;
  stored = stored.subspan(again);
  while (!stored.empty()) {
    if (room().size() < (frame_ ? 1 : kFrontSize + 1)) CB_TRY(hand_over());
    if (!frame_) {
      frame_ = used_;
      used_ += kFrontSize;
    }
    const size_t take = std::min(stored.size(), room().size());
    std::copy_n(stored.begin(), take, room().begin());
    used_ += take;
    passed_ += take;
    bytes_ += take;
    stored = stored.subspan(take);
  }
  return {};
}

void V4Outflow::finish() {
  close_frame();
  {
    const std::lock_guard lock(mutex_);
    if (!behind_) sides_[filling_].full = used_;
    finished_ = true;
  }
  wake();
}

void V4Outflow::resume() {
  used_ = 0;
  const std::lock_guard lock(mutex_);
  finished_ = false;
  if (!std::exchange(behind_, false)) return;
  // One buffer is enough for a slow peer.
  sides_[1].buffer = {};
  count_ = 1;
  filling_ = 0;
  sending_ = 0;
}

// Bytes of whole frames.
Status V4Outflow::append(ByteView raw) {
  while (!raw.empty()) {
    if (room().empty()) {
      Status free = hand_over();
      if (!free) {
        rest_ = to_bytes(raw);
        return free;
      }
    }
    const size_t take = std::min(raw.size(), room().size());
    std::copy_n(raw.begin(), take, room().begin());
    used_ += take;
    raw = raw.subspan(take);
  }
  return {};
}

void V4Outflow::close_frame() {
  if (!frame_) return;
  const size_t size = used_ - *frame_ - kFrontSize;
  const Bytes front = v4::response_front(v4::Response::blob_more, settings_.request_id, {}, size);
  std::copy(front.begin(), front.end(),
            sides_[filling_].buffer.span().begin() + static_cast<ptrdiff_t>(*frame_));
  frame_.reset();
}

Status V4Outflow::hand_over() {
  close_frame();
  {
    const std::lock_guard lock(mutex_);
    sides_[filling_].full = used_;
  }
  wake();
  filling_ = (filling_ + 1) % count_;
  used_ = 0;
  const auto is_over = [this] { return lost_ || sides_[filling_].full == 0; };
  const auto last = std::chrono::steady_clock::now() + kPatience;
  std::unique_lock lock(mutex_);
  while (!emptied_.wait_for(lock, kStep, is_over)) {
    if (std::chrono::steady_clock::now() < last && !settings_.is_wanted()) continue;
    behind_ = true;
    cut_ = blob_;
    return failed(Code::busy, "network", "is behind");
  }
  if (lost_) return failed(Code::closed, "connection", "was lost while blobs were sent");
  return {};
}

void V4Outflow::wake() {
  asio::post(strand_, [timer = filled_] { timer->cancel(); });
}

stream::Task<void> V4Outflow::send(stream::Connection& connection) {
  Status end;
  while (true) {
    size_t full = 0;
    bool finished = false;
    {
      const std::lock_guard lock(mutex_);
      full = sides_[sending_].full;
      finished = finished_;
    }
    if (full == 0 && finished) co_return end;
    if (full == 0) {
      boost::system::error_code woken;
      filled_->expires_after(std::chrono::hours(1));
      co_await filled_->async_wait(asio::redirect_error(asio::use_awaitable, woken));
      continue;
    }
    if (end) end = co_await write(connection, sides_[sending_].buffer.span().first(full));
    {
      const std::lock_guard lock(mutex_);
      sides_[sending_].full = 0;
      lost_ = !end;
    }
    emptied_.notify_all();
    sending_ = (sending_ + 1) % count_;
  }
}

// How much may go now. Nothing can be said meanwhile: it may be the middle of a frame.
stream::Task<uint64_t> V4Outflow::wait_for_turn() const {
  if (settings_.share == nullptr) co_return uint64_t{kPacedBytes};
  while (true) {
    CB_CO_ASSIGN(const uint64_t may, co_await settings_.share->turn(kHeldStep));
    if (may > 0) co_return may;
  }
}

stream::Task<void> V4Outflow::write(stream::Connection& connection, ByteView bytes) const {
  while (!bytes.empty()) {
    CB_CO_ASSIGN(const uint64_t may, co_await wait_for_turn());
    const auto began = std::chrono::steady_clock::now();
    const ByteView some = bytes.first(std::min<uint64_t>({bytes.size(), kPacedBytes, may}));
    if (settings_.share != nullptr) settings_.share->spend(some.size());
    CB_CO_TRY(co_await connection.write(some));
    if (std::chrono::steady_clock::now() - began > settings_.pace) {
      // In the middle of a frame nothing else can be said.
      connection.cancel();
      co_return failed(Code::timeout, connection.peer(), "takes its blobs too slowly");
    }
    bytes = bytes.subspan(some.size());
  }
  co_return Status{};
}

}  // namespace cb::server
