// SPDX-License-Identifier: Apache-2.0
#include "core/client/restore.h"

#include <atomic>

#include "core/client/restore_run.h"

namespace cb::client {

struct Restore::State {
  Parts parts;
  std::atomic<bool> cancelled{false};
};

Restore::Restore(Parts parts) : state_(std::make_unique<State>()) {
  state_->parts = std::move(parts);
}
Restore::~Restore() = default;

Result<RestoreResult> Restore::run(const RestoreRequest& request) {
  RestoreRun run(state_->parts, request, state_->cancelled);
  return run.run();
}

void Restore::cancel() { state_->cancelled = true; }

}  // namespace cb::client
