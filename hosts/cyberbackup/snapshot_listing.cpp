// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/snapshot_listing.h"

#include <cstdio>
#include <ctime>
#include <functional>
#include <optional>
#include <set>

#include "core/base/units.h"
#include "core/client/entry_walk.h"
#include "core/report/table.h"
#include "hosts/cyberbackup/entry_text.h"

namespace cb {
namespace {

using repository::BlobId;
using repository::BlobKind;
using repository::SnapshotInfo;
using repository::SnapshotRecord;
using repository::StoredBlob;

constexpr size_t kAtOnce = 256;  // snapshot blobs in memory

std::string formatted(int64_t ns, const char* format, bool utc) {
  const auto seconds = static_cast<std::time_t>(ns / 1'000'000'000);
  std::tm parts{};
  if (utc)
    gmtime_r(&seconds, &parts);
  else
    localtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof(text), format, &parts)};
}

// One that is not there is damage, too.
using Trouble = std::function<void(const BlobId&, const Error&)>;

// Gives each blob that can be had, and tells of each other one why it cannot: one by one, for the
// failure of many does not tell which it is of.
Status get_each(repository::Remote& remote, std::span<const BlobId> ids,
                const std::function<void(StoredBlob)>& sink, const Trouble& trouble) {
  std::set<BlobId> left(ids.begin(), ids.end());
  const Status got = remote.get(ids, [&](StoredBlob blob) -> Status {
    left.erase(blob.head.id);
    sink(std::move(blob));
    return {};
  });
  if (!got && !client::is_damage(got.error())) return got;
  for (const BlobId& id : left) {
    if (ids.size() > 1)
      CB_TRY(get_each(remote, {&id, 1}, sink, trouble));
    else
      trouble(id, got ? fail(Code::not_found, "blob " + id.hex(), "did not come") : got.error());
  }
  return {};
}

// What is wrong with the records of sessions that it did not learn.
Result<std::map<BlobId, Error>> learn_sessions(repository::Remote& remote,
                                               repository::Opener& opener,
                                               const std::vector<StoredBlob>& blobs) {
  std::set<BlobId> unknown;
  for (const StoredBlob& blob : blobs)
    if (!opener.knows(blob.head.session)) unknown.insert(repository::blob_of(blob.head.session));
  const std::vector<BlobId> ids(unknown.begin(), unknown.end());
  std::map<BlobId, Error> failures;
  const auto learn = [&](const StoredBlob& record) {
    const auto session = repository::session_of(record.head.id);
    const Status learnt = session ? opener.learn(*session, record.stored) : Status();
    if (!learnt) failures.emplace(record.head.id, learnt.error());
  };
  CB_TRY(get_each(remote, ids, learn,
                  [&](const BlobId& id, const Error& error) { failures.emplace(id, error); }));
  return failures;
}

Result<SnapshotRecord> opened(const repository::Opener& opener, const StoredBlob& blob) {
  if (blob.head.kind != BlobKind::snapshot)
    return failed(Code::corrupt, "blob " + blob.head.id.hex(), "is no snapshot");
  CB_ASSIGN(const repository::PlainBlob plain, opener.open(blob));
  return repository::decode_snapshot(plain.plain);
}

Status open_some(repository::Remote& remote, repository::Opener& opener,
                 std::span<const BlobId> ids, SnapshotInsides& insides) {
  std::vector<StoredBlob> blobs;
  CB_TRY(get_each(
      remote, ids, [&](StoredBlob blob) { blobs.push_back(std::move(blob)); },
      [&](const BlobId& id, const Error& error) { insides.failures.emplace(id, error); }));
  CB_ASSIGN(const auto unlearnt, learn_sessions(remote, opener, blobs));
  for (const StoredBlob& blob : blobs) {
    const auto no_key = unlearnt.find(repository::blob_of(blob.head.session));
    auto inside = no_key == unlearnt.end() ? opened(opener, blob)
                                           : Result<SnapshotRecord>(failed(no_key->second));
    if (inside)
      insides.records.emplace(blob.head.id, std::move(*inside));
    else
      insides.failures.emplace(blob.head.id, std::move(inside).error());
  }
  return {};
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + shown_path(part);
  return text;
}

std::string notes_of(const SnapshotInfo& info) {
  std::vector<std::string> notes;
  if ((info.commit.flags & repository::kSnapshotCheckpoint) != 0) notes.emplace_back("checkpoint");
  if ((info.commit.flags & repository::kSnapshotV3) != 0) notes.emplace_back("v3");
  if (info.in_trash) notes.emplace_back("trash");
  if (info.presence == repository::Presence::kept) notes.emplace_back("kept");
  if (info.presence == repository::Presence::absent) notes.emplace_back("not in this copy");
  return joined(notes);
}

}  // namespace

std::string short_id(const BlobId& snapshot) { return snapshot.hex().substr(0, 12); }

std::string local_time(int64_t ns) { return formatted(ns, "%Y-%m-%d %H:%M:%S", false); }

std::string utc_time(int64_t ns) { return formatted(ns, "%Y-%m-%dT%H:%M:%SZ", true); }

Result<SnapshotInsides> open_snapshots(repository::Remote& remote, repository::Opener& opener,
                                       const std::vector<SnapshotInfo>& list) {
  SnapshotInsides insides;
  for (size_t begin = 0; begin < list.size(); begin += kAtOnce) {
    std::set<BlobId> wanted;
    for (size_t i = begin; i < std::min(list.size(), begin + kAtOnce); ++i)
      if (list[i].presence != repository::Presence::absent) wanted.insert(list[i].commit.snapshot);
    const std::vector<BlobId> ids(wanted.begin(), wanted.end());
    CB_TRY(open_some(remote, opener, ids, insides));
  }
  return insides;
}

report::ExitCode tell_unopened(const CommonOptions& options, const SnapshotInsides& insides) {
  for (const auto& [id, error] : insides.failures)
    std::fprintf(stderr, "%s: snapshot %s: %s\n", options.program.c_str(), short_id(id).c_str(),
                 shown_path(error.text()).c_str());
  return insides.failures.empty() ? report::ExitCode::done : report::ExitCode::failed;
}

report::Json json_of(const SnapshotInfo& info, const SnapshotInsides& insides) {
  const repository::CommitRecord& commit = info.commit;
  report::Json json = {{"id", commit.snapshot.hex()},
                       {"time", utc_time(commit.time_ns)},
                       {"time_ns", commit.time_ns},
                       {"sequence", commit.sequence},
                       {"device", commit.device.hex()},
                       {"files", commit.files},
                       {"bytes", commit.bytes},
                       {"checkpoint", (commit.flags & repository::kSnapshotCheckpoint) != 0},
                       {"trash", info.in_trash}};
  if (info.presence == repository::Presence::kept) json["kept"] = true;
  if (info.presence == repository::Presence::absent) json["absent"] = true;
  const auto failure = insides.failures.find(commit.snapshot);
  if (failure != insides.failures.end()) json["error"] = report::json_of(failure->second);
  const auto found = insides.records.find(commit.snapshot);
  if (found == insides.records.end()) return json;
  const SnapshotRecord& inside = found->second;
  json["host"] = inside.host;
  json["user"] = inside.user;
  json["paths"] = inside.paths;
  json["tags"] = inside.tags;
  json["excludes"] = inside.excludes;
  json["errors"] = inside.errors;
  json["client_time_ns"] = inside.time_ns;
  return json;
}

std::string table_of(const std::vector<SnapshotInfo>& list, const SnapshotInsides& insides) {
  const bool with_insides = !insides.records.empty();
  std::vector<report::Column> columns = {{"ID"}, {"TIME"}};
  if (with_insides)
    columns.insert(columns.end(), {{"HOST"}, {"PATHS"}, {"TAGS"}});
  else
    columns.push_back({"DEVICE"});
  columns.insert(columns.end(), {{"FILES", true}, {"SIZE", true}, {"NOTE"}});
  report::Table table(std::move(columns));
  for (const SnapshotInfo& info : list) {
    const repository::CommitRecord& commit = info.commit;
    std::vector<std::string> cells = {short_id(commit.snapshot), local_time(commit.time_ns)};
    const auto inside = insides.records.find(commit.snapshot);
    if (inside != insides.records.end())
      cells.insert(cells.end(), {shown_path(inside->second.host), joined(inside->second.paths),
                                 joined(inside->second.tags)});
    else if (with_insides)
      cells.insert(cells.end(), {"?", "?", ""});
    else
      cells.push_back(commit.device.hex().substr(0, 8));
    cells.insert(cells.end(),
                 {std::to_string(commit.files), format_size(commit.bytes), notes_of(info)});
    table.add(std::move(cells));
  }
  return table.text();
}

}  // namespace cb
