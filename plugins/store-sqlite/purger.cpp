// SPDX-License-Identifier: Apache-2.0
//
// See purger.h.
#include "purger.h"

#include <algorithm>
#include <exception>

#include "schema.h"

namespace store_sqlite {

namespace {

// Bytes that one step deletes or gives back, about.
constexpr int64_t kStep = int64_t{16} << 20;
// Dead contents looked at for one that nobody reads.
constexpr int64_t kLook = 64;
// Unused bytes that the file keeps for later puts; beyond also the share of 1 / kKeptShare.
constexpr int64_t kKept = int64_t{64} << 20;
constexpr int64_t kKeptShare = 8;

constexpr const char* kOwners = "SELECT DISTINCT owner FROM content WHERE state = 0";
constexpr const char* kBuryOwner = "UPDATE content SET state = 2 WHERE state = 0 AND owner = ?";
constexpr const char* kBuryContent = "UPDATE content SET state = 2 WHERE id = ? AND state = 0";
constexpr const char* kFindDead =
    "SELECT id, segment_size FROM content WHERE state = 2 ORDER BY id LIMIT ?";
constexpr const char* kDeleteSegments =
    "DELETE FROM segment WHERE id IN "
    "(SELECT id FROM segment WHERE id >= ? AND id < ? ORDER BY id LIMIT ?)";
constexpr const char* kDeleteContent = "DELETE FROM content WHERE id = ? AND state = 2";

}  // namespace

Purger::Purger(const cyberbackup::sdk::Host& host, Writer& writer, LockFile& locks)
    : host_(host), writer_(writer), locks_(locks) {}

void Purger::bury_orphans() {
  int64_t buried = 0;
  std::vector<int64_t> owners;
  writer_.look([&](Connection& file) {
    Query query(file, kOwners);
    while (query.row()) owners.push_back(query.number(0));
  });
  for (const int64_t owner : owners) {
    if (locks_.is_owned(owner)) continue;
    writer_.quick([&](Connection& file) { buried += Query(file, kBuryOwner).with(owner).run(); });
  }
  if (buried > 0)
    host_.log(CB_LOG_INFO,
              "removing " + std::to_string(buried) + " unfinished objects of stores that are gone");
}

void Purger::abandon(int64_t content) noexcept {
  try {
    {
      const std::lock_guard lock(mutex_);
      abandoned_.push_back(content);
    }
    bury_abandoned();
  } catch (const std::exception&) {
    // It stays among the abandoned, or, without memory even for that, is an orphan later.
  }
}

void Purger::bury_abandoned() {
  const std::lock_guard lock(mutex_);
  while (!abandoned_.empty()) {
    const int64_t content = abandoned_.back();
    writer_.quick([&](Connection& file) { Query(file, kBuryContent).with(content).run(); });
    abandoned_.pop_back();
  }
}

void Purger::purge(size_t steps) noexcept {
  try {
    bury_abandoned();
    while (steps > 0 && step()) --steps;
  } catch (const std::exception& failure) {
    host_.log(CB_LOG_DEBUG, std::string("removing segments is put off: ") + failure.what());
  }
}

std::vector<Purger::Dead> Purger::find_dead() {
  std::vector<Dead> dead;
  writer_.look([&](Connection& file) {
    Query query(file, kFindDead);
    query.with(kLook);
    while (query.row()) dead.push_back({query.number(0), query.number(1)});
  });
  return dead;
}

// Does something useful; false when there is nothing to do.
bool Purger::step() {
  for (const Dead& dead : find_dead())
    if (locks_.is_unread(dead.content)) return delete_some(dead);
  return shrink_some();
}

bool Purger::delete_some(const Dead& dead) {
  const int64_t limit = std::max<int64_t>(1, kStep / dead.segment_size);
  const int64_t first = dead.content * kSegmentsPerContent;
  writer_.quick([&](Connection& file) {
    const int64_t deleted = Query(file, kDeleteSegments)
                                .with(first)
                                .with(first + kSegmentsPerContent)
                                .with(limit)
                                .run();
    if (deleted < limit) Query(file, kDeleteContent).with(dead.content).run();
  });
  return true;
}

bool Purger::shrink_some() {
  bool more = false;
  writer_.look([&](Connection& file) {
    const int64_t page = file.number("PRAGMA page_size");
    const int64_t unused = file.number("PRAGMA freelist_count") * page;
    const int64_t whole = file.number("PRAGMA page_count") * page;
    more = unused > std::max(kKept + kStep, whole / kKeptShare + kStep);
    if (more) file.run(("PRAGMA incremental_vacuum(" + std::to_string(kStep / page) + ")").c_str());
  });
  return more;
}

}  // namespace store_sqlite
