// SPDX-License-Identifier: Apache-2.0
//
// Drills as the server knows them (docs/operations.md, "Drills"): takes the signed results of
// devices, and tells when one failed or none came for too long. Thread-safe; functions block and
// belong on a worker.
#pragma once

#include <mutex>

#include "core/catalog/catalog.h"
#include "core/os/clock.h"
#include "core/report/metrics.h"
#include "core/repository/drill_record.h"
#include "core/repository/engine.h"
#include "core/server/events.h"
#include "core/server/job_kinds.h"
#include "core/server/v4_accounts.h"

namespace cb::server {

// One device's newest drill.
struct DeviceDrill {
  catalog::DrillRow row;
  std::optional<repository::DrillRecord> record;  // nothing when it cannot be read
};

// An account that has snapshots.
struct AccountDrills {
  std::string account;
  int64_t number = 0;                // of its repository in the catalog
  int64_t since_ns = 0;              // when the account was made
  int64_t passed_ns = 0;             // when its newest drill without a problem came; 0: none did
  bool has_failed = false;           // of one of its devices the newest did
  std::vector<DeviceDrill> devices;  // by device

  // Since when no drill passed.
  [[nodiscard]] int64_t newest_ns() const { return passed_ns != 0 ? passed_ns : since_ns; }
};

class DrillBook {
 public:
  // All outlive it.
  struct Parts {
    catalog::Catalog* catalog = nullptr;
    repository::Engine* engine = nullptr;
    const os::Clock* clock = nullptr;
    EventSink* events = nullptr;  // null: nobody is told
  };
  explicit DrillBook(const Parts& parts) : parts_(parts) {}

  // Takes a result of the member's own device; returns when. Code::corrupt for what is no record,
  // Code::auth when this device did not sign it for this repository, or is certified no more,
  // Code::exists when a newer one is known, Code::invalid when the device's clock is a day ahead,
  // when nothing was restored and nothing is wrong, or when it is of a snapshot that never was
  // here.
  Result<int64_t> take(const V4Member& member, ByteView record);

  // All accounts of protocol 4 that have snapshots, by name, or one of them.
  Result<std::vector<AccountDrills>> list(const std::optional<std::string>& account = {}) const;

  // Tells of each account, once, that had no drill that passed for so long; 0: of none. Returns
  // how many there are.
  Result<size_t> look_for_missing(std::chrono::nanoseconds within);

 private:
  Status check_sample(int64_t repository, const repository::DrillRecord& record) const;
  Status check(const V4Member& member, const repository::DrillRecord& record) const;
  void tell_result(const V4Member& member, const repository::DrillRecord& record,
                   bool had_failed) const;
  void post(Event event) const;
  [[nodiscard]] int64_t now() const { return parts_.clock->wall().count(); }

  const Parts parts_;
  std::mutex mutex_;  // one change at a time
};

// For scripts: what `drill list` answers.
report::Json json_of(const AccountDrills& drills, int64_t now_ns);

// Age and outcome, by account.
std::vector<report::Metric> drill_metrics(const std::vector<AccountDrills>& all, int64_t now_ns);

// The job that looks for missing ones.
JobKind drills_job(const JobParts& parts);

}  // namespace cb::server
