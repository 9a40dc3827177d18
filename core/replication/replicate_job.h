// SPDX-License-Identifier: Apache-2.0
//
// The job that copies repositories from other servers (docs/replication.md). A source or an account
// with trouble keeps no other from its turn; the run fails in the end, and goes on where it stopped
// the next time. Thread-safe; blocks.
#pragma once

#include "core/replication/sources.h"
#include "core/server/job_kinds.h"

namespace cb::replication {

// Reaches a source: with the transports of this server's plugins, or as a test wants.
using Connect = std::function<Result<std::unique_ptr<SourceRemote>>(const Source&)>;

// All that `parts` points to outlives the job.
server::JobKind replicate_job(const server::JobParts& parts, Connect connect);

// TLS over TCP to the pinned server, by plugins of this registry, which outlives it.
Connect connect_with(plugin::Registry& registry);

}  // namespace cb::replication
