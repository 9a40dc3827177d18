// SPDX-License-Identifier: Apache-2.0
#include "core/client/v3_sender.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <map>

#include "core/client/v3_account.h"
#include "core/client/v3_session.h"
#include "core/client/v3_upload.h"
#include "core/protocol/v3/names.h"

namespace cb::client {
namespace {

namespace asio = boost::asio;

// How long run() may go on after stop().
constexpr std::chrono::milliseconds kGrace{500};

V3Outcome outcome_of(V3Upload::End end) {
  switch (end) {
    case V3Upload::End::confirmed:
      return V3Outcome::confirmed;
    case V3Upload::End::not_confirmed:
      return V3Outcome::not_confirmed;
    case V3Upload::End::unreadable:
      return V3Outcome::unreadable;
    case V3Upload::End::refused:
      return V3Outcome::refused;
    case V3Upload::End::again:
    case V3Upload::End::broken:
      break;
  }
  return V3Outcome::failed;
}

}  // namespace

std::string_view name_of(V3Outcome outcome) {
  switch (outcome) {
    case V3Outcome::confirmed:
      return "confirmed";
    case V3Outcome::not_confirmed:
      return "not confirmed";
    case V3Outcome::unreadable:
      return "unreadable";
    case V3Outcome::refused:
      return "refused";
    case V3Outcome::denied:
      return "denied";
    case V3Outcome::unreachable:
      return "unreachable";
    case V3Outcome::failed:
      return "failed";
  }
  return "unknown";
}

Status check_distinct_names(const std::vector<os::Path>& files) {
  std::map<std::string, std::string> seen;
  for (const os::Path& file : files) {
    const std::string path = file.string();
    const auto [at, fresh] = seen.emplace(v3::last_component(path), path);
    if (!fresh)
      return failed(Code::invalid, path, "would be stored under the same name as " + at->second,
                    "v3 keeps no folders: send one of them under another name");
  }
  return {};
}

struct V3Sender::State {
  State(Parts parts_in, V3SendSettings settings_in, V3SendObserver observer_in)
      : parts(std::move(parts_in)),
        settings(std::move(settings_in)),
        observer(std::move(observer_in)) {}

  void note(const std::string& text) const {
    if (observer.note) observer.note(text);
  }
  void measure(const std::vector<os::Path>& files);
  void show(uint64_t file_done);
  void ended(V3FileReport file_report);
  asio::awaitable<void> send_all(std::vector<os::Path> files);
  asio::awaitable<V3FileReport> send_file(const os::Path& file);
  asio::awaitable<V3Upload::Verdict> send_once(V3Transfer& transfer);
  asio::awaitable<V3FileReport> send_transfer(V3Transfer& transfer, V3FileReport file_report);
  asio::awaitable<std::optional<Error>> ensure_session();
  asio::awaitable<void> pause_after(const Error& error, const V3Transfer& transfer);
  asio::awaitable<void> hang_up();
  asio::awaitable<void> drop_stale_session();

  void wind_up();

  Parts parts;
  V3SendSettings settings;
  V3SendObserver observer;
  // Destroyed after the connections, which are its users.
  asio::io_context io{1};
  asio::signal_set signals{io};
  asio::steady_timer grace{io};
  uint32_t chunk = 0;
  std::optional<V3Account> account;
  std::unique_ptr<V3Dialler> dialler;
  std::optional<V3Session> session;
  // Some servers close after each file; then the next one does not try its luck.
  bool one_file_each = false;
  V3SendProgress progress;
  V3SendReport report;
  std::atomic<bool> stopped{false};
};

V3Sender::V3Sender(Parts parts, V3SendSettings settings, V3SendObserver observer)
    : state_(std::make_unique<State>(std::move(parts), std::move(settings), std::move(observer))) {}

V3Sender::~V3Sender() = default;

void V3Sender::stop() {
  if (state_->stopped.exchange(true)) return;
  asio::post(state_->io, [state = state_.get()] { state->wind_up(); });
}

// Cancels what waits. A look-up or a connection in the making cannot be; after the grace they are
// left behind.
void V3Sender::State::wind_up() {
  if (dialler) dialler->cancel();
  if (session) session->wire->cancel();
  grace.expires_after(kGrace);
  grace.async_wait([this](boost::system::error_code error) {
    if (!error) io.stop();
  });
}

Result<V3SendReport> V3Sender::run(const std::vector<os::Path>& files, bool on_signals) {
  State& state = *state_;
  CB_ASSIGN(const cb_crypto_props props, state.parts.suites->sha256.props());
  state.chunk = props.chunk_plain;
  CB_ASSIGN(V3Account account,
            V3Account::open(V3IdentityFolder(*state.parts.files, state.parts.identity_folder),
                            *state.parts.suites, state.settings.user_name));
  state.account.emplace(std::move(account));
  state.dialler = std::make_unique<V3Dialler>(V3Dialler::Parts{
      state.parts.stack, &*state.account, &state.settings, state.parts.clock, state.parts.random,
      [&state](const std::string& text) { state.note(text); }});
  state.measure(files);
  if (on_signals) {
    state.signals.add(SIGINT);
    state.signals.add(SIGTERM);
    state.signals.async_wait([this](boost::system::error_code error, int) {
      if (!error) stop();
    });
  }
  asio::co_spawn(state.io, state.send_all(files), [&state](std::exception_ptr thrown) {
    state.signals.cancel();
    state.grace.cancel();
    if (thrown) std::rethrow_exception(thrown);
  });
  state.io.run();
  state.report.interrupted = state.stopped;
  if (state.account->id()) state.report.client_id = state.account->id()->hex();
  return std::move(state.report);
}

// Sizes before the start, so that progress has an end; what cannot be read is reported in its turn.
void V3Sender::State::measure(const std::vector<os::Path>& files) {
  progress.files_total = files.size();
  report.files_total = files.size();
  for (const os::Path& file : files)
    if (const auto info = parts.files->info(file); info && info->is_regular())
      progress.bytes_total += info->size;
}

void V3Sender::State::show(uint64_t file_done) {
  progress.bytes_done += file_done - progress.file_done;
  progress.file_done = file_done;
  if (observer.progress) observer.progress(progress);
}

void V3Sender::State::ended(V3FileReport file_report) {
  ++progress.files_done;
  if (observer.file_ended) observer.file_ended(file_report);
  report.files.push_back(std::move(file_report));
}

asio::awaitable<void> V3Sender::State::send_all(std::vector<os::Path> files) {
  for (const os::Path& file : files) {
    if (stopped) break;
    auto file_report = co_await send_file(file);
    // What was cut short on purpose has no outcome, unless it was done just then.
    if (!stopped || file_report.outcome == V3Outcome::confirmed) ended(std::move(file_report));
  }
  co_await hang_up();
}

asio::awaitable<V3FileReport> V3Sender::State::send_file(const os::Path& file) {
  V3FileReport file_report;
  file_report.file = file;
  auto transfer = open_transfer(*parts.files, file, settings);
  if (!transfer) {
    file_report.outcome = V3Outcome::unreadable;
    file_report.error = std::move(transfer).error();
    co_return file_report;
  }
  file_report.size = transfer->size;
  progress.file = file.string();
  progress.file_done = 0;
  progress.file_total = transfer->size;
  show(0);
  co_return co_await send_transfer(*transfer, std::move(file_report));
}

asio::awaitable<V3FileReport> V3Sender::State::send_transfer(V3Transfer& transfer,
                                                             V3FileReport file_report) {
  for (uint32_t tries = 0; !stopped;) {
    file_report.error = co_await ensure_session();
    if (file_report.error) {
      file_report.outcome =
          file_report.error->code == Code::denied ? V3Outcome::denied : V3Outcome::unreachable;
      break;
    }
    const bool reused = session->used;
    auto verdict = co_await send_once(transfer);
    if (verdict.end == V3Upload::End::broken) {
      one_file_each = one_file_each || reused;
      if (!reused) ++tries;
      if (tries < settings.max_tries) {
        if (!reused) co_await pause_after(*verdict.error, transfer);
        continue;
      }
    }
    if (verdict.end == V3Upload::End::again) continue;
    file_report.outcome = outcome_of(verdict.end);
    file_report.error = std::move(verdict.error);
    break;
  }
  file_report.cksum = transfer.cksum;
  file_report.uploads = transfer.uploads;
  co_return file_report;
}

// Nothing: there is a session. Else why there is none.
asio::awaitable<std::optional<Error>> V3Sender::State::ensure_session() {
  co_await drop_stale_session();
  if (session) co_return std::nullopt;
  auto reached = co_await dialler->reach();
  if (!reached) co_return std::move(reached).error();
  session.emplace(std::move(*reached));
  co_return std::nullopt;
}

asio::awaitable<void> V3Sender::State::pause_after(const Error& error, const V3Transfer& transfer) {
  if (stopped) co_return;
  note(error.text() + "; sending " + transfer.path.string() + " again");
  co_await dialler->pause();
}

// Sends the file over the session, and ends the session when it is of no more use.
asio::awaitable<V3Upload::Verdict> V3Sender::State::send_once(V3Transfer& transfer) {
  V3Upload upload(*session->wire, *account->id(), session->key, chunk, settings);
  auto verdict = co_await upload.run(
      transfer, [this](uint64_t done) { show(done); },
      [this](const std::string& text) { note(text); });
  session->used = true;
  const bool clean = verdict.end == V3Upload::End::confirmed;
  if (!clean || one_file_each || !session->wire->usable()) co_await hang_up();
  co_return verdict;
}

// A session is of no more use when the server has closed it meanwhile or said something unasked.
asio::awaitable<void> V3Sender::State::drop_stale_session() {
  while (session && session->used) {
    const auto pending = co_await session->wire->pending();
    if (pending && !*pending) co_return;
    const auto reply = co_await session->wire->receive(settings.response_timeout);
    if (reply && reply->kind == v3::Reply::acknowledged) continue;
    one_file_each = true;
    co_await hang_up();
  }
}

asio::awaitable<void> V3Sender::State::hang_up() {
  if (!session) co_return;
  co_await session->wire->close();
  session.reset();
}

}  // namespace cb::client
