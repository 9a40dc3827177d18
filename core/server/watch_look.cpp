// SPDX-License-Identifier: Apache-2.0
#include "core/server/watch_look.h"

#include <algorithm>

#include "core/repository/catalog_rebuild.h"
#include "core/watch/anomaly.h"

namespace cb::server {
namespace {

using catalog::SourceBackup;
using catalog::SourceFigures;
using repository::BlobId;
using repository::CommitRecord;
using repository::TreeChange;
using repository::TreeSize;

constexpr size_t kCommitsAtOnce = 256;
// Backups of a source that are remembered, for when they came; and those that say what is usual.
constexpr size_t kRemembered = 2000;
constexpr size_t kJudgedBy = 60;
constexpr size_t kLeastJudgedBy = 5;
// Of older snapshots only the time is noted: a catalog that has just learnt to watch has many.
constexpr int64_t kLookedAtAge = 60 * watch::kDay;
// How long at least until a backup that rewrote much may say what is usual.
constexpr int64_t kSettled = 14 * watch::kDay;
// Freezes that follow each other end after so many times their length, and another one begins only
// after one more: else who writes to a source could keep it growing for ever.
constexpr int64_t kMostFreezes = 3;

constexpr const char* kWatch = "watch";

void set_after(SourceFigures& figures, const TreeSize& size) {
  figures.after_nodes = size.nodes;
  figures.after_blobs = size.blobs;
  figures.after_bytes = size.bytes;
}

void set_change(SourceFigures& figures, const TreeSize& before, const TreeChange& change) {
  const auto sum = [](uint64_t was, uint64_t less, uint64_t more) {
    return was - std::min(was, less) + more;
  };
  figures.before_nodes = before.nodes;
  figures.before_blobs = before.blobs;
  figures.before_bytes = before.bytes;
  figures.after_nodes = sum(before.nodes, change.less.nodes, change.more.nodes);
  figures.after_blobs = sum(before.blobs, change.less.blobs, change.more.blobs);
  figures.after_bytes = sum(before.bytes, change.less.bytes, change.more.bytes);
  figures.new_blobs = change.new_blobs;
  figures.new_bytes = change.new_bytes;
  figures.new_nodes = change.more.nodes;
  figures.gone_blobs = change.gone_blobs;
  figures.gone_bytes = change.gone_bytes;
}

watch::Reading reading_of(const SourceBackup& backup) {
  watch::Reading reading;
  const SourceFigures& f = backup.figures;
  if (backup.is_compared)
    reading.seen =
        watch::Seen{f.before_blobs, f.before_bytes, f.before_nodes, f.after_blobs, f.after_bytes,
                    f.new_blobs,    f.new_bytes,    f.new_nodes,    f.gone_blobs,  f.gone_bytes};
  if (backup.claim)
    reading.said =
        watch::Said{backup.claim->unchanged,   backup.claim->changed, backup.claim->added,
                    backup.claim->removed,     backup.claim->renamed, backup.claim->plain_bytes,
                    backup.claim->stored_bytes};
  return reading;
}

Result<std::optional<CommitRecord>> commit_at(catalog::Index& index, int64_t repository,
                                              uint64_t sequence) {
  CB_ASSIGN(const auto rows, index.commits(repository, sequence, 1));
  if (rows.empty() || rows.front().sequence != sequence) return std::nullopt;
  CB_ASSIGN(CommitRecord commit, repository::decode_commit(rows.front().record));
  return commit;
}

}  // namespace

Status WatchLook::account(const catalog::Account& account) {
  if (!settings_.is_on || account.kind == catalog::AccountKind::v3) return {};
  CB_ASSIGN(const auto found, parts_.catalog->index().repository_of(account.number));
  if (!found) return {};
  const Place place{account.name, found->number, repository::RepositoryId{found->id}};
  CB_TRY(keep_again(place));
  catalog::Sources& sources = parts_.catalog->sources();
  CB_ASSIGN(uint64_t looked_at, sources.looked_at(place.number));
  while (true) {
    CB_ASSIGN(const auto rows,
              parts_.catalog->index().commits(place.number, looked_at + 1, kCommitsAtOnce));
    if (rows.empty()) return {};
    for (const catalog::CommitRow& row : rows) {
      if (goes_on_ && !goes_on_()) return failed(Code::cancelled, "watch", "was cancelled");
      CB_TRY(take(place, row));
    }
    looked_at = rows.back().sequence;
    CB_TRY(sources.set_looked_at(place.number, looked_at));
  }
}

// Checkpoints are parts of a backup that is under way: they say nothing.
Status WatchLook::take(const Place& place, const catalog::CommitRow& row) {
  if (row.type != static_cast<uint8_t>(repository::CommitType::commit)) return {};
  CB_ASSIGN(const CommitRecord commit, repository::decode_commit(row.record));
  if ((commit.flags & repository::kSnapshotCheckpoint) != 0) return {};
  return look_at(place, commit);
}

Status WatchLook::look_at(const Place& place, const CommitRecord& commit) {
  catalog::Sources& sources = parts_.catalog->sources();
  SourceBackup backup;
  backup.sequence = commit.sequence;
  backup.source = source_of(commit);
  backup.snapshot = commit.snapshot.bytes;
  // A clock that was ahead once must not keep a silence from being noticed.
  backup.time_ns = std::min(commit.time_ns, now());
  CB_ASSIGN(const bool is_watched, admit(place, backup.source));
  if (!is_watched) return sources.pass_over(place.number, backup.sequence, backup.snapshot);
  CB_ASSIGN(backup.claim, sources.claim(place.number, backup.snapshot));
  const bool is_recent = backup.time_ns > now() - kLookedAtAge;
  const size_t most = is_recent ? kRemembered : 1;  // the others are not judged
  CB_ASSIGN(auto history, sources.backups(place.number, backup.source, most));
  // After a crash it may be there already.
  std::erase_if(history, [&](const SourceBackup& one) { return one.sequence >= backup.sequence; });
  if (is_recent) {
    if (history.empty())
      CB_TRY(measure(place, commit, backup));
    else
      CB_TRY(compare(place, commit, history.back(), backup));
    judge(history, backup);
  }
  ++looked_;
  if (backup.is_odd) CB_TRY(act(place, history, backup));
  CB_TRY(sources.add_backup(place.number, backup, kRemembered));
  // It is not looked at again, so that nobody need know that it was told.
  if (backup.is_odd) parts_.alarms->clear(anomaly_alarm(place.number, backup));
  return {};
}

// Makes a state for a source that is new, unless there are too many: whoever may write can name
// them at will.
Result<bool> WatchLook::admit(const Place& place, const SourceKey& source) {
  catalog::Sources& sources = parts_.catalog->sources();
  CB_ASSIGN(const auto known, sources.state(place.number, source));
  if (known) return true;
  const ByteView device = ByteView(source).first(repository::DeviceId::kSize);
  CB_ASSIGN(const uint64_t all, sources.count(place.number, {}));
  CB_ASSIGN(const uint64_t of_device, sources.count(place.number, device));
  if (all >= kMostSources || of_device >= kMostOfDevice) {
    parts_.alarms->raise(many_alarm(place.number), many_event(place.account, source));
    return false;
  }
  CB_TRY(parts_.book->change_state(place.number, source, [](auto&) {}));
  return true;
}

// What is gone by now, or damaged, must not keep later snapshots from being looked at.
Status WatchLook::measure(const Place& place, const CommitRecord& commit, SourceBackup& backup) {
  const auto size = parts_.engine->measure(place.repository, commit.device, commit.root, goes_on_);
  if (size) set_after(backup.figures, *size);
  if (size || repository::is_damage(size.error().code)) return {};
  return failed(size.error());
}

Result<TreeSize> WatchLook::size_of(const Place& place, const SourceBackup& before,
                                    const BlobId& root, const repository::DeviceId& device) {
  const SourceFigures& figures = before.figures;
  if (figures.after_nodes > 0)
    return TreeSize{figures.after_nodes, figures.after_blobs, figures.after_bytes};
  return parts_.engine->measure(place.repository, device, root, goes_on_);
}

Status WatchLook::compare(const Place& place, const CommitRecord& commit,
                          const SourceBackup& before, SourceBackup& backup) {
  CB_ASSIGN(const auto earlier, commit_at(parts_.catalog->index(), place.number, before.sequence));
  if (!earlier) return measure(place, commit, backup);
  const auto change =
      parts_.engine->compare(place.repository, commit.device, earlier->root, commit.root, goes_on_);
  const auto size = change ? size_of(place, before, earlier->root, commit.device)
                           : Result<TreeSize>(failed(change.error()));
  if (!size && repository::is_damage(size.error().code)) return measure(place, commit, backup);
  if (!size) return failed(size.error());
  set_change(backup.figures, *size, *change);
  backup.is_compared = true;
  return {};
}

void WatchLook::judge(const std::vector<SourceBackup>& history, SourceBackup& backup) {
  // Without one before it there is nothing that a client could say about.
  if (history.empty()) return;
  const int64_t settled = std::max(settings_.freeze.count(), kSettled);
  std::vector<watch::Past> past;
  for (const SourceBackup& one : history)
    if (!one.is_odd && (one.is_compared || one.claim))
      past.push_back({reading_of(one), one.time_ns <= backup.time_ns - settled});
  const auto usual = watch::usual_of(past, kLeastJudgedBy, kJudgedBy);
  const watch::Score score = watch::score(reading_of(backup), usual, kLeastJudgedBy);
  backup.score = score.points;
  backup.reasons = score.text();
  backup.is_odd = score.points >= settings_.score_limit;
}

// Whatever cannot be written is told all the same: it may be for want of room that somebody fills.
Status WatchLook::act(const Place& place, const std::vector<SourceBackup>& history,
                      const SourceBackup& backup) {
  ++odd_;
  // What lies further back, in a history that is read for the first time, is nobody's alarm.
  if (backup.time_ns < now() - std::max(settings_.freeze.count(), watch::kDay)) return {};
  const auto found = std::find_if(history.rbegin(), history.rend(),
                                  [](const SourceBackup& one) { return !one.is_odd; });
  const Bytes normal = found == history.rend() ? Bytes() : to_bytes(found->snapshot);
  AnomalyNote note;
  const auto changed =
      parts_.book->change_state(place.number, backup.source, [&](catalog::SourceState& state) {
        note.is_last_freeze = freeze(state, normal, backup.reasons);
        note.state = state;
      });
  const Status kept =
      keep(place, note.state.normal,
           "the last one before the anomaly of snapshot " + to_hex(backup.snapshot).substr(0, 12));
  if (!kept) note.trouble = kept.error().text();
  if (!changed) note.trouble = changed.error().text();
  tell(place, backup, note);
  if (!changed) return failed(changed.error());
  return kept ? Status() : keep_later(place, backup.source, kept.error());
}

// The look goes on: a store without room must not hide what comes after.
Status WatchLook::keep_later(const Place& place, const SourceKey& source, const Error& why) {
  if (!trouble_) trouble_ = why;
  const auto noted = parts_.catalog->sources().raise(unkept_alarm(place.number, source), now());
  return noted ? Status() : failed(noted.error());
}

Status WatchLook::keep_again(const Place& place) {
  catalog::Sources& sources = parts_.catalog->sources();
  CB_ASSIGN(const auto states, sources.states(place.number));
  for (const catalog::SourceState& state : states) {
    if (state.frozen_ns <= now()) continue;
    const std::string name = unkept_alarm(place.number, state.source);
    CB_ASSIGN(const bool is_unkept, sources.is_raised(name));
    if (!is_unkept) continue;
    const Status kept = keep(place, state.normal, "the last one before an anomaly");
    if (!kept && !trouble_) trouble_ = kept.error();
    if (kept) CB_TRY(sources.clear(name));
  }
  return {};
}

// Is it the last one for a while?
bool WatchLook::freeze(catalog::SourceState& state, const Bytes& normal,
                       const std::string& reasons) const {
  const int64_t length = settings_.freeze.count();
  if (state.frozen_ns <= now()) state.frozen_ns = 0;
  if (state.frozen_ns == 0 || state.normal.empty()) state.normal = normal;
  state.reason = reasons;
  if (length == 0) return false;
  const bool is_over = now() >= state.froze_ns + (kMostFreezes + 1) * length;
  if (state.froze_ns == 0 || is_over) state.froze_ns = now();
  const int64_t last = state.froze_ns + kMostFreezes * length;
  const int64_t until = std::min(now() + length, last);
  if (until > now()) state.frozen_ns = std::max(state.frozen_ns, until);
  return until == last;
}

// Once, also when an earlier look could not go on after it.
void WatchLook::tell(const Place& place, const SourceBackup& backup, const AnomalyNote& note) {
  if (!parts_.alarms->raise(anomaly_alarm(place.number, backup),
                            anomaly_event(place.account, backup, note)))
    return;
  parts_.log->warn("watch.anomaly", {{"account", place.account},
                                     {"source", text_of_source(backup.source)},
                                     {"snapshot", to_hex(backup.snapshot)},
                                     {"score", backup.score},
                                     {"frozen_until_ns", note.state.frozen_ns},
                                     {"last_freeze", note.is_last_freeze ? "yes" : "no"},
                                     {"why", backup.reasons}});
  if (parts_.audit == nullptr) return;
  parts_.audit->write(
      {kWatch, "", "watch.anomaly", place.account + " " + text_of_source(backup.source), "done",
       "snapshot " + to_hex(backup.snapshot) + ", score " + std::to_string(backup.score) + ", " +
           text_of_freeze(note) + ": " + backup.reasons});
}

// A longer pin of a person's is left as it is. The freeze goes into the store, too.
Status WatchLook::keep(const Place& place, const Bytes& normal, const std::string& why) {
  BlobId snapshot;
  std::copy_n(normal.begin(), std::min(normal.size(), BlobId::kSize), snapshot.bytes.begin());
  const int64_t until = now() + settings_.pin.count();
  CB_ASSIGN(const auto pins, parts_.retention->pins(place.repository));
  const bool is_pinned = std::any_of(pins.begin(), pins.end(), [&](const catalog::PinRow& pin) {
    return pin.snapshot == snapshot.bytes && (pin.until_ns == 0 || pin.until_ns >= until);
  });
  if (is_pinned || normal.empty()) return parts_.retention->keep(place.repository);
  const Status pinned = parts_.retention->pin(place.repository, snapshot, until, why, kWatch);
  // It was removed for good before this one came.
  if (!pinned && pinned.error().code == Code::not_found)
    return parts_.retention->keep(place.repository);
  return pinned;
}

}  // namespace cb::server
