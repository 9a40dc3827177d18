// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup retention`: which snapshots the server keeps, shown and set by an owner. Tags and
// paths go to the server as keyed hashes only.
#include <algorithm>
#include <filesystem>
#include <map>

#include "core/client/scanner.h"
#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/owner_tools.h"
#include "hosts/retention/retention_text.h"
#include "hosts/retention/rule_options.h"

namespace cb {
namespace {

using report::Json;
using repository::SnapshotInfo;

constexpr const char* kRetentionExample =
    "Examples:\n"
    "  cyberbackup retention show\n"
    "  cyberbackup retention set --keep-daily 7 --keep-weekly 5 --keep-monthly 12\n"
    "  cyberbackup retention set --path /home/eve --keep-last 30 --keep-tag work\n"
    "\n"
    "What no rule keeps goes to the server's trash, where `cyberbackup undelete` finds it until\n"
    "its stay is over. Nothing else than rules removes a snapshot, and without rules all are kept.";

struct SetOptions {
  host::RuleOptions rules;
  std::vector<std::string> paths;  // of a source of this device
  std::string source;              // a prefix, as the list shows it
};

Bytes key_of(const repository::CommitRecord& commit) {
  Bytes key = to_bytes(commit.device.view());
  key.insert(key.end(), commit.source.bytes.begin(), commit.source.bytes.end());
  return key;
}

// The rules in force for a source, and whose they are.
std::pair<std::string, std::string> in_force(const repository::RetentionRecord& record,
                                             const Bytes& source) {
  std::pair<std::string, std::string> found{retention::text_of(retention::Rules{}), "none"};
  for (const auto& one : record.rules) {
    if (one.source.empty() && found.second == "none") found = {one.text, "repository"};
    if (one.source == source) found = {one.text, "source"};
  }
  return found;
}

// As the operator's command shows it.
Json shown_of(const repository::RetentionRecord& record, std::span<const SnapshotInfo> snapshots) {
  Json shown = {{"rules", Json::array()}, {"sources", Json::array()}, {"pins", Json::array()}};
  for (const auto& one : record.rules)
    shown["rules"].push_back({{"source", to_hex(one.source)},
                              {"rules", one.text},
                              {"set_ns", one.set_ns},
                              {"set_by", one.set_by}});
  std::map<Bytes, std::array<int64_t, 3>> counts;  // listed, in the trash, the newest's time
  for (const SnapshotInfo& info : snapshots) {
    auto& of = counts[key_of(info.commit)];
    ++of[info.in_trash ? 1 : 0];
    of[2] = std::max(of[2], info.commit.time_ns);
  }
  for (const auto& [source, of] : counts) {
    const auto [rules, whose] = in_force(record, source);
    shown["sources"].push_back({{"source", to_hex(source)},
                                {"snapshots", of[0]},
                                {"in_trash", of[1]},
                                {"newest_ns", of[2]},
                                {"rules", rules},
                                {"rules_of", whose}});
  }
  for (const auto& pin : record.pins)
    shown["pins"].push_back(
        {{"snapshot", pin.snapshot.hex()}, {"until_ns", pin.until_ns}, {"reason", pin.reason}});
  return shown;
}

// Both lists, with the trash.
Result<std::vector<SnapshotInfo>> all_snapshots(repository::Remote& remote) {
  CB_ASSIGN(std::vector<SnapshotInfo> all, remote.snapshots(true));
  return all;
}

Status show(const CommonOptions& options) {
  CB_ASSIGN(const Connected connected, connect_profile(options));
  CB_ASSIGN(const auto record, connected.session->retention());
  CB_ASSIGN(const auto snapshots, all_snapshots(*connected.session));
  const Json shown = shown_of(record, snapshots);
  return tell(options, shown, host::retention_text(shown) + "\n", {});
}

// As a backup of these paths names them.
Result<std::vector<std::string>> paths_of(const std::vector<std::string>& given) {
  std::vector<std::string> absolute;
  for (const std::string& path : given)
    absolute.push_back(std::filesystem::absolute(path).string());
  std::optional<Error> missing;
  const auto note = [&missing](const std::string&, const Error& error) { missing = error; };
  CB_ASSIGN(const auto sources, client::snapshot_sources(os::real_tree(), absolute, note));
  if (missing) return failed(std::move(*missing));
  std::vector<std::string> paths;
  for (const std::string& source : sources) paths.push_back("/" + source);
  return paths;
}

// Device and hash of the source that was meant; empty: the repository.
Result<Bytes> source_of(const Connected& connected, const SetOptions& wanted) {
  if (!wanted.paths.empty()) {
    CB_ASSIGN(const std::vector<std::string> paths, paths_of(wanted.paths));
    const repository::DeviceId device = connected.place->device();
    CB_ASSIGN(const auto hash, connected.place->write_keys().source_hash(device, paths));
    Bytes key = to_bytes(device.view());
    key.insert(key.end(), hash.bytes.begin(), hash.bytes.end());
    return key;
  }
  if (wanted.source.empty()) return Bytes();
  CB_ASSIGN(const auto snapshots, all_snapshots(*connected.session));
  std::map<Bytes, bool> found;
  const size_t slash = wanted.source.find('/');
  for (const SnapshotInfo& info : snapshots) {
    const bool is_device = slash == std::string::npos ||
                           info.commit.device.hex().starts_with(wanted.source.substr(0, slash));
    const std::string hash =
        slash == std::string::npos ? wanted.source : wanted.source.substr(slash + 1);
    if (is_device && info.commit.source.hex().starts_with(hash)) found[key_of(info.commit)] = true;
  }
  if (found.size() == 1) return found.begin()->first;
  return failed(found.empty() ? Code::not_found : Code::invalid, "source " + wanted.source,
                found.empty() ? "has no snapshot" : "are several",
                "`cyberbackup retention show` lists the sources");
}

Status set(const CommonOptions& options, const SetOptions& wanted) {
  CB_ASSIGN(const Connected connected, connect_profile(options));
  if (connected.place->profile().role != repository::Role::owner)
    return failed(Code::denied, "retention", "is set by owners only",
                  "run this on an owner's device, or ask the server's operator");
  std::vector<retention::Hash> tags;
  for (const std::string& tag : wanted.rules.tags) {
    CB_ASSIGN(const auto hash, connected.place->write_keys().tag_hash(tag));
    tags.push_back(hash.bytes);
  }
  CB_ASSIGN(const auto rules, host::rules_of(wanted.rules, tags));
  CB_ASSIGN(const Bytes source, source_of(connected, wanted));
  CB_ASSIGN(const auto done, connected.session->set_retention(
                                 source, rules ? retention::text_of(*rules) : std::string()));
  Json json = {{"source", to_hex(source)}, {"rules", done.rules}};
  if (done.request != 0) json["request"] = done.request;
  return tell(options, json, host::rules_set_text(json) + "\n", {});
}

void finish(CLI::App* command, CommonOptions& options, int& exit_code,
            std::function<Status()> run) {
  command->callback([&options, &exit_code, run = std::move(run)] {
    const Status done = run();
    if (!done) exit_code = report_failure(options, done.error());
  });
}

}  // namespace

void add_retention_command(CLI::App& app, CommonOptions& options, int& exit_code) {
  CLI::App* command = app.add_subcommand("retention", "Which snapshots the server keeps");
  command->footer(kRetentionExample);
  command->require_subcommand(1);
  finish(command->add_subcommand("show", "Print rules, sources and pinned snapshots"), options,
         exit_code, [&options] { return show(options); });
  CLI::App* set_command =
      command->add_subcommand("set", "Set all rules of the account, or of one source of it");
  const auto wanted = std::make_shared<SetOptions>();
  host::add_rule_options(*set_command, wanted->rules, "--keep-tag");
  auto* path = set_command->add_option(
      "--path", wanted->paths, "Only for this device's backups of these paths; may be repeated");
  set_command
      ->add_option("--source", wanted->source,
                   "Only for this source: the begin of its name in the list, or DEVICE/SOURCE")
      ->excludes(path);
  finish(set_command, options, exit_code, [&options, wanted] { return set(options, *wanted); });
}

}  // namespace cb
