// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "confined.h"
#include "core/os/last_words.h"
#include "core/os/process.h"
#include "core/plugin/crash_report.h"
#include "core/server/daemon.h"
#include "core/server/program.h"
#include "further_jobs.h"
#include "notify.h"
#include "setup.h"
#include "signals.h"

namespace cb::host {
namespace {

// Files of stores, catalog and plugins beside the connections.
constexpr uint64_t kOtherDescriptors = 512;

// A daemon that cannot end by itself after the second signal is ended by the system.
constexpr unsigned kLastSeconds = 5;

void reload(const CommonOptions& options, server::Daemon& daemon, log::Output& log) {
  if (const Status reopened = log.reopen(); !reopened)
    log.error("log.reopen-failed", {{"cause", reopened.error().text()}});
  config::Problems problems;
  auto fresh = server::load_settings(settings_request(options), problems);
  Status done;
  if (!fresh) {
    done = failed(std::move(fresh).error());
  } else if (problems.has_errors()) {
    done = failed(problems.error(""));
  } else {
    const log::OutputSettings written = fresh->log;
    done = daemon.reload(std::move(*fresh));
    if (done) log.set_levels(written.level, written.levels);
  }
  if (!done)
    log.error("reload.refused",
              {{"cause", done.error().text()}, {"advice", "the old configuration stays in force"}});
}

void warn_of_few_descriptors(uint32_t connections, log::Output& log) {
  const uint64_t limit = os::raise_descriptor_limit();
  if (limit >= connections + kOtherDescriptors) return;
  log.warn(
      "descriptors.few",
      {{"limit", limit}, {"advice", "raise LimitNOFILE (ulimit -n) or lower limits.connections"}});
}

// Serves until told to stop; returns when everything is closed.
void serve_until_signal(const CommonOptions& options, server::Daemon& daemon, log::Output& log,
                        Signals& signals) {
  bool draining = false;
  while (true) {
    const Signals::What what = signals.wait();
    if (what == Signals::What::bell) break;
    if (what == Signals::What::reload) {
      reload(options, daemon, log);
      continue;
    }
    if (draining) {
      log.warn("stop.at-once");
      ::alarm(kLastSeconds);
      break;
    }
    draining = true;
    notify_systemd("STOPPING=1");
    daemon.begin_drain([&signals] { signals.ring(); });
  }
  daemon.stop();
}

// As the user that the daemon is to be, so that a reload can read what the start could.
Result<server::Settings> load_confined(const CommonOptions& options, Confined& confined) {
  CB_ASSIGN(server::Settings settings, load(options));
  CB_ASSIGN(const bool is_other, confined.begin(settings.confinement));
  if (!is_other) return settings;
  auto again = load(options);
  if (!again && again.error().code == Code::denied)
    return failed(std::move(again).error().with_advice("let user " + settings.confinement.user +
                                                       " read it, as a reload will"));
  return again;
}

}  // namespace

report::ExitCode run_serve(const CommonOptions& options) {
  auto signals = Signals::take_over();
  if (!signals) return tell(signals.error(), options.json);
  Confined confined;
  auto settings = load_confined(options, confined);
  if (!settings) return tell(settings.error(), options.json);
  auto log = log::open_log(settings->log);
  if (!log) return tell(log.error(), options.json);
  plugin::report_crashes_to(STDERR_FILENO);
  warn_of_few_descriptors(settings->limits.connections, **log);
  server::Seams seams;
  seams.log = log->get();
  seams.further_jobs = further_jobs();
  confined.lay_into(seams, **log);
  auto daemon = server::Daemon::start(std::move(*settings), std::move(seams));
  if (!daemon) {
    (*log)->error("start.failed", {{"cause", daemon.error().text()}});
    return tell(daemon.error(), options.json);
  }
  confined.tell(**log);
  (*log)->info("ready", {{"version", server::kProgramVersion}, {"pid", ::getpid()}});
  notify_systemd("READY=1");
  print("ready");
  os::bear_want_of_memory();
  serve_until_signal(options, **daemon, **log, *signals);
  (*log)->info("stopped");
  return report::ExitCode::done;
}

}  // namespace cb::host
