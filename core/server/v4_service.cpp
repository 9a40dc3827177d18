// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_service.h"

#include <mutex>

#include "core/server/v4_session.h"

namespace cb::server {

struct V4Service::State {
  State(const Parts& with, const V4Settings& given)
      : running(std::make_shared<V4Running>()),
        accounts({with.accounts, with.engine, with.notes, with.seen, with.clock}),
        joining({with.accounts, with.engine, with.notes, with.clock, &changes}),
        owners({with.accounts, with.engine, with.notes, running.get(), with.clock, &changes}),
        migration(with_locks(with.migration)),
        replicas(
            {with.accounts, with.replication, with.engine, with.clock, with.server_key, with.log}),
        guard(*with.clock, given),
        shared{with,      &accounts,     &joining, &owners,  &migration,
               &replicas, running.get(), &guard,   &counters},
        settings(given) {}

  AccountLocks changes;
  std::shared_ptr<V4Running> running;
  V4Accounts accounts;
  V4Joining joining;
  V4Owners owners;
  V4Migration migration;
  V4Replicas replicas;
  V4Guard guard;
  V4Counters counters;
  V4Session::Shared shared;

  std::mutex mutex;
  // Guarded by mutex:
  V4Settings settings;

  V4Migration::Parts with_locks(V4Migration::Parts parts) {
    parts.changes = &changes;
    return parts;
  }
  V4Settings current() {
    const std::lock_guard lock(mutex);
    return settings;
  }
};

V4Service::V4Service(const Parts& parts, const V4Settings& settings)
    : state_(std::make_unique<State>(parts, settings)) {}
V4Service::~V4Service() = default;

boost::asio::awaitable<void> V4Service::serve(std::unique_ptr<stream::Connection> connection,
                                              ByteView first) {
  V4Session session(state_->shared, state_->current(), std::move(connection), first);
  co_await session.run();
}

void V4Service::reconfigure(const V4Settings& settings) {
  state_->guard.reconfigure(settings);
  const std::lock_guard lock(state_->mutex);
  state_->settings = settings;
}

Result<uint64_t> V4Service::settle_migrations() { return state_->migration.settle_all(); }

V4Settings V4Service::settings() const { return state_->current(); }

uint64_t V4Service::locked_out() const { return state_->guard.locked_out(); }

V4Running& V4Service::running() { return *state_->running; }

const V4Counters& V4Service::counters() const { return state_->counters; }

}  // namespace cb::server
