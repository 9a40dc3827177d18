// SPDX-License-Identifier: Apache-2.0
//
// What is known and was said of sources that are watched (docs/watch.md): states, wishes, freezes,
// and what clients report. Thread-safe; functions block and belong on a worker. `who` is a person,
// as in retention_book.h.
#pragma once

#include <functional>
#include <mutex>

#include "core/catalog/catalog.h"
#include "core/os/clock.h"
#include "core/report/json.h"
#include "core/server/retention_plan.h"
#include "core/server/watch_settings.h"
#include "core/watch/expected.h"

namespace cb::server {

// "DEVICE/HASH", in hex.
std::string text_of_source(const SourceKey& source);

// A source as it is told about.
struct WatchedSource {
  std::string account;
  catalog::SourceState state;
  std::optional<catalog::SourceWish> wish;  // that counts for it
  std::optional<catalog::SourceBackup> last;
};

class WatchBook {
 public:
  // All outlive it.
  struct Parts {
    catalog::Catalog* catalog = nullptr;
    const os::Clock* clock = nullptr;
  };
  WatchBook(const Parts& parts, const WatchSettings& settings)
      : parts_(parts), settings_(settings) {}

  [[nodiscard]] WatchSettings settings() const;
  void reconfigure(const WatchSettings& settings);

  // What a client said of a whole snapshot that it committed. Nothing is kept while the watch is
  // off, or when the snapshot was looked at already.
  Status take_report(const repository::RepositoryId& repository,
                     const repository::CommitRecord& commit,
                     const repository::ChangeReport& report);

  // By account and source; of one account, or of all. Protocol 3 has no sources.
  Result<std::vector<WatchedSource>> sources(const std::optional<std::string>& account) const;

  // Replaces what was said of a source, or with an empty one of all that have no word of their own.
  // Code::invalid for what watch::check refuses.
  Status set_wish(int64_t repository, const SourceKey& source, const watch::Wish& wish,
                  const std::string& who);
  // Its history counts again. Code::not_found when nothing was said.
  Status remove_wish(int64_t repository, const SourceKey& source);

  // Changes the state of a source, or a new one for it, as `change` does, while nobody else does;
  // what it was before comes back.
  Result<catalog::SourceState> change_state(
      int64_t repository, const SourceKey& source,
      const std::function<void(catalog::SourceState&)>& change);

  // Ends freezes of a source, or of all of a repository; the snapshots that are pinned stay so.
  // Returns the sources.
  Result<std::vector<SourceKey>> release(int64_t repository, const SourceKey& source);

 private:
  Status list_account(const catalog::Account& account, std::vector<WatchedSource>& all) const;
  [[nodiscard]] int64_t now() const { return parts_.clock->wall().count(); }

  const Parts parts_;
  std::mutex changing_;  // held while states are changed
  mutable std::mutex mutex_;
  WatchSettings settings_;  // guarded by mutex_
};

// The one that counts for a source: its own, else that for all; nothing without either.
std::optional<catalog::SourceWish> wish_for(std::span<const catalog::SourceWish> wishes,
                                            const SourceKey& source);

}  // namespace cb::server
