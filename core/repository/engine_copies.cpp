// SPDX-License-Identifier: Apache-2.0
//
// See engine_copies.h.
#include "core/repository/engine_copies.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "core/repository/blob_reader.h"
#include "core/repository/pack.h"

namespace cb::repository {
namespace {

using Devices = std::map<int64_t, DeviceId>;  // of domains

Result<DeviceId> device_of(EngineParts& engine, Devices& known, int64_t domain) {
  if (domain >= catalog::kSharedDomain) return DeviceId{};
  if (const auto at = known.find(domain); at != known.end()) return at->second;
  CB_ASSIGN(const auto device, engine.index().device_of(domain));
  return known.emplace(domain, device ? DeviceId{*device} : DeviceId{}).first->second;
}

// A device whose domain is the shared one; zero when there is none any more.
Result<DeviceId> sharing_device(EngineParts& engine, const CommitChain& chain) {
  CB_ASSIGN(const auto row, engine.index().repository(chain.id().bytes));
  if (!row) return DeviceId{};
  CB_ASSIGN(const auto devices, engine.parts.catalog->accounts().devices(row->account));
  for (const catalog::Device& device : devices) {
    CB_ASSIGN(const Viewer viewer, engine.viewer_of(DeviceId{device.id}));
    if (viewer.shares_dedup && viewer.role != Role::owner) return viewer.device;
  }
  return DeviceId{};
}

// Who put the copies that a reader is given.
class Givers {
 public:
  Status learn(EngineParts& engine, std::span<const catalog::BlobPlace> places) {
    for (const catalog::BlobPlace& place : places) {
      if (place.domain >= catalog::kSharedDomain) continue;
      CB_ASSIGN(const DeviceId device, device_of(engine, devices_, place.domain));
      of_blob_.emplace(BlobId{place.id}, device);
    }
    return {};
  }

  [[nodiscard]] Engine::Reader told_by(const Engine::Reader& reader) const {
    if (of_blob_.empty()) return reader;
    const auto head = [this, &reader](const BlobHead& given) -> Status {
      BlobHead told = given;
      if (const auto at = of_blob_.find(given.id); at != of_blob_.end()) told.device = at->second;
      return reader.head(told);
    };
    return {head, reader.content, reader.damaged};
  }

 private:
  Devices devices_;
  std::unordered_map<BlobId, DeviceId, IdHash> of_blob_;
};

Status give_record(const SessionId& session, const Bytes& record, const Engine::Reader& reader) {
  BlobHead head;
  head.id = blob_of(session);
  head.kind = BlobKind::session;
  head.stored_size = static_cast<uint32_t>(record.size());
  if (reader.damaged) {
    Checksum checksum;
    checksum.update(record);
    head.checksum = checksum.value();
  }
  CB_TRY(reader.head(head));
  return reader.content(record);
}

// Every blob of a session needs its record, so the loss of one pack must not take that along: the
// catalog has a copy. And where rotation replaced the record, the catalog's is the one that opens.
// Who opens it verifies the signature, whichever it is.
Status read_session(EngineParts& engine, const CommitChain& chain, const catalog::BlobPlace& place,
                    const Engine::Reader& reader, const Relocate& relocate) {
  const SessionId session = session_of(BlobId{place.id}).value_or(SessionId());
  CB_ASSIGN(const auto kept, engine.index().session(chain.number(), 0, session.bytes));
  if (kept) {
    const auto record = decode_session(*kept);
    if (record && !record->wrapped.empty()) return give_record(session, *kept, reader);
  }
  Bytes stored;
  const Engine::Reader hold{[](const BlobHead&) -> Status { return {}; },
                            [&](ByteView part) -> Status {
                              stored.insert(stored.end(), part.begin(), part.end());
                              return {};
                            }};
  const Status read = read_blobs(*engine.parts.store, chain.id(), {place}, hold, relocate);
  if (read) return give_record(session, stored, reader);
  if (read.error().code != Code::corrupt || !kept || kept->size() != place.size) return read;
  return give_record(session, *kept, reader);
}

// A rebuilt catalog has the row of a session whose record is damaged in all packs, and no place.
Status read_unplaced(EngineParts& engine, const CommitChain& chain, std::span<const BlobId> ids,
                     std::span<const catalog::BlobPlace> places, const Engine::Reader& reader) {
  for (const BlobId& id : ids) {
    const auto session = session_of(id);
    const auto is_of_id = [&](const catalog::BlobPlace& place) { return place.id == id.bytes; };
    if (!session || std::any_of(places.begin(), places.end(), is_of_id)) continue;
    CB_ASSIGN(const auto kept, engine.index().session(chain.number(), 0, session->bytes));
    if (kept) CB_TRY(give_record(*session, *kept, reader));
  }
  return {};
}

}  // namespace

Status read_copies(EngineParts& engine, const CommitChain& chain, const Viewer& whose, bool exact,
                   std::span<const BlobId> ids, const Engine::Reader& reader) {
  CB_ASSIGN(const int64_t domain, engine.domain_of(chain, whose));
  const auto find = [&](std::span<const catalog::Bytes32> wanted) {
    return exact ? engine.index().places_in(chain.number(), domain, wanted)
                 : engine.index().places(chain.number(), {domain, true}, wanted);
  };
  const Relocate relocate = [&](std::span<const catalog::BlobPlace> lost) {
    std::vector<catalog::Bytes32> wanted;
    for (const catalog::BlobPlace& place : lost) wanted.push_back(place.id);
    return find(wanted);
  };
  CB_ASSIGN(auto places, find(bytes_of(ids)));
  // Which device put it, nobody knows.
  if (!exact) CB_TRY(read_unplaced(engine, chain, ids, places, reader));
  Givers givers;
  CB_TRY(givers.learn(engine, places));
  const Engine::Reader told = givers.told_by(reader);
  const auto sessions =
      std::stable_partition(places.begin(), places.end(), [](const catalog::BlobPlace& place) {
        return place.kind != static_cast<uint8_t>(BlobKind::session);
      });
  for (auto place = sessions; place != places.end(); ++place) {
    const Status read = read_session(engine, chain, *place, told, relocate);
    if (!read && read.error().code == Code::corrupt && told.damaged)
      CB_TRY(told.damaged(BlobId{place->id}));
    else
      CB_TRY(read);
  }
  places.erase(sessions, places.end());
  return read_blobs(*engine.parts.store, chain.id(), std::move(places), told, relocate);
}

Result<CopyPage> list_copies(EngineParts& engine, const CommitChain& chain, uint64_t after,
                             size_t most) {
  CB_ASSIGN(const auto rows,
            engine.index().copies(chain.number(), static_cast<int64_t>(after), most));
  Devices devices;
  CopyPage page;
  page.cursor = after;
  for (const catalog::Index::Copy& row : rows) {
    if (row.domain == catalog::kSharedDomain && !devices.contains(row.domain)) {
      CB_ASSIGN(devices[row.domain], sharing_device(engine, chain));
    }
    BlobCopy& copy = page.copies.emplace_back();
    copy.id = BlobId{row.id};
    copy.kind = static_cast<BlobKind>(row.kind);
    if (const auto at = devices.find(row.domain); at != devices.end()) {
      copy.device = at->second;
    } else {
      CB_ASSIGN(copy.device, device_of(engine, devices, row.domain));
    }
    page.cursor = static_cast<uint64_t>(row.number);
  }
  page.last = rows.size() < most;
  return page;
}

// A signature that lies is found by nobody: whoever believes it leaves out bytes that are nowhere.
// So a device is shown its own and those of owners; what devices share that share deduplication may
// be of any of them, and is shown to none.
Result<SignaturePage> list_signatures(EngineParts& engine, const CommitChain& chain,
                                      const Viewer& viewer, uint64_t before, size_t most) {
  CB_ASSIGN(const int64_t own, engine.domain_of(chain, viewer));
  const int64_t domain = own == catalog::kSharedDomain ? catalog::kOpenDomain : own;
  constexpr uint64_t kHighest = std::numeric_limits<int64_t>::max();
  const auto below = static_cast<int64_t>(std::min(before, kHighest));
  CB_ASSIGN(const auto rows, engine.index().weak_blobs(chain.number(), {domain}, below, most));
  SignaturePage page;
  for (const catalog::Index::WeakBlob& row : rows) page.ids.push_back(BlobId{row.id});
  if (!rows.empty()) page.next = static_cast<uint64_t>(rows.back().number);
  page.last = rows.size() < most;
  return page;
}

Status write_opened(EngineParts& engine, const CommitChain& chain, const OpenedBlobs& opened) {
  Id<struct OpenedTag, 8> tail;
  CB_TRY(engine.parts.random->fill(tail.bytes));
  const auto now = static_cast<uint64_t>(engine.parts.clock->wall().count());
  return write_object(*engine.parts.store, opened_object(chain.id(), now, tail.hex()),
                      encode(opened), true);
}

// What an owner opened has to be known when the catalog is lost: snapshots of all lean on it.
Status note_opened(EngineParts& engine, const CommitChain& chain, int64_t domain,
                   std::span<const BlobId> ids) {
  CB_ASSIGN(const auto places, engine.index().places_in(chain.number(), domain, bytes_of(ids)));
  std::map<PackName, std::vector<BlobId>> of_packs;
  for (const catalog::BlobPlace& place : places)
    of_packs[PackName{place.pack}].push_back(BlobId{place.id});
  if (of_packs.empty()) return {};
  OpenedBlobs opened;
  for (auto& [pack, blobs] : of_packs) opened.packs.push_back({pack, std::move(blobs)});
  return write_opened(engine, chain, opened);
}

// Not while a commit looks at what is there.
Status take_verdict(EngineParts& engine, CommitChain& chain, const Viewer& whose,
                    std::span<const BlobId> ids, bool bad) {
  const std::lock_guard lock(chain.mutex);
  CB_ASSIGN(const int64_t domain, engine.domain_of(chain, whose));
  if (bad) return engine.index().condemn(chain.number(), domain, bytes_of(ids));
  if (domain == catalog::kOpenDomain) return {};
  CB_TRY(note_opened(engine, chain, domain, ids));
  CB_TRY(engine.index().open_up(chain.number(), domain, bytes_of(ids), !chain.is_collecting));
  return {};
}

}  // namespace cb::repository
