// SPDX-License-Identifier: Apache-2.0
//
// See compaction.h.
#include "core/repository/compaction.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/trial.h"
#include "core/repository/blob_reader.h"
#include "core/repository/pack_rewrite.h"

namespace cb::repository {
namespace {

constexpr size_t kPacksAtOnce = 1024;
constexpr size_t kFewestToMerge = 8;  // small packs
constexpr uint64_t kSmallPart = 4;    // small: under this part of every limit

struct SourcePack {
  catalog::HeldPack pack;
  uint64_t expected = 0;  // bytes of what would be left of it
};

// What new packs are filled from: one class and one domain.
using GroupKey = std::pair<uint8_t, int64_t>;

// What a pack holds that is alive, in one domain.
struct LivePart {
  uint64_t bytes = 0;  // in a pack of its own
  uint64_t blobs = 0, children = 0;
};

// Blobs that are to lie in one new pack.
struct Filling {
  PackRewrite rewrite;
  LivePart sum;
};

// Small packs that could be joined.
struct SmallPacks {
  std::vector<SourcePack> packs;
  LivePart sum;
};

constexpr uint64_t footprint(uint64_t children, uint64_t stored) {
  return packed_size(children, stored) + kFooterEntrySize;
}

class CompactionRun {
 public:
  CompactionRun(EngineParts& engine, CommitChain& chain, const Engine::CompactOptions& options,
                const Engine::CheckProgress& progress)
      : engine_(engine),
        rows_(engine.collection()),
        chain_(chain),
        options_(options),
        progress_(progress) {}

  Result<Engine::Compacted> run() {
    CB_TRY(choose());
    if (options_.dry_run) {
      tell_plan();
      return result_;
    }
    for (const SourcePack& source : chosen_) {
      if (has_ended()) break;
      CB_TRY(go_on(chosen_.size()));
      CB_TRY(take(source));
    }
    for (auto& [key, filling] : filling_)
      if (!has_ended()) CB_TRY(write(filling));
    CB_TRY(retire());
    return result_;
  }

 private:
  [[nodiscard]] bool has_ended() const { return result_.has_no_room || result_.is_short; }
  [[nodiscard]] uint64_t limit_of(uint8_t pack_class) const {
    const EngineLimits& limits = engine_.parts.limits;
    return static_cast<PackClass>(pack_class) == PackClass::data ? limits.data_pack
                                                                 : limits.node_pack;
  }

  Status go_on(uint64_t total) {
    ++done_;
    if (!progress_ || progress_(done_, std::max(total, done_))) return {};
    return failed(Code::cancelled, "compaction", "was stopped");
  }

  Status choose();
  Status look_at(const catalog::HeldPack& pack);
  Result<std::map<int64_t, LivePart>> live_parts(const catalog::HeldPack& pack);
  Result<uint64_t> record_size(const catalog::Bytes16& session);
  [[nodiscard]] bool is_small(const catalog::HeldPack& pack, const LivePart& part) const;
  void choose_small();
  void tell_plan();
  Status take(const SourcePack& source);
  Status add(const SourcePack& source, const MovingBlob& moving);
  [[nodiscard]] bool has_room_for(const Filling& filling, const MovingBlob& moving) const;
  Status write(Filling& filling);
  Status write_now(PackRewrite& rewrite);
  Result<bool> leave_damaged(PackRewrite& rewrite, const Error& why);
  Status retire();

  EngineParts& engine_;
  catalog::Collection& rows_;
  CommitChain& chain_;
  const Engine::CompactOptions& options_;
  const Engine::CheckProgress& progress_;
  Engine::Compacted result_;
  std::vector<SourcePack> chosen_;
  std::map<GroupKey, SmallPacks> small_;
  std::map<GroupKey, Filling> filling_;
  std::map<catalog::Bytes16, uint64_t> record_sizes_;
  std::map<int64_t, uint64_t> taken_;  // packs whose blobs were given to be moved, and their sizes
  std::set<int64_t> damaged_;
  uint64_t done_ = 0;
};

// Bytes that repeating a session's record takes.
Result<uint64_t> CompactionRun::record_size(const catalog::Bytes16& session) {
  constexpr size_t kMostKept = 16 * 1024;
  if (const auto at = record_sizes_.find(session); at != record_sizes_.end()) return at->second;
  if (record_sizes_.size() >= kMostKept) record_sizes_.clear();
  CB_ASSIGN(const auto record, engine_.index().session(chain_.number(), 0, session));
  return record_sizes_[session] = footprint(0, record ? record->size() : 0);
}

Result<std::map<int64_t, LivePart>> CompactionRun::live_parts(const catalog::HeldPack& pack) {
  CB_ASSIGN(const auto blobs, rows_.rows_in(pack.number));
  std::map<int64_t, LivePart> parts;
  std::map<int64_t, std::set<catalog::Bytes16>> repeated;
  for (const catalog::HeldBlob& blob : blobs) {
    if (blob.condemned) continue;
    LivePart& part = parts[blob.domain];
    part.bytes += footprint(blob.child_count, blob.size);
    ++part.blobs;
    part.children += blob.child_count;
    if (blob.session != catalog::Bytes16{}) repeated[blob.domain].insert(blob.session);
  }
  // Those that lie here are counted already.
  for (const catalog::HeldBlob& blob : blobs) {
    const auto session = session_of(BlobId{blob.id});
    if (session && !blob.condemned) repeated[blob.domain].erase(session->bytes);
  }
  for (auto& [domain, part] : parts) {
    part.bytes += kPackHeaderSize + kPackEndSize;
    for (const catalog::Bytes16& session : repeated[domain]) {
      CB_ASSIGN(const uint64_t size, record_size(session));
      part.bytes += size;
    }
  }
  return parts;
}

bool CompactionRun::is_small(const catalog::HeldPack& pack, const LivePart& part) const {
  return pack.size < limit_of(pack.pack_class) / kSmallPart &&
         part.blobs < kMostPackBlobs / kSmallPart && part.children < kMostPackChildren / kSmallPart;
}

Status CompactionRun::look_at(const catalog::HeldPack& pack) {
  CB_ASSIGN(const auto parts, live_parts(pack));
  if (parts.empty()) return {};  // collection removes it
  uint64_t expected = 0;
  for (const auto& [domain, part] : parts) expected += part.bytes;
  // A bad one as well: what is whole in it gets a pack that is.
  if (pack.is_bad || expected * 100 < pack.size * options_.least_live) {
    chosen_.push_back({pack, expected});
    return {};
  }
  const auto& [domain, part] = *parts.begin();
  if (parts.size() > 1 || !is_small(pack, part)) return {};
  SmallPacks& small = small_[{pack.pack_class, domain}];
  small.packs.push_back({pack, expected});
  small.sum.bytes += part.bytes;
  small.sum.blobs += part.blobs;
  small.sum.children += part.children;
  return {};
}

// Only where at most half as many packs come out: else it would never end.
void CompactionRun::choose_small() {
  for (const auto& [key, small] : small_) {
    const uint64_t packs =
        1 + std::max({small.sum.bytes / limit_of(key.first), small.sum.blobs / kMostPackBlobs,
                      small.sum.children / kMostPackChildren});
    if (small.packs.size() < kFewestToMerge || packs * 2 > small.packs.size()) continue;
    chosen_.insert(chosen_.end(), small.packs.begin(), small.packs.end());
  }
  small_.clear();
  std::sort(chosen_.begin(), chosen_.end(),
            [](const SourcePack& a, const SourcePack& b) { return a.pack.number < b.pack.number; });
}

Status CompactionRun::choose() {
  CB_ASSIGN(const auto counts, engine_.index().counts(chain_.number()));
  for (int64_t after = 0;;) {
    CB_ASSIGN(const auto packs, rows_.packs(chain_.number(), after, kPacksAtOnce));
    for (const catalog::HeldPack& pack : packs) {
      CB_TRY(go_on(counts.packs));
      after = pack.number;
      if (pack.owner == 0 && pack.retired_ns == 0) CB_TRY(look_at(pack));
    }
    if (packs.size() < kPacksAtOnce) break;
  }
  choose_small();
  done_ = 0;
  return {};
}

void CompactionRun::tell_plan() {
  result_.sources = chosen_.size();
  for (const SourcePack& source : chosen_) {
    result_.source_bytes += source.pack.size;
    result_.bytes += source.expected;
  }
}

Status CompactionRun::take(const SourcePack& source) {
  CB_ASSIGN(const auto blobs, rows_.rows_in(source.pack.number));
  taken_.emplace(source.pack.number, source.pack.size);
  for (const catalog::HeldBlob& blob : blobs)
    if (!blob.condemned && !has_ended())
      CB_TRY(add(source, {blob, source.pack.number, PackName{source.pack.name}}));
  return {};
}

bool CompactionRun::has_room_for(const Filling& filling, const MovingBlob& moving) const {
  const uint64_t bytes = filling.sum.bytes + footprint(moving.blob.child_count, moving.blob.size);
  return filling.sum.blobs < kMostPackBlobs &&
         filling.sum.children + moving.blob.child_count <= kMostPackChildren &&
         bytes <= limit_of(static_cast<uint8_t>(filling.rewrite.kind));
}

// Puts a blob to those of its kind, which are written when they fill a pack.
Status CompactionRun::add(const SourcePack& source, const MovingBlob& moving) {
  Filling& filling = filling_[{source.pack.pack_class, moving.blob.domain}];
  filling.rewrite.kind = static_cast<PackClass>(source.pack.pack_class);
  if (!filling.rewrite.blobs.empty() && !has_room_for(filling, moving)) CB_TRY(write(filling));
  filling.rewrite.kind = static_cast<PackClass>(source.pack.pack_class);
  filling.rewrite.domain = moving.blob.domain;
  filling.rewrite.created_ns = std::max(filling.rewrite.created_ns, source.pack.created_ns);
  filling.rewrite.blobs.push_back(moving);
  filling.sum.bytes += footprint(moving.blob.child_count, moving.blob.size);
  filling.sum.children += moving.blob.child_count;
  ++filling.sum.blobs;
  return {};
}

// Takes out what does not read right. False when all does: then it was something else.
Result<bool> CompactionRun::leave_damaged(PackRewrite& rewrite, const Error& why) {
  if (why.code != Code::corrupt) return false;
  std::map<int64_t, std::vector<catalog::BlobPlace>> of_packs;
  for (const MovingBlob& moving : rewrite.blobs) of_packs[moving.pack].push_back(place_of(moving));
  const Engine::Reader nobody{[](const BlobHead&) -> Status { return {}; },
                              [](ByteView) -> Status { return {}; }};
  const size_t before = damaged_.size();
  for (const auto& [pack, places] : of_packs) {
    const Status read = read_blobs(*engine_.parts.store, chain_.id(), places, nobody);
    if (read) continue;
    if (read.error().code != Code::corrupt) return failed(read.error());
    damaged_.insert(pack);
    result_.damaged.push_back(read.error().text());
  }
  if (damaged_.size() == before) return false;
  std::erase_if(rewrite.blobs,
                [this](const MovingBlob& one) { return damaged_.contains(one.pack); });
  return true;
}

Status CompactionRun::write_now(PackRewrite& rewrite) {
  std::erase_if(rewrite.blobs,
                [this](const MovingBlob& one) { return damaged_.contains(one.pack); });
  while (!rewrite.blobs.empty()) {
    auto written = rewrite_pack(engine_, chain_, rewrite);
    if (written) {
      ++result_.packs;
      result_.bytes += written->bytes;
      result_.blobs += written->blobs;
      return {};
    }
    CB_ASSIGN(const bool is_less, leave_damaged(rewrite, written.error()));
    if (!is_less) return failed(written.error());
  }
  return {};
}

// Leaves nothing to be written.
Status CompactionRun::write(Filling& filling) {
  Status done = engine_.space.take(filling.sum.bytes);
  if (done) done = write_now(filling.rewrite);
  filling = {};
  if (!done && done.error().code == Code::no_space) {
    result_.has_no_room = true;
    return {};
  }
  if (options_.most_bytes > 0 && result_.bytes >= options_.most_bytes) result_.is_short = true;
  return done;
}

Status CompactionRun::retire() {
  for (const auto& [pack, size] : taken_) {
    CB_ASSIGN(const bool retired, rows_.retire(pack, engine_.parts.clock->wall().count()));
    trial::passed("compact.retired");
    if (!retired) continue;
    ++result_.sources;
    result_.source_bytes += size;
  }
  return {};
}

}  // namespace

Result<Engine::Compacted> compact(EngineParts& engine, CommitChain& chain,
                                  const Engine::CompactOptions& options,
                                  const Engine::CheckProgress& progress) {
  const std::lock_guard alone(chain.upkeep_mutex);
  return CompactionRun(engine, chain, options, progress).run();
}

}  // namespace cb::repository
