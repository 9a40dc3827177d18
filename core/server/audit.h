// SPDX-License-Identifier: Apache-2.0
//
// The audit log: who did what from where, as a chain of records in the catalog
// (docs/operations.md, "Audit log"). Every act that needs a privilege is told here beside its line
// in the log. Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "core/log/log.h"
#include "core/os/clock.h"
#include "core/server/audit_record.h"
#include "core/server/rate_limit.h"

namespace cb::server {

class Audit {
 public:
  // All outlive it.
  struct Parts {
    catalog::Audit* rows = nullptr;
    const os::Clock* clock = nullptr;
    log::Log* log = nullptr;
  };
  explicit Audit(const Parts& parts);
  ~Audit();  // as close()
  Audit(const Audit&) = delete;
  Audit& operator=(const Audit&) = delete;

  // Begins to write what is posted, on a thread of its own; tells the head in the log now and every
  // day ("audit.head"). Without it, only write() and flush() write.
  void start();
  // Ends the thread and writes what is left.
  void close();

  // Writes a record after those that were posted. Blocks; durable when it returns. When the catalog
  // cannot be written, the record waits for the next write, with an error line "audit.not-kept":
  // what was done is done.
  void write(AuditEvent event);
  // The same without waiting: does not block.
  void post(AuditEvent event);
  // The same for what anybody can cause: a few in a minute of each address and of all of them are
  // recorded, and the next one tells how many were not.
  void post_of_stranger(AuditEvent event);
  // Writes what was posted; blocks. What cannot be written waits on.
  Status flush();

  // The newest record's, for status and metrics.
  [[nodiscard]] AuditHead head() const;
  // Records that wait to be written, and those that were dropped because too many did.
  [[nodiscard]] size_t waiting() const;
  [[nodiscard]] uint64_t dropped() const { return dropped_; }

 private:
  struct Posted {
    int64_t time_ns = 0;
    AuditEvent event;
  };

  void enqueue(AuditEvent event);
  Status write_all(const std::deque<Posted>& all);
  void run();
  void tell_head();

  const Parts parts_;
  RateLimit strangers_of_address_;
  RateLimit strangers_;
  std::atomic<uint64_t> unrecorded_{0};  // acts of strangers since the last one that was
  std::atomic<uint64_t> dropped_{0};

  std::mutex writing_;  // held while records are written; taken before mutex_
  mutable std::mutex mutex_;
  std::condition_variable posted_;
  // Guarded by mutex_:
  std::deque<Posted> queue_;
  AuditHead head_;
  bool closing_ = false;
  std::thread thread_;
};

// `done` as an outcome: "done", or the name of the error's code.
template <typename T>
std::string outcome_of(const Result<T>& done) {
  return done ? "done" : std::string(name_of(done.error().code));
}

}  // namespace cb::server
