// SPDX-License-Identifier: Apache-2.0
#include "core/stream/race.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

namespace cb::stream {

using Moment = std::chrono::steady_clock::time_point;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// RFC 8305 section 5 recommends this pause between attempts.
constexpr std::chrono::milliseconds kHeadStart{250};

std::string name_of(const Target& target) {
  return target.host + ":" + std::to_string(target.port);
}

asio::awaitable<void> sleep_until(asio::steady_timer& bell, Moment time) {
  error_code woken;
  bell.expires_at(time);
  co_await bell.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : bell(executor), resolver(executor) {}
  asio::steady_timer bell;
  tcp::resolver resolver;
  bool answered = false;
  error_code error;
  std::vector<std::string> addresses;
};

void begin_lookup(const std::shared_ptr<Lookup>& lookup, const std::string& host) {
  lookup->resolver.async_resolve(
      host, "", tcp::resolver::numeric_service,
      [lookup](error_code error, const tcp::resolver::results_type& results) {
        lookup->answered = true;
        lookup->error = error;
        for (const auto& result : results) {
          std::string address = result.endpoint().address().to_string();
          auto& all = lookup->addresses;
          if (std::find(all.begin(), all.end(), address) == all.end()) all.push_back(address);
        }
        lookup->bell.cancel();
      });
}

struct Race {
  Race(asio::any_io_executor e, Moment d) : executor(std::move(e)), bell(executor), deadline(d) {}

  void cancel_all() {
    for (const auto& runner : runners) runner->cancel();
  }

  asio::any_io_executor executor;
  asio::steady_timer bell;
  Moment deadline;
  std::vector<std::shared_ptr<Connection>> runners;
  size_t running = 0;
  bool won = false;
  bool one_failed = false;
  Winner winner;
  std::optional<Error> last;
};

asio::awaitable<void> run(std::shared_ptr<Race> race, std::shared_ptr<Connection> runner,
                          std::string address) {
  // Zero would mean to wait for ever.
  const auto left = std::max<std::chrono::nanoseconds>(
      race->deadline - std::chrono::steady_clock::now(), std::chrono::nanoseconds(1));
  const Status stands = co_await runner->handshake(left);
  if (stands && !race->won) {
    race->won = true;
    race->winner.address = std::move(address);
    race->winner.stream = co_await runner->release();
    race->cancel_all();
  } else {
    if (!stands && stands.error().code != Code::cancelled) race->last = stands.error();
    race->one_failed = true;
    co_await runner->close();
  }
  --race->running;
  race->bell.cancel();
}

void start(const std::shared_ptr<Race>& race, const plugin::Transport& root,
           const std::string& address, const Target& target) {
  plugin::Endpoint endpoint;
  endpoint.address = address;
  endpoint.port = target.port;
  endpoint.peer_name = target.peer_name;
  Result<std::unique_ptr<plugin::Stream>> stream = root.connect(endpoint);
  if (!stream) {
    race->last = stream.error();
    race->one_failed = true;
    return;
  }
  auto runner = std::make_shared<Connection>(race->executor, std::move(*stream));
  race->runners.push_back(runner);
  ++race->running;
  asio::co_spawn(race->executor, run(race, runner, address), asio::detached);
}

}  // namespace

std::vector<std::string> alternate_families(const std::vector<std::string>& addresses) {
  std::vector<std::string> first, second, mixed;
  const auto is_v6 = [](const std::string& a) { return a.find(':') != std::string::npos; };
  for (const std::string& address : addresses)
    (is_v6(address) == is_v6(addresses.front()) ? first : second).push_back(address);
  for (size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) mixed.push_back(first[i]);
    if (i < second.size()) mixed.push_back(second[i]);
  }
  return mixed;
}

Task<std::vector<std::string>> resolve(asio::any_io_executor executor, std::string host,
                                       Moment deadline) {
  error_code not_numeric;
  (void)asio::ip::make_address(host, not_numeric);
  if (!not_numeric) co_return std::vector<std::string>{host};
  auto lookup = std::make_shared<Lookup>(executor);
  begin_lookup(lookup, host);
  while (!lookup->answered && std::chrono::steady_clock::now() < deadline)
    co_await sleep_until(lookup->bell, deadline);
  if (!lookup->answered) {
    lookup->resolver.cancel();
    co_return failed(Code::timeout, host, "the name was not resolved in time",
                     "check the name servers of this machine");
  }
  if (lookup->error || lookup->addresses.empty()) {
    co_return failed(Code::not_found, host,
                     "the host name has no address: " + lookup->error.message(),
                     "check the spelling, or give a numeric address");
  }
  co_return alternate_families(lookup->addresses);
}

namespace {

// Gives the newest runner its head start: until the race is won, it (or one before) fails, or the
// next may begin. The last one has until nobody runs any more.
asio::awaitable<void> wait_for_news(std::shared_ptr<Race> race, bool is_last) {
  const Moment until =
      is_last ? race->deadline
              : std::min(race->deadline, std::chrono::steady_clock::now() + kHeadStart);
  while (!race->won && std::chrono::steady_clock::now() < until) {
    if (is_last ? race->running == 0 : race->one_failed) co_return;
    co_await sleep_until(race->bell, until);
  }
}

Error why_lost(const Race& race, const Target& target) {
  if (race.last && race.last->code != Code::timeout) {
    return Error(*race.last)
        .with_advice("check that the server runs and listens on " + name_of(target));
  }
  return fail(Code::timeout, name_of(target), "no address answered in time",
              "check that the server runs and that no firewall drops its packets");
}

}  // namespace

Task<Winner> race(asio::any_io_executor executor, plugin::Transport root,
                  std::vector<std::string> addresses, Target target, Moment deadline) {
  auto race = std::make_shared<Race>(std::move(executor), deadline);
  for (const std::string& address : addresses) {
    race->one_failed = false;
    start(race, root, address, target);
    co_await wait_for_news(race, address == addresses.back());
    if (race->won) break;
  }
  while (race->won && !race->winner.stream) co_await sleep_until(race->bell, Moment::max());
  if (race->won) co_return std::move(race->winner);
  race->cancel_all();
  co_return failed(why_lost(*race, target));
}

}  // namespace cb::stream
