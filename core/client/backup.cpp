// SPDX-License-Identifier: Apache-2.0
#include "core/client/backup.h"

#include <mutex>

#include "core/client/backup_run.h"

namespace cb::client {

struct Backup::State {
  Parts parts;
  std::mutex mutex;
  bool cancelled = false;    // guarded by mutex
  BackupRun* run = nullptr;  // guarded by mutex
};

Backup::Backup(Parts parts) : state_(new State{std::move(parts), {}, false, nullptr}) {}
Backup::~Backup() = default;

Result<BackupResult> Backup::run(const BackupRequest& request) {
  BackupRun run(state_->parts, request);
  {
    const std::lock_guard lock(state_->mutex);
    state_->run = &run;
    if (state_->cancelled) run.cancel();
  }
  auto result = run.run();
  const std::lock_guard lock(state_->mutex);
  state_->run = nullptr;
  return result;
}

void Backup::cancel() {
  const std::lock_guard lock(state_->mutex);
  state_->cancelled = true;
  if (state_->run != nullptr) state_->run->cancel();
}

}  // namespace cb::client
