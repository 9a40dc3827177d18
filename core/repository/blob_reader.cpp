// SPDX-License-Identifier: Apache-2.0
//
// See blob_reader.h.
#include "core/repository/blob_reader.h"

#include <algorithm>
#include <tuple>

#include "core/repository/pack.h"

namespace cb::repository {
namespace {

constexpr size_t kPiece = 64 * 1024;

uint64_t end_of(const catalog::BlobPlace& place) {
  return place.offset + packed_size(place.child_count, place.size);
}

std::string name_of(const RepositoryId& repository, const catalog::BlobPlace& place) {
  return "blob " + BlobId{place.id}.hex() + " in " + pack_object(repository, PackName{place.pack});
}

// One stretch of a pack, read from front to back.
class Run {
 public:
  Run(plugin::Get get, uint64_t offset, Bytes& piece)
      : get_(std::move(get)), position_(offset), piece_(piece) {}

  // Calls `take` with the next `count` bytes in pieces.
  template <typename Take>
  Status next(uint64_t count, const Take& take) {
    while (count > 0) {
      if (unread_.empty()) CB_TRY(fill());
      const ByteView part = unread_.first(std::min<uint64_t>(unread_.size(), count));
      unread_ = unread_.subspan(part.size());
      position_ += part.size();
      count -= part.size();
      CB_TRY(take(part));
    }
    return {};
  }

  Status skip_to(uint64_t offset) {
    return next(offset - position_, [](ByteView) -> Status { return {}; });
  }

  Result<Bytes> bytes(size_t count) {
    Bytes all;
    all.reserve(count);
    CB_TRY(next(count, [&](ByteView part) -> Status {
      all.insert(all.end(), part.begin(), part.end());
      return {};
    }));
    return all;
  }

 private:
  Status fill() {
    CB_ASSIGN(const size_t got, get_.read(piece_));
    if (got == 0) return failed(Code::corrupt, "pack", "ends too early");
    unread_ = ByteView(piece_).first(got);
    return {};
  }

  plugin::Get get_;
  uint64_t position_;
  Bytes& piece_;
  ByteView unread_;
};

bool is_of(const BlobHead& head, const catalog::BlobPlace& place) {
  return head.id.bytes == place.id && static_cast<uint8_t>(head.kind) == place.kind &&
         head.stored_size == place.size && head.session.bytes == place.session &&
         head.children.size() == place.child_count;
}

// An error of reading the pack, told of the blob; the reader's own errors are left as they are.
Error told_of(const Error& error, const std::string& name) {
  if (error.code != Code::corrupt) return error;
  return fail(Code::corrupt, name, error.cause,
              "run check with read-data on the server to find all that is damaged");
}

Status read_one(Run& run, const catalog::BlobPlace& place, const std::string& name,
                const Engine::Reader& reader) {
  const auto in_blob = [&](auto result) {
    if (!result) result = failed(told_of(result.error(), name));
    return result;
  };
  CB_TRY(in_blob(run.skip_to(place.offset)));
  CB_ASSIGN(const Bytes record, in_blob(run.bytes(record_size(place.child_count))));
  CB_ASSIGN(const BlobHead head, in_blob(decode_record(record)));
  if (!is_of(head, place))
    return failed(told_of(fail(Code::corrupt, name, "is another blob than the index says"), name));
  CB_TRY(reader.head(head));
  Checksum checksum;
  Status refused;
  const Status streamed = run.next(head.stored_size, [&](ByteView part) -> Status {
    checksum.update(part);
    refused = reader.content(part);
    return refused;
  });
  if (!refused) return refused;
  CB_TRY(in_blob(streamed));
  CB_ASSIGN(const Bytes expected, in_blob(run.bytes(kChecksumSize)));
  if (!std::equal(expected.begin(), expected.end(), checksum.value().begin()))
    return failed(told_of(fail(Code::corrupt, name, "does not have the checksum it should"), name));
  return {};
}

// A blob all of which was read, and is right.
struct WholeBlob {
  BlobHead head;
  Bytes stored;
};

Result<WholeBlob> load_whole(Run& run, const catalog::BlobPlace& place, const std::string& name) {
  CB_TRY(run.skip_to(place.offset));
  CB_ASSIGN(const Bytes record, run.bytes(record_size(place.child_count)));
  WholeBlob blob;
  CB_ASSIGN(blob.head, decode_record(record));
  if (!is_of(blob.head, place))
    return failed(Code::corrupt, name, "is another blob than the index says");
  CB_ASSIGN(blob.stored, run.bytes(place.size));
  CB_ASSIGN(const Bytes expected, run.bytes(kChecksumSize));
  Checksum checksum;
  checksum.update(blob.stored);
  blob.head.checksum = checksum.value();
  if (std::equal(expected.begin(), expected.end(), blob.head.checksum->begin())) return blob;
  return failed(Code::corrupt, name, "does not have the checksum it should");
}

// How packs and disks call damage of a blob.
bool is_of_blob(const Error& error) {
  return error.code == Code::corrupt || error.code == Code::io;
}

Status read_if_whole(Run& run, const catalog::BlobPlace& place, const std::string& name,
                     const Engine::Reader& reader) {
  const auto blob = load_whole(run, place, name);
  if (!blob && is_of_blob(blob.error())) return reader.damaged(BlobId{place.id});
  CB_TRY(blob);
  CB_TRY(reader.head(blob->head));
  return reader.content(blob->stored);
}

// The error of a run that could not be opened.
Error told_of_run(const Error& error, const RepositoryId& repository,
                  const catalog::BlobPlace& place) {
  const bool gone = error.code == Code::not_found;
  if (!gone && error.code != Code::limit) return error;
  return told_of(fail(Code::corrupt, "", gone ? "its pack is gone" : "its pack is too short"),
                 name_of(repository, place));
}

auto order_of(const catalog::BlobPlace& place) { return std::tie(place.pack, place.offset); }

void sort_places(std::vector<catalog::BlobPlace>& places) {
  std::sort(places.begin(), places.end(),
            [](const auto& a, const auto& b) { return order_of(a) < order_of(b); });
  places.erase(std::unique(places.begin(), places.end(),
                           [](const auto& a, const auto& b) { return order_of(a) == order_of(b); }),
               places.end());
}

// Places that are read in one go.
struct RunOfPlaces {
  size_t past = 0;  // the last one's successor
  uint64_t end = 0;
};

RunOfPlaces run_from(std::span<const catalog::BlobPlace> places, size_t first) {
  RunOfPlaces run{first + 1, end_of(places[first])};
  for (; run.past < places.size(); ++run.past) {
    const catalog::BlobPlace& next = places[run.past];
    if (next.pack != places[first].pack || next.offset < run.end ||
        next.offset - run.end > kReadGap || end_of(next) - places[first].offset > kReadRun)
      break;
    run.end = end_of(next);
  }
  return run;
}

// The places of what was not read yet, when they are others than before.
Result<bool> find_anew(const Relocate& relocate, size_t first,
                       std::vector<catalog::BlobPlace>& places) {
  if (!relocate) return false;
  const catalog::BlobPlace gone = places[first];
  CB_ASSIGN(auto now, relocate(std::span(places).subspan(first)));
  const auto is_gone = [&](const catalog::BlobPlace& place) {
    return order_of(place) == order_of(gone);
  };
  if (std::any_of(now.begin(), now.end(), is_gone)) return false;
  places = std::move(now);
  sort_places(places);
  return true;
}

}  // namespace

Status read_blobs(plugin::Store& store, const RepositoryId& repository,
                  std::vector<catalog::BlobPlace> places, const Engine::Reader& reader,
                  const Relocate& relocate) {
  sort_places(places);
  Bytes piece(kPiece);
  for (size_t first = 0; first < places.size();) {
    const RunOfPlaces stretch = run_from(places, first);
    const catalog::BlobPlace& begin = places[first];
    auto get = store.get_open(pack_object(repository, PackName{begin.pack}), begin.offset,
                              stretch.end - begin.offset);
    if (!get && get.error().code == Code::not_found) {
      CB_ASSIGN(const bool found, find_anew(relocate, first, places));
      if (found) first = 0;
      if (found) continue;
    }
    if (!get) {
      const Error error = told_of_run(get.error(), repository, places[first]);
      if (!reader.damaged || !is_of_blob(error)) return failed(error);
      for (; first < stretch.past; ++first) CB_TRY(reader.damaged(BlobId{places[first].id}));
      continue;
    }
    Run run(std::move(*get), begin.offset, piece);
    for (; first < stretch.past; ++first) {
      const std::string name = name_of(repository, places[first]);
      CB_TRY(reader.damaged ? read_if_whole(run, places[first], name, reader)
                            : read_one(run, places[first], name, reader));
    }
  }
  return {};
}

}  // namespace cb::repository
