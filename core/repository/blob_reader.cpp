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

// Opens [begin, end) of the pack that `place` lies in.
Result<plugin::Get> open_run(plugin::Store& store, const RepositoryId& repository,
                             const catalog::BlobPlace& place, uint64_t end) {
  auto get = store.get_open(pack_object(repository, PackName{place.pack}), place.offset,
                            end - place.offset);
  if (get) return get;
  const bool gone = get.error().code == Code::not_found;
  if (!gone && get.error().code != Code::limit) return get;
  return failed(
      told_of(fail(Code::corrupt, "", gone ? "its pack is gone" : "its pack is too short"),
              name_of(repository, place)));
}

}  // namespace

Status read_blobs(plugin::Store& store, const RepositoryId& repository,
                  std::vector<catalog::BlobPlace> places, const Engine::Reader& reader) {
  const auto order = [](const catalog::BlobPlace& place) {
    return std::tie(place.pack, place.offset);
  };
  std::sort(places.begin(), places.end(),
            [&](const auto& a, const auto& b) { return order(a) < order(b); });
  places.erase(std::unique(places.begin(), places.end(),
                           [&](const auto& a, const auto& b) { return order(a) == order(b); }),
               places.end());
  Bytes piece(kPiece);
  for (size_t first = 0; first < places.size();) {
    size_t past = first + 1;
    uint64_t end = end_of(places[first]);
    for (; past < places.size(); ++past) {
      const catalog::BlobPlace& next = places[past];
      if (next.pack != places[first].pack || next.offset < end || next.offset - end > kReadGap ||
          end_of(next) - places[first].offset > kReadRun)
        break;
      end = end_of(next);
    }
    CB_ASSIGN(plugin::Get get, open_run(store, repository, places[first], end));
    Run run(std::move(get), places[first].offset, piece);
    for (; first < past; ++first)
      CB_TRY(read_one(run, places[first], name_of(repository, places[first]), reader));
  }
  return {};
}

}  // namespace cb::repository
