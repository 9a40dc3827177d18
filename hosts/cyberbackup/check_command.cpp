// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup check`: are all snapshots whole, and who signed them?
#include <map>
#include <set>
#include <utility>

#include "core/base/units.h"
#include "core/client/copy_check.h"
#include "core/client/snapshot_check.h"
#include "core/repository/signatures.h"
#include "hosts/cyberbackup/check_advice.h"
#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/entry_text.h"
#include "hosts/cyberbackup/found_damage.h"
#include "hosts/cyberbackup/interruption.h"
#include "hosts/cyberbackup/reading.h"
#include "hosts/cyberbackup/unlock.h"
#include "hosts/cyberbackup/witness_check.h"

namespace cb {
namespace {

using client::SnapshotCheckResult;
using report::ExitCode;

using Devices = std::map<repository::DeviceId, repository::Certificate>;

std::function<std::optional<repository::SigningPublic>(const repository::DeviceId&)> keys_of(
    const Devices& devices) {
  return [&devices](const repository::DeviceId& device) {
    const auto found = devices.find(device);
    return found == devices.end() ? std::nullopt : std::optional(found->second.device);
  };
}

// Whether the server answers this device for what that one put: its own, and what owners put.
std::function<bool(const repository::DeviceId&)> leaning(const Devices& devices,
                                                         const repository::DeviceId& own) {
  return [&devices, own](const repository::DeviceId& device) {
    const auto found = devices.find(device);
    return device == own || found == devices.end() || found->second.role == repository::Role::owner;
  };
}

// All that was found.
struct Findings {
  SnapshotCheckResult snapshots;
  client::CopyCheckResult copies;  // of others; an owner's device alone looks
  std::map<repository::DeviceId, std::string>
      names;  // of devices that put poison, if they have one
  // Those whose copies lie together with others': which of them put one, nobody can tell.
  std::set<repository::DeviceId> sharing;

  [[nodiscard]] uint64_t count() const { return snapshots.damage_count + copies.poisoned_count; }
};

// Also those that committed nothing yet.
Status add_devices(client::V4Session& session, Devices& devices) {
  CB_ASSIGN(const repository::DeviceList list, session.devices());
  for (const repository::DeviceEntry& entry : list.devices)
    if (repository::verify_certificate(entry.certificate, session.welcome().record))
      devices.try_emplace(repository::device_of(entry.certificate.device), entry.certificate);
  return {};
}

// By the device that it names, or by the owner.
bool is_signed(const client::Profile& profile, const Devices& devices,
               const repository::SessionId& session, const repository::SessionRecord& record) {
  repository::SessionSigners signers{{}, profile.root};
  const auto found = devices.find(record.device);
  if (found == devices.end() && !record.device.is_zero()) return false;
  if (found != devices.end()) signers.device = found->second.device;
  return repository::verify_session_record(record, profile.repository, session, signers)
      .has_value();
}

// Looks into what nobody vouches for, over connections of its own.
Result<client::CopyCheckResult> check_copies(const Reading& reading, Devices& devices,
                                             Interruption& interruption, ReadProgress& progress) {
  CB_ASSIGN(auto first, reading.place->dial());
  CB_TRY(add_devices(*first, devices));
  client::CopyCheck::Parts parts;
  parts.connect = [&]() -> Result<client::CopyRemote> {
    auto session = std::exchange(first, nullptr);
    if (!session) {
      CB_ASSIGN(session, reading.place->dial());
    }
    return client::CopyRemote{session, session};
  };
  parts.opener = [&reading] { return reading.fresh_opener(); };
  parts.is_signed = [&](const repository::SessionId& session,
                        const repository::SessionRecord& record) {
    return is_signed(reading.place->profile(), devices, session, record);
  };
  parts.progress = [&](const report::Progress& now) { progress.show(now); };
  client::CopyCheck run(std::move(parts));
  interruption.react([&run, &reading] {
    run.cancel();
    reading.place->cancel();
  });
  auto result = run.run();
  interruption.ignore();
  return result;
}

Status name_devices(const Reading& reading, const Devices& devices, Findings& findings) {
  CB_ASSIGN(const auto names, names_of(*reading.place, reading.keyring));
  for (const client::PoisonedCopy& copy : findings.copies.poisoned) {
    const auto found = devices.find(copy.device);
    if (found == devices.end()) continue;
    findings.names[copy.device] = names.open(found->second).value_or("");
    if ((found->second.flags & repository::kDeviceSharesDedup) != 0)
      findings.sharing.insert(copy.device);
  }
  return {};
}

Result<SnapshotCheckResult> check_snapshots(const Reading& reading, const Devices& devices,
                                            Interruption& interruption, ReadProgress& progress,
                                            bool read_data) {
  client::SnapshotCheck::Parts parts;
  parts.remote = reading.remote.get();
  parts.fetcher = reading.fetcher.get();
  parts.repository = reading.place->profile().repository;
  parts.root = reading.place->profile().root;
  parts.key_of = keys_of(devices);
  parts.leans = leaning(devices, reading.place->device());
  parts.judge = [&](const repository::SnapshotRecord& record,
                    const repository::CommitRecord& commit) {
    return reading.place->receipts().judge_head(record, commit);
  };
  parts.progress = [&](const report::Progress& now) { progress.show(now); };
  client::SnapshotCheck run(std::move(parts));
  interruption.react([&run, &reading] {
    run.cancel();
    reading.place->cancel();
  });
  auto result = run.run(read_data);
  interruption.ignore();
  return result;
}

Result<Findings> look(const Reading& reading, Interruption& interruption, ReadProgress& progress,
                      bool read_data) {
  Findings findings;
  CB_ASSIGN(Devices devices, reading.place->receipts().devices());
  if (read_data && reading.place->profile().role == repository::Role::owner) {
    CB_ASSIGN(findings.copies, check_copies(reading, devices, interruption, progress));
    CB_TRY(name_devices(reading, devices, findings));
  }
  CB_ASSIGN(findings.snapshots,
            check_snapshots(reading, devices, interruption, progress, read_data));
  return findings;
}

Result<Findings> check(const CommonOptions& common, bool read_data) {
  Interruption interruption;  // before other threads
  CB_ASSIGN(const Reading reading, Reading::open(common));
  ReadProgress progress(common);
  auto findings = look(reading, interruption, progress, read_data);
  progress.clear();
  if (!findings && interruption.came()) return failed(Code::cancelled, "check", "was interrupted");
  return findings;
}

void print_poison(const CommonOptions& common, const Findings& findings) {
  for (const client::PoisonedCopy& copy : findings.copies.poisoned) {
    const auto named = findings.names.find(copy.device);
    const std::string name = named == findings.names.end() ? "" : named->second;
    const bool is_shared = copy.device.is_zero() || findings.sharing.contains(copy.device);
    if (common.json) {
      (void)print(report::json_line({{"event", "poison"},
                                     {"blob", copy.id.hex()},
                                     {"device", copy.device.hex()},
                                     {"name", name},
                                     {"shared", is_shared},
                                     {"proven", copy.blames_device},
                                     {"error", report::json_of(copy.error)}}) +
                  "\n");
      continue;
    }
    const std::string who = is_shared ? "one of the devices that share deduplication"
                                      : "device " + copy.device.hex() +
                                            (name.empty() ? "" : " (" + shown_path(name) + ")");
    (void)print("blob " + copy.id.hex() + ": " +
                (copy.blames_device ? "poisoned by " + who
                                    : "spoiled by " + who +
                                          " or by the server: the record of its "
                                          "session is not signed by who made it") +
                ": " + shown_path(copy.error.cause) + "; nobody leans on that copy any more\n");
  }
}

// Who is proven to have put poison, each once.
std::vector<std::string> poisoners_of(const Findings& findings) {
  std::set<repository::DeviceId> devices;
  for (const client::PoisonedCopy& copy : findings.copies.poisoned) {
    const bool is_known = !copy.device.is_zero() && !findings.sharing.contains(copy.device);
    if (is_known && copy.blames_device) devices.insert(copy.device);
  }
  std::vector<std::string> ids;
  for (const repository::DeviceId& device : devices) ids.push_back(device.hex());
  return ids;
}

void print_counts(const Findings& findings) {
  const SnapshotCheckResult& result = findings.snapshots;
  (void)print(
      std::to_string(result.snapshots) + " snapshots, " + std::to_string(result.nodes) +
      " nodes and " + std::to_string(result.blobs) + " blobs of content checked, " +
      format_size(result.bytes_read) + " read: " +
      (result.damage_count == 0 ? "no damage" : std::to_string(result.damage_count) + " damages") +
      "\n");
  if (result.unknown_signers > 0)
    (void)print(
        std::to_string(result.unknown_signers) +
        " snapshots are of devices that are not known: their signatures were not checked\n");
  if (findings.copies.good > 0)
    (void)print(std::to_string(findings.copies.good) +
                " blobs of other devices opened: everybody may lean on them now\n");
  if (findings.copies.poisoned_count > 0)
    (void)print(std::to_string(findings.copies.poisoned_count) + " blobs are poisoned\n");
  if (findings.copies.unread > 0)
    (void)print(std::to_string(findings.copies.unread) +
                " blobs of other devices could not be read, so nobody knows whether they are "
                "good\n");
  if (result.unread > 0)
    (void)print(std::to_string(result.unread) +
                " blobs of content lie in other devices' copies: only --read-data checks them\n");
}

// The advice about damage is part of what --quiet leaves, as the damage is.
void print_result(const CommonOptions& common, const Findings& findings,
                  const std::vector<std::string>& advice, ExitCode exit) {
  const SnapshotCheckResult& result = findings.snapshots;
  if (common.json) {
    (void)print(report::json_line({{"event", "done"},
                                   {"snapshots", result.snapshots},
                                   {"nodes", result.nodes},
                                   {"blobs", result.blobs},
                                   {"unread", result.unread},
                                   {"bytes_read", result.bytes_read},
                                   {"unknown_signers", result.unknown_signers},
                                   {"damages", result.damage_count},
                                   {"copies_good", findings.copies.good},
                                   {"copies_unread", findings.copies.unread},
                                   {"poisoned", findings.copies.poisoned_count},
                                   {"can_heal", result.counts.present},
                                   {"advice", advice},
                                   {"exit", static_cast<int>(exit)}}) +
                "\n");
    return;
  }
  if (!common.quiet) print_counts(findings);
  if (common.quiet && exit == ExitCode::done) return;
  for (const std::string& line : advice) (void)print(line + "\n");
}

struct CheckOptions {
  bool read_data = false;
  std::string against;
};

int run_check(const CommonOptions& common, const CheckOptions& options) {
  if (!options.against.empty()) return run_witness_check(common, options.against);
  const auto result = check(common, options.read_data);
  if (!result) return report_failure(common, result.error());
  const ExitCode exit = result->count() == 0 ? ExitCode::done : ExitCode::failed;
  print_poison(common, *result);
  print_damages(common, result->snapshots);
  const auto advice =
      advice_of({options.read_data, result->snapshots, result->copies, poisoners_of(*result)});
  print_result(common, *result, advice, exit);
  return static_cast<int>(exit);
}

}  // namespace

void add_check_command(CLI::App& app, CommonOptions& common, int& exit_code) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App& command = *app.add_subcommand("check", "Check that all snapshots are whole");
  command.footer(
      "Verifies signatures, reads every file list, and asks whether all content is there; with\n"
      "--read-data opens all content too. Each damage is named by snapshot and path (exit 1).\n"
      "On an owner's device --read-data also opens what other devices sent and nobody vouches "
      "for:\n"
      "what is good, everybody may lean on then; poison is condemned and its device named (exit "
      "1).\n"
      "With --against, compares the server's history with a witness that `receipts export` wrote:\n"
      "what it lacks is named (exit 1). That needs no passphrase. The last lines say what to "
      "do.\n\n"
      "Examples:\n  cyberbackup check --read-data\n"
      "  cyberbackup check --against /media/stick/backup.witness");
  CLI::Option* const read_data =
      command.add_flag("--read-data", options->read_data, "Read and open all content");
  command.add_option("--against", options->against, "Compare with this witness, and only that")
      ->excludes(read_data);
  command.callback([&common, options, &exit_code] { exit_code = run_check(common, *options); });
}

}  // namespace cb
