// SPDX-License-Identifier: Apache-2.0
//
// See pack_rewrite.h.
#include "core/repository/pack_rewrite.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/trial.h"
#include "core/repository/blob_reader.h"
#include "core/repository/pack_writer.h"

namespace cb::repository {
namespace {

constexpr auto kSessionNumber = static_cast<uint8_t>(BlobKind::session);

Result<PackHeader> header_of(EngineParts& engine, const CommitChain& chain,
                             const PackRewrite& rewrite) {
  PackHeader header{rewrite.kind, chain.id(), {}};
  if (rewrite.domain == catalog::kSharedDomain) header.domain = PackDomain::shared;
  if (rewrite.domain < catalog::kSharedDomain) {
    CB_ASSIGN(const auto device, engine.index().device_of(rewrite.domain));
    if (!device)
      return failed(Code::corrupt, "domain " + std::to_string(rewrite.domain),
                    "is of no device that the catalog knows");
    header.domain = PackDomain::device;
    header.device = tag_of(DeviceId{*device});
  }
  CB_TRY(engine.parts.random->fill(header.name.bytes));
  return header;
}

// Copies blobs into a pack that is being written.
class PackCopy {
 public:
  PackCopy(EngineParts& engine, const CommitChain& chain, const PackRewrite& rewrite)
      : engine_(engine), chain_(chain), rewrite_(rewrite) {}

  // The finished pack; each session's record stands before what names it.
  Result<std::unique_ptr<PackWriter>> write() {
    CB_ASSIGN(const PackHeader header, header_of(engine_, chain_, rewrite_));
    CB_ASSIGN(writer_, PackWriter::begin(*engine_.parts.store, header));
    CB_TRY(copy([](const catalog::HeldBlob& blob) { return blob.kind == kSessionNumber; }));
    CB_TRY(repeat_sessions());
    CB_TRY(copy([](const catalog::HeldBlob& blob) { return blob.kind != kSessionNumber; }));
    CB_TRY(writer_->finish());
    return std::move(writer_);
  }

 private:
  template <typename Chosen>
  Status copy(const Chosen& is_chosen) {
    std::vector<catalog::BlobPlace> places;
    for (const MovingBlob& moving : rewrite_.blobs)
      if (is_chosen(moving.blob)) places.push_back(place_of(moving));
    uint32_t left = 0;
    const Engine::Reader reader{[&](const BlobHead& head) -> Status {
                                  left = head.stored_size;
                                  return writer_->begin_blob(head);
                                },
                                [&](ByteView part) -> Status {
                                  CB_TRY(writer_->content(part));
                                  left -= static_cast<uint32_t>(part.size());
                                  return left == 0 ? writer_->end_blob() : Status();
                                }};
    return read_blobs(*engine_.parts.store, chain_.id(), std::move(places), reader);
  }

  Status repeat_sessions() {
    std::set<SessionId> needed;
    for (const MovingBlob& moving : rewrite_.blobs)
      if (const SessionId session{moving.blob.session}; !session.is_zero()) needed.insert(session);
    for (const PackedBlob& blob : writer_->blobs())
      if (const auto session = session_of(blob.head.id)) needed.erase(*session);
    for (const SessionId& session : needed) CB_TRY(repeat(session));
    return {};
  }

  Status repeat(const SessionId& session) {
    CB_ASSIGN(const auto record, engine_.index().session(chain_.number(), 0, session.bytes));
    if (!record)
      return failed(Code::corrupt, "session " + session.hex(), "has no row in the catalog");
    BlobHead head;
    head.id = blob_of(session);
    head.kind = BlobKind::session;
    head.stored_size = static_cast<uint32_t>(record->size());
    CB_TRY(writer_->begin_blob(head));
    CB_TRY(writer_->content(*record));
    return writer_->end_blob();
  }

  EngineParts& engine_;
  const CommitChain& chain_;
  const PackRewrite& rewrite_;
  std::unique_ptr<PackWriter> writer_;
};

catalog::PackRow row_of_pack(const PackWriter& writer, const PackRewrite& rewrite) {
  catalog::PackRow row;
  row.domain = rewrite.domain;
  row.name = writer.header().name.bytes;
  row.pack_class = static_cast<uint8_t>(writer.header().kind);
  row.size = writer.size();
  row.digest = writer.digest();
  row.created_ns = rewrite.created_ns;
  return row;
}

}  // namespace

catalog::BlobPlace place_of(const MovingBlob& moving) {
  catalog::BlobPlace place;
  place.id = moving.blob.id;
  place.domain = moving.blob.domain;
  place.kind = moving.blob.kind;
  place.child_count = moving.blob.child_count;
  place.session = moving.blob.session;
  place.size = moving.blob.size;
  place.pack = moving.name.bytes;
  place.offset = moving.blob.offset;
  return place;
}

// If the transaction fails, the pack stays for the next start to judge: it may have been done.
Result<RewrittenPack> rewrite_pack(EngineParts& engine, CommitChain& chain,
                                   const PackRewrite& rewrite) {
  CB_ASSIGN(const auto writer, PackCopy(engine, chain, rewrite).write());
  trial::passed("compact.written");
  std::map<BlobId, uint64_t> offsets;
  for (const PackedBlob& blob : writer->blobs()) offsets.emplace(blob.head.id, blob.offset);
  std::vector<catalog::BlobMove> moves;
  moves.reserve(rewrite.blobs.size());
  for (const MovingBlob& moving : rewrite.blobs)
    moves.push_back({moving.blob, moving.pack, offsets.at(BlobId{moving.blob.id})});
  RewrittenPack written{writer->size(), 0};
  // Not while a verdict notes in which packs it opens copies.
  const std::lock_guard lock(chain.mutex);
  CB_ASSIGN(written.blobs,
            engine.collection().move_blobs(chain.number(), row_of_pack(*writer, rewrite), moves));
  trial::passed("compact.moved");
  return written;
}

}  // namespace cb::repository
