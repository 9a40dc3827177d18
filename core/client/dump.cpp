// SPDX-License-Identifier: Apache-2.0
//
// A file's content in order: some blobs ahead are fetched while one is written out.
#include <future>
#include <unordered_map>
#include <utility>

#include "core/client/restore.h"

namespace cb::client {

using repository::BlobId;
using repository::BlobKind;
using repository::Entry;
using repository::Extent;
using repository::PlainBlob;

namespace {

constexpr size_t kAhead = 8;                       // blobs; most have 1 MiB
constexpr uint64_t kBytesAhead = 8 * 1024 * 1024;  // and no more than one blob beyond this
constexpr size_t kMostExtents = 16384;
constexpr size_t kZeros = 64 * 1024;

// A part of the file that is fetched at once, and then written.
struct Stretch {
  std::vector<Extent> extents;
  std::vector<BlobId> order;
  std::unordered_map<BlobId, PlainBlob, repository::IdHash> blobs;
  uint64_t bytes = 0;

  void add(const Extent& extent) {
    extents.push_back(extent);
    if (extent.hole || !blobs.try_emplace(extent.blob).second) return;
    order.push_back(extent.blob);
    bytes += extent.length;
  }
  [[nodiscard]] bool full() const {
    return order.size() >= kAhead || bytes >= kBytesAhead || extents.size() >= kMostExtents;
  }
  Status fetch(BlobFetcher& fetcher) {
    return fetcher.blobs(order, [this](PlainBlob blob) -> Status {
      blobs[blob.id] = std::move(blob);
      return {};
    });
  }
};

// While one stretch is written, a thread fetches the next.
class DumpLine {
 public:
  DumpLine(BlobFetcher& fetcher, const std::string& path,
           const std::function<Status(ByteView)>& out)
      : fetcher_(fetcher), path_(path), out_(out) {}

  Status add(const Extent& extent) {
    next_.add(extent);
    return next_.full() ? turn() : Status();
  }

  Status finish() {
    CB_TRY(turn());
    CB_TRY(fetching_.get());
    return write(*coming_);
  }

 private:
  Status turn() {
    if (fetching_.valid()) CB_TRY(fetching_.get());
    const std::unique_ptr<Stretch> ready =
        std::exchange(coming_, std::make_unique<Stretch>(std::exchange(next_, {})));
    fetching_ = std::async(std::launch::async,
                           [this, fetched = coming_.get()] { return fetched->fetch(fetcher_); });
    return ready ? write(*ready) : Status();
  }

  Status write(const Stretch& stretch) {
    for (const Extent& extent : stretch.extents)
      CB_TRY(extent.hole ? hole(extent) : data(extent, stretch.blobs.at(extent.blob)));
    return {};
  }

  Status hole(const Extent& extent) {
    static constexpr std::array<std::byte, kZeros> kNothing{};
    for (uint64_t left = extent.length; left > 0;) {
      const size_t now = std::min<uint64_t>(left, kZeros);
      CB_TRY(out_(ByteView(kNothing).first(now)));
      left -= now;
    }
    return {};
  }

  Status data(const Extent& extent, const PlainBlob& blob) {
    const ByteView plain = blob.plain;
    if (blob.kind != BlobKind::data || extent.offset > plain.size() ||
        extent.length > plain.size() - extent.offset)
      return failed(Code::corrupt, path_, "names a stretch that its blob does not hold");
    return out_(plain.subspan(extent.offset, extent.length));
  }

  BlobFetcher& fetcher_;
  const std::string& path_;
  const std::function<Status(ByteView)>& out_;
  Stretch next_;                     // is collected
  std::unique_ptr<Stretch> coming_;  // is fetched
  std::future<Status> fetching_;     // waits for its thread when it goes: the last member
};

}  // namespace

Status dump(BlobFetcher& fetcher, const BlobId& root, const std::string& path,
            const std::function<Status(ByteView)>& out) {
  CB_ASSIGN(const std::optional<Entry> entry, repository::find_entry(fetcher.source(), root, path));
  if (!entry)
    return failed(Code::not_found, path, "is not in this snapshot",
                  "\"cyberbackup ls\" shows what is");
  if (entry->kind != repository::EntryKind::file)
    return failed(Code::invalid, path, "is no file", "name a file, or use \"cyberbackup restore\"");
  if ((entry->flags & repository::kEntryUnreadable) != 0)
    return failed(Code::corrupt, path, "could not be read when the snapshot was made");
  DumpLine line(fetcher, path, out);
  uint64_t left = entry->size;
  CB_TRY(repository::for_each_extent(*entry, fetcher.source(), [&](const Extent& extent) -> Status {
    if (extent.length > left) return failed(Code::corrupt, path, "has content beyond its size");
    left -= extent.length;
    return line.add(extent);
  }));
  CB_TRY(line.finish());
  return left == 0 ? Status() : failed(Code::corrupt, path, "lacks content up to its size");
}

}  // namespace cb::client
