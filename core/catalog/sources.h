// SPDX-License-Identifier: Apache-2.0
//
// What the catalog knows of sources (a device and a set of its paths): when they were backed up,
// what those backups were like, what is expected of them, and which alarms were told. Abstract;
// thread-safe; functions block and belong on a worker. Every change is durable when the function
// returns. `repository` is a repository's number; a source is device[16] and source[32]; times are
// nanoseconds since 1970 UTC by the server's clock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/catalog/accounts.h"

namespace cb::catalog {

// What a person said of a source, or of all of a repository.
struct SourceWish {
  Bytes source;  // empty: all that have none of their own
  bool never = false;
  int64_t every_ns = 0;
  int64_t tolerance_ns = 0;
  int64_t set_ns = 0;
  std::string set_by;

  friend bool operator==(const SourceWish&, const SourceWish&) = default;
};

// How a source is now.
struct SourceState {
  Bytes source;
  int64_t expected_ns = 0;  // the next backup; 0: it is not known
  int64_t late_ns = 0;      // from when on it is overdue; 0: never
  std::string basis;        // where that comes from, a word
  int64_t overdue_ns = 0;   // since when it was told that it is; 0: it is not
  int64_t frozen_ns = 0;    // until when nothing of it is removed; 0: it may be
  int64_t froze_ns = 0;     // since when freezes have followed each other; 0: there was none
  Bytes normal;             // the snapshot that is kept for it meanwhile; empty: none
  std::string reason;       // why

  friend bool operator==(const SourceState&, const SourceState&) = default;
};

// What a client said of a backup.
struct SourceClaim {
  uint64_t unchanged = 0, changed = 0, added = 0, removed = 0, renamed = 0;  // files
  uint64_t plain_bytes = 0, stored_bytes = 0;                                // that were new

  friend bool operator==(const SourceClaim&, const SourceClaim&) = default;
};

// A whole snapshot of a source beside the whole one before it, as the server saw it.
struct SourceFigures {
  uint64_t before_blobs = 0, before_bytes = 0, before_nodes = 0;
  uint64_t after_blobs = 0, after_bytes = 0, after_nodes = 0;
  uint64_t new_blobs = 0, new_bytes = 0, new_nodes = 0;
  uint64_t gone_blobs = 0, gone_bytes = 0;

  friend bool operator==(const SourceFigures&, const SourceFigures&) = default;
};

// A backup in the history of a source.
struct SourceBackup {
  uint64_t sequence = 0;  // of its commit
  Bytes source;
  Bytes32 snapshot{};
  int64_t time_ns = 0;
  bool is_compared = false;  // with one before it
  SourceFigures figures;     // unless it is, only those of this one alone
  std::optional<SourceClaim> claim;
  unsigned score = 0;
  bool is_odd = false;  // an anomaly
  std::string reasons;

  friend bool operator==(const SourceBackup&, const SourceBackup&) = default;
};

class Sources {
 public:
  virtual ~Sources() = default;

  // The wish for all of the repository first, then by source.
  virtual Result<std::vector<SourceWish>> wishes(int64_t repository) = 0;
  // Adds or replaces. Code::not_found without the repository.
  virtual Status set_wish(int64_t repository, const SourceWish& wish) = 0;
  // Code::not_found when there is none.
  virtual Status remove_wish(int64_t repository, ByteView source) = 0;

  // By source.
  virtual Result<std::vector<SourceState>> states(int64_t repository) = 0;
  virtual Result<std::optional<SourceState>> state(int64_t repository, ByteView source) = 0;
  // Adds or replaces. Code::not_found without the repository.
  virtual Status set_state(int64_t repository, const SourceState& state) = 0;
  // How many sources have a state: of a device, or of all when it is empty.
  virtual Result<uint64_t> count(int64_t repository, ByteView device) = 0;
  // State and history of a source; nothing happens when there are none.
  virtual Status drop(int64_t repository, ByteView source) = 0;

  // Up to which commit the history of a repository goes; 0: none.
  virtual Result<uint64_t> looked_at(int64_t repository) = 0;
  virtual Status set_looked_at(int64_t repository, uint64_t sequence) = 0;
  // Sets looked_at and drops the claim for a snapshot that is in no history.
  virtual Status pass_over(int64_t repository, uint64_t sequence, const Bytes32& snapshot) = 0;
  // Adds a backup, sets looked_at to its sequence, drops the claim for its snapshot and all but the
  // newest `most` of its source, in one step. One that is there already is replaced.
  virtual Status add_backup(int64_t repository, const SourceBackup& backup, size_t most) = 0;
  // The newest `most` of a source, oldest first.
  virtual Result<std::vector<SourceBackup>> backups(int64_t repository, ByteView source,
                                                    size_t most) = 0;
  // The times of all that are known, rising.
  virtual Result<std::vector<int64_t>> times(int64_t repository, ByteView source) = 0;

  // What a client said of a snapshot, until add_backup takes it; durable with the next change.
  virtual Status put_claim(int64_t repository, const Bytes32& snapshot,
                           const SourceClaim& claim) = 0;
  virtual Result<std::optional<SourceClaim>> claim(int64_t repository, const Bytes32& snapshot) = 0;

  // Was this alarm told, and is it not over?
  virtual Result<bool> is_raised(const std::string& alarm) = 0;
  // Alarms that were told and are not over: true when this one was not, and now is.
  virtual Result<bool> raise(const std::string& alarm, int64_t now_ns) = 0;
  // True when it was told, and now is over.
  virtual Result<bool> clear(const std::string& alarm) = 0;
};

}  // namespace cb::catalog
