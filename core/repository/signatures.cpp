// SPDX-License-Identifier: Apache-2.0
#include "core/repository/signatures.h"

#include <algorithm>
#include <utility>

namespace cb::repository {
namespace {

Status held(const SigningPublic& key, ByteView message, const Signature& signature,
            std::string object, std::string signer) {
  if (identity::verify(key, message, signature)) return {};
  return failed(Code::auth, std::move(object), "is not signed by " + std::move(signer),
                "do not trust the server with it before you know why");
}

}  // namespace

DeviceId device_of(const SigningPublic& device_key) {
  return DeviceId{identity::device_id_of(device_key)};
}

Status sign_record(RepositoryRecord& record, const identity::SigningKey& root) {
  record.root = root.public_key();
  CB_ASSIGN(record.signature, root.sign(signed_part(record)));
  return {};
}

Status verify_record(const RepositoryRecord& record, const SigningPublic& root) {
  if (record.root != root)
    return failed(Code::auth, "repository record", "names another owner than the profile",
                  "do not trust the server with it before you know why");
  return held(root, signed_part(record), record.signature, "repository record", "its owner");
}

Status sign_certificate(Certificate& certificate, const RepositoryId& repository,
                        const identity::SigningKey& root) {
  CB_ASSIGN(certificate.signature, root.sign(signed_part(certificate, repository)));
  return {};
}

Status verify_certificate(const Certificate& certificate, const RepositoryId& repository,
                          const SigningPublic& root) {
  return held(root, signed_part(certificate, repository), certificate.signature,
              "certificate of device " + device_of(certificate.device).hex(), "the owner");
}

Status verify_certificate(const Certificate& certificate, const RepositoryRecord& record) {
  if (!certificate.invite) return verify_certificate(certificate, record.id, record.root);
  const Invite& invite = *certificate.invite;
  const std::string object = "certificate of device " + device_of(certificate.device).hex();
  CB_TRY(held(record.root, signed_part(invite, record.id), invite.signature,
              "invite " + invite.id.hex(), "the owner"));
  if (certificate.role != invite.role || certificate.flags != invite.flags)
    return failed(Code::auth, object, "says another role than its invite");
  return verify_certificate(certificate, record.id, invite.key);
}

std::optional<uint64_t> revoked_since(const RepositoryRecord& record,
                                      const Certificate& certificate) {
  const DeviceId device = device_of(certificate.device);
  std::optional<uint64_t> since;
  for (const Revocation& one : record.revoked) {
    const bool of_invite = certificate.invite && certificate.invite->id.bytes == one.id.bytes;
    if (of_invite || device.bytes == one.id.bytes)
      since = std::min(since.value_or(one.since), one.since);
  }
  return since;
}

Status verify_session_record(const SessionRecord& record, const RepositoryId& repository,
                             const SessionId& session, const SessionSigners& signers) {
  const Bytes message = signed_part(record, repository, session);
  const std::string object = "session record " + session.hex();
  if (record.device.is_zero())
    return held(signers.root, message, record.signature, object, "the owner");
  if (record.device != device_of(signers.device))
    return failed(Code::auth, object, "is of device " + record.device.hex() + ", not of this one");
  return held(signers.device, message, record.signature, object, "its device");
}

Result<Signature> sign_snapshot(const RepositoryId& repository, const BlobId& snapshot,
                                const identity::SigningKey& device) {
  return device.sign(snapshot_signed_part(repository, snapshot));
}

Status verify_snapshot_signature(const RepositoryId& repository, const BlobId& snapshot,
                                 const SigningPublic& device, const Signature& signature) {
  return held(device, snapshot_signed_part(repository, snapshot), signature,
              "snapshot " + snapshot.hex(), "its device");
}

Status verify_commit(const CommitRecord& record, const RepositoryId& repository,
                     const SigningPublic& server) {
  return held(server, signed_part(record, repository), record.signature,
              "commit " + std::to_string(record.sequence), "the server");
}

}  // namespace cb::repository
