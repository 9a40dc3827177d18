// SPDX-License-Identifier: Apache-2.0
//
// Looks at snapshots that came since the last look: adds them to the history of their sources,
// scores them, and where one is an anomaly keeps the snapshot before it and freezes what is removed
// (docs/watch.md). Used by one thread at a time; blocks.
#pragma once

#include <optional>
#include <utility>

#include "core/log/log.h"
#include "core/repository/engine.h"
#include "core/server/alarms.h"
#include "core/server/audit.h"
#include "core/server/retention_book.h"
#include "core/server/watch_book.h"
#include "core/server/watch_events.h"

namespace cb::server {

// Sources that are watched of a repository and of one of its devices; others that are new are not.
constexpr uint64_t kMostSources = 1000;
constexpr uint64_t kMostOfDevice = 200;

// All outlive who uses them.
struct WatchParts {
  catalog::Catalog* catalog = nullptr;
  repository::Engine* engine = nullptr;
  const os::Clock* clock = nullptr;
  log::Log* log = nullptr;
  RetentionBook* retention = nullptr;
  WatchBook* book = nullptr;
  Alarms* alarms = nullptr;
  Audit* audit = nullptr;  // may be null
};

class WatchLook {
 public:
  // `goes_on` is asked between snapshots and while one is looked at; false: Code::cancelled.
  WatchLook(const WatchParts& parts, std::function<bool()> goes_on)
      : parts_(parts), settings_(parts.book->settings()), goes_on_(std::move(goes_on)) {}

  // One of protocol 3 has nothing to be looked at. How far it came is kept, whatever ends it.
  Status account(const catalog::Account& account);

  // What could not be kept of anomalies, which the next look tries again; forgotten then.
  std::optional<Error> take_trouble() { return std::exchange(trouble_, std::nullopt); }

  // Snapshots that were looked at, and those of them that are anomalies.
  [[nodiscard]] uint64_t looked() const { return looked_; }
  [[nodiscard]] uint64_t odd() const { return odd_; }

 private:
  struct Place {
    std::string account;
    int64_t number = 0;
    repository::RepositoryId repository;
  };
  Status take(const Place& place, const catalog::CommitRow& row);
  Status look_at(const Place& place, const repository::CommitRecord& commit);
  Status compare(const Place& place, const repository::CommitRecord& commit,
                 const catalog::SourceBackup& before, catalog::SourceBackup& backup);
  Result<repository::TreeSize> size_of(const Place& place, const catalog::SourceBackup& before,
                                       const repository::BlobId& root,
                                       const repository::DeviceId& device);
  Status measure(const Place& place, const repository::CommitRecord& commit,
                 catalog::SourceBackup& backup);
  Result<bool> admit(const Place& place, const SourceKey& source);
  void judge(const std::vector<catalog::SourceBackup>& history, catalog::SourceBackup& backup);
  Status act(const Place& place, const std::vector<catalog::SourceBackup>& history,
             const catalog::SourceBackup& backup);
  bool freeze(catalog::SourceState& state, const Bytes& normal, const std::string& reasons) const;
  void tell(const Place& place, const catalog::SourceBackup& backup, const AnomalyNote& note);
  Status keep(const Place& place, const Bytes& normal, const std::string& why);
  Status keep_later(const Place& place, const SourceKey& source, const Error& why);
  Status keep_again(const Place& place);
  [[nodiscard]] int64_t now() const { return parts_.clock->wall().count(); }

  const WatchParts& parts_;
  const WatchSettings settings_;
  std::function<bool()> goes_on_;
  uint64_t looked_ = 0, odd_ = 0;
  std::optional<Error> trouble_;
};

}  // namespace cb::server
