// SPDX-License-Identifier: Apache-2.0
//
// Connections that never log in: what they cost, and how long they live.
#include <algorithm>

#include "bench/load_stranger.h"
#include "bench/load_v4_runs.h"

namespace cb::bench {
namespace {

using stream::Task;

// `start`: before the first kind. What was freed of one is used by the next, so growth counts from
// there.
size_t run_kind(Fleet& fleet, const V4Plan& plan, const DaemonProcess& daemon, StrangerKind kind,
                const DaemonTaken& start) {
  std::vector<std::unique_ptr<Stranger>> all;
  for (size_t i = 0; i < plan.unauthenticated; ++i)
    all.push_back(std::make_unique<Stranger>(fleet, kind));
  const size_t failures =
      fleet.run_all(all.size(), plan.workers, [&](size_t i, size_t w) { return all[i]->come(w); });
  const DaemonTaken after = daemon.look();
  fleet.run_all(all.size(), all.size(), [&](size_t i, size_t) -> Task<void> {
    co_await all[i]->stay();
    co_return Status{};
  });
  double longest = 0;
  for (const auto& one : all) longest = std::max(longest, one->lived());
  const std::string name = name_of(kind);
  tell(name + "_rss_each_at_most",
       (after.resident - start.resident) / 1024 / static_cast<double>(all.size()), "KiB", 1);
  tell(name + "_longest_life", longest, "s", 1);
  tell(name + "_errors", static_cast<double>(failures), "errors");
  return failures;
}

}  // namespace

size_t run_unauthenticated(Fleet& fleet, const V4Plan& plan, const DaemonProcess& daemon) {
  // What the first of all cost is no connection's.
  size_t failures =
      fleet.run_all(plan.workers, plan.workers, [&](size_t i, size_t w) -> Task<void> {
        CB_CO_ASSIGN(auto caller, co_await fleet.log_in(Fleet::Way::resuming, w, i));
        co_await caller->leave();
        co_return Status{};
      });
  const DaemonTaken start = daemon.look();
  for (size_t i = 0; i < kNeverLogIn; ++i) {
    const auto kind = static_cast<StrangerKind>(i);
    if (plan.v3_port != 0 || !is_v3(kind)) failures += run_kind(fleet, plan, daemon, kind, start);
  }
  return failures;
}

}  // namespace cb::bench
