// SPDX-License-Identifier: Apache-2.0
//
// What a copy takes of another server's word, and what it does not: signatures are the owner's, its
// devices' and that server's; what there was stays so.
#include <algorithm>

#include "core/repository/engine_replica.h"
#include "core/repository/signatures.h"

namespace cb::repository {
namespace {

Error refused(Code code, const CommitRecord& commit, const std::string& cause) {
  return fail(code, "commit " + std::to_string(commit.sequence), cause,
              "ask the source's operator what happened; nothing of it was taken");
}

Error went_back(const RepositoryRecord& record, const std::string& cause) {
  return fail(Code::denied, "repository " + record.id.hex(), cause,
              "ask the source's operator what happened; what is here stays as it is");
}

template <typename T>
bool holds_all(const std::vector<T>& all, const std::vector<T>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const T& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  });
}

Status check_signer(const CommitChain& chain, const CommitRecord& commit,
                    const SigningPublic& key) {
  if (verify_snapshot_signature(chain.id(), commit.snapshot, key, commit.device_signature))
    return {};
  return failed(refused(Code::auth, commit, "has a snapshot that its device did not sign"));
}

}  // namespace

Status check_commit_of_copy(EngineParts& engine, const CommitChain& chain,
                            const CommitRecord& commit) {
  const bool makes = commit.type == CommitType::commit;
  CB_ASSIGN(const auto row, engine.index().repository(chain.id().bytes));
  if (!row) return failed(Code::not_found, "repository " + chain.id().hex(), "is not here");
  CB_ASSIGN(const RepositoryRecord record, decode_repository(row->record));
  if (commit.device.is_zero()) return makes ? check_signer(chain, commit, record.root) : Status();
  CB_ASSIGN(const auto device, engine.parts.catalog->accounts().device_by_id(commit.device.bytes));
  if (!device || device->account != row->account)
    return failed(
        refused(Code::auth, commit,
                "is of device " + commit.device.hex() + ", which no owner has certified"));
  CB_ASSIGN(const Certificate certificate, decode_certificate(device->certificate));
  const auto since = revoked_since(record, certificate);
  if (since && commit.sequence >= *since)
    return failed(refused(Code::denied, commit,
                          "is of device " + commit.device.hex() + ", which was revoked before"));
  if (!makes) return {};
  if (certificate.role == Role::reader)
    return failed(refused(Code::denied, commit,
                          "is of device " + commit.device.hex() + ", which may only read"));
  return check_signer(chain, commit, certificate.device);
}

Status check_record_of_copy(const RepositoryRecord& current, const RepositoryRecord& next) {
  if (next.id != current.id || next.root != current.root)
    return failed(Code::auth, "repository " + next.id.hex(),
                  "is another one than that which is here, or another owner's");
  CB_TRY(verify_record(next, current.root));
  if (next == current) return {};
  if (next.revision < current.revision)
    return failed(went_back(next, "has revision " + std::to_string(next.revision) +
                                      " there, and had " + std::to_string(current.revision)));
  if (next.revision == current.revision)
    return failed(went_back(next, "has two records of revision " + std::to_string(next.revision)));
  const bool keeps_epochs =
      current.epochs.size() <= next.epochs.size() &&
      std::equal(current.epochs.begin(), current.epochs.end(), next.epochs.begin());
  if (keeps_epochs && holds_all(next.revoked, current.revoked)) return {};
  return failed(went_back(next, "lacks an epoch or a revocation that there was"));
}

}  // namespace cb::repository
