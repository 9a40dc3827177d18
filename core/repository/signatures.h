// SPDX-License-Identifier: Apache-2.0
//
// Who signs what in a repository, and whether it holds (docs/repository-format.md). Functions are
// thread-safe. verify_*: Code::auth when the signature is not that of the key in question.
#pragma once

#include <optional>

#include "core/identity/signing.h"
#include "core/repository/records.h"

namespace cb::repository {

// The id of the device with this public key.
DeviceId device_of(const SigningPublic& device_key);

// The root key signs the record; its public half is put in too.
Status sign_record(RepositoryRecord& record, const identity::SigningKey& root);
// Is the record signed by `root`, and does it name it?
Status verify_record(const RepositoryRecord& record, const SigningPublic& root);

// The root key signs the certificate.
Status sign_certificate(Certificate& certificate, const RepositoryId& repository,
                        const identity::SigningKey& root);
Status verify_certificate(const Certificate& certificate, const RepositoryId& repository,
                          const SigningPublic& root);
// The same for one that the key of an invite signed, too: the root key signed the invite, and role
// and flags are the invite's. What was revoked is not asked: see revoked_since.
Status verify_certificate(const Certificate& certificate, const RepositoryRecord& record);
// The sequence from which on commits of this device do not count, because it or its invite was
// revoked; nothing when neither was.
std::optional<uint64_t> revoked_since(const RepositoryRecord& record,
                                      const Certificate& certificate);

// A session record is the device's that it names, or, with no device, the root's.
struct SessionSigners {
  SigningPublic device{};
  SigningPublic root{};
};
Status verify_session_record(const SessionRecord& record, const RepositoryId& repository,
                             const SessionId& session, const SessionSigners& signers);

Result<Signature> sign_snapshot(const RepositoryId& repository, const BlobId& snapshot,
                                const identity::SigningKey& device);
Status verify_snapshot_signature(const RepositoryId& repository, const BlobId& snapshot,
                                 const SigningPublic& device, const Signature& signature);

// The server signs commit records.
Status verify_commit(const CommitRecord& record, const RepositoryId& repository,
                     const SigningPublic& server);

}  // namespace cb::repository
