// SPDX-License-Identifier: Apache-2.0
//
// Leads a run of mixed load through its phases. For one thread.
#pragma once

#include <memory>
#include <optional>

#include "bench/mix/drive.h"
#include "bench/mix/misbehaving.h"
#include "bench/mix/samples.h"
#include "bench/mix/upkeep.h"

namespace cb::bench {

class Conductor {
 public:
  // All outlive it. The devices of both fleets are enrolled.
  Conductor(const MixPlan& plan, Fleet& good, Fleet& bad);

  // All phases; returns when everybody has left, or the daemon does not let go.
  void run();

  [[nodiscard]] const Figures& figures() const { return figures_; }
  [[nodiscard]] const Samples& samples() const { return *samples_; }
  [[nodiscard]] const Misbehaving& misbehaving() const { return misbehaving_; }
  [[nodiscard]] const Upkeep& upkeep() const { return *upkeep_; }
  [[nodiscard]] const Drive& drive() const { return drive_; }
  [[nodiscard]] size_t acknowledged() const { return v4_.ledger().sum(); }

  // The daemon before anybody came, with those who behave, with the others too, and at the end.
  struct Looks {
    Sample before, with_sessions, with_misbehaving, after;
  };
  [[nodiscard]] const Looks& looks() const { return looks_; }
  // Acts a second of full load.
  [[nodiscard]] double throughput() const { return throughput_; }
  // The phases' lengths.
  [[nodiscard]] std::chrono::nanoseconds half_time() const { return plan_.time * 3 / 10; }
  [[nodiscard]] std::chrono::nanoseconds soak_time() const { return plan_.time * 5 / 10; }

 private:
  boost::asio::awaitable<void> lead();
  boost::asio::awaitable<void> warm_up();
  boost::asio::awaitable<void> load_fully();
  boost::asio::awaitable<void> load_half_and_soak();
  boost::asio::awaitable<void> let_all_leave();
  boost::asio::awaitable<void> come_all();
  boost::asio::awaitable<void> until_idle();
  void enter(Phase phase);

  const MixPlan& plan_;
  Fleet& good_;
  boost::asio::io_context& context_;
  std::mt19937_64 random_;
  Figures figures_;
  V4Clients v4_;
  V3Clients v3_;
  Misbehaving misbehaving_;
  Drive drive_;
  std::unique_ptr<Samples> samples_;
  std::unique_ptr<Upkeep> upkeep_;
  Looks looks_;
  double throughput_ = 0;
  bool over_ = false;
  bool is_beating_ = false;
};

}  // namespace cb::bench
