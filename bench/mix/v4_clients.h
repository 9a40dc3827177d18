// SPDX-License-Identifier: Apache-2.0
//
// Well-behaved clients of protocol 4: sessions that are logged in, and what each does from time to
// time. Coroutines of one thread.
#pragma once

#include <memory>
#include <random>
#include <vector>

#include "bench/load_v4_fleet.h"
#include "bench/mix/figures.h"
#include "bench/mix/ledger.h"
#include "bench/mix/pace.h"

namespace cb::bench {

class V4Clients {
 public:
  // All outlive it.
  V4Clients(Fleet& fleet, size_t sessions, size_t devices, Figures& figures,
            std::mt19937_64& random);

  // Logs session `index` in.
  stream::Task<void> come(size_t index);
  // Some session that has nothing to do does this, or backs up where there is nothing to restore or
  // to forget yet; its time counts from `due`, and what comes of
  // it is noted. Not heartbeats.
  boost::asio::awaitable<void> act(Act act, std::chrono::steady_clock::time_point due);
  // Heartbeats of all sessions that have nothing to do, spread over `period`, until `over`.
  boost::asio::awaitable<void> beat(std::chrono::nanoseconds period, const bool& over);
  // All leave.
  boost::asio::awaitable<void> leave();

  [[nodiscard]] size_t size() const { return sessions_.size(); }
  [[nodiscard]] const Ledger& ledger() const { return ledger_; }
  // May another conversation begin? One address begins few a minute.
  [[nodiscard]] Pace& conversations() { return conversations_; }

 private:
  struct Session {
    std::unique_ptr<V4Caller> caller;
    bool is_busy = false;
  };

  // What can be done instead where nothing is there to restore, or to forget.
  [[nodiscard]] Act possible(Act act, size_t index) const;
  // Marks a session as busy, and waits when all are.
  boost::asio::awaitable<size_t> take();
  boost::asio::awaitable<Status> run(Act act, size_t index);
  stream::Task<void> log_in(Fleet::Way way, size_t index);
  stream::Task<void> back_up(size_t index);
  stream::Task<void> restore(size_t index);
  stream::Task<void> forget(size_t index);
  stream::Task<void> heartbeat(size_t index);
  [[nodiscard]] size_t device_of(size_t index) const { return index % devices_; }
  std::vector<repository::BlobId> choose_blobs(size_t device);

  Fleet& fleet_;
  size_t devices_;
  Figures& figures_;
  std::mt19937_64& random_;
  std::vector<Session> sessions_;
  Ledger ledger_;
  Pace conversations_;
};

}  // namespace cb::bench
