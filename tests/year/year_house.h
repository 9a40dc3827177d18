// SPDX-License-Identifier: Apache-2.0
//
// The server of the simulated year, without its network: engine, catalog, rules, audit log and the
// scheduler with the daemon's own jobs, over a store that fails when it is told to. It can be taken
// down and brought up again. Throws where a test cannot go on. Used by one thread.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "core/identity/signing.h"
#include "core/log/capture.h"
#include "core/server/job_kinds.h"
#include "core/server/jobs.h"
#include "tests/fault/faulty_store.h"
#include "tests/year/year_clock.h"
#include "tests/year/year_events.h"

namespace cb::year {

struct HouseSettings {
  uint64_t seed = 0;
  std::chrono::nanoseconds begin{};
  server::UpkeepSettings upkeep;
  repository::EngineLimits limits;
};

class House {
 public:
  explicit House(const HouseSettings& settings);

  // As the daemon starts: what a crash left is removed, runs that it broke off are marked so.
  Status open();
  // As it ends; what is under way elsewhere is to be gone.
  void close();
  // A process that was made of this one opened the house, too, and drew from its randomness.
  void note_other_opening() { ++openings_; }
  [[nodiscard]] bool is_open() const { return jobs_ != nullptr; }

  // The repository of an account, made at the first call; then its devices may come.
  repository::RepositoryId create(size_t account);
  repository::Viewer add_device(size_t account, uint8_t number, repository::Role role,
                                bool shares_dedup);

  // From now on the store has room for so much more than what it holds, beside the engine's
  // reserve; what is removed makes room. Nothing: as much as there is.
  void limit_room(std::optional<uint64_t> bytes);
  // When jobs run from now on; those that are not named, when they do by default.
  void set_schedules(const std::map<std::string, std::string>& schedules);
  // Rules of store-fault, until the next ones or open().
  void set_faults(const std::string& rules);
  // Turns one bit of an object.
  void flip_bit(const std::string& object, uint64_t offset);

  repository::Engine& engine() { return *engine_; }
  catalog::Catalog& catalog() { return *catalog_; }
  plugin::Store& store() { return *store_; }
  server::RetentionBook& book() { return *book_; }
  server::Audit& audit() { return *audit_; }
  server::Jobs& jobs() { return *jobs_; }
  // What was told to people, also by processes that were killed since.
  [[nodiscard]] std::vector<ToldEvent> events() const { return events_.all(); }
  YearClock& clock() { return clock_; }
  KillPoint& kill_point() { return kill_point_; }
  [[nodiscard]] const log::Capture& log() const { return log_; }
  // Jobs that began while another one ran.
  [[nodiscard]] uint64_t overlaps() const { return overlaps_; }

  // Names in the catalog.
  static std::string account_name(size_t account) { return "account-" + std::to_string(account); }

 private:
  Status open_engine();
  Status open_jobs();
  server::JobKind watched(server::JobKind kind);
  uint64_t bytes_held() const;
  void write_control(const std::string& rules);

  HouseSettings settings_;
  test::TemporaryFolder folder_;
  test::FaultyStore faulty_;
  KillPoint kill_point_;
  YearClock clock_;
  log::Capture log_;
  EventFile events_;
  identity::SigningKey key_;
  std::optional<uint64_t> most_held_;  // bytes of all objects, where there is a limit
  uint64_t openings_ = 0;
  bool job_runs_ = false;
  uint64_t overlaps_ = 0;

  std::unique_ptr<SeededRandom> random_;
  std::optional<plugin::Store> store_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<repository::Engine> engine_;
  std::unique_ptr<server::RetentionBook> book_;
  std::unique_ptr<server::Audit> audit_;
  std::unique_ptr<server::WatchBook> watch_;
  std::unique_ptr<server::Alarms> alarms_;
  std::unique_ptr<server::Jobs> jobs_;
};

}  // namespace cb::year
