// SPDX-License-Identifier: Apache-2.0
//
// See pack_look.h.
#include "core/repository/pack_look.h"

#include <algorithm>

namespace cb::repository {
namespace {

constexpr size_t kLookPiece = 64 * 1024;

// Sums up what is read in passing, so that the digest costs no second reading.
class SummedPack final : public PackBytes {
 public:
  explicit SummedPack(PackBytes& pack) : pack_(pack) {}

  [[nodiscard]] uint64_t size() const override { return pack_.size(); }
  Status read(uint64_t offset, ByteSpan into) override {
    CB_TRY(pack_.read(offset, into));
    const uint64_t end = offset + into.size();
    if (offset > summed_ || end <= summed_) return {};
    sum_.update(ByteView(into).subspan(summed_ - offset));
    summed_ = end;
    return {};
  }
  // The sum of everything before `end`; what was not read so far is read now.
  Result<ChecksumBytes> sum(uint64_t end) {
    Bytes piece(kLookPiece);
    while (summed_ < end)
      CB_TRY(read(summed_, ByteSpan(piece).first(std::min<uint64_t>(kLookPiece, end - summed_))));
    return sum_.value();
  }

 private:
  PackBytes& pack_;
  Checksum sum_;
  uint64_t summed_ = 0;
};

// Errors of the store are no damage, and end it.
template <typename T>
Status unless_damaged(const Result<T>& result) {
  if (result || result.error().code == Code::corrupt) return {};
  return failed(result.error());
}

bool is_blob_of(const catalog::BlobRow& row, const PackedBlob& found) {
  const BlobHead& head = found.head;
  if (head.id.bytes != row.id || static_cast<uint8_t>(head.kind) != row.kind ||
      head.session.bytes != row.session || head.stored_size != row.size ||
      head.children.size() * BlobId::kSize != row.children.size())
    return false;
  for (size_t i = 0; i < head.children.size(); ++i)
    if (!std::equal(head.children[i].bytes.begin(), head.children[i].bytes.end(),
                    row.children.begin() + static_cast<ptrdiff_t>(i * BlobId::kSize)))
      return false;
  return true;
}

// Which rows have their blob, and whether something else is damaged.
void hold_against(const PackScan& scan, const std::vector<catalog::PackBlob>& rows,
                  PackLook& look) {
  auto found = scan.blobs.begin();
  for (size_t i = 0; i < rows.size(); ++i) {
    while (found != scan.blobs.end() && found->offset < rows[i].blob.offset) ++found;
    look.good[i] = found != scan.blobs.end() && found->offset == rows[i].blob.offset &&
                   is_blob_of(rows[i].blob, *found);
  }
  for (const PackScan::Damage& damage : scan.damaged) {
    const bool is_row = std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
      return row.blob.offset == damage.offset;
    });
    if (!is_row) look.has_damaged_garbage = true;
  }
}

// Records of sessions are in a pack whether a row names them or not.
void look_for_records(const PackFooter& footer, const PackScan& scan, PackLook& look) {
  for (const FooterEntry& entry : footer.entries) {
    const auto session = session_of(entry.id);
    if (entry.kind != BlobKind::session || !session) continue;
    const auto is_it = [&](const PackedBlob& blob) { return entry_of(blob) == entry; };
    if (std::none_of(scan.blobs.begin(), scan.blobs.end(), is_it))
      look.lost_records.push_back(*session);
  }
}

void compare_frame(const Result<PackFooter>& footer, const RepositoryId& repository,
                   const catalog::VerifiedPack& pack, PackLook& look) {
  if (!footer) {
    look.damage.push_back("has no footer that can be read: " + footer.error().cause);
    return;
  }
  if (footer->header.repository != repository || footer->header.name.bytes != pack.name)
    look.damage.emplace_back("says that it is another pack");
  if (footer->digest != pack.digest)
    look.damage.emplace_back("has another digest than the index says");
}

// Reads it all.
Status look_into(StoredPack& stored, const RepositoryId& repository,
                 const catalog::VerifiedPack& pack, const std::vector<catalog::PackBlob>& rows,
                 PackLook& look) {
  SummedPack bytes(stored);
  const auto footer = read_footer(bytes);
  CB_TRY(unless_damaged(footer));
  compare_frame(footer, repository, pack, look);
  const auto scan = scan_pack(bytes, footer ? footer->offset : bytes.size());
  CB_TRY(unless_damaged(scan));
  if (scan) hold_against(*scan, rows, look);
  if (!footer) {
    // What was gone through for want of one has the footer's own bytes in it.
    look.has_damaged_garbage = false;
    return {};
  }
  if (scan) look_for_records(*footer, *scan, look);
  const auto sum = bytes.sum(bytes.size() - kPackEndSize);
  CB_TRY(unless_damaged(sum));
  if (!sum || *sum != footer->digest) look.damage.emplace_back("does not have its digest");
  return {};
}

}  // namespace

Result<PackLook> look_at_pack(plugin::Store& store, const RepositoryId& repository,
                              const catalog::VerifiedPack& pack,
                              const std::vector<catalog::PackBlob>& rows) {
  PackLook look;
  look.good.resize(rows.size());
  auto stored = StoredPack::open(store, pack_object(repository, PackName{pack.name}));
  look.is_gone = !stored && stored.error().code == Code::not_found;
  if (look.is_gone) return look;
  if (!stored) return failed(stored.error());
  if (stored->size() != pack.size)
    look.damage.push_back("has " + std::to_string(stored->size()) + " bytes, and the index says " +
                          std::to_string(pack.size));
  CB_TRY(look_into(*stored, repository, pack, rows, look));
  return look;
}

}  // namespace cb::repository
