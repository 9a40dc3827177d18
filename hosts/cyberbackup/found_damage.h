// SPDX-License-Identifier: Apache-2.0
//
// What a check or a restore found, as people and scripts see it. Used by one thread.
#pragma once

#include "core/client/restore.h"
#include "core/client/snapshot_check.h"
#include "hosts/cyberbackup/workplace.h"

namespace cb {

// One line of stdout for each, with --json an event.
void print_damages(const CommonOptions& options, const client::SnapshotCheckResult& result);

// One line of stderr for each, with --json an event on stdout, too.
void print_problems(const CommonOptions& options, const client::RestoreResult& result);

}  // namespace cb
