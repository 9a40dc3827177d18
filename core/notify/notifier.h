// SPDX-License-Identifier: Apache-2.0
//
// Passes notices on to targets, on a thread of its own: each target has a bounded line, a rate, and
// tries that come more and more seldom until one works. What waits is in files, too, so that it is
// sent after the next start, whatever ended this one; what a rate held back is in memory until
// `close`. Thread-safe; `open`, `post` and `reconfigure` block for small files, `close` and `test`
// for longer.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/log/log.h"
#include "core/notify/outbox.h"
#include "core/notify/target.h"
#include "core/os/clock.h"
#include "core/os/random.h"

namespace cb::notify {

// How a target fares, since the start or since it was first configured.
struct TargetReport {
  std::string name;
  std::string description;
  std::vector<std::string> kinds;
  Severity least = Severity::warning;
  uint64_t sent = 0;
  uint64_t failed = 0;   // given up
  uint64_t retries = 0;  // tries that failed and were not the last
  uint64_t held = 0;     // by the rate, or because too many waited
  size_t waiting = 0;
  int64_t last_success_ns = 0;  // since 1970 UTC; 0: none yet
  int64_t last_failure_ns = 0;
  std::string last_error;  // of the newest try; empty when that one worked
};

// What came of a test.
struct TestOutcome {
  std::string name;
  std::string description;
  std::optional<Error> error;
  std::chrono::nanoseconds took{};
};

// What a reconfiguration changed, by name.
struct TargetChanges {
  std::vector<std::string> added, removed, changed;
  [[nodiscard]] bool empty() const { return added.empty() && removed.empty() && changed.empty(); }
};

class Notifier {
 public:
  // All outlive it.
  struct Parts {
    const os::Clock* clock = nullptr;
    os::Random* random = nullptr;  // for ids and for the times of further tries
    log::Log* log = nullptr;
    std::string server;  // what the placeholder {server} says
    os::FileSystem* files = nullptr;
    os::Path folder = {};  // for what waits; empty: it is in memory alone
  };
  using Targets = std::vector<std::shared_ptr<const Target>>;

  // Names of targets are different. Takes up what waited for them at the end of the one before.
  // Code::io and its like when there is no randomness.
  static Result<std::unique_ptr<Notifier>> open(Parts parts, const Targets& targets);
  ~Notifier();  // as close()
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // Begins to send, on a thread of its own.
  void start();
  // Ends the try under way, and the thread. What waits or was held back stays in the folder, with a
  // line "notify.kept" for each target that has some; without one it is dropped ("notify.dropped").
  void close();

  // Takes a notice over: when it returns, it is in the folder. Does not fail: what cannot be
  // written waits in memory, with an error line "notify.not-kept", and is written as soon as it can
  // be.
  void post(const Notice& notice);
  // Other targets from now on. A target that keeps its name keeps its counters and what waits.
  TargetChanges reconfigure(const Targets& targets);

  // Sends a notice of kind "test" to one target, or to all (empty), on this thread and at once,
  // whatever its rate, kinds and severity. Code::not_found when there is no such target.
  Result<std::vector<TestOutcome>> test(const std::string& name, const std::string& asked_by);
  [[nodiscard]] std::vector<TargetReport> list() const;

  // Without the thread: makes each try that is due, on this one. How many there were.
  size_t run_due();
  // When the next try, or notice about what was held back, is due (monotonic).
  [[nodiscard]] std::optional<std::chrono::nanoseconds> next_due() const;

 private:
  struct Waiting {
    Parcel parcel;
    std::chrono::nanoseconds since{};  // monotonic, as the next
    std::chrono::nanoseconds next_try{};
    uint32_t tries = 0;
    bool is_kept = false;  // in the folder
  };
  struct Line {
    std::shared_ptr<const Target> target;
    Throttle throttle;
    std::deque<Waiting> waiting{};
    TargetReport counts{};
    std::chrono::nanoseconds last_turn{};
  };
  explicit Notifier(Parts parts)
      : parts_(std::move(parts)), outbox_(parts_.files, parts_.folder, *parts_.log) {}
  void serve();
  bool try_one();
  void settle(const std::shared_ptr<const Target>& target, const std::string& id,
              const Status& sent);
  Status send(const Target& target, const Parcel& parcel);

  // Each with mutex_ held.
  void enqueue(Line& line, const Notice& notice, HeldBack held);
  void take_up();
  void keep(const Line& line, Waiting& one);
  void drop(Line& line, const char* cause);
  void drop_first(Line& line);
  void end_line(Line& line);
  void add_summaries();
  Line* due_line();
  [[nodiscard]] std::optional<std::chrono::nanoseconds> due_of(const Line& line) const;
  void finish_first(Line& line, const Status& sent);
  void back_off(Waiting& first);
  void note(TargetReport& counts, const Status& sent) const;
  std::string next_id();
  Line* line_of(const std::string& name);

  const Parts parts_;
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  Outbox outbox_;
  std::vector<Line> lines_;
  std::string id_stem_;
  uint64_t ids_ = 0;
  bool closing_ = false;
  bool has_ended_ = false;  // the thread, too
  std::condition_variable changed_;
  std::thread thread_;
};

}  // namespace cb::notify
