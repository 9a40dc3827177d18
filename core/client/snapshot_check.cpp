// SPDX-License-Identifier: Apache-2.0
#include "core/client/snapshot_check.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "core/client/entry_walk.h"
#include "core/client/snapshot_proof.h"
#include "core/repository/signatures.h"

namespace cb::client {

using repository::BlobId;
using repository::BlobKind;
using repository::CommitRecord;
using repository::Entry;
using repository::EntryKind;
using repository::Extent;
using repository::Node;
using repository::NodeType;
using repository::PlainBlob;

namespace {

constexpr size_t kMostDamages = 1000;
constexpr size_t kAskAtOnce = 4096;
constexpr size_t kReadAtOnce = 256;
constexpr unsigned kCheckThreads = 4;
constexpr unsigned kDeepest = 32;

}  // namespace

Result<SnapshotCheckResult> SnapshotCheck::run(bool read_data) {
  CB_ASSIGN(std::vector<repository::SnapshotInfo> snapshots, parts_.remote->snapshots(true));
  // What a copy lacks is no damage of it.
  std::erase_if(snapshots, [](const repository::SnapshotInfo& info) {
    return info.presence == repository::Presence::absent;
  });
  note_newest(snapshots);
  for (const repository::SnapshotInfo& info : snapshots) {
    show(result_.snapshots, snapshots.size(), "file lists");
    ++result_.snapshots;
    reading_ = info.commit.device;
    parts_.fetcher->read_as(reading_);
    const Status head = check_head(info.commit);
    if (!head && !is_damage(head.error())) return failed(head.error());
    if (!head) damage(info.commit, {}, head.error(), DamageKind::record);
    CB_TRY(collect(info.commit.root, 0));
  }
  result_.nodes = nodes_.size();
  result_.blobs = order_.size();
  CB_TRY(read_data ? read_content() : ask_for_content());
  check_sessions();
  for (const repository::SnapshotInfo& info : snapshots) {
    bool clean = true;
    parts_.fetcher->read_as(info.commit.device);
    if (!bad_.empty()) CB_TRY(name_below(info.commit, info.commit.root, {}, clean));
  }
  count_content();
  result_.bytes_read = parts_.fetcher->bytes_fetched();
  return std::move(result_);
}

// The snapshot itself: what it says, and who signed it.
Status SnapshotCheck::check_head(const CommitRecord& commit) {
  CB_ASSIGN(const repository::SnapshotRecord record, prove_snapshot(*parts_.fetcher, commit));
  if (parts_.judge) {
    const Status judged = parts_.judge(record, commit);
    if (!judged) damage(commit, {}, judged.error(), DamageKind::history);
  }
  if ((commit.flags & repository::kSnapshotV3) != 0) return {};  // made by the server
  const auto key = parts_.key_of(commit.device);
  if (!key) {
    ++result_.unknown_signers;
    return {};
  }
  const Status valid = repository::verify_snapshot_signature(parts_.repository, commit.snapshot,
                                                             *key, commit.device_signature);
  if (valid) return {};
  return failed(Code::corrupt, "snapshot " + commit.snapshot.hex(),
                "is not signed by the device that is said to have made it");
}

// Looks at each node once, whichever snapshots share it, and notes what content they need.
Status SnapshotCheck::collect(const BlobId& id, unsigned depth) {
  if (cancelled_) return failed(Code::cancelled, "check", "was cancelled");
  if (!nodes_.insert(id).second) return {};
  auto node = parts_.fetcher->node(id);
  if (node && (node->type != NodeType::entries || depth > kDeepest))
    node = failed(Code::corrupt, "node " + id.hex(), "is not one of a file list");
  if (!node) {
    if (!is_damage(node.error())) return failed(node.error());
    bad_.emplace(id, node.error());
    return {};
  }
  for (const Entry& entry : node->entries)
    if (entry.kind == EntryKind::file) CB_TRY(collect_file(entry));
  for (const BlobId& child : node->children)
    if (node->level > 0) CB_TRY(collect(child, depth + 1));
  return {};
}

Status SnapshotCheck::collect_file(const Entry& file) {
  const Status done = repository::for_each_extent(
      file, parts_.fetcher->source(), [&](const Extent& extent) -> Status {
        if (extent.hole) return {};
        const auto [need, fresh] = needs_.try_emplace(extent.blob);
        if (fresh) {
          order_.push_back(extent.blob);
          need->second.device = reading_;
        }
        if (!parts_.leans || parts_.leans(reading_)) need->second.told = true;
        need->second.end = std::max(need->second.end, extent.offset + extent.length);
        return {};
      });
  if (done) return {};
  if (!is_damage(done.error())) return done;
  bad_.emplace(file.extent_root, done.error());  // inline extents cannot fail
  return {};
}

// Who made the sessions whose blobs were opened, as far as the makers are known here.
void SnapshotCheck::check_sessions() {
  for (const auto& [session, bytes] : parts_.fetcher->session_records()) {
    const auto record = repository::decode_session(bytes);
    if (!record) continue;  // none that was opened
    const bool by_root = record->device.is_zero();
    const auto key = by_root ? std::optional(parts_.root) : parts_.key_of(record->device);
    if (!key) continue;
    const repository::SessionSigners signers{*key, parts_.root};
    const Status valid =
        repository::verify_session_record(*record, parts_.repository, session, signers);
    if (!valid)
      damage({}, {},
             fail(Code::corrupt, "session record " + session.hex(),
                  "is not signed by the device that is said to have made it"),
             DamageKind::record);
  }
}

// The server tells of what this device could lean on; the copies of others have to be read.
Status SnapshotCheck::ask_for_content() {
  std::vector<BlobId> asked;
  for (const BlobId& id : order_)
    if (needs_.at(id).told) asked.push_back(id);
  result_.unread = order_.size() - asked.size();
  for (size_t at = 0; at < asked.size(); at += kAskAtOnce) {
    if (cancelled_) return failed(Code::cancelled, "check", "was cancelled");
    const auto ids = std::span(asked).subspan(at, std::min(kAskAtOnce, asked.size() - at));
    CB_ASSIGN(const std::vector<bool> have, parts_.remote->have(ids));
    for (size_t i = 0; i < ids.size(); ++i)
      if (i >= have.size() || !have[i])
        bad_.emplace(ids[i],
                     fail(Code::corrupt, "blob " + ids[i].hex(), "is missing in the repository"));
    show(at + ids.size(), asked.size(), "content");
  }
  return {};
}

// As many of the next ones as belong to one device.
std::span<const BlobId> SnapshotCheck::next_to_read(size_t at) const {
  const repository::DeviceId& device = needs_.at(order_[at]).device;
  size_t end = at;
  while (end < order_.size() && end - at < kReadAtOnce && needs_.at(order_[end]).device == device)
    ++end;
  parts_.fetcher->read_as(device);
  return std::span(order_).subspan(at, end - at);
}

Status SnapshotCheck::read_content() {
  std::mutex mutex;
  const auto judge = [&](const BlobId& id, Result<PlainBlob> blob) -> Status {
    if (cancelled_) return failed(Code::cancelled, "check", "was cancelled");
    if (blob && (blob->kind != BlobKind::data || blob->plain.size() < needs_.at(id).end))
      blob = failed(Code::corrupt, "blob " + id.hex(), "is not what the file lists say");
    if (blob) return {};
    const std::lock_guard lock(mutex);
    bad_.emplace(id, blob.error());
    return {};
  };
  for (size_t at = 0; at < order_.size();) {
    const auto ids = next_to_read(at);
    CB_TRY(parts_.fetcher->fetch(ids, kCheckThreads, judge));
    at += ids.size();
    show(at, order_.size(), "content");
  }
  return {};
}

// Names what the damage means for this snapshot. Nodes without any below are not walked again.
Status SnapshotCheck::name_below(const CommitRecord& commit, const BlobId& id,
                                 const std::string& last, bool& clean) {
  if (clean_.contains(id)) return {};
  if (bad_.contains(id)) {
    clean = false;
    content_damage(commit, last, id);
    return {};
  }
  CB_ASSIGN(const Node node, parts_.fetcher->node(id));
  bool clean_below = true;
  for (const Entry& entry : node.entries) {
    if (entry.kind != EntryKind::file) continue;
    CB_ASSIGN(const std::optional<BlobId> bad, bad_of(entry));
    if (!bad) continue;
    clean_below = false;
    content_damage(commit, entry.path, *bad);
  }
  for (size_t i = 0; i < node.children.size() && node.level > 0; ++i)
    CB_TRY(name_below(commit, node.children[i], node.keys.at(i), clean_below));
  if (clean_below) clean_.insert(id);
  clean = clean && clean_below;
  return {};
}

// The first blob of a file that is bad.
Result<std::optional<BlobId>> SnapshotCheck::bad_of(const Entry& file) {
  if (bad_.contains(file.extent_root)) return std::optional(file.extent_root);
  std::optional<BlobId> found;
  CB_TRY(repository::for_each_extent(file, parts_.fetcher->source(),
                                     [&](const Extent& extent) -> Status {
                                       if (!found && !extent.hole && bad_.contains(extent.blob))
                                         found = extent.blob;
                                       return {};
                                     }));
  return found;
}

// Checkpoints and what lies in the trash are not what the next backup begins with.
void SnapshotCheck::note_newest(const std::vector<repository::SnapshotInfo>& snapshots) {
  std::map<std::pair<repository::DeviceId, repository::KeyedHash>, BlobId> newest;
  for (const repository::SnapshotInfo& info : snapshots) {
    const bool is_whole = (info.commit.flags & repository::kSnapshotCheckpoint) == 0;
    if (is_whole && !info.in_trash)
      newest[{info.commit.device, info.commit.source}] = info.commit.snapshot;
  }
  for (const auto& [source, snapshot] : newest) newest_.insert(snapshot);
}

void SnapshotCheck::damage(const CommitRecord& commit, const std::string& path, const Error& error,
                           DamageKind kind) {
  ++result_.damage_count;
  result_.counts.records += kind == DamageKind::record ? 1 : 0;
  result_.counts.histories += kind == DamageKind::history ? 1 : 0;
  if (result_.damages.size() < kMostDamages)
    result_.damages.push_back({commit.snapshot, path, error, kind});
}

void SnapshotCheck::content_damage(const CommitRecord& commit, const std::string& path,
                                   const BlobId& bad) {
  Places& places = places_[bad];
  ++places.count;
  places.present = places.present || newest_.contains(commit.snapshot);
  damage(commit, path, bad_.at(bad), DamageKind::content);
}

// What is made again for the newest snapshot is whole in all others.
void SnapshotCheck::count_content() {
  for (const auto& [bad, places] : places_)
    (places.present ? result_.counts.present : result_.counts.past) += places.count;
}

void SnapshotCheck::show(uint64_t done, uint64_t total, const std::string& current) {
  if (!parts_.progress) return;
  report::Progress progress;
  progress.phase = "check";
  progress.done = done;
  progress.total = total;
  progress.unit = current == "content" ? "blobs" : "snapshots";
  progress.current = current;
  parts_.progress(progress);
}

}  // namespace cb::client
