// SPDX-License-Identifier: Apache-2.0
//
// Sessions that back up at once: each puts blobs of its own and commits a snapshot of them.
#include <algorithm>

#include "bench/load_v4_backup.h"
#include "bench/load_v4_runs.h"

namespace cb::bench {
namespace {

using repository::BlobId;
using repository::BlobKind;
using stream::Task;
using Moment = std::chrono::steady_clock::time_point;

constexpr uint64_t kBlob = 1 << 20;        // bytes of each
constexpr uint64_t kContents = 256 << 20;  // random bytes that all contents are parts of

double since(Moment begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

struct Shared {
  Bytes contents;
  std::vector<std::unique_ptr<V4Caller>> callers;
  std::vector<uint64_t> at_first_end;  // what was taken of each when the first had sent all
  double until_first_end = 0;          // seconds
  Moment begin;
  std::vector<double> latencies;

  void note_end() {
    if (!at_first_end.empty()) return;
    until_first_end = since(begin);
    for (const auto& caller : callers) at_first_end.push_back(caller ? caller->taken() : 0);
  }
};

// The blobs of one backup, put one after the other, and its commit.
Task<void> back_up(Shared& shared, V4Backup backup, uint64_t size, size_t index) {
  CB_CO_TRY(co_await backup.begin());
  std::vector<BlobId> data;
  for (uint64_t at = 0; at < size; at += kBlob) {
    const uint64_t take = std::min(kBlob, size - at);
    const uint64_t from = (index * size + at) % (kContents - take);
    CB_CO_ASSIGN(const BlobId id,
                 co_await backup.put(BlobKind::data, std::vector<BlobId>(),
                                     ByteView(shared.contents).subspan(from, take)));
    data.push_back(id);
  }
  shared.note_end();
  CB_CO_TRY(co_await backup.commit(std::move(data), size));
  co_return Status{};
}

void tell_fairness(const Shared& shared) {
  if (shared.at_first_end.empty()) return;
  const auto [least, most] =
      std::minmax_element(shared.at_first_end.begin(), shared.at_first_end.end());
  const auto rate = [&](uint64_t bytes) {
    return static_cast<double>(bytes) / 1e3 / shared.until_first_end;
  };
  tell("backups_fastest", rate(*most), "kB/s");
  tell("backups_slowest", rate(*least), "kB/s");
  tell("backups_slowest_of_fastest", *most == 0 ? 0 : rate(*least) / rate(*most), "", 2);
}

}  // namespace

size_t run_backups(Fleet& fleet, const V4Plan& plan, const DaemonProcess& daemon) {
  Shared shared;
  auto contents = drawn_bytes(kContents);
  if (!contents) return 1;
  shared.contents = std::move(*contents);
  shared.callers.resize(plan.backups);
  size_t failures =
      fleet.run_all(plan.backups, plan.workers, [&](size_t i, size_t w) -> Task<void> {
        CB_CO_ASSIGN(shared.callers[i], co_await fleet.log_in(Fleet::Way::resuming, w, i));
        co_return Status{};
      });
  const DaemonTaken before = daemon.look();
  DaemonWatch watch(daemon);
  shared.begin = std::chrono::steady_clock::now();
  failures += fleet.run_all(plan.backups, plan.backups, [&](size_t i, size_t) -> Task<void> {
    if (!shared.callers[i]) co_return Status{};
    const V4Backup backup(*shared.callers[i], fleet.device(i));
    const Status done = co_await back_up(shared, backup, plan.size, i);
    shared.latencies.push_back(since(shared.begin));
    co_await shared.callers[i]->leave();
    co_return done;
  });
  const double wall = since(shared.begin);
  const double bytes = static_cast<double>(plan.backups) * static_cast<double>(plan.size);
  tell("backups", plan.backups, "sessions");
  tell("backups_bytes_each", static_cast<double>(plan.size), "bytes");
  tell("backups_throughput", bytes / 1e6 / wall, "MB/s", 1);
  tell("backups_daemon_cpu", (daemon.look().cpu - before.cpu) / bytes * 1e9, "s/GB", 2);
  tell_latency("backups_until_committed", shared.latencies);
  tell_fairness(shared);
  tell("backups_rss_before", before.resident / 1024, "KiB");
  watch.tell_all();
  tell("backups_errors", static_cast<double>(failures), "errors");
  return failures;
}

}  // namespace cb::bench
