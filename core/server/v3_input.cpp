// SPDX-License-Identifier: Apache-2.0
#include "core/server/v3_input.h"

#include <algorithm>

namespace cb::server {
namespace {

constexpr uint64_t kPacedBytes = 65536;
constexpr std::chrono::seconds kHeldStep{1};

Error cut() { return fail(Code::closed, "connection", "ended in the middle of a request"); }

}  // namespace

V3Input::V3Input(stream::Connection& connection, stream::BufferPool& pool, const os::Clock& clock)
    : connection_(connection), pool_(pool), clock_(clock) {}

void V3Input::preload(ByteView first) {
  std::copy(first.begin(), first.end(), small_.begin());
  end_ = first.size();
}

stream::Task<bool> V3Input::wait(std::chrono::nanoseconds timeout) {
  release();
  if (begin_ != end_) co_return true;
  co_return co_await connection_.wait_readable(timeout);
}

stream::Task<void> V3Input::read(ByteSpan into, std::chrono::nanoseconds timeout) {
  release();
  const std::chrono::nanoseconds deadline = clock_.monotonic() + timeout;
  while (!into.empty()) {
    if (begin_ == end_) {
      const std::chrono::nanoseconds left = deadline - clock_.monotonic();
      if (left.count() <= 0) co_return failed(Code::timeout, "request", "came too slowly");
      connection_.set_read_timeout(left);
      CB_CO_ASSIGN(const size_t got, co_await connection_.read_some(small_));
      if (got == 0) co_return failed(cut());
      begin_ = 0;
      end_ = got;
    }
    into = into.subspan(take_small(into));
  }
  co_return Status{};
}

void V3Input::begin_content(std::chrono::nanoseconds timeout) {
  pace_ = timeout;
  deadline_ = clock_.monotonic() + timeout;
  paced_ = 0;
}

// How much may come now. No buffer is held meanwhile.
stream::Task<uint64_t> V3Input::wait_for_turn() {
  const std::chrono::nanoseconds began = clock_.monotonic();
  while (true) {
    CB_CO_ASSIGN(const uint64_t may, co_await share_->turn(kHeldStep));
    if (may == 0) continue;
    deadline_ += clock_.monotonic() - began;
    co_return may;
  }
}

void V3Input::count_content(size_t bytes) {
  if (share_ != nullptr) share_->spend(bytes);
  paced_ += bytes;
  if (paced_ >= kPacedBytes) begin_content(pace_);
}

size_t V3Input::take_small(ByteSpan into) {
  const size_t take = std::min(into.size(), end_ - begin_);
  std::copy_n(small_.begin() + static_cast<ptrdiff_t>(begin_), take, into.begin());
  begin_ += take;
  return take;
}

stream::Task<ByteView> V3Input::slice(uint64_t most) {
  release();
  if (share_ != nullptr) {
    CB_CO_ASSIGN(const uint64_t may, co_await wait_for_turn());
    most = std::min(most, may);
  }
  if (begin_ == end_) {
    const std::chrono::nanoseconds left = deadline_ - clock_.monotonic();
    if (left.count() <= 0) co_return failed(Code::timeout, "content", "comes too slowly");
    CB_CO_ASSIGN(const bool ready, co_await connection_.wait_readable(left));
    if (!ready) co_return failed(Code::timeout, "content", "stopped coming");
  }
  bulk_ = co_await pool_.take();
  if (!bulk_) co_return failed(Code::cancelled, "connection", "is being closed");
  const ByteSpan room = bulk_.span().first(std::min<uint64_t>(most, bulk_.size()));
  size_t have = take_small(room);
  if (have == 0) {
    connection_.set_read_timeout(pace_);
    CB_CO_ASSIGN(have, co_await connection_.read_some(room));
    if (have == 0) co_return failed(cut());
  }
  // A slice costs its user a change of threads, so it takes along all that has come by now.
  while (have < room.size()) {
    CB_CO_ASSIGN(const size_t more, connection_.read_ready(room.subspan(have)));
    if (more == 0) break;
    have += more;
  }
  count_content(have);
  co_return ByteView(room.first(have));
}

stream::Task<void> V3Input::skip(uint64_t count) {
  while (count > 0) {
    CB_CO_ASSIGN(const ByteView gone, co_await slice(count));
    count -= gone.size();
  }
  release();
  co_return Status{};
}

}  // namespace cb::server
