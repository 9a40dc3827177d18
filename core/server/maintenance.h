// SPDX-License-Identifier: Apache-2.0
//
// The mode of the store: what sessions and jobs may do with it now, and who is still at work since
// it changed. What the configuration says and what an operator told are both kept: the stricter one
// is in force. Thread-safe; `tell` writes a small file, nothing else blocks.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "core/log/log.h"
#include "core/os/clock.h"
#include "core/os/file_system.h"
#include "core/server/store_mode.h"

namespace cb::server {

class Maintenance {
 public:
  // All outlive it.
  struct Parts {
    os::FileSystem* files = nullptr;
    os::Path file;  // where what was told lies
    const os::Clock* clock = nullptr;
    log::Log* log = nullptr;
    // Called before the store becomes normal, on the thread that makes it so: what must happen
    // before anything is written. Its errors keep the mode that it has.
    std::function<Status()> opens = {};
    std::function<void()> changed = {};  // called after each change, on the thread that made it
  };
  // A file that cannot be read counts as read-only, with a line in the log: what stands there was
  // no "normal".
  Maintenance(Parts parts, const StoreSettings& settings);
  Maintenance(const Maintenance&) = delete;
  Maintenance& operator=(const Maintenance&) = delete;

  // What an operator tells; kept first. Backups under way have `drain` to end, at most 7 days.
  // Code::invalid for another drain; errors of writing.
  Status tell(const ToldMode& told, std::chrono::nanoseconds drain);
  void reconfigure(const StoreSettings& given);
  [[nodiscard]] std::chrono::nanoseconds usual_drain() const;

  [[nodiscard]] StoreMode mode() const { return mode_; }
  // May something be read, be written that no ticket is for? Code::state with Retry::yes.
  [[nodiscard]] Status may_read() const;
  [[nodiscard]] Status may_write() const;
  // May a job begin, or go on? The reason against it, or "".
  [[nodiscard]] std::string refusal_of_job(bool writes) const;

  // Who is at work with the store: a session in the middle of a backup, or one that reads.
  enum class Work { backup, reading };
  class Ticket {
   public:
    Ticket(Maintenance* of, uint64_t id) : of_(of), id_(id) {}
    Ticket(Ticket&& other) noexcept : of_(std::exchange(other.of_, nullptr)), id_(other.id_) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (of_ != nullptr) of_->leave(id_);
    }
    // May the work go on: there is time left. Code::state as above.
    [[nodiscard]] Status may_go_on() const { return of_->may_go_on(); }

   private:
    Maintenance* of_;
    uint64_t id_;
  };
  // `end` makes the work end soon, from any thread, without blocking; it is called when the time is
  // over. Code::state as above.
  Result<Ticket> begin(Work work, std::function<void()> end);

  struct Shown {
    StoreMode mode = StoreMode::normal;  // in force
    StoreMode configured = StoreMode::normal;
    ToldMode told;
    size_t backups = 0;    // under way
    size_t readings = 0;   // the same
    int64_t until_ns = 0;  // they have time until then (since 1970 UTC); 0: there is no change
    uint64_t refused = 0;  // requests and uploads since the start
  };
  [[nodiscard]] Shown shown() const;

  // Work that the mode in force does not go with is still under way.
  [[nodiscard]] bool is_draining() const;
  // Ends what is under way when its time is over; how many were told so. To be called now and then
  // while is_draining().
  size_t end_overdue();

 private:
  struct Entry {
    Work work = Work::backup;
    std::function<void()> end;
  };
  void read_told();
  void leave(uint64_t id);
  [[nodiscard]] Status may_go_on() const;
  [[nodiscard]] Error refusal() const;
  // With mutex_ held:
  bool take_force(std::chrono::nanoseconds drain, bool anew);
  // Without it held:
  [[nodiscard]] Status open_before(StoreMode mode) const;
  [[nodiscard]] std::pair<StoreMode, StoreMode> wanted() const;  // told, configured
  [[nodiscard]] bool is_at_odds(const Entry& entry) const;
  [[nodiscard]] bool is_time_left() const;

  const Parts parts_;
  std::atomic<StoreMode> mode_{StoreMode::normal};
  mutable std::atomic<uint64_t> refused_{0};
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  StoreSettings settings_;
  ToldMode told_;
  std::chrono::nanoseconds drained_by_{};  // monotonic
  int64_t until_ns_ = 0;
  uint64_t next_id_ = 1;
  std::map<uint64_t, Entry> entries_;
};

}  // namespace cb::server
