// SPDX-License-Identifier: Apache-2.0
#include "core/stream/connection.h"

#include <array>
#include <atomic>
#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

#include "core/base/units.h"

namespace cb::stream {

using plugin::IoResult;
using plugin::IoStep;
using Moment = std::chrono::steady_clock::time_point;
using std::chrono::nanoseconds;

namespace {

// So many bytes may move without a wait before the connection lets others of its thread run.
constexpr size_t kTurnBytes = size_t{1} << 20;

Moment after(nanoseconds timeout) {
  if (timeout <= nanoseconds::zero()) return Moment::max();
  const Moment now = std::chrono::steady_clock::now();
  return timeout >= Moment::max() - now ? Moment::max() : now + timeout;
}

}  // namespace

// One of the two operations that may be under way. It sleeps on a timer, which the readiness
// handler cancels; so a deadline needs no second timer, and a wait that timed out may stay armed.
struct Connection::Operation {
  explicit Operation(const asio::any_io_executor& executor) : timer(executor) {}
  asio::steady_timer timer;
  nanoseconds timeout{0};
  std::optional<IoStep> awaits;  // want_read or want_write while it sleeps
  bool busy = false;
  bool ready = false;
};

struct Connection::State : std::enable_shared_from_this<Connection::State> {
  State(asio::any_io_executor e, std::unique_ptr<plugin::Stream> s)
      : executor(std::move(e)),
        stream(std::move(s)),
        descriptor(executor),
        reading(executor),
        writing(executor),
        quiet(executor, Moment::max()) {
    const int fd = stream->fd();
    if (fd < 0) {
      assign_error = asio::error::bad_descriptor;
    } else {
      descriptor.assign(fd, assign_error);
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (descriptor.is_open()) descriptor.release();
  }

  void wake_all() {
    boost::system::error_code ignored;
    if (descriptor.is_open()) descriptor.cancel(ignored);
    reading.timer.cancel();
    writing.timer.cancel();
  }

  [[nodiscard]] bool is_quiet() const {
    return !armed[0] && !armed[1] && !reading.busy && !writing.busy;
  }
  void note_quiet() {
    if (is_quiet()) quiet.cancel();
  }

  void arm(IoStep want);
  void on_ready(IoStep want);
  [[nodiscard]] Status usable() const;
  [[nodiscard]] Error timed_out(nanoseconds limit, std::string_view what);
  void learn_peer();

  asio::any_io_executor executor;
  std::unique_ptr<plugin::Stream> stream;
  asio::posix::stream_descriptor descriptor;
  boost::system::error_code assign_error;
  Operation reading;
  Operation writing;
  asio::steady_timer quiet;     // cancelled when nothing is under way any more
  std::array<bool, 2> armed{};  // a wait for readable, for writable is pending
  std::atomic<bool> cancelled{false};
  bool is_cut = false;             // a write ended in its middle, and another would go on there
  bool dead = false;               // a deadline passed: the state of the stream is unknown
  size_t moved = 0;                // bytes since the last wait
  std::optional<std::byte> ahead;  // what wait_readable took in
  std::optional<Error> held;       // a failure found right behind it
  std::string peer;
};

void Connection::State::arm(IoStep want) {
  bool& is_armed = armed[want == IoStep::want_read ? 0 : 1];
  if (is_armed) return;
  is_armed = true;
  const auto kind = want == IoStep::want_read ? asio::posix::descriptor_base::wait_read
                                              : asio::posix::descriptor_base::wait_write;
  descriptor.async_wait(
      kind, [self = shared_from_this(), want](boost::system::error_code) { self->on_ready(want); });
}

void Connection::State::on_ready(IoStep want) {
  armed[want == IoStep::want_read ? 0 : 1] = false;
  for (Operation* operation : {&reading, &writing}) {
    if (operation->awaits != want) continue;
    operation->ready = true;
    operation->timer.cancel();
  }
  note_quiet();
}

Status Connection::State::usable() const {
  if (cancelled) return failed(Code::cancelled, peer, "the connection was cancelled");
  if (dead || !stream) return failed(Code::state, peer, "the connection is only good for close");
  if (assign_error) {
    return failed(fail_errno(assign_error.value(), peer, "watch the descriptor of the connection"));
  }
  return {};
}

Error Connection::State::timed_out(nanoseconds limit, std::string_view what) {
  dead = true;
  return fail(Code::timeout, peer, std::string(what) + " within " + format_duration(limit),
              "check that the peer runs and that the network passes data both ways");
}

void Connection::State::learn_peer() {
  const Result<Bytes> address = stream->info(CB_INFO_PEER_ADDRESS);
  if (address) peer = std::string(as_text(*address));
}

namespace {

using Operation = Connection::Operation;
using State = Connection::State;

// Marks an operation as under way; the connection closes only when none is.
class Busy {
 public:
  Busy(State& state, Operation& operation) : state_(state), operation_(operation) {
    operation_.busy = true;
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() {
    operation_.busy = false;
    state_.note_quiet();
  }

 private:
  State& state_;
  Operation& operation_;
};

enum class Wake { ready, deadline, cancelled };

// Sleeps until the descriptor is ready for `want`, or until `deadline`.
asio::awaitable<Wake> sleep(State& state, Operation& operation, IoStep want, Moment deadline) {
  operation.ready = false;
  operation.awaits = want;
  state.moved = 0;
  operation.timer.expires_at(deadline);
  state.arm(want);
  boost::system::error_code woken;
  co_await operation.timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  operation.awaits.reset();
  if (state.cancelled) co_return Wake::cancelled;
  if (operation.ready) co_return Wake::ready;
  co_return woken ? Wake::cancelled : Wake::deadline;
}

tl::unexpected<Error> interrupted(State& state, Wake wake, nanoseconds limit,
                                  std::string_view what) {
  if (wake == Wake::deadline) return failed(state.timed_out(limit, what));
  return failed(Code::cancelled, state.peer, "the connection was cancelled");
}

bool wants(IoStep step) { return step == IoStep::want_read || step == IoStep::want_write; }

// Lets other handlers of this thread run after many bytes without a wait.
asio::awaitable<void> take_turns(State& state, size_t bytes) {
  state.moved += bytes;
  if (state.moved < kTurnBytes) co_return;
  state.moved = 0;
  co_await asio::post(state.executor, asio::use_awaitable);
}

Status begin(State& state, Operation& operation, std::string_view what) {
  CB_TRY(state.usable());
  if (operation.busy) {
    return failed(Code::state, state.peer, std::string(what) + " is already under way");
  }
  return {};
}

Task<void> handshake_on(std::shared_ptr<State> state, nanoseconds timeout) {
  CB_CO_TRY(begin(*state, state->reading, "a read"));
  const Busy busy(*state, state->reading);
  const Moment deadline = after(timeout);
  for (;;) {
    const Result<IoStep> step = state->stream->handshake();
    if (!step) co_return failed(step.error());
    if (!wants(*step)) break;
    const Wake wake = co_await sleep(*state, state->reading, *step, deadline);
    if (wake != Wake::ready) {
      co_return interrupted(*state, wake, timeout, "the handshake did not finish");
    }
  }
  state->learn_peer();
  co_return Result<void>{};
}

// Reads without waiting, first what wait_readable took in.
Result<IoResult> read_now(State& state, ByteSpan into) {
  if (state.held) return failed(*state.held);
  if (!state.ahead) return state.stream->read(into);
  into[0] = *state.ahead;
  state.ahead.reset();
  if (into.size() == 1) return IoResult{IoStep::ok, 1};
  // The byte is delivered first. An end shows again at the next read, a failure need not.
  Result<IoResult> more = state.stream->read(into.subspan(1));
  if (!more) state.held = more.error();
  if (!more || more->step != IoStep::ok) return IoResult{IoStep::ok, 1};
  return IoResult{IoStep::ok, more->bytes + 1};
}

Task<size_t> read_on(std::shared_ptr<State> state, ByteSpan into) {
  CB_CO_TRY(begin(*state, state->reading, "a read"));
  if (into.empty()) co_return failed(Code::invalid, state->peer, "no room to read into");
  const Busy busy(*state, state->reading);
  const nanoseconds timeout = state->reading.timeout;
  Moment deadline{};
  for (;;) {
    const Result<IoResult> read = read_now(*state, into);
    if (!read) co_return failed(read.error());
    if (!wants(read->step)) {
      co_await take_turns(*state, read->bytes);
      co_return read->step == IoStep::end ? size_t{0} : read->bytes;
    }
    if (deadline == Moment{}) deadline = after(timeout);
    const Wake wake = co_await sleep(*state, state->reading, read->step, deadline);
    if (wake != Wake::ready) co_return interrupted(*state, wake, timeout, "nothing arrived");
  }
}

Task<void> read_exactly_on(std::shared_ptr<State> state, ByteSpan into) {
  while (!into.empty()) {
    const Result<size_t> got = co_await read_on(state, into);
    if (!got) co_return failed(got.error());
    if (*got == 0) {
      co_return failed(Code::closed, state->peer,
                       "the peer ended the stream with " + std::to_string(into.size()) +
                           " bytes still expected");
    }
    into = into.subspan(*got);
  }
  co_return Result<void>{};
}

Task<bool> wait_readable_on(std::shared_ptr<State> state, nanoseconds timeout) {
  CB_CO_TRY(begin(*state, state->reading, "a read"));
  const Busy busy(*state, state->reading);
  const Moment deadline = after(timeout);
  while (!state->ahead) {
    // Readiness of the descriptor says little about a filter, so a byte is really read.
    std::byte first{};
    const Result<IoResult> read = state->stream->read({&first, 1});
    if (!read) co_return failed(read.error());
    if (read->step == IoStep::end) co_return true;
    if (read->step == IoStep::ok) {
      state->ahead = first;
      break;
    }
    const Wake wake = co_await sleep(*state, state->reading, read->step, deadline);
    if (wake == Wake::deadline) co_return false;
    if (wake == Wake::cancelled) co_return interrupted(*state, wake, timeout, {});
  }
  co_return true;
}

Task<void> write_on(std::shared_ptr<State> state, ByteView from) {
  CB_CO_TRY(begin(*state, state->writing, "a write"));
  if (std::exchange(state->is_cut, true))
    co_return failed(Code::closed, state->peer, "what was written before was cut off");
  const Busy busy(*state, state->writing);
  const nanoseconds timeout = state->writing.timeout;
  Moment deadline{};
  while (!from.empty()) {
    CB_CO_TRY(state->usable());
    const Result<IoResult> wrote = state->stream->write(from);
    if (!wrote) co_return failed(wrote.error());
    if (!wants(wrote->step)) {
      from = from.subspan(wrote->bytes);
      deadline = Moment{};
      co_await take_turns(*state, wrote->bytes);
      continue;
    }
    if (deadline == Moment{}) deadline = after(timeout);
    const Wake wake = co_await sleep(*state, state->writing, wrote->step, deadline);
    if (wake != Wake::ready) co_return interrupted(*state, wake, timeout, "the peer took nothing");
  }
  state->is_cut = false;
  co_return Result<void>{};
}

Task<void> shutdown_on(std::shared_ptr<State> state) {
  CB_CO_TRY(begin(*state, state->writing, "a write"));
  const Busy busy(*state, state->writing);
  const nanoseconds timeout = state->writing.timeout;
  const Moment deadline = after(timeout);
  for (;;) {
    const Result<IoStep> step = state->stream->shutdown();
    if (!step) co_return failed(step.error());
    if (!wants(*step)) co_return Result<void>{};
    const Wake wake = co_await sleep(*state, state->writing, *step, deadline);
    if (wake != Wake::ready) {
      co_return interrupted(*state, wake, timeout, "the peer did not take the end of the stream");
    }
  }
}

asio::awaitable<std::unique_ptr<plugin::Stream>> release_on(std::shared_ptr<State> state) {
  state->cancelled = true;
  state->wake_all();
  while (!state->is_quiet()) {
    boost::system::error_code rung;
    co_await state->quiet.async_wait(asio::redirect_error(asio::use_awaitable, rung));
  }
  if (state->descriptor.is_open()) state->descriptor.release();
  co_return std::move(state->stream);
}

}  // namespace

Connection::Connection(asio::any_io_executor executor, std::unique_ptr<plugin::Stream> stream)
    : state_(std::make_shared<State>(std::move(executor), std::move(stream))) {
  state_->peer = "?";
  state_->learn_peer();
}

// Without a close, the last pending handler (or coroutine) closes the stream.
Connection::~Connection() { cancel(); }

void Connection::set_read_timeout(nanoseconds timeout) { state_->reading.timeout = timeout; }
void Connection::set_write_timeout(nanoseconds timeout) { state_->writing.timeout = timeout; }

Task<void> Connection::handshake(nanoseconds timeout) { return handshake_on(state_, timeout); }
Task<size_t> Connection::read_some(ByteSpan into) { return read_on(state_, into); }
Result<size_t> Connection::read_ready(ByteSpan into) {
  CB_TRY(begin(*state_, state_->reading, "a read"));
  if (into.empty()) return size_t{0};
  CB_ASSIGN(const IoResult read, read_now(*state_, into));
  if (wants(read.step) || read.step == IoStep::end) return size_t{0};
  state_->moved += read.bytes;
  return read.bytes;
}
Task<void> Connection::read_exactly(ByteSpan into) { return read_exactly_on(state_, into); }
Task<bool> Connection::wait_readable(nanoseconds timeout) {
  return wait_readable_on(state_, timeout);
}
Task<void> Connection::write(ByteView from) { return write_on(state_, from); }
Task<void> Connection::shutdown() { return shutdown_on(state_); }

void Connection::cancel() {
  if (state_->cancelled.exchange(true)) return;
  asio::post(state_->executor, [state = state_] { state->wake_all(); });
}

bool Connection::is_cancelled() const { return state_->cancelled; }

asio::awaitable<void> Connection::close() { (void)co_await release_on(state_); }

asio::awaitable<std::unique_ptr<plugin::Stream>> Connection::release() {
  return release_on(state_);
}

std::string Connection::peer() const { return state_->peer; }
plugin::Stream& Connection::stream() { return *state_->stream; }
const asio::any_io_executor& Connection::executor() const { return state_->executor; }

}  // namespace cb::stream
