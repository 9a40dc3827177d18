// SPDX-License-Identifier: Apache-2.0
//
// Blobs under the dedup key (docs/repository-format.md, "Blobs").
#include "core/repository/blob_signature.h"
#include "core/repository/sealed_blob.h"

namespace cb::repository {

Result<StoredBlob> seal_shared(const Suite& suite, const WriteKeys& keys, BlobKind kind,
                               std::vector<BlobId> children, const Bytes& plain) {
  if (most_plain(kind) == 0 || sealed_by_session(kind) || kind == BlobKind::session)
    return failed(Code::invalid, "blob", "is sealed by a session");
  if (plain.size() > most_plain(kind))
    return failed(Code::limit, "blob", "has more plaintext than its kind may have");
  StoredBlob blob;
  blob.head.kind = kind;
  CB_ASSIGN(blob.head.id, keys.id_of(kind, children, plain));
  blob.head.children = std::move(children);
  CB_ASSIGN(const StreamSizes sizes, stream_sizes(*suite.crypto));
  const Bytes aad = blob_associated_data(keys.repository(), blob.head);
  CB_ASSIGN(blob.stored, seal_plain({suite, sizes, keys.dedup(), aad}, plain));
  blob.head.stored_size = static_cast<uint32_t>(blob.stored.size());
  return blob;
}

Result<Bytes> open_shared(const Suite& suite, const WriteKeys& keys, const StoredBlob& blob) {
  const BlobHead& head = blob.head;
  const bool can_be = (head.kind == BlobKind::signature || head.kind == BlobKind::recipe) &&
                      head.children.size() <= kMaxChildren && head.session.is_zero() &&
                      blob.stored.size() <= most_plain(head.kind) + kMaxStored - kMaxData;
  if (!can_be) return failed(Code::corrupt, "blob " + head.id.hex(), "is no shared one");
  CB_ASSIGN(const StreamSizes sizes, stream_sizes(*suite.crypto));
  const Bytes aad = blob_associated_data(keys.repository(), head);
  const BlobSeal how{suite, sizes, keys.dedup(), aad};
  const size_t headroom = kIdHeadroom + BlobId::kSize * head.children.size();
  CB_ASSIGN(const ByteSpan whole, open_plain(how, blob.stored, most_plain(head.kind), headroom));
  CB_ASSIGN(const BlobId id, keys.id_in_place(head.kind, head.children, whole));
  if (id != head.id)
    return failed(Code::auth, "blob " + head.id.hex(), "holds what another id names");
  return to_bytes(whole.subspan(headroom));
}

}  // namespace cb::repository
