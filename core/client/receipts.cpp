// SPDX-License-Identifier: Apache-2.0
//
// Following the chain and judging by it; receipts_files.cpp has the files.
#include "core/client/receipts.h"

#include <algorithm>
#include <utility>

namespace cb::client {

using repository::BlobId;
using repository::CommitHash;
using repository::CommitRecord;
using repository::SnapshotInfo;

namespace {

std::string number(uint64_t sequence) { return std::to_string(sequence); }

Error older(const ChainPlace& head, const ChainPlace& known) {
  return server_refused("server",
                        "shows commit " + number(head.sequence) + " as its newest, but this " +
                            "device has seen commit " + number(known.sequence) +
                            ": it was set back to an older state, or hides what came after");
}

Error endless(uint64_t most) {
  return fail(Code::limit, "server", "shows a history of more than " + number(most) + " commits",
              "ask the operator what happened; no account comes to that");
}

Error other_key() {
  return server_refused("server", "signs commits with another key than when this device met it");
}

Error told_two_stories(const CommitRecord& commit, const std::string& what) {
  return server_refused("snapshot " + commit.snapshot.hex(),
                        "of device " + commit.device.hex() + " " + what +
                            ": the server told the two devices different histories");
}

Status check_place(const ChainPlace& known, const ChainPlace& shown) {
  if (known.sequence != shown.sequence || known.hash == shown.hash) return {};
  return failed(history_forked(known.sequence));
}

}  // namespace

bool calls_for_acceptance(const Error& error) {
  // The system's own "denied" is a disk's.
  if (error.os_errno != 0) return false;
  return error.code == Code::denied || error.code == Code::corrupt ||
         error.code == Code::unsupported;
}

Status Receipts::begin(const repository::SigningPublic& server) {
  const std::lock_guard lock(mutex_);
  // An enrolment that is run again forgets nothing.
  CB_TRY(load());
  if (has_server_) return server == book_.server ? Status() : failed(other_key());
  return start_files(server);
}

// --- following -----------------------------------------------------------------------------------

ChainPlace Receipts::newest_known() const {
  return receipt_.sequence > book_.head.sequence ? receipt_ : book_.head;
}

// Reads to the chain's end. Whatever of `known` it passes must be the same there, and it must pass
// all of it.
Status Receipts::read_on(Reread& to, const ServerView& server, const ChainJudge& judge,
                         std::span<const ChainPlace> known) const {
  for (bool last = false; !last;) {
    CB_ASSIGN(const repository::ChainPage page, server.chain(to.book.head.sequence + 1));
    last = page.last || page.commits.empty();
    for (const Bytes& commit : page.commits) {
      if (to.book.head.sequence >= options_.most_commits)
        return failed(endless(options_.most_commits));
      CB_TRY(add_commit(to.book, commit, judge));
      to.hashes.push_back(to.book.head.hash);
      for (const ChainPlace& place : known) CB_TRY(check_place(place, to.book.head));
      const auto record = repository::decode_commit(commit);
      if (record->type == repository::CommitType::removal) to.removed.push_back(record->snapshot);
    }
  }
  for (const ChainPlace& place : known)
    if (place.sequence > to.book.head.sequence) return failed(older(to.book.head, place));
  return {};
}

Status Receipts::follow(const ServerView& server) {
  const std::lock_guard lock(mutex_);
  CB_TRY(load());
  return follow_on(server);
}

// What a login says is the newest.
Status Receipts::check_login(const ChainPlace& head) const {
  if (head.sequence > options_.most_commits) return failed(endless(options_.most_commits));
  const ChainPlace newest = newest_known();
  if (head.sequence < newest.sequence) return failed(older(head, newest));
  CB_TRY(check_place(newest, head));
  return check_place(book_.head, head);
}

Status Receipts::follow_on(const ServerView& server) {
  if (has_server_ && server.key != book_.server) return failed(other_key());
  if (server.head) CB_TRY(check_login(*server.head));
  if (has_server_ && history_is_whole_ && server.head == book_.head) return {};
  std::vector<ChainPlace> known;
  if (receipt_.sequence > 0) known.push_back(receipt_);
  if (server.head) known.push_back(*server.head);
  Reread fresh{book_, unsaved_, {}};
  fresh.book.server = server.key;
  if (!history_is_whole_) {
    known.push_back(book_.head);
    fresh.book = {repository_, server.key, {}, 0, book_.devices, {}};
  }
  // Receipts before the followed part were looked for when it was followed.
  std::erase_if(
      known, [&](const ChainPlace& place) { return place.sequence <= fresh.book.head.sequence; });
  CB_TRY(read_on(fresh, server, {server.record, server.devices, false}, known));
  if (fresh.hashes.size() == unsaved_.size() && has_server_) return {};
  return save(std::move(fresh), false);
}

Result<Takeover> Receipts::accept(const ServerView& server) {
  const std::lock_guard lock(mutex_);
  const Status loaded = load();
  if (!loaded && !calls_for_acceptance(loaded.error())) return failed(loaded.error());
  if (!loaded) {
    // What is damaged is not missed, either.
    book_ = {};
    receipt_ = {};
    has_server_ = false;
  }
  Takeover takeover{newest_known(), {}, has_server_ && server.key != book_.server, {}};
  Reread fresh{{repository_, server.key, {}, 0, {}, {}}, {}, {}};
  std::vector<ChainPlace> known;
  if (server.head) known.push_back(*server.head);
  CB_TRY(read_on(fresh, server, {server.record, server.devices, true}, known));
  takeover.after = fresh.book.head;
  for (const auto& [id, snapshot] : book_.snapshots) {
    const bool removed =
        std::find(fresh.removed.begin(), fresh.removed.end(), id) != fresh.removed.end();
    if (!fresh.book.snapshots.contains(id) && !removed) takeover.lost.push_back(id);
  }
  CB_TRY(save(std::move(fresh), true));
  receipt_ = {};
  loaded_ = true;
  return takeover;
}

Status Receipts::keep(ByteView receipt) {
  CB_ASSIGN(const CommitRecord record, repository::decode_commit(receipt));
  const ChainPlace place = place_of(record, receipt);
  const std::lock_guard lock(mutex_);
  CB_TRY(load());
  if (place.sequence == book_.head.sequence + 1 && record.previous != book_.head.hash)
    return failed(history_forked(book_.head.sequence));
  if (place.sequence <= book_.head.sequence) {
    CB_ASSIGN(const auto history, open_history());
    CB_ASSIGN(const auto known, hash_in(history.get(), place.sequence));
    return !known || *known == place.hash ? Status() : failed(history_forked(place.sequence));
  }
  CB_TRY(check_place(receipt_, place));
  return save_receipt(place, receipt);
}

// --- what is known -------------------------------------------------------------------------------

Result<ChainPlace> Receipts::newest() {
  const std::lock_guard lock(mutex_);
  CB_TRY(load());
  return newest_known();
}

Result<ChainPlace> Receipts::head() {
  const std::lock_guard lock(mutex_);
  CB_TRY(load());
  return book_.head;
}

Result<std::map<repository::DeviceId, repository::Certificate>> Receipts::devices() {
  const std::lock_guard lock(mutex_);
  CB_TRY(load());
  return book_.devices;
}

Result<ReceiptBook> Receipts::book() {
  const std::lock_guard lock(mutex_);
  CB_TRY(load());
  return book_;
}

Result<std::optional<CommitHash>> Receipts::hash_at(uint64_t sequence) {
  const std::lock_guard lock(mutex_);
  CB_TRY(load());
  CB_ASSIGN(const auto history, open_history());
  return hash_in(history.get(), sequence);
}

Status Receipts::judge_one(const SnapshotInfo& info, os::File* history) const {
  const std::string name = "snapshot " + info.commit.snapshot.hex();
  const auto known = book_.snapshots.find(info.commit.snapshot);
  if (info.presence == repository::Presence::kept) return judge_kept(info, history);
  if (known == book_.snapshots.end())
    return failed(server_refused(name,
                                 "is listed by the server, but its chain of commits has no "
                                 "such snapshot"));
  if (known->second.in_trash != info.in_trash)
    return failed(server_refused(name, std::string("is ") + (info.in_trash ? "" : "not ") +
                                           "in the trash, says the server, but its chain of "
                                           "commits says otherwise"));
  CB_ASSIGN(const auto hash, hash_in(history, known->second.sequence));
  if (hash == place_of(info.commit, repository::encode(info.commit)).hash) return {};
  return failed(
      server_refused(name, "is listed with another record than the chain of commits has"));
}

// A copy may have what was forgotten or removed since; it was committed all the same.
Status Receipts::judge_kept(const SnapshotInfo& info, os::File* history) const {
  const std::string name = "snapshot " + info.commit.snapshot.hex();
  const auto known = book_.snapshots.find(info.commit.snapshot);
  if (known != book_.snapshots.end() && !known->second.in_trash)
    return failed(server_refused(name,
                                 "was removed, says the server, but its chain of commits "
                                 "says otherwise"));
  CB_ASSIGN(const auto hash, hash_in(history, info.commit.sequence));
  if (hash == place_of(info.commit, repository::encode(info.commit)).hash) return {};
  return failed(server_refused(name,
                               "is kept by the server, but its chain of commits has no such "
                               "record"));
}

Status Receipts::judge(std::span<const SnapshotInfo> list, bool with_trash) {
  const std::lock_guard lock(mutex_);
  CB_TRY(load());
  CB_ASSIGN(const auto history, open_history());
  std::vector<BlobId> listed;
  uint64_t before = 0;
  for (const SnapshotInfo& info : list) {
    CB_TRY(judge_one(info, history.get()));
    // The last one is taken for the newest.
    if (info.commit.sequence <= before)
      return failed(server_refused("server", "lists its snapshots out of order"));
    before = info.commit.sequence;
    listed.push_back(info.commit.snapshot);
  }
  std::sort(listed.begin(), listed.end());
  for (const auto& [id, known] : book_.snapshots) {
    if (known.in_trash && !with_trash) continue;
    if (std::binary_search(listed.begin(), listed.end(), id)) continue;
    return failed(server_refused("snapshot " + id.hex(),
                                 "is not in the server's list any more, though nothing in its "
                                 "chain of commits removed it"));
  }
  return {};
}

Status Receipts::judge_head(const repository::SnapshotRecord& snapshot,
                            const CommitRecord& commit) {
  if (snapshot.head_sequence == 0) return {};
  if (snapshot.head_sequence >= commit.sequence)
    return failed(told_two_stories(commit, "was made after commit " +
                                               number(snapshot.head_sequence) + ", but is commit " +
                                               number(commit.sequence)));
  CB_ASSIGN(const auto known, hash_at(snapshot.head_sequence));
  // What is past the followed part is judged when that is followed.
  if (!known || *known == snapshot.head_hash) return {};
  return failed(told_two_stories(commit, "was made after another commit " +
                                             number(snapshot.head_sequence) +
                                             " than this device knows"));
}

}  // namespace cb::client
