// SPDX-License-Identifier: Apache-2.0
//
// For trials of crash safety (docs/reliability.md): named steps, at any of which a process can be
// made to die, and protections that can be left out, so that it shows whether the trials notice.
// Only a build with CYBERBACKUP_TRIALS listens to the environment; in any other, programs that
// users run among them, nothing here does anything. Thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

namespace cb::trial {

// What a process has just done when it passes. A step lies where what comes before it would be
// noticed without what comes after it.
inline constexpr auto kSteps = std::to_array<std::string_view>({
    // a daemon that takes in blobs and commits
    "pack.written",
    "pack.indexed",
    "commit.verified",
    "chain.recorded",
    "chain.listed",
    // changes of keys
    "keys.announced",
    "keys.listed",
    "keys.written",
    // collection, compaction, trash
    "collect.condemned",
    "collect.swept",
    "collect.unlisted",
    "compact.written",
    "compact.moved",
    "compact.retired",
    "trash.removed",
    // the catalog
    "catalog.stepped",
    "rebuild.built",
    "rebuild.kept",
    "rebuild.replaced",
    // protocol 3 and what is taken over from the old server
    "v3.stored",
    "v3.committed",
    "import.added",
    "import.stored",
    "import.committed",
    // a client
    "enrol.keys_kept",
    "enrol.enrolled",
    "backup.begun",
    "backup.scanned",
    "backup.sealed",
    "backup.committed",
    "backup.cached",
    "receipt.history",
    "receipt.chain",
    "restore.created",
    "restore.written",
    "restore.named",
    "rotate.recorded",
    "rotate.rewrapped",
});

inline constexpr auto kProtections = std::to_array<std::string_view>({
    "closure",  // a commit whose blobs are not all there is refused
    "lock",     // one process at a time works on a data folder
});

// A name out of a list; any other does not compile.
template <const auto& kNames>
class Named {
 public:
  consteval Named(const char* name) : name_(name) {  // NOLINT(google-explicit-constructor)
    if (std::find(kNames.begin(), kNames.end(), name_) == kNames.end()) throw "not in the list";
  }
  [[nodiscard]] constexpr std::string_view view() const { return name_; }

 private:
  std::string_view name_;
};

// Dies, as of kill -9, when CYBERBACKUP_DIE_AT is "STEP" or "STEP:N" and this is the N-th pass.
void passed(Named<kSteps> step);

// What the system's clock of days is told to be ahead by CYBERBACKUP_CLOCK_AHEAD, so that what
// waits for days can be tried.
std::chrono::seconds clock_ahead();

// Is the protection left out? CYBERBACKUP_BREAK names it.
bool is_broken(Named<kProtections> protection);

}  // namespace cb::trial
