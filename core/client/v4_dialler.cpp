// SPDX-License-Identifier: Apache-2.0
#include "core/client/v4_dialler.h"

#include <charconv>
#include <condition_variable>

#include "core/base/units.h"

namespace cb::client {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

// What cancel() wakes.
struct V4Dialler::Waiting {
  std::mutex mutex;
  std::condition_variable woken;
  bool cancelled = false;

  // False when it was cancelled.
  bool sleep(nanoseconds duration) {
    std::unique_lock lock(mutex);
    return !woken.wait_for(lock, duration, [this] { return cancelled; });
  }
};

namespace {

// May it pass by itself?
bool passes_by_itself(const Error& error) {
  if (error.retry == Retry::no) return false;
  return error.code == Code::closed || error.code == Code::timeout || error.code == Code::io ||
         error.code == Code::busy || error.code == Code::not_found || error.retry == Retry::yes;
}

Error bad_server(const std::string& text) {
  return fail(Code::invalid, text, "is no server address", "write HOST:PORT or [ADDRESS]:PORT");
}

}  // namespace

Result<stream::Target> parse_server(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return failed(bad_server(text));
  stream::Target target;
  target.host = text.substr(0, colon);
  const bool bracketed = target.host.front() == '[' && target.host.back() == ']';
  if (bracketed) target.host = target.host.substr(1, target.host.size() - 2);
  if (!bracketed && target.host.find(':') != std::string::npos) return failed(bad_server(text));
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, target.port);
  if (error != std::errc() || stop != end || target.port == 0 || target.host.empty())
    return failed(bad_server(text));
  return target;
}

V4Dialler::V4Dialler(Parts parts, V4DialSettings settings)
    : parts_(std::move(parts)),
      settings_(settings),
      backoff_(settings.backoff, *parts_.random),
      breaker_(settings.breaker, *parts_.clock),
      waiting_(std::make_shared<Waiting>()) {}

Result<std::shared_ptr<V4Session>> V4Dialler::reach() {
  const std::lock_guard lock(dialling_);
  if (parts_.reach.servers.empty())
    return failed(Code::invalid, "profile", "names no server", "enrol again");
  const auto deadline = steady_clock::now() + settings_.give_up;
  for (;;) {
    if (!waiting_->sleep(nanoseconds::zero()))
      return failed(Code::cancelled, "connection", "was given up");
    const bool allowed = breaker_.allows();
    Result<std::shared_ptr<V4Session>> session =
        allowed ? try_once()
                : failed(Code::busy, "connection", "rests after many failures", "try again later");
    if (session) {
      breaker_.succeeded();
      backoff_.reset();
      return session;
    }
    if (allowed) breaker_.failed();
    const nanoseconds pause = backoff_.next();
    if (!passes_by_itself(session.error()) || steady_clock::now() + pause > deadline)
      return session;
    if (parts_.note)
      parts_.note(session.error().text() + "; trying again in " + format_duration(pause));
    waiting_->sleep(pause);
  }
}

// One try with each server, beginning with the one that answered last.
Result<std::shared_ptr<V4Session>> V4Dialler::try_once() {
  Result<std::shared_ptr<V4Session>> session;
  for (size_t tried = 0; tried < parts_.reach.servers.size(); ++tried) {
    const stream::Target& server = parts_.reach.servers[next_server_];
    session = V4Session::open(parts_.stack, server, parts_.reach.identity, settings_.limits);
    if (session || !passes_by_itself(session.error())) return session;
    next_server_ = (next_server_ + 1) % parts_.reach.servers.size();
  }
  return session;
}

void V4Dialler::cancel() {
  const std::lock_guard lock(waiting_->mutex);
  waiting_->cancelled = true;
  waiting_->woken.notify_all();
}

}  // namespace cb::client
