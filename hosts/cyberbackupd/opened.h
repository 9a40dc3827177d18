// SPDX-License-Identifier: Apache-2.0
//
// The daemon's files as commands open them, and commands that a running daemon answers or, without
// one, its files. For the main thread.
#pragma once

#include <functional>
#include <memory>

#include "core/report/json.h"
#include "setup.h"

namespace cb::host {

// The daemon's files, opened beside it or without it.
struct Opened {
  std::unique_ptr<log::Output> log;
  server::Seams seams;
  server::Settings settings;
  std::unique_ptr<plugin::Registry> registry;
  std::unique_ptr<server::Backend> backend;  // before the registry
};

// `is_read_only`: completes nothing that a crash broke off.
Result<std::unique_ptr<Opened>> open_files(const CommonOptions& options, bool is_read_only = false);

// Where the daemon writes its log a command that changes something does too, for both are the
// operator's record.
Result<std::unique_ptr<log::Output>> log_of(const server::Settings& settings);

// Their catalog alone, beside a daemon or without one.
Result<std::unique_ptr<catalog::Catalog>> open_catalog(const server::Settings& settings);

// Sends a request of core/server/admin_commands.h to the daemon; when none runs, does it on the
// files, under the daemon's lock (Code::busy when somebody else holds it).
Result<report::Json> run_admin(
    const CommonOptions& options, const report::Json& request,
    const std::function<void(uint64_t done, uint64_t total)>& progress = {});

// "2026-03-01T12:00:00Z".
std::string utc(int64_t nanoseconds);
// When a device was last seen: the same, or "never" for 0.
std::string last_seen(int64_t nanoseconds);

}  // namespace cb::host
