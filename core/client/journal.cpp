// SPDX-License-Identifier: Apache-2.0
#include "core/client/journal.h"

#include <algorithm>
#include <unordered_set>

namespace cb::client {
namespace {

using repository::BlobId;
using repository::compare_paths;
using repository::Entry;
using repository::EntryKind;

constexpr size_t kMostAskedAgain = 4096;  // ids in one question
constexpr size_t kMostWaiting = 4096;     // entries

using IdSet = std::unordered_set<BlobId, repository::IdHash>;

// Has it content that was stored, and is it noted where?
bool worth_keeping(const CachedEntry& cached) {
  const Entry& entry = cached.entry;
  if (entry.kind != EntryKind::file || entry.flags != 0) return false;
  return entry.extent_root.is_zero() ? !entry.extents.empty() : !cached.blobs.empty();
}

void each_blob(const CachedEntry& cached, const std::function<void(const BlobId&)>& visit) {
  for (const auto& extent : cached.entry.extents)
    if (!extent.hole) visit(extent.blob);
  for (const BlobId& blob : cached.blobs) visit(blob);
  if (!cached.entry.extent_root.is_zero()) visit(cached.entry.extent_root);
}

// Collects entries until a question is full, and writes those down that the answer lets live.
class Sieve {
 public:
  Sieve(CacheWriter& out, const HaveBlobs& have) : out_(out), have_(have) {}

  Status add(CachedEntry entry) {
    each_blob(entry, [&](const BlobId& blob) { ids_.insert(blob); });
    waiting_.push_back(std::move(entry));
    return ids_.size() < kMostAskedAgain && waiting_.size() < kMostWaiting ? Status{} : settle();
  }

  Status settle() {
    CB_ASSIGN(const IdSet missing, ask());
    for (const CachedEntry& entry : waiting_) {
      bool whole = true;
      each_blob(entry, [&](const BlobId& blob) { whole = whole && !missing.contains(blob); });
      if (!whole) continue;
      CB_TRY(out_.add(entry));
      ++kept_;
    }
    waiting_.clear();
    ids_.clear();
    return {};
  }

  [[nodiscard]] uint64_t kept() const { return kept_; }

 private:
  Result<IdSet> ask() {
    const std::vector<BlobId> ids(ids_.begin(), ids_.end());
    IdSet missing;
    for (size_t at = 0; at < ids.size(); at += kMostAskedAgain) {
      const auto some = std::span(ids).subspan(at, std::min(kMostAskedAgain, ids.size() - at));
      CB_ASSIGN(const std::vector<bool> there, have_(some));
      for (size_t i = 0; i < some.size(); ++i)
        if (i >= there.size() || !there[i]) missing.insert(some[i]);
    }
    return missing;
  }

  CacheWriter& out_;
  const HaveBlobs& have_;
  std::vector<CachedEntry> waiting_;
  IdSet ids_;
  uint64_t kept_ = 0;
};

// The next entry that is worth keeping and settled.
std::optional<CachedEntry> next_of(CacheReader& reader) {
  while (auto entry = reader.next())
    if (worth_keeping(*entry) && reader.settled(entry->stat)) return entry;
  return {};
}

// Of two with the same path that of `first` counts.
Status merge(CacheReader* first, CacheReader* second, Sieve& sieve) {
  auto a = first == nullptr ? std::optional<CachedEntry>() : next_of(*first);
  auto b = second == nullptr ? std::optional<CachedEntry>() : next_of(*second);
  while (a || b) {
    const int order = !a ? 1 : !b ? -1 : compare_paths(a->entry.path, b->entry.path);
    CB_TRY(sieve.add(order <= 0 ? *a : *b));
    if (order <= 0) a = next_of(*first);
    if (order >= 0) b = next_of(*second);
  }
  return sieve.settle();
}

}  // namespace

CacheFiles CacheFiles::of(const os::Path& folder, const repository::KeyedHash& source) {
  const std::string name = "scan-" + source.hex().substr(0, 32);
  return {folder / name, folder / (name + ".journal"), folder / (name + ".kept"),
          folder / (name + ".lock"), folder / (name + ".signatures")};
}

Result<uint64_t> keep_durable(os::FileSystem& files, const CacheFiles& places,
                              const CacheHeader& header, const HaveBlobs& have) {
  const auto journal = CacheReader::open(files, places.journal, header);
  const auto kept = CacheReader::open(files, places.kept, header);
  CacheReader* const first = journal ? journal->get() : nullptr;
  CacheReader* const second = kept ? kept->get() : nullptr;
  if (first == nullptr && second == nullptr) return uint64_t{0};
  // Each entry was looked at with its own reader's time; a later one changes nothing.
  CacheHeader merged = header;
  merged.time_ns = std::max(first == nullptr ? second->time_ns() : first->time_ns(),
                            second == nullptr ? first->time_ns() : second->time_ns());
  const os::Path fresh = places.kept.string() + ".new";
  CB_ASSIGN(auto out, CacheWriter::create(files, fresh, merged));
  Sieve sieve(*out, have);
  const auto written = [&]() -> Status {
    CB_TRY(merge(first, second, sieve));
    CB_TRY(out->flush());
    return files.rename(fresh, places.kept);
  }();
  if (!written) {
    (void)files.remove(fresh);
    return failed(written.error());
  }
  if (first != nullptr) CB_TRY(files.remove(places.journal));
  return sieve.kept();
}

void OldEntries::add(std::unique_ptr<CacheReader> reader) {
  auto next = reader->next();
  sources_.push_back({std::move(reader), std::move(next)});
}

// Goes on to the path, or behind it.
void OldEntries::pass(Source& source, const std::string& path) {
  while (source.next && compare_paths(source.next->entry.path, path) < 0) {
    if (source.next->entry.kind == repository::EntryKind::file)
      passed_ = std::move(source.next->entry.path);
    source.next = source.reader->next();
  }
}

std::optional<CachedEntry> OldEntries::find(const std::string& path, const SourceStat& stat) {
  std::optional<CachedEntry> found;
  knew_ = false;
  for (Source& source : sources_) {
    pass(source, path);
    if (!source.next || source.next->entry.path != path) continue;
    knew_ = knew_ || source.next->entry.kind == repository::EntryKind::file;
    if (!found && source.next->stat == stat && source.reader->settled(stat))
      found = std::move(source.next);
    source.next = source.reader->next();
  }
  return found;
}

}  // namespace cb::client
