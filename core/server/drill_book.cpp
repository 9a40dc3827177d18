// SPDX-License-Identifier: Apache-2.0
#include "core/server/drill_book.h"

#include <algorithm>

#include "core/base/units.h"
#include "core/repository/signatures.h"

namespace cb::server {
namespace {

using repository::DrillRecord;

// What a device's clock may be ahead.
constexpr int64_t kMostAhead = 24 * 3600 * int64_t{1'000'000'000};

std::string counted(uint64_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string told_of(const DrillRecord& record) {
  return "Device " + record.device.hex() + " restored " + counted(record.files, "file") + " of " +
         std::to_string(record.files_listed) + " (" + format_size(record.bytes) + ") from " +
         counted(record.snapshots.size(), "snapshot");
}

Event event_of_drill(const char* kind, Severity severity, const std::string& account) {
  Event event;
  event.kind = kind;
  event.severity = severity;
  event.account = account;
  return event;
}

AccountDrills summed_up(const catalog::Account& account, int64_t number,
                        std::vector<catalog::DrillRow> rows) {
  AccountDrills all;
  all.account = account.name;
  all.number = number;
  all.since_ns = account.created_ns;
  for (catalog::DrillRow& row : rows) {
    all.passed_ns = std::max(all.passed_ns, row.passed_ns);
    all.has_failed = all.has_failed || row.has_failed;
    DeviceDrill& one = all.devices.emplace_back();
    if (auto record = repository::decode_drill(row.record)) one.record = std::move(*record);
    one.row = std::move(row);
  }
  return all;
}

}  // namespace

Status DrillBook::check(const V4Member& member, const DrillRecord& record) const {
  CB_TRY(repository::verify_drill(record, member.repository, member.public_key));
  CB_ASSIGN(const auto certificate, repository::decode_certificate(member.certificate));
  CB_ASSIGN(const repository::RepositoryRecord owner, parts_.engine->record(member.repository));
  CB_TRY(repository::verify_certificate(certificate, owner));
  if (certificate.device != member.public_key || repository::revoked_since(owner, certificate))
    return failed(Code::auth, "device " + member.device.hex(), "is certified no more");
  if (record.ended_ns > now() + kMostAhead)
    return failed(Code::invalid, "drill", "ended in the future",
                  "set the clock of the device right, and drill again");
  return {};
}

// What says nothing of whether backups can be restored. A snapshot that retention removed meanwhile
// still has its commit.
Status DrillBook::check_sample(int64_t repository, const DrillRecord& record) const {
  if (record.files_listed > 0 && record.files == 0 && record.problems == 0)
    return failed(Code::invalid, "drill", "restored none of the files that there are",
                  "give it more --files and --bytes");
  constexpr auto kCommit = static_cast<uint8_t>(repository::CommitType::commit);
  for (const repository::BlobId& id : record.snapshots) {
    CB_ASSIGN(const auto commit, parts_.catalog->index().commit_of(repository, id.bytes, kCommit));
    if (!commit)
      return failed(Code::invalid, "drill", "is of snapshot " + id.hex() + ", which was never here",
                    "drill again; see that the server is the one that the snapshot came from");
  }
  return {};
}

Result<int64_t> DrillBook::take(const V4Member& member, ByteView bytes) {
  CB_ASSIGN(const DrillRecord record, repository::decode_drill(bytes));
  CB_TRY(check(member, record));
  CB_ASSIGN(const auto repository, parts_.catalog->index().repository(member.repository.bytes));
  if (!repository)
    return failed(Code::not_found, "account " + member.account.name, "has no repository");
  CB_TRY(check_sample(repository->number, record));
  const std::lock_guard lock(mutex_);
  CB_ASSIGN(const auto before, parts_.catalog->drills().drills(repository->number));
  const auto old = std::find_if(before.begin(), before.end(), [&](const catalog::DrillRow& row) {
    return row.device == member.device.bytes;
  });
  const bool has_failed = record.problems > 0;
  const int64_t received = now();
  // First, so that no crash between loses it. An older one is refused below.
  if (old == before.end() || record.ended_ns > old->time_ns)
    tell_result(member, record, old != before.end() && old->has_failed);
  CB_TRY(parts_.catalog->drills().put_drill(
      repository->number,
      {member.device.bytes, record.ended_ns, received, has_failed, 0, to_bytes(bytes)}));
  if (has_failed) return received;
  CB_TRY(parts_.catalog->drills().set_missing(repository->number, std::nullopt));
  return received;
}

// When it changes: a drill that fails again is no news.
void DrillBook::tell_result(const V4Member& member, const DrillRecord& record,
                            bool had_failed) const {
  const bool has_failed = record.problems > 0;
  if (has_failed == had_failed) return;
  Event event = event_of_drill(has_failed ? event::kDrillFailed : event::kDrillWell,
                               has_failed ? Severity::alarm : Severity::info, member.account.name);
  event.device = member.device.hex();
  event.subject = has_failed ? "a drill of " + member.account.name + " found " +
                                   counted(record.problems, "problem")
                             : "a drill of " + member.account.name + " found everything well again";
  event.text = told_of(record) + (has_failed ? ", and not all of it came back as it was. Its "
                                               "owner can see more with: cyberbackup check "
                                               "--read-data; the server with: cyberbackupd job run "
                                               "verify"
                                             : ", and all of it came back as it was.");
  post(std::move(event));
}

void DrillBook::post(Event event) const {
  if (parts_.events == nullptr) return;
  event.when_ns = now();
  parts_.events->post(std::move(event));
}

Result<std::vector<AccountDrills>> DrillBook::list(const std::optional<std::string>& only) const {
  CB_ASSIGN(auto accounts, parts_.catalog->accounts().accounts());
  std::vector<AccountDrills> all;
  for (const catalog::Account& account : accounts) {
    if (account.kind == catalog::AccountKind::v3 || (only && account.name != *only)) continue;
    CB_ASSIGN(const auto repository, parts_.catalog->index().repository_of(account.number));
    if (!repository) continue;
    CB_ASSIGN(const auto counts, parts_.catalog->index().counts(repository->number));
    if (counts.snapshots == 0) continue;
    CB_ASSIGN(auto rows, parts_.catalog->drills().drills(repository->number));
    all.push_back(summed_up(account, repository->number, std::move(rows)));
  }
  std::sort(all.begin(), all.end(),
            [](const AccountDrills& a, const AccountDrills& b) { return a.account < b.account; });
  return all;
}

Result<size_t> DrillBook::look_for_missing(std::chrono::nanoseconds within) {
  if (within.count() == 0) return size_t{0};
  CB_ASSIGN(const std::vector<AccountDrills> all, list());
  const std::lock_guard lock(mutex_);
  size_t missing = 0;
  for (const AccountDrills& one : all) {
    const int64_t age = now() - one.newest_ns();
    if (age <= within.count()) continue;
    // Who owns a copy drills at its source.
    CB_ASSIGN(const auto copy, parts_.catalog->replication().replica(one.number));
    if (copy) continue;
    ++missing;
    CB_ASSIGN(const auto told, parts_.catalog->drills().missing_since(one.number));
    if (told) continue;
    Event event = event_of_drill(event::kDrillMissing, Severity::warning, one.account);
    event.subject = "no drill of " + one.account + " passed for " +
                    format_duration(std::chrono::nanoseconds(age));
    event.text =
        "Whether backups can be restored is known once somebody tries. Let an owner or a "
        "reader of this account run: cyberbackup drill";
    post(std::move(event));
    CB_TRY(parts_.catalog->drills().set_missing(one.number, now()));
  }
  return missing;
}

}  // namespace cb::server
