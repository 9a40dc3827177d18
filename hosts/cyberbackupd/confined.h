// SPDX-License-Identifier: Apache-2.0
//
// How `serve` gives up what the daemon does not need: root, rights that programs could gain, system
// calls. For the main thread.
#pragma once

#include <optional>

#include "core/os/lower_rights.h"
#include "core/server/backend.h"

namespace cb::host {

class Confined {
 public:
  // Becomes the user of the settings where root is to, and lets nobody gain rights. Before anything
  // of the daemon's is opened. True when it became somebody else: what was read as root is to be
  // read again.
  Result<bool> begin(const server::ConfinementSettings& settings);

  // Makes the start of a daemon give up the rest at its time. `log` and this outlive the daemon.
  void lay_into(server::Seams& seams, log::Log& log);

  // What could not be done is told, once, and no reason not to serve.
  void tell(log::Log& log) const;

 private:
  Status filter(log::Log& log) const;

  server::ConfinementSettings settings_;
  std::optional<os::LowerRights> rights_;
};

}  // namespace cb::host
