// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_puts.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/protocol/v4/frame.h"

namespace cb::server {
namespace {

using boost::asio::awaitable;

// After so many bytes the client is told that they have been consumed.
constexpr uint64_t kTellAfter = 256 * 1024;
// So many blobs at most wait for becoming durable; more begin a flush.
constexpr size_t kMostUnderWay = 50'000;
constexpr auto kAgeStep = std::chrono::seconds(1);
// How long a client that is held up waits for a word.
constexpr auto kRemindAfter = std::chrono::seconds(10);
// How long other sessions may take to make durable what this one left to them, and how often that
// is looked at.
constexpr auto kClosePatience = std::chrono::seconds(20);
constexpr auto kLook = std::chrono::milliseconds(50);

Error disorder(std::string cause) { return fail(Code::state, "blob", std::move(cause)); }

// Is it the store that fails, and for long? Then the session can go on without blobs. Not so after
// a broken rule or a defect, nor when another session is likely to have more luck.
bool is_lasting(const Error& error) {
  switch (error.code) {
    case Code::invalid:
    case Code::state:
    case Code::internal:
    case Code::timeout:
    case Code::busy:
    case Code::cancelled:
    case Code::closed:
      return false;
    default:
      return true;
  }
}

}  // namespace

V4Puts::V4Puts(const Parts& parts, boost::asio::any_io_executor strand)
    : parts_(parts), job_(*parts.workers, std::move(strand)) {}

void V4Puts::set_owner(const repository::RepositoryId& repository,
                       const repository::Viewer& owner) {
  repository_ = repository;
  owner_ = owner;
}

stream::Task<void> V4Puts::put(uint32_t request_id, repository::BlobHead head, size_t message_size,
                               uint64_t bulk, V4Input& input) {
  CB_CO_TRY(co_await settle());
  request_id_ = request_id;
  if (open_) co_return failed(disorder("begins before the last one came whole"));
  if (bulk != v4::bulk_in_frame(message_size, head.stored_size))
    co_return failed(disorder("has " + std::to_string(bulk) + " bytes in its first frame, not " +
                              std::to_string(v4::bulk_in_frame(message_size, head.stored_size))));
  const uint64_t size = head.stored_size;
  open_ = Open{std::move(head), size, false};
  co_return co_await take_in(bulk, input);
}

stream::Task<void> V4Puts::more(uint32_t request_id, uint64_t bulk, V4Input& input) {
  if (!open_ || request_id != request_id_)
    co_return failed(disorder("is continued and was not begun"));
  if (bulk != v4::bulk_in_frame(0, open_->remaining))
    co_return failed(disorder("has " + std::to_string(bulk) + " bytes in a further frame, not " +
                              std::to_string(v4::bulk_in_frame(0, open_->remaining))));
  co_return co_await take_in(bulk, input);
}

stream::Task<void> V4Puts::take_in(uint64_t bulk, V4Input& input) {
  input.begin_bulk(parts_.bulk_timeout);
  while (bulk > 0) {
    if (refused_) co_return co_await drop(bulk, input);
    CB_CO_TRY(co_await input.wait_bulk());
    CB_CO_ASSIGN(stream::Buffer buffer, co_await take_buffer());
    const ByteSpan room = buffer.span().first(std::min<uint64_t>(bulk, buffer.size()));
    CB_CO_ASSIGN(size_t size, co_await input.take_bulk(room));
    CB_CO_TRY(co_await settle());
    CB_CO_ASSIGN(const size_t more, input.take_more(room.subspan(size)));
    size += more;
    bulk -= size;
    if (refused_)
      consume(size);
    else
      store(std::move(buffer), size);
    CB_CO_TRY(co_await tell());
  }
  co_return Status{};
}

// What was under way when a blob was refused, and what the client sends all the same.
stream::Task<void> V4Puts::drop(uint64_t bulk, V4Input& input) {
  CB_CO_TRY(co_await input.skip(bulk));
  consume(bulk);
  co_return co_await tell();
}

// While a worker has one buffer, a second is only taken when it is free at once.
stream::Task<stream::Buffer> V4Puts::take_buffer() {
  if (job_.running()) {
    stream::Buffer buffer = parts_.buffers->try_take();
    if (buffer) co_return buffer;
    CB_CO_TRY(co_await settle());
  }
  stream::Buffer buffer = co_await parts_.buffers->take();
  if (!buffer) co_return failed(Code::cancelled, "connection", "is being closed");
  co_return buffer;
}

// Hands a piece of the open blob to a worker; no job is under way.
void V4Puts::store(stream::Buffer buffer, size_t size) {
  const bool begins = !std::exchange(open_->begun, true);
  auto held = std::make_shared<stream::Buffer>(std::move(buffer));
  auto head = begins ? std::make_shared<repository::BlobHead>(open_->head) : nullptr;
  const bool ends = consume(size);
  if (ends) ++ended_;
  const bool many = ended_ - std::max(durable_, flushed_) >= kMostUnderWay;
  if (ends && many) flushed_ = ended_;
  job_.start([this, held, head, size, ends, many]() -> Status {
    CB_TRY(open_intake());
    if (head) CB_TRY(intake_->begin(*head));
    CB_TRY(intake_->content(held->span().first(size)));
    *held = {};
    if (ends) CB_TRY(intake_->end());
    if (ends && many) CB_TRY(intake_->flush());
    durable_ = intake_->durable();
    return {};
  });
}

bool V4Puts::consume(size_t bytes) {
  progress_.bytes += bytes;
  open_->remaining -= bytes;
  if (open_->remaining > 0) return false;
  open_.reset();
  return true;
}

// On a worker.
Status V4Puts::open_intake() {
  if (intake_) return {};
  CB_ASSIGN(intake_, parts_.engine->begin(repository_, owner_, false));
  return {};
}

stream::Task<void> V4Puts::settle() {
  const Status end = co_await job_.finish();
  if (!end) co_return co_await refuse(end.error());
  progress_.durable = durable_;
  co_return Status{};
}

// No job is under way, here and below. The intake is given up; what it can still make durable
// becomes so.
stream::Task<void> V4Puts::refuse(Error why) {
  if (!is_lasting(why)) co_return failed(std::move(why));
  co_return co_await give_up(std::move(why));
}

stream::Task<void> V4Puts::deny(uint32_t request_id, Error why) {
  CB_CO_TRY(co_await settle());
  if (refused_) co_return Status{};
  request_id_ = request_id;
  co_return co_await give_up(std::move(why));
}

stream::Task<void> V4Puts::give_up(Error why) {
  refused_ = std::move(why);
  durable_ = co_await parts_.workers->run([this] {
    if (!intake_) return durable_;
    (void)intake_->flush();
    const uint64_t durable = intake_->durable();
    intake_.reset();
    return durable;
  });
  progress_.durable = durable_;
  co_return co_await tell_refused_(request_id_, *refused_);
}

stream::Task<void> V4Puts::flush() {
  CB_CO_TRY(co_await settle());
  if (!intake_) co_return Status{};
  const auto look = [](repository::Intake& intake) -> Result<bool> {
    CB_TRY(intake.flush());
    return intake.settle({});
  };
  const std::chrono::nanoseconds until = parts_.clock->monotonic() + kClosePatience;
  while (true) {
    const Result<bool> settled = co_await with_intake(look);
    if (!settled) co_return co_await refuse(settled.error());
    if (*settled || parts_.clock->monotonic() >= until) co_return co_await tell();
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, kLook);
    (void)co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
}

stream::Task<void> V4Puts::age() {
  if (job_.running() || !intake_ || open_ || is_all_durable()) co_return Status{};
  const std::chrono::nanoseconds now = parts_.clock->monotonic();
  if (now - aged_ < kAgeStep && !intake_->is_wanted()) co_return Status{};
  aged_ = now;
  const Status closed =
      co_await with_intake([](repository::Intake& intake) { return intake.close_old(); });
  if (!closed) co_return co_await refuse(closed.error());
  co_return co_await tell();
}

stream::Task<void> V4Puts::tell() {
  if (!job_.running()) progress_.durable = durable_;
  const bool is_due = progress_.bytes - told_.bytes >= kTellAfter ||
                      progress_.durable != told_.durable ||
                      (progress_.bytes != told_.bytes && !job_.running());
  if (!is_due) co_return Status{};
  told_ = progress_;
  told_at_ = parts_.clock->monotonic();
  co_return co_await tell_(told_);
}

stream::Task<void> V4Puts::remind() {
  if (parts_.clock->monotonic() - told_at_ < kRemindAfter) co_return Status{};
  CB_CO_TRY(co_await settle());
  told_ = progress_;
  told_at_ = parts_.clock->monotonic();
  co_return co_await tell_(told_);
}

stream::Task<std::vector<bool>> V4Puts::have(const std::vector<repository::BlobId>& ids) {
  CB_CO_TRY(co_await settle());
  co_return co_await parts_.workers->run(
      [&] { return intake_ ? intake_->have(ids) : parts_.engine->have(repository_, owner_, ids); });
}

awaitable<void> V4Puts::close() {
  const Status last = co_await job_.finish();
  const bool cut_off = intake_ && open_ && open_->begun && last;
  open_.reset();
  (void)co_await parts_.workers->run([this, cut_off] {
    if (cut_off) intake_->cut();
    intake_.reset();
    return 0;
  });
}

}  // namespace cb::server
