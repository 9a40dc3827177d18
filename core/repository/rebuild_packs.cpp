// SPDX-License-Identifier: Apache-2.0
//
// Packs into rows: by their footers, or record by record where a footer is not to be trusted. The
// newest pack goes first: what was sent again is better than what it replaced.
#include <algorithm>
#include <set>
#include <tuple>

#include "core/repository/engine_parts.h"
#include "core/repository/pack.h"
#include "core/repository/repository_rebuild.h"
#include "core/repository/signatures.h"

namespace cb::repository {
namespace {

// The record at a footer's entry, when it is the one that the entry says.
Result<PackedBlob> record_at(PackBytes& pack, const FooterEntry& entry) {
  Bytes bytes(record_size(entry.child_count));
  CB_TRY(pack.read(entry.offset, bytes));
  CB_ASSIGN(BlobHead head, decode_record(bytes));
  PackedBlob blob{entry.offset, std::move(head)};
  if (entry_of(blob) == entry) return blob;
  return failed(Code::corrupt, "pack", "has a footer that does not fit its records");
}

// Who put most of a pack, as far as it says: the device of the sessions of its blobs. Not believed
// for more than whom the bytes count for: a blob may name another's session.
DeviceId putter_of(const std::map<SessionId, Bytes>& sessions, std::span<const PackedBlob> blobs) {
  std::map<DeviceId, uint64_t> bytes;
  for (const PackedBlob& blob : blobs) {
    const auto session = sessions.find(blob.head.session);
    if (session == sessions.end()) continue;
    const auto record = decode_session(session->second);
    if (record) bytes[record->device] += blob.head.stored_size;
  }
  const auto most = std::max_element(
      bytes.begin(), bytes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == bytes.end() ? DeviceId{} : most->first;
}

// Data has no children, so the footer says all of it.
Result<PackedBlob> packed_blob(PackBytes& pack, const FooterEntry& entry) {
  if (entry.kind != BlobKind::data || entry.child_count > 0) return record_at(pack, entry);
  PackedBlob blob{entry.offset, {}};
  blob.head = {entry.id, entry.kind, entry.session, {}, entry.stored_size};
  CB_TRY(check_head(blob.head));
  return blob;
}

Result<SessionRecord> failed_session(const Error& error) { return failed(error); }

}  // namespace

Result<std::vector<RepositoryRebuild::FoundPack>> RepositoryRebuild::find_packs() {
  std::vector<FoundPack> packs;
  CB_ASSIGN(plugin::List list, parts_.store->list_open(pack_prefix(result_.id)));
  for (;;) {
    CB_ASSIGN(const auto found, list.next());
    if (!found) break;
    const auto name = id_in<PackName>(found->name);
    if (name && found->name == pack_object(result_.id, *name))
      packs.push_back({*name, found->length, found->modified_ns});
    else
      doubt(found->name, "is no pack");
  }
  // What an owner verified goes first, too: a copy beside it may be anything.
  const auto rank = [this](const FoundPack& pack) {
    return std::tuple(!opened_packs_.contains(pack.name), -pack.modified_ns, pack.name);
  };
  std::sort(packs.begin(), packs.end(),
            [&](const FoundPack& a, const FoundPack& b) { return rank(a) < rank(b); });
  return packs;
}

Status RepositoryRebuild::add_packs(const RebuildProgress& progress) {
  CB_TRY(for_each_opened([this](const OpenedBlobs::InPack& in) -> Status {
    opened_packs_.emplace(in.pack, catalog::kOpenDomain);
    return {};
  }));
  CB_ASSIGN(const std::vector<FoundPack> packs, find_packs());
  for (size_t done = 0; done < packs.size(); ++done) {
    if (progress && !progress(done, packs.size()))
      return failed(Code::cancelled, "rebuild", "was stopped");
    CB_TRY(add_pack(packs[done]));
  }
  return open_up();
}

Status RepositoryRebuild::for_each_opened(
    const std::function<Status(const OpenedBlobs::InPack&)>& visit) {
  CB_ASSIGN(const auto objects, list("opened/"));
  for (const auto& found : objects) {
    CB_ASSIGN(const auto opened, read(found.name, decode_opened));
    if (!opened) continue;
    for (const OpenedBlobs::InPack& in : opened->packs) CB_TRY(visit(in));
  }
  return {};
}

// Opens exactly the copies that an owner verified, children before what names them: as often as
// something came of it.
Status RepositoryRebuild::open_up() {
  catalog::Index& index = parts_.catalog->index();
  for (uint64_t came = 1; came > 0;) {
    came = 0;
    CB_TRY(for_each_opened([&](const OpenedBlobs::InPack& in) -> Status {
      const auto pack = opened_packs_.find(in.pack);
      if (pack == opened_packs_.end() || pack->second == catalog::kOpenDomain) return {};
      CB_ASSIGN(const auto places, index.places_in(number_, pack->second, bytes_of(in.blobs)));
      std::vector<catalog::Bytes32> ids;
      for (const catalog::BlobPlace& place : places)
        if (place.pack == in.pack.bytes) ids.push_back(place.id);
      if (ids.empty()) return {};
      CB_ASSIGN(const uint64_t more, index.open_up(number_, pack->second, ids, true));
      came += more;
      return {};
    }));
  }
  return {};
}

Status RepositoryRebuild::add_pack(const FoundPack& pack) {
  const std::string name = pack_object(result_.id, pack.name);
  catalog::PackRow row;
  row.name = pack.name.bytes;
  row.pack_class = static_cast<uint8_t>(PackClass::other);
  row.size = std::max<uint64_t>(pack.size, 1);
  row.created_ns = pack.modified_ns;
  std::vector<catalog::BlobRow> blobs;
  std::vector<catalog::SessionRow> sessions;
  CB_ASSIGN(const auto content, read_pack(pack));
  // One that cannot be read has a row, too, or the next start would take it for a leftover.
  if (content) {
    CB_ASSIGN(row.domain, domain_of(content->header, name));
    if (const auto at = opened_packs_.find(pack.name); at != opened_packs_.end())
      at->second = row.domain;
    row.pack_class = static_cast<uint8_t>(content->header.kind);
    row.digest = content->digest;
    for (const PackedBlob& blob : content->blobs) blobs.push_back(row_of(blob));
    std::map<SessionId, Bytes> records;
    for (const auto& [session, found] : content->sessions) {
      sessions.push_back({session.bytes, found.record});
      records.emplace(session, found.record);
    }
    row.device = putter_of(records, content->blobs).bytes;
  }
  CB_TRY(parts_.catalog->index().add_pack(number_, row, blobs, sessions));
  return content ? keep_best_records(*content) : Status();
}

Result<std::optional<RepositoryRebuild::Content>> RepositoryRebuild::read_pack(
    const FoundPack& pack) {
  const std::string name = pack_object(result_.id, pack.name);
  auto bytes = StoredPack::open(*parts_.store, name);
  CB_ASSIGN(const bool there, usable(name, bytes));
  if (!there) return std::nullopt;
  Result<Content> content = parts_.scan ? read_by_scan(*bytes, name) : read_by_footer(*bytes, name);
  if (!content && !parts_.scan && is_damage(content.error().code)) {
    doubt(name, content.error().cause + ": its blobs were looked for one by one");
    content = read_by_scan(*bytes, name);
  }
  CB_ASSIGN(const bool readable, usable(name, content));
  if (!readable) return std::nullopt;
  if (content->header.repository != result_.id || content->header.name != pack.name)
    doubt(name, "says that it is another pack");
  CB_TRY(read_session_records(*bytes, name, *content));
  return std::move(*content);
}

Result<RepositoryRebuild::Content> RepositoryRebuild::read_by_footer(PackBytes& bytes,
                                                                     const std::string& name) {
  CB_ASSIGN(const PackFooter footer, read_footer(bytes));
  Content content{footer.header, footer.digest, {}, {}};
  content.blobs.reserve(footer.entries.size());
  for (const FooterEntry& entry : footer.entries) {
    CB_ASSIGN(PackedBlob blob, packed_blob(bytes, entry));
    content.blobs.push_back(std::move(blob));
  }
  if (footer.entries.empty()) doubt(name, "has no blob");
  return content;
}

Result<RepositoryRebuild::Content> RepositoryRebuild::read_by_scan(PackBytes& bytes,
                                                                   const std::string& name) {
  Content content;
  const auto header = read_header(bytes);
  content.header = header ? *header : PackHeader{PackClass::other, result_.id, {}};
  // Without one nobody knows who put it.
  if (!header) content.header.domain = PackDomain::device;
  const auto footer = read_footer(bytes);
  if (footer) content.digest = footer->digest;
  CB_ASSIGN(PackScan scan, scan_pack(bytes, footer ? footer->offset : bytes.size()));
  for (const PackScan::Damage& damage : scan.damaged)
    if (damage.head) doubt(name, "has a damaged blob " + damage.head->id.hex());
  if (!header) doubt(name, "has no good header");
  content.blobs = std::move(scan.blobs);
  return content;
}

Status RepositoryRebuild::read_session_records(PackBytes& bytes, const std::string& name,
                                               Content& content) {
  for (const PackedBlob& blob : content.blobs) {
    const auto session = session_of(blob.head.id);
    const bool is_record = blob.head.kind == BlobKind::session;
    if (!is_record || !session || blob.head.stored_size > kMostSessionRecord) continue;
    auto record = read_content(bytes, entry_of(blob));
    const auto decoded = record ? decode_session(*record) : failed_session(record.error());
    CB_ASSIGN(const bool sound, usable(name + " session " + session->hex(), decoded));
    if (!sound) continue;
    const auto verified = is_verified(*decoded, *session);
    CB_ASSIGN(const bool may_be, usable(name, verified));
    if (may_be)
      content.sessions.emplace(*session,
                               FoundSession{std::move(*record), decoded->epoch, *verified});
  }
  return add_replaced_records(content);
}

// Where a pack's record of a session is damaged, the one that rotation replaced it with opens its
// blobs.
Status RepositoryRebuild::add_replaced_records(Content& content) {
  std::set<SessionId> without;
  for (const PackedBlob& blob : content.blobs) {
    const SessionId& session = blob.head.session;
    const bool has_record = content.sessions.contains(session) || session_ranks_.contains(session);
    if (!session.is_zero() && !has_record) without.insert(session);
  }
  for (const SessionId& session : without) {
    CB_ASSIGN(auto found, read_replaced(session));
    if (found) content.sessions.emplace(session, std::move(*found));
  }
  return {};
}

// Somebody else's record would make all blobs of the session unreadable. Where the certificate of
// the device that signed it is lost, nobody can tell.
Result<bool> RepositoryRebuild::is_verified(const SessionRecord& record,
                                            const SessionId& session) const {
  SessionSigners signers{{}, record_.root};
  if (!record.device.is_zero()) {
    const auto device = devices_.find(record.device);
    if (device == devices_.end()) return false;
    signers.device = device->second.device;
  }
  if (verify_session_record(record, result_.id, session, signers)) return true;
  return failed(Code::auth, "session " + session.hex(),
                "has a record of session " + session.hex() + " that is not signed by who it names");
}

// Whoever does not know the device that put a pack lets nobody lean on what is in it.
Result<int64_t> RepositoryRebuild::domain_of(const PackHeader& header, const std::string& name) {
  if (header.domain == PackDomain::open) return catalog::kOpenDomain;
  if (header.domain == PackDomain::shared) return catalog::kSharedDomain;
  DeviceId found;
  size_t count = 0;
  for (const auto& [device, certificate] : devices_) {
    if (tag_of(device) != header.device) continue;
    found = device;
    ++count;
  }
  if (count != 1) {
    doubt(name, "was put by a device that is not known");
    found = {};
    std::copy(header.device.begin(), header.device.end(), found.bytes.begin());
  }
  return parts_.catalog->index().domain_of(number_, found.bytes);
}

// Of a device's commits.
Result<int64_t> RepositoryRebuild::domain_of_device(const DeviceId& device) {
  const auto known = devices_.find(device);
  if (device.is_zero() || (known != devices_.end() && known->second.role == Role::owner))
    return catalog::kOpenDomain;
  if (known != devices_.end() && (known->second.flags & kDeviceSharesDedup) != 0)
    return catalog::kSharedDomain;
  return parts_.catalog->index().domain_of(number_, device.bytes);
}

// The first record of a session that comes gets the row; a better one replaces it.
Status RepositoryRebuild::keep_best_records(const Content& content) {
  for (const auto& [session, found] : content.sessions) {
    const std::pair rank{found.is_verified, found.epoch};
    const auto [kept, is_first] = session_ranks_.emplace(session, rank);
    if (is_first || rank <= kept->second) continue;
    const catalog::SessionRow row{session.bytes, found.record};
    CB_TRY(parts_.catalog->index().set_sessions(number_, std::span(&row, 1)));
    kept->second = rank;
  }
  return {};
}

}  // namespace cb::repository
