// SPDX-License-Identifier: Apache-2.0
//
// The check of packs: their rows, and what lies in them.
#include <algorithm>
#include <map>

#include "core/repository/engine_check_run.h"
#include "core/repository/engine_closure.h"

namespace cb::repository {
namespace {

bool is_rewrapped(ByteView record) {
  const auto decoded = decode_session(record);
  return decoded && !decoded->wrapped.empty();
}

}  // namespace

Status Check::check_packs() {
  CB_ASSIGN(const catalog::IndexCounts counts, engine_.index().counts(repository_));
  for (int64_t after = 0;;) {
    CB_ASSIGN(const auto packs, engine_.index().packs(repository_, after, kBatch));
    for (const catalog::PackRow& pack : packs) {
      if (progress_ && !progress_(checked_.packs, std::max(counts.packs, checked_.packs)))
        return failed(Code::cancelled, "check", "was stopped");
      after = pack.number;
      CB_TRY(pack.owner == 0 ? check_pack(pack) : check_owner(pack));
    }
    if (packs.size() < kBatch) return {};
  }
}

// A private pack is its intake's business, if there is one.
Status Check::check_owner(const catalog::PackRow& pack) {
  CB_ASSIGN(const auto open, engine_.index().open_intakes(repository_));
  if (std::find(open.begin(), open.end(), pack.owner) != open.end()) return {};
  // It may just have ended.
  CB_ASSIGN(const auto now, engine_.index().packs(repository_, pack.number - 1, 1));
  if (!now.empty() && now[0].number == pack.number && now[0].owner == pack.owner)
    find(pack_object(id_, PackName{pack.name}), "belongs to an upload that is not there");
  return {};
}

// A collection may have removed a pack meanwhile; and one of weak blobs alone is needed by no
// snapshot.
Result<bool> Check::misses(const catalog::PackRow& pack, std::span<const catalog::BlobPlace> rows,
                           const Error& why) {
  CB_ASSIGN(const bool known, engine_.index().knows_pack(repository_, pack.name));
  const bool are_weak = std::all_of(rows.begin(), rows.end(), [](const catalog::BlobPlace& row) {
    return is_weak(static_cast<BlobKind>(row.kind));
  });
  const bool is_gone = why.code == Code::not_found && are_weak && !rows.empty();
  if (known && is_gone)
    note(pack_object(id_, PackName{pack.name}), "is not in the store, and no snapshot needs it");
  return known && !is_gone;
}

Status Check::check_pack(const catalog::PackRow& pack) {
  const std::string object = pack_object(id_, PackName{pack.name});
  ++checked_.packs;
  CB_ASSIGN(const auto rows, engine_.index().blobs_of_pack(pack.number));
  checked_.blobs += rows.size();
  CB_TRY(count_blobs(pack, rows.size()));
  CB_TRY(check_rows(object, rows));
  // A collection removes it, whatever it is like.
  if (rows.empty()) return {};
  auto bytes = StoredPack::open(*engine_.parts.store, object);
  if (!bytes) {
    CB_ASSIGN(const bool is_missed, misses(pack, rows, bytes.error()));
    if (!is_missed) return {};
  }
  CB_ASSIGN(const bool there, whole(object, bytes));
  if (!there) return {};
  checked_.bytes += bytes->size();
  if (bytes->size() != pack.size) find(object, "has another size than the index says");
  const auto footer = read_footer(*bytes);
  CB_ASSIGN(const bool readable, whole(object, footer));
  if (!readable) return {};
  if (footer->header.repository != id_ || footer->header.name.bytes != pack.name)
    find(object, "says that it is another pack");
  if (footer->digest != pack.digest) find(object, "has another digest than the index says");
  if (footer->header.kind != static_cast<PackClass>(pack.pack_class))
    find(object, "is of another class than the index says");
  compare(object, *footer, rows);
  CB_TRY(check_records(object, *bytes, rows));
  return read_data_ ? check_content(pack.number, object, *bytes, *footer, rows) : Status();
}

// Rows that point to a pack that is no more would be seen by nobody.
Status Check::count_blobs(const catalog::PackRow& pack, size_t blobs) {
  if (pack.blobs == blobs) return {};
  // A commit or a blob that is sent again may have changed it meanwhile.
  CB_ASSIGN(const auto now, engine_.index().packs(repository_, pack.number - 1, 1));
  CB_ASSIGN(const auto rows, engine_.index().blobs_of_pack(pack.number));
  if (!now.empty() && now[0].number == pack.number && now[0].blobs != rows.size())
    find(pack_object(id_, PackName{pack.name}), "has another number of blobs than its row says");
  return {};
}

// Are the blobs of a pack seen, is what hangs below them, and are the sessions that seal them?
Status Check::check_rows(const std::string& object, std::span<const catalog::BlobPlace> rows) {
  std::map<int64_t, std::vector<catalog::BlobPlace>> in_domain;
  for (const catalog::BlobPlace& row : rows) in_domain[row.domain].push_back(row);
  for (const auto& [domain, some] : in_domain) CB_TRY(check_seen(object, domain, some));
  return {};
}

Status Check::check_seen(const std::string& object, int64_t domain,
                         std::span<const catalog::BlobPlace> rows) {
  std::vector<catalog::Bytes32> ids;
  std::vector<catalog::Bytes32> parents;
  for (const catalog::BlobPlace& row : rows) {
    ids.push_back(row.id);
    if (row.child_count > 0) parents.push_back(row.id);
  }
  CB_ASSIGN(const auto there, engine_.index().have(repository_, {domain}, ids));
  for (size_t i = 0; i < ids.size(); ++i) {
    const SessionId session{rows[i].session};
    if (rows[i].is_dead) continue;
    if (!session.is_zero()) CB_TRY(check_session(session, domain));
    if (!there[i]) note(object, "has blob " + BlobId{ids[i]}.hex() + ", which is kept from all");
  }
  return check_closed(object, domain, parents);
}

// What a commit may rely on: below a closed blob everything is there.
Status Check::check_closed(const std::string& object, int64_t domain,
                           std::span<const catalog::Bytes32> ids) {
  CB_ASSIGN(const auto links, engine_.index().links(repository_, {domain}, ids));
  for (size_t i = 0; i < ids.size(); ++i) {
    // Where the open domain has a copy, that is looked at with its own pack.
    if (!links[i] || !links[i]->closed || links[i]->domain != domain) continue;
    CB_ASSIGN(const bool is_whole, is_whole_below(*links[i]));
    if (is_whole) continue;
    // A collection may have found it dead meanwhile.
    CB_ASSIGN(const auto now, engine_.index().links(repository_, {domain}, ids.subspan(i, 1)));
    if (now[0] && now[0]->closed)
      find(object, "has blob " + BlobId{ids[i]}.hex() + ", which lacks children");
  }
  return {};
}

// Below a device's blob there may be one of the open domain that no owner's commit found whole, and
// a collection may have taken the mark from a blob that a commit then leant on: it is enough that
// all of it is seen.
Result<bool> Check::is_whole_below(const catalog::BlobLink& parent) {
  std::vector<catalog::Bytes32> children(parent.children.size() / BlobId::kSize);
  for (size_t k = 0; k < children.size(); ++k)
    std::copy_n(parent.children.begin() + static_cast<ptrdiff_t>(k * BlobId::kSize), BlobId::kSize,
                children[k].begin());
  CB_ASSIGN(const auto below, engine_.index().links(repository_, {parent.domain}, children));
  for (size_t k = 0; k < children.size(); ++k) {
    if (!below[k]) return false;
    if (below[k]->children.empty() || below[k]->closed) continue;
    ClosureWalk walk(engine_.index(), repository_, {parent.domain}, ClosureWalk::Trust::closed);
    CB_TRY(walk.walk(BlobId{children[k]}));
    if (!walk.missing().empty()) return false;
  }
  return true;
}

// Without its record nothing of a session can be opened, and nothing more be stored.
Status Check::check_session(const SessionId& session, int64_t domain) {
  if (!sessions_.emplace(domain, session).second) return {};
  const std::array<catalog::Bytes32, 1> id = {blob_of(session).bytes};
  CB_ASSIGN(const auto there, engine_.index().have(repository_, {domain}, id));
  if (!there[0]) find("session " + session.hex(), "has no record in a pack");
  CB_ASSIGN(const auto row, engine_.index().session(repository_, 0, session.bytes));
  if (!row) find("session " + session.hex(), "has no row in the catalog");
  return {};
}

// Packs that are written later get the session's record from its row. One that rotation replaced
// is another than the packs have.
Status Check::check_records(const std::string& object, StoredPack& bytes,
                            std::span<const catalog::BlobPlace> rows) {
  for (const catalog::BlobPlace& row : rows) {
    const auto session = session_of(BlobId{row.id});
    const bool is_record = row.kind == static_cast<uint8_t>(BlobKind::session);
    if (!is_record || !session || row.size > kMostSessionRecord) continue;
    CB_ASSIGN(const auto known, engine_.index().session(repository_, 0, session->bytes));
    Bytes stored(row.size);
    const uint64_t at = row.offset + packed_size(0, 0) - sizeof(ChecksumBytes);
    if (at + stored.size() > bytes.size()) continue;  // found above
    CB_TRY(bytes.read(at, stored));
    const bool is_replaced = known && is_rewrapped(*known);
    if (!known || (*known != stored && !is_replaced))
      find(object, "has another record of session " + session->hex() + " than the catalog");
  }
  return {};
}

void Check::compare(const std::string& object, const PackFooter& footer,
                    std::span<const catalog::BlobPlace> rows) {
  for (const catalog::BlobPlace& row : rows) {
    const FooterEntry wanted = {row.offset,     static_cast<BlobKind>(row.kind),
                                row.size,       row.child_count,
                                BlobId{row.id}, {row.session}};
    const auto at = std::lower_bound(
        footer.entries.begin(), footer.entries.end(), row.offset,
        [](const FooterEntry& entry, uint64_t offset) { return entry.offset < offset; });
    if (at == footer.entries.end() || *at != wanted)
      find(object, "does not have blob " + wanted.id.hex() + " where the index says");
  }
}

// Where blobs lie that the index finds in a pack, without those that it keeps from all.
Result<std::set<uint64_t>> Check::used_offsets(int64_t pack) {
  CB_ASSIGN(const auto blobs, engine_.parts.catalog->verification().blobs(pack));
  std::set<uint64_t> used;
  for (const catalog::PackBlob& blob : blobs)
    if (!blob.is_condemned) used.insert(blob.blob.offset);
  return used;
}

// What came again lies elsewhere: its damaged copy harms nobody, though it spoils the digest. The
// record of a session is no such copy: each pack has its own, for the day when the catalog is lost.
Status Check::check_content(int64_t pack, const std::string& object, StoredPack& bytes,
                            const PackFooter& footer, std::span<const catalog::BlobPlace> rows) {
  CB_ASSIGN(const PackScan scan, scan_pack(bytes, footer.offset));
  CB_ASSIGN(const std::set<uint64_t> used, used_offsets(pack));
  bool is_explained = false;
  size_t at = 0;
  for (const FooterEntry& entry : footer.entries) {
    while (at < scan.blobs.size() && scan.blobs[at].offset < entry.offset) ++at;
    if (at < scan.blobs.size() && entry_of(scan.blobs[at]) == entry) continue;
    if (is_weak(entry.kind)) {
      note(object, "has a damaged blob " + entry.id.hex() + ", which no snapshot needs");
      is_explained = true;
    } else if (used.contains(entry.offset) || entry.kind == BlobKind::session) {
      find(object, "has a damaged blob " + entry.id.hex());
    } else {
      note(object, "has a damaged copy of blob " + entry.id.hex() + " that nobody uses");
      is_explained = true;
    }
  }
  const Status digest = verify_digest(bytes);
  if (digest || !is_explained || digest.error().code != Code::corrupt) {
    CB_ASSIGN([[maybe_unused]] const bool right, whole(object, digest));
  }
  return check_children(object, scan.blobs, rows);
}

// A commit trusts the children that the index has: are they those of the blobs? Of those that it
// finds here: a copy that it does not look at may say anything.
Status Check::check_children(const std::string& object, std::span<const PackedBlob> blobs,
                             std::span<const catalog::BlobPlace> rows) {
  auto row = rows.begin();
  for (const PackedBlob& blob : blobs) {
    while (row != rows.end() && row->offset < blob.offset) ++row;
    if (row == rows.end() || row->offset != blob.offset || blob.head.children.empty()) continue;
    const std::array<catalog::Bytes32, 1> id = {blob.head.id.bytes};
    CB_ASSIGN(const auto links, engine_.index().links(repository_, {row->domain}, id));
    Bytes children;
    for (const BlobId& child : blob.head.children)
      children.insert(children.end(), child.bytes.begin(), child.bytes.end());
    if (links[0] && links[0]->domain == row->domain && links[0]->children != children)
      find(object, "has other children of blob " + blob.head.id.hex() + " than the index");
  }
  return {};
}

}  // namespace cb::repository
