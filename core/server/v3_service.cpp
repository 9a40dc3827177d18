// SPDX-License-Identifier: Apache-2.0
#include "core/server/v3_service.h"

#include <mutex>
#include <utility>

#include "core/server/v3_session.h"

namespace cb::server {

struct V3Service::State {
  State(const Parts& given, const V3Settings& with)
      : parts(given), registrations(*given.clock, with.registrations_per_minute), settings(with) {}

  Parts parts;
  std::unique_ptr<V3Accounts> accounts;
  RateLimit registrations;
  V3Counters counters;
  V3Session::Shared shared;

  std::mutex mutex;
  // Guarded by mutex:
  V3Settings settings;

  V3Settings current() {
    const std::lock_guard lock(mutex);
    return settings;
  }
};

V3Service::V3Service(std::unique_ptr<State> state) : state_(std::move(state)) {}
V3Service::~V3Service() = default;

Result<std::unique_ptr<V3Service>> V3Service::open(Parts parts, const V3Settings& settings) {
  auto state = std::make_unique<State>(parts, settings);
  CB_ASSIGN(state->accounts,
            V3Accounts::open(V3Accounts::Parts{parts.registry, parts.catalog, parts.clock,
                                               parts.ids, parts.policy}));
  state->shared =
      V3Session::Shared{parts, state->accounts.get(), &state->registrations, &state->counters};
  return std::unique_ptr<V3Service>(new V3Service(std::move(state)));
}

boost::asio::awaitable<void> V3Service::serve(std::unique_ptr<stream::Connection> connection,
                                              V3Listener listener, ByteView first) {
  V3Session session(state_->shared, state_->current(), std::move(listener), std::move(connection),
                    first);
  co_await session.run();
}

void V3Service::reconfigure(const V3Settings& settings) {
  state_->registrations.set_rate(settings.registrations_per_minute);
  const std::lock_guard lock(state_->mutex);
  state_->settings = settings;
}

V3Settings V3Service::settings() const { return state_->current(); }

std::string V3Service::refusal() {
  const Result<plugin::StoreSpace> space = state_->parts.store->space();
  const uint64_t reserve = state_->current().space_reserve;
  if (!space || space->free >= reserve) return {};
  return "the store has " + format_size(space->free) + " left, less than the reserve of " +
         format_size(reserve);
}

const V3Counters& V3Service::counters() const { return state_->counters; }

}  // namespace cb::server
