// SPDX-License-Identifier: Apache-2.0
//
// What to do about what a check found, in plain sentences. Functions are pure.
#pragma once

#include <string>
#include <vector>

#include "core/client/copy_check.h"
#include "core/client/snapshot_check.h"
#include "core/client/witness.h"

namespace cb {

// What the advice depends on.
struct CheckOutcome {
  bool read_data = false;
  client::SnapshotCheckResult snapshots;
  client::CopyCheckResult copies;
  std::vector<std::string> poisoners;  // ids of devices that are to blame, each once
};

// One or two sentences for each kind of finding, the gravest first; where nothing was found, one.
std::vector<std::string> advice_of(const CheckOutcome& outcome);
// The same of a comparison with a witness.
std::vector<std::string> advice_of(const std::vector<client::WitnessFinding>& findings);

}  // namespace cb
