// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup status`: who this device is, and how its repository fares.
#include <cstdio>
#include <optional>

#include "core/base/units.h"
#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/snapshot_listing.h"

namespace cb {
namespace {

using report::Json;

constexpr const char* kStatusExample =
    "Examples:\n"
    "  cyberbackup status\n"
    "  cyberbackup status --json --reach-timeout 5s";
constexpr const char* kShortReach = "10s";

// What the server told.
struct Remote {
  client::V4Welcome welcome;
  repository::RemoteCounts counts;
  std::optional<repository::SnapshotInfo> last;
  client::ReceiptBook history;
};

Result<Remote> ask(Workplace& place) {
  CB_ASSIGN(const auto session, place.dial());
  Remote remote;
  remote.welcome = session->welcome();
  CB_ASSIGN(remote.counts, session->counts());
  CB_ASSIGN(const auto list, place.listing(session)->snapshots(false));
  if (!list.empty()) remote.last = list.back();
  CB_ASSIGN(remote.history, place.receipts().book());
  return remote;
}

int64_t age_of(const client::ReceiptBook& history) {  // nanoseconds
  return std::max<int64_t>(0, os::system_clock().wall().count() - history.head_time_ns);
}

Json local_facts(const Workplace& place) {
  const client::Profile& profile = place.profile();
  return {{"profile", place.profile_path().filename().string()},
          {"account", profile.account},
          {"role", client::name_of(profile.role)},
          {"repository", profile.repository.hex()},
          {"device", place.device().hex()},
          {"servers", profile.servers}};
}

Json json_of(const client::RoomShare& share) {
  Json json = {{"stored_bytes", share.stored}, {"is_full", share.is_over}};
  json["limit_bytes"] = share.limit == 0 ? Json(nullptr) : Json(share.limit);
  json["soft_limit_bytes"] = share.soft == 0 ? Json(nullptr) : Json(share.soft);
  json["tolerated_until"] = share.until_ns == 0 ? Json(nullptr) : Json(utc_time(share.until_ns));
  return json;
}

Json json_of(const client::Room& room) {
  return {{"account", json_of(room.account)},
          {"device", json_of(room.device)},
          {"last_backup_bytes", room.growth},
          {"server_is_low", room.is_low}};
}

void add_facts(Json& json, const Remote& remote) {
  const auto& [welcome, counts, last, history] = remote;
  json["server"] = welcome.program;
  json["clock_ahead_ms"] =
      std::chrono::duration_cast<std::chrono::milliseconds>(welcome.clock_ahead).count();
  json["snapshots"] = counts.snapshots;
  json["blobs"] = counts.blobs;
  json["packs"] = counts.packs;
  json["stored_bytes"] = counts.stored_bytes;
  json["room"] = json_of(welcome.room);
  json["commits"] = history.head.sequence;
  json["head"] = nullptr;
  if (history.head.sequence > 0)
    json["head"] = {{"sequence", history.head.sequence},
                    {"hash", history.head.hash.hex()},
                    {"time", utc_time(history.head_time_ns)},
                    {"age_seconds", age_of(history) / 1'000'000'000}};
  json["last_snapshot"] = last ? json_of(*last, SnapshotInsides{}) : Json(nullptr);
}

void print_line(const std::string& name, const std::string& value) {
  std::printf("%-12s%s\n", name.c_str(), value.c_str());
}

void print_local(const Workplace& place) {
  const client::Profile& profile = place.profile();
  print_line("profile", place.profile_path().filename().string());
  print_line("account", profile.account);
  print_line("role", client::name_of(profile.role));
  print_line("repository", profile.repository.hex());
  print_line("device", place.device().hex());
  for (const std::string& server : profile.servers) print_line("server", server);
}

void print_remote(const Remote& remote) {
  const auto& [welcome, counts, last, history] = remote;
  print_line("reachable", "yes, " + welcome.program);
  print_line("snapshots", std::to_string(counts.snapshots));
  print_line("stored", format_size(counts.stored_bytes) + " in " + std::to_string(counts.packs) +
                           " packs, " + std::to_string(counts.blobs) + " blobs");
  print_line("usage", client::room_text(welcome.room.account));
  print_line("by device", client::room_text(welcome.room.device));
  for (const std::string& warning : client::room_warnings(welcome.room))
    print_line("warning", warning);
  if (const Status may = client::may_back_up(welcome.room); !may)
    print_line("refused", may.error().text());
  print_line("history", history.head.sequence == 0
                            ? "no commit yet"
                            : "commit " + std::to_string(history.head.sequence) + "  " +
                                  history.head.hash.hex().substr(0, 12) + "  " +
                                  format_duration(std::chrono::nanoseconds(age_of(history))) +
                                  " ago");
  print_line("last", last ? short_id(last->commit.snapshot) + "  " +
                                local_time(last->commit.time_ns) + "  " +
                                std::to_string(last->commit.files) + " files, " +
                                format_size(last->commit.bytes)
                          : "no snapshot yet");
}

Status run_status(CommonOptions options) {
  if (options.reach_timeout.empty()) options.reach_timeout = kShortReach;
  CB_ASSIGN(const auto place, Workplace::open(options));
  CB_TRY(place->load_profile());
  if (!options.json) print_local(*place);
  const auto remote = ask(*place);
  // Who is refused, or refuses, was reached.
  const bool reached = remote || remote.error().code == Code::denied;
  if (options.json) {
    Json json = local_facts(*place);
    json["reachable"] = reached;
    if (remote) add_facts(json, *remote);
    json["warning"] = reached && !remote ? Json(remote.error().text()) : Json(nullptr);
    std::puts(report::json_line(json).c_str());
  } else if (remote) {
    print_remote(*remote);
  }
  std::fflush(stdout);
  if (!remote) return failed(remote.error());
  return {};
}

}  // namespace

void add_status_command(CLI::App& app, CommonOptions& options, int& exit_code) {
  CLI::App* command = app.add_subcommand("status", "Show the account and how its repository fares");
  command->footer(kStatusExample);
  command->callback([&options, &exit_code] {
    const Status done = run_status(options);
    if (!done) exit_code = report_failure(options, done.error());
  });
}

}  // namespace cb
