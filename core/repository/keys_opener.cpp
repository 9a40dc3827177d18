// SPDX-License-Identifier: Apache-2.0
//
// Opening blobs of all sessions (docs/repository-format.md, "Blobs").
#include "core/repository/keys.h"
#include "core/repository/sealed_blob.h"
#include "core/repository/session_context.h"

namespace cb::repository {
namespace {

constexpr const char* kAdvice =
    "this copy is damaged or not what was backed up; a check of all content tells what else is, "
    "and "
    "another snapshot may be whole";

Error of_blob(Error error, const BlobId& id) {
  error.object = "blob " + id.hex();
  if (error.code == Code::auth) error.advice = kAdvice;
  return error;
}

bool known(BlobKind kind) { return most_plain(kind) != 0 && kind != BlobKind::session; }

}  // namespace

Result<std::unique_ptr<Opener>> Opener::make(const Suite& suite, const RepositoryId& repository,
                                             const Keyring& keyring) {
  std::unique_ptr<Opener> opener(new Opener());
  opener->suite_ = suite;
  opener->repository_ = repository;
  CB_ASSIGN(opener->sizes_, stream_sizes(*suite.crypto));
  CB_ASSIGN(WriteKeys write, WriteKeys::make(*suite.crypto, repository, keyring.write_key.view()));
  opener->write_.emplace(std::move(write));
  for (const Keyring::Private& epoch : keyring.epochs) {
    CB_ASSIGN(plugin::KeyPair pair, suite.crypto->import_private(epoch.half.view()));
    opener->epochs_.insert_or_assign(epoch.epoch, std::move(pair));
  }
  return opener;
}

bool Opener::knows(const SessionId& session) const {
  const std::lock_guard lock(mutex_);
  return sessions_.contains(session);
}

Status Opener::learn(const SessionId& session, ByteView record) {
  CB_ASSIGN(const SessionRecord read, decode_session(record));
  CB_TRY(check_suite(*suite_.crypto, read.suite));
  const auto pair = epochs_.find(read.epoch);
  if (pair == epochs_.end())
    return failed(Code::not_found, "session " + session.hex(),
                  "is sealed for key epoch " + std::to_string(read.epoch) +
                      ", which this keyring does not have",
                  "open the repository with newer keys");
  auto key = session_key_of(read, repository_, session, pair->second);
  if (!key) return failed(std::move(key).error().with_advice(kAdvice));
  auto shared = std::make_shared<const plugin::Key>(std::move(*key));
  const std::lock_guard lock(mutex_);
  sessions_.insert_or_assign(session, std::move(shared));
  return {};
}

Result<std::shared_ptr<const plugin::Key>> Opener::session_key(const SessionId& session) const {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(session);
  if (found != sessions_.end()) return found->second;
  return failed(Code::not_found, "session " + session.hex(), "its record was not fetched yet");
}

Status Opener::check(const BlobHead& head, size_t stored) const {
  const size_t most = most_plain(head.kind) + kMaxStored - kMaxData;
  if (!known(head.kind) || head.children.size() > kMaxChildren || stored > most ||
      stored != head.stored_size)
    return failed(Code::corrupt, "blob " + head.id.hex(),
                  "cannot be: kind " + std::to_string(static_cast<int>(head.kind)) + ", " +
                      std::to_string(stored) + " bytes, " + std::to_string(head.children.size()) +
                      " children",
                  kAdvice);
  return {};
}

Result<PlainBlob> Opener::open(const StoredBlob& blob) const {
  const BlobHead& head = blob.head;
  CB_TRY(check(head, blob.stored.size()));
  std::shared_ptr<const plugin::Key> held;
  if (sealed_by_session(head.kind)) {
    CB_ASSIGN(held, session_key(head.session));
  }
  const Bytes aad = blob_associated_data(repository_, head);
  const BlobSeal how{suite_, sizes_, held ? *held : write_->dedup(), aad};
  const size_t headroom = kIdHeadroom + BlobId::kSize * head.children.size();
  const auto whole = open_plain(how, blob.stored, most_plain(head.kind), headroom);
  if (!whole) return failed(of_blob(whole.error(), head.id));
  CB_ASSIGN(const BlobId id, write_->id_in_place(head.kind, head.children, *whole));
  if (id != head.id)
    return failed(Code::auth, "blob " + head.id.hex(), "holds what another id names", kAdvice);
  const ByteView plain = whole->subspan(headroom);
  return PlainBlob{id, head.kind, head.children, to_bytes(plain)};
}

}  // namespace cb::repository
