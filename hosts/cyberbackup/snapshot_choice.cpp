// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "hosts/cyberbackup/workplace.h"

namespace cb {
namespace {

using repository::Presence;
using repository::SnapshotInfo;

constexpr size_t kShortestPrefix = 4;
constexpr size_t kShown = 12;       // digits of an id in messages
constexpr size_t kCandidates = 10;  // named in messages

Result<SnapshotInfo> latest(const std::vector<SnapshotInfo>& list) {
  const auto complete = std::find_if(list.rbegin(), list.rend(), [](const SnapshotInfo& info) {
    return (info.commit.flags & repository::kSnapshotCheckpoint) == 0;
  });
  if (complete != list.rend()) return *complete;
  if (!list.empty()) return list.back();
  return failed(Code::not_found, "latest", "there is no snapshot yet", "make a backup first");
}

bool is_hex(const std::string& text) {
  return text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Error ambiguous(const std::string& text, const std::vector<const SnapshotInfo*>& found) {
  std::string names;
  for (size_t i = 0; i < std::min(found.size(), kCandidates); ++i)
    names += (names.empty() ? "" : ", ") + found[i]->commit.snapshot.hex().substr(0, kShown);
  if (found.size() > kCandidates) names += " ...";
  return fail(Code::invalid, text,
              "is the beginning of " + std::to_string(found.size()) + " snapshots: " + names,
              "give more digits");
}

}  // namespace

Result<SnapshotInfo> choose_snapshot(const std::vector<SnapshotInfo>& list, const std::string& text,
                                     const std::string& listing) {
  if (text == "latest") return latest(list);
  const std::string advice = "see `" + listing + "`";
  std::string prefix = text;
  std::transform(prefix.begin(), prefix.end(), prefix.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (prefix.size() < kShortestPrefix || !is_hex(prefix))
    return failed(Code::invalid, text, "is no snapshot id",
                  "give at least 4 hex digits of one, or latest; " + advice);
  std::vector<const SnapshotInfo*> found;
  for (const SnapshotInfo& info : list)
    if (info.commit.snapshot.hex().starts_with(prefix)) found.push_back(&info);
  if (found.empty()) return failed(Code::not_found, text, "no snapshot begins like this", advice);
  const bool same = std::all_of(found.begin(), found.end(), [&](const SnapshotInfo* info) {
    return info->commit.snapshot == found.front()->commit.snapshot;
  });
  if (!same) return failed(ambiguous(text, found));
  return *found.back();
}

Result<SnapshotInfo> choose_of_copy(std::vector<SnapshotInfo> list, const std::string& text) {
  const auto is_absent = [](const SnapshotInfo& info) { return info.presence == Presence::absent; };
  if (text == "latest") std::erase_if(list, is_absent);
  CB_ASSIGN(SnapshotInfo chosen, choose_snapshot(list, text));
  if (!is_absent(chosen)) return chosen;
  return failed(Code::not_found, "snapshot " + chosen.commit.snapshot.hex().substr(0, kShown),
                "is not in this copy of the repository",
                "the server that it was copied from may have it");
}

// What was forgotten cannot be taken back in a copy, so whoever names it may read it.
Result<SnapshotInfo> Workplace::snapshot(repository::Remote& remote, const std::string& text) {
  CB_ASSIGN(std::vector<SnapshotInfo> list, remote.snapshots(false));
  auto chosen = choose_of_copy(std::move(list), text);
  if (chosen || chosen.error().code != Code::not_found || text == "latest") return chosen;
  CB_ASSIGN(std::vector<SnapshotInfo> all, remote.snapshots(true));
  std::erase_if(all, [](const SnapshotInfo& info) { return info.presence != Presence::kept; });
  auto kept = choose_snapshot(all, text);
  return kept || kept.error().code != Code::not_found ? kept : chosen;
}

}  // namespace cb
