// SPDX-License-Identifier: Apache-2.0
#include "answer.h"
#include "core/base/units.h"
#include "core/server/admin_server.h"

namespace cb::host {
namespace {

using report::Json;

constexpr auto kPatience = std::chrono::seconds(15);

std::string size(const Json& from, const char* key) {
  return format_size(from.value(key, uint64_t{0}));
}

std::string listeners(const Json& status) {
  std::string text;
  for (const Json& one : status.value("listeners", Json::array())) {
    std::string stack;
    for (const Json& transport : one.value("transport", Json::array()))
      stack += (stack.empty() ? "" : " over ") + transport.get<std::string>();
    text += "  " + report::text_of(one, "name") + "  port " + number(one, "port") + "  " + stack +
            "  " + number(one, "connections") + " connections\n";
  }
  return text;
}

std::string job_troubles(const Json& status) {
  std::string text;
  for (const Json& job : status.value("jobs", Json::array())) {
    if (!job.is_object()) continue;
    if (job.contains("held"))
      text +=
          "job " + report::text_of(job, "job") + " waits: " + report::text_of(job, "held") + "\n";
    const Json last = job.value("last", Json::object());
    const std::string outcome = report::text_of(last, "outcome");
    if (outcome == "failed")
      text += "job " + report::text_of(job, "job") +
              " failed: " + report::text_of(last, "summary") + "\n";
    if (outcome == "asks")
      text += "job " + report::text_of(job, "job") + " asks: " + report::text_of(last, "summary") +
              " (cyberbackupd job requests)\n";
  }
  if (const auto wanted = status.value("wanted", uint64_t{0}); wanted > 0)
    text += std::to_string(wanted) +
            " damaged blobs wait for a backup to send them again (cyberbackupd check names them)\n";
  return text;
}

// What an operator told, and should not forget.
std::string told_states(const Json& status) {
  std::string text;
  const Json store = status.value("store", Json::object());
  if (store.contains("mode") && store["mode"] != "normal") text += store_text(store) + "\n";
  if (status.value("traffic", Json::object()).value("paused", false))
    text += "traffic rules are paused (cyberbackupd traffic show)\n";
  return text;
}

std::string troubles(const Json& status) {
  std::string text;
  for (const Json& plugin : status.value("plugins", Json::array()))
    if (plugin.contains("refused"))
      text += "plugin " + report::text_of(plugin, "id") +
              " was refused: " + report::text_of(plugin, "refused") + "\n";
  for (const Json& one : status.value("instances", Json::array()))
    if (one.value("quarantined", false) || one.value("unhealthy", false))
      text += "plugin " + report::text_of(one, "id") +
              (one.value("quarantined", false) ? " is quarantined: " : " is unhealthy: ") +
              report::text_of(one, "reason") + "\n";
  const Json held = status.value("repositories", Json::object());
  for (const Json& one : held.value("unread", Json::array()))
    text += "account " + report::text_of(one, "account") +
            " cannot be used: " + report::text_of(one, "error") + "\n";
  text += job_troubles(status);
  const Json audit = status.value("audit", Json::object());
  if (audit.value("waiting", 0) > 0)
    text += "the audit log cannot be written: " + number(audit, "waiting") + " records wait\n";
  text += told_states(status);
  const Json space = status.value("space", Json::object());
  if (space.value("uploads_refused", false))
    text += "new uploads are refused: " + report::text_of(space, "reason") + "\n";
  return text;
}

std::string limit_lines(const Json& status) {
  std::string text;
  for (const Json& one : status.value("limits", Json::array())) {
    const std::string device = report::text_of(one, "device");
    const auto until = report::number_of(one, "soft_until_ns", 0);
    text += "account " + report::text_of(one, "account") +
            (device.empty() ? std::string() : " device " + device) + " stores " +
            size(one, "stored") +
            (one.value("is_over", false)
                 ? ", as much as it may: its backups are refused"
                 : ", more than its soft limit, which is tolerated until " + utc(until)) +
            " (cyberbackupd limits show)\n";
  }
  const Json space = status.value("space", Json::object());
  if (space.value("is_low", false))
    text += "no backup begins: the store is below limits.low_water\n";
  return text;
}

std::string v4_lines(const Json& status) {
  const Json v4 = status.value("v4", Json::object());
  const Json held = status.value("repositories", Json::object());
  return "v4       " + number(v4, "logged_in") + " sessions, " + number(held, "accounts") +
         " accounts, " + number(held, "repositories") + " repositories, " +
         number(held, "snapshots") + " snapshots\n" + "         " + number(held, "blobs") +
         " blobs in " + number(held, "packs") + " packs, " + size(held, "stored_bytes") + "\n";
}

// The last run of each.
std::string jobs_line(const Json& status) {
  std::string text;
  for (const Json& job : status.value("jobs", Json::array())) {
    if (!job.is_object()) continue;
    const Json last = job.value("last", Json::object());
    const auto ended = last.value("ended_ns", int64_t{0});
    text += (text.empty() ? "jobs     " : "         ") + report::text_of(job, "job") + " " +
            (job.contains("running") ? std::string("is running")
             : ended == 0            ? std::string("has not run yet")
                                     : report::text_of(last, "outcome") + " at " + utc(ended)) +
            "\n";
  }
  return text;
}

std::string confinement_line(const Json& status) {
  const Json confined = status.value("confinement", Json::object());
  const bool filters = confined.value("filters_calls", false);
  std::string text = "calls    system calls are " + std::string(filters ? "" : "not ") + "filtered";
  if (confined.value("uid", uint64_t{1}) == 0) text += ", runs as root";
  if (confined.value("secrets_unlocked", uint64_t{0}) > 0) text += ", secrets may be swapped out";
  return text + "\n";
}

std::string as_text(const Json& status) {
  const Json space = status.value("space", Json::object());
  const Json stored = status.value("stored", Json::object());
  const Json buffers = status.value("buffers", Json::object());
  const auto up = std::chrono::seconds(status.value("uptime", int64_t{0}));
  std::string text = "cyberbackupd " + report::text_of(status, "version") + ", pid " +
                     number(status, "pid") + ", up " + format_duration(up) +
                     (status.value("draining", false) ? ", draining" : "") + "\n";
  text += listeners(status);
  text +=
      "sessions " + number(status, "sessions") + ", uploads " + number(status, "uploads") + "\n";
  text += v4_lines(status);
  text += "stored   " + number(stored, "clients") + " clients, " + number(stored, "versions") +
          " versions, " + size(stored, "plain_bytes") + " in " + size(stored, "stored_bytes") +
          "\n";
  text += "space    " + size(space, "free") + " free of " + size(space, "total") + ", reserve " +
          size(space, "reserve") + "\n";
  text += "memory   " + size(status, "rss") + ", buffers " + number(buffers, "taken") + " of " +
          number(buffers, "limit") + ", threads " + number(status, "threads") + "\n";
  text += confinement_line(status);
  text += jobs_line(status);
  const Json audit = status.value("audit", Json::object());
  text += "audit    " + number(audit, "sequence") + " " + report::text_of(audit, "hash") + "\n";
  text += troubles(status);
  text += limit_lines(status);
  text.pop_back();
  return text;
}

}  // namespace

report::ExitCode run_status(const CommonOptions& options) {
  const auto settings = load(options);
  if (!settings) return tell(settings.error(), options.json);
  const auto status = server::ask_daemon(settings->admin_socket(), "status", kPatience);
  if (!status) return tell(status.error(), options.json);
  print(options.json ? report::json_line(*status) : as_text(*status));
  return report::ExitCode::done;
}

}  // namespace cb::host
