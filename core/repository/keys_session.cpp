// SPDX-License-Identifier: Apache-2.0
//
// Sealing blobs for one session (docs/repository-format.md, "Blobs").
#include "core/plugin/instance.h"
#include "core/repository/keys.h"
#include "core/repository/sealed_blob.h"
#include "core/repository/session_context.h"

namespace cb::repository {
namespace {

StoredBlob record_blob(const SessionId& session, const SessionRecord& record) {
  StoredBlob blob;
  blob.head.id = blob_of(session);
  blob.head.kind = BlobKind::session;
  blob.stored = encode(record);
  blob.head.stored_size = static_cast<uint32_t>(blob.stored.size());
  return blob;
}

Status check_plain(BlobKind kind, std::span<const BlobId> children, ByteView plain) {
  if (!sealed_by_session(kind))
    return failed(Code::invalid, "blob",
                  "of kind " + std::to_string(static_cast<int>(kind)) + " is not a session's");
  if (children.size() > kMaxChildren || plain.size() > most_plain(kind))
    return failed(Code::limit, "blob",
                  "has " + std::to_string(plain.size()) + " bytes and " +
                      std::to_string(children.size()) + " children, which is too much");
  return {};
}

Status verify_sealed(const BlobSeal& how, const BlobId& id, ByteView stored, ByteView plain) {
  const Status same = check_sealed(how, stored, plain);
  if (same) return {};
  return failed(Code::internal, "blob " + id.hex(), "was sealed wrongly: " + same.error().cause,
                "the memory or the processor of this machine may be faulty; test them");
}

}  // namespace

Result<std::unique_ptr<SessionSealer>> SessionSealer::begin(const Suite& suite,
                                                            const RepositoryRecord& repository,
                                                            const SessionId& session,
                                                            const DeviceId& device,
                                                            const Sign& sign) {
  if (repository.epochs.empty())
    return failed(Code::corrupt, "repository record", "has no key to seal for");
  CB_TRY(check_suite(*suite.crypto, repository.suite));
  const Epoch& newest = repository.epochs.back();
  CB_ASSIGN(const plugin::KeyPair pair, suite.crypto->import_public(newest.public_half));
  CB_ASSIGN(plugin::Encapsulated fresh,
            pair.encapsulate(session_context(repository.id, session, newest.number)));
  CB_ASSIGN(const StreamSizes sizes, stream_sizes(*suite.crypto));
  SessionRecord record;
  record.suite = repository.suite;
  record.epoch = newest.number;
  record.kem_cipher = std::move(fresh.cipher);
  record.device = device;
  CB_ASSIGN(record.signature, sign(signed_part(record, repository.id, session)));
  std::unique_ptr<SessionSealer> sealer(
      new SessionSealer(suite, repository.id, session, std::move(fresh.key), sizes));
  sealer->record_ = record_blob(session, record);
  return sealer;
}

Result<StoredBlob> SessionSealer::seal(BlobKind kind, const BlobId& id,
                                       std::span<const BlobId> children, ByteView plain,
                                       bool verify) const {
  CB_TRY(check_plain(kind, children, plain));
  StoredBlob blob;
  blob.head.id = id;
  blob.head.kind = kind;
  blob.head.session = session_;
  blob.head.children.assign(children.begin(), children.end());
  const Bytes aad = blob_associated_data(repository_, blob.head);
  const BlobSeal how{suite_, sizes_, key_, aad};
  CB_ASSIGN(blob.stored, seal_plain(how, plain));
  blob.head.stored_size = static_cast<uint32_t>(blob.stored.size());
  if (verify) CB_TRY(verify_sealed(how, id, blob.stored, plain));
  return blob;
}

}  // namespace cb::repository
