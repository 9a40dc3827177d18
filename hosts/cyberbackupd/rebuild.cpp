// SPDX-License-Identifier: Apache-2.0
#include "core/server/rebuild.h"

#include <algorithm>

#include "check_screen.h"
#include "commands.h"
#include "core/os/process.h"
#include "core/report/json.h"
#include "core/report/table.h"
#include "setup.h"

namespace cb::host {
namespace {

using report::Json;
using repository::RebuiltRepository;
using server::RebuildResult;

constexpr const char* kLost =
    "pairing tokens and invites that were not used yet, accounts that never backed up, v3 clients "
    "that never uploaded, and, without the old catalog, limits of accounts and devices";

Json json_of(const RebuiltRepository& one) {
  return {{"repository", one.id.hex()}, {"account", one.account}, {"protocol", one.is_v3 ? 3 : 4},
          {"devices", one.devices},     {"slots", one.slots},     {"packs", one.packs},
          {"blobs", one.blobs},         {"commits", one.commits}, {"snapshots", one.snapshots},
          {"in_trash", one.in_trash},   {"doubts", one.doubts}};
}

Json json_of(const std::vector<server::RebuildRemark>& remarks, const char* name) {
  Json list = Json::array();
  for (const auto& remark : remarks)
    list.push_back({{"account", remark.account}, {name, remark.text}});
  return list;
}

Json json_of(const RebuildOptions& options, const RebuildResult& result) {
  Json repositories = Json::array();
  for (const RebuiltRepository& one : result.rebuilt.repositories)
    repositories.push_back(json_of(one));
  return {{"dry_run", options.dry_run},
          {"repositories", repositories},
          {"v3_clients", result.v3_clients},
          {"v3_versions", result.v3_versions},
          {"doubts", result.rebuilt.doubts},
          {"findings", json_of(result.findings, "finding")},
          {"notes", json_of(result.notes, "note")},
          {"kept", result.kept}};
}

void print_table(const RebuildResult& result) {
  report::Table table({{"account"},
                       {"devices", true},
                       {"packs", true},
                       {"blobs", true},
                       {"snapshots", true},
                       {"in trash", true},
                       {"doubts", true}});
  for (const RebuiltRepository& one : result.rebuilt.repositories)
    table.add({one.account, std::to_string(one.devices), std::to_string(one.packs),
               std::to_string(one.blobs), std::to_string(one.snapshots),
               std::to_string(one.in_trash), std::to_string(one.doubts.size())});
  std::string text = table.text();
  if (!text.empty()) text.pop_back();
  print(text);
}

void print_text(const RebuildOptions& options, const RebuildResult& result) {
  print_table(result);
  for (const std::string& doubt : result.rebuilt.doubts) print("doubt: " + doubt);
  for (const RebuiltRepository& one : result.rebuilt.repositories)
    for (const std::string& doubt : one.doubts) print("doubt of " + one.account + ": " + doubt);
  for (const auto& finding : result.findings)
    print("damage in " + finding.account + ": " + finding.text);
  for (const auto& note : result.notes) print("note of " + note.account + ": " + note.text);
  if (result.v3_clients > 0)
    print("of protocol 3: " + std::to_string(result.v3_clients) + " clients, " +
          std::to_string(result.v3_versions) + " versions of files");
  print("the store does not have, so they are gone: " + std::string(kLost));
  if (options.dry_run)
    print("nothing was changed");
  else
    print(result.kept.empty() ? "the new catalog is in place"
                              : "the new catalog is in place; the old one is " + result.kept);
}

bool is_clean(const RebuildResult& result) {
  const auto& all = result.rebuilt.repositories;
  return result.findings.empty() && result.rebuilt.doubts.empty() &&
         std::all_of(all.begin(), all.end(),
                     [](const RebuiltRepository& one) { return one.doubts.empty(); });
}

Result<RebuildResult> rebuild(const RebuildOptions& options) {
  CB_ASSIGN(server::Settings settings, load_for_files(options.common));
  auto lock = os::FileLock::take(os::real_file_system(), settings.data / "lock");
  if (!lock)
    return failed(std::move(lock).error().with_advice(
        "a daemon runs on this folder, or another command: end it first"));
  CB_ASSIGN(const auto log, quiet_log());
  server::Seams seams;
  seams.log = log.get();
  const auto registry = server::make_registry(settings, seams, *log);
  CB_TRY(server::prepare_plugins(settings, *registry));
  CheckScreen screen("rebuild", options.common.json);
  auto result =
      server::rebuild_data_folder(settings, *registry, seams, {options.dry_run, options.scan},
                                  [&](uint64_t done, uint64_t total) {
                                    screen.show(done, total);
                                    return true;
                                  });
  screen.finish();
  return result;
}

}  // namespace

report::ExitCode run_rebuild(const RebuildOptions& options) {
  const auto result = rebuild(options);
  if (!result) return tell(result.error(), options.common.json);
  if (options.common.json)
    print(report::json_line(json_of(options, *result)));
  else
    print_text(options, *result);
  return is_clean(*result) ? report::ExitCode::done : report::ExitCode::partial;
}

}  // namespace cb::host
