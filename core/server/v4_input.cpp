// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_input.h"

#include <algorithm>

namespace cb::server {
namespace {

constexpr uint64_t kPacedBytes = 65536;
constexpr std::chrono::seconds kHeldStep{1};

Error cut() { return fail(Code::closed, "connection", "ended in the middle of a frame"); }

}  // namespace

V4Input::V4Input(stream::Connection& connection, const os::Clock& clock, ByteView first)
    : connection_(connection), clock_(clock), end_(first.size()) {
  std::copy(first.begin(), first.end(), small_.begin());
}

stream::Task<bool> V4Input::wait(std::chrono::nanoseconds timeout) {
  if (begin_ != end_) co_return true;
  co_return co_await connection_.wait_readable(timeout);
}

stream::Task<void> V4Input::read(ByteSpan into, std::chrono::nanoseconds timeout) {
  const std::chrono::nanoseconds deadline = clock_.monotonic() + timeout;
  while (!into.empty()) {
    into = into.subspan(take_small(into));
    if (into.empty()) break;
    const std::chrono::nanoseconds left = deadline - clock_.monotonic();
    if (left.count() <= 0) co_return failed(Code::timeout, "frame", "came too slowly");
    connection_.set_read_timeout(left);
    // What is longer than the small buffer needs no copy.
    const bool direct = into.size() >= small_.size();
    CB_CO_ASSIGN(const size_t got, co_await connection_.read_some(direct ? into : small_));
    if (got == 0) co_return failed(cut());
    begin_ = 0;
    end_ = direct ? 0 : got;
    if (direct) into = into.subspan(got);
  }
  co_return Status{};
}

void V4Input::begin_bulk(std::chrono::nanoseconds timeout) {
  pace_ = timeout;
  deadline_ = clock_.monotonic() + timeout;
  paced_ = 0;
}

void V4Input::limit_bulk(TrafficShare& share, WhileHeld while_held) {
  share_ = &share;
  while_held_ = std::move(while_held);
}

// No buffer is held meanwhile.
stream::Task<void> V4Input::wait_for_turn() {
  if (share_ == nullptr) co_return Status{};
  const std::chrono::nanoseconds began = clock_.monotonic();
  while (true) {
    CB_CO_ASSIGN(const uint64_t may, co_await share_->turn(kHeldStep));
    if (may > 0) break;
    CB_CO_TRY(co_await while_held_());
  }
  deadline_ += clock_.monotonic() - began;
  co_return Status{};
}

ByteSpan V4Input::allowed(ByteSpan into) const {
  return share_ == nullptr ? into : into.first(std::min<uint64_t>(into.size(), share_->left()));
}

stream::Task<void> V4Input::wait_bulk() {
  CB_CO_TRY(co_await wait_for_turn());
  if (begin_ != end_) co_return Status{};
  const std::chrono::nanoseconds left = deadline_ - clock_.monotonic();
  if (left.count() <= 0) co_return failed(Code::timeout, "bulk", "comes too slowly");
  CB_CO_ASSIGN(const bool ready, co_await connection_.wait_readable(left));
  if (!ready) co_return failed(Code::timeout, "bulk", "stopped coming");
  co_return Status{};
}

stream::Task<size_t> V4Input::take_bulk(ByteSpan into) {
  into = allowed(into);
  size_t have = take_small(into);
  if (have == 0) {
    connection_.set_read_timeout(pace_);
    CB_CO_ASSIGN(have, co_await connection_.read_some(into));
    if (have == 0) co_return failed(cut());
  }
  count_bulk(have);
  CB_CO_ASSIGN(const size_t more, take_more(into.subspan(have)));
  co_return have + more;
}

Result<size_t> V4Input::take_more(ByteSpan into) {
  into = allowed(into);
  size_t have = 0;
  while (have < into.size()) {
    CB_ASSIGN(const size_t more, connection_.read_ready(into.subspan(have)));
    if (more == 0) break;
    have += more;
  }
  count_bulk(have);
  return have;
}

stream::Task<void> V4Input::skip(uint64_t count) {
  std::array<std::byte, 4096> gone{};
  while (count > 0) {
    CB_CO_TRY(co_await wait_bulk());
    const ByteSpan room = ByteSpan(gone).first(std::min<uint64_t>(count, gone.size()));
    CB_CO_ASSIGN(const size_t got, co_await take_bulk(room));
    count -= got;
  }
  co_return Status{};
}

stream::Task<void> V4Input::drain(std::chrono::nanoseconds time, uint64_t most) {
  const std::chrono::nanoseconds deadline = clock_.monotonic() + time;
  std::array<std::byte, 4096> gone{};
  uint64_t came = 0;
  while (came < most) {
    const std::chrono::nanoseconds left = deadline - clock_.monotonic();
    if (left.count() <= 0) break;
    connection_.set_read_timeout(left);
    CB_CO_ASSIGN(const size_t got, co_await connection_.read_some(gone));
    if (got == 0) break;
    came += got;
  }
  co_return Status{};
}

size_t V4Input::take_small(ByteSpan into) {
  const size_t take = std::min(into.size(), end_ - begin_);
  std::copy_n(small_.begin() + static_cast<ptrdiff_t>(begin_), take, into.begin());
  begin_ += take;
  return take;
}

void V4Input::count_bulk(size_t bytes) {
  if (share_ != nullptr) share_->spend(bytes);
  paced_ += bytes;
  if (paced_ >= kPacedBytes) begin_bulk(pace_);
}

}  // namespace cb::server
