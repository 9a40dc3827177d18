// SPDX-License-Identifier: Apache-2.0
#include "core/server/v3_reader.h"

#include <algorithm>

namespace cb::server {

using repository::BlobHead;
using repository::BlobId;
using repository::PlainBlob;
using repository::StoredBlob;

Result<std::unique_ptr<V3Reader>> V3Reader::make(repository::Engine& engine,
                                                 const repository::Suite& suite,
                                                 const V3Repository& repository) {
  CB_ASSIGN(std::unique_ptr<repository::Opener> opener,
            repository::Opener::make(suite, repository.record.id, repository.keyring));
  return std::unique_ptr<V3Reader>(new V3Reader(engine, repository.record.id, std::move(opener)));
}

Result<StoredBlob> V3Reader::stored(const BlobId& id) {
  StoredBlob blob;
  bool found = false;
  repository::Engine::Reader reader;
  reader.head = [&](const BlobHead& head) -> Status {
    found = true;
    blob.head = head;
    blob.stored.reserve(head.stored_size);
    return {};
  };
  reader.content = [&](ByteView stored) -> Status {
    blob.stored.insert(blob.stored.end(), stored.begin(), stored.end());
    return {};
  };
  CB_TRY(engine_.read(repository_, {}, false, std::span(&id, 1), reader));
  if (found) return blob;
  return failed(Code::corrupt, "blob " + id.hex(), "is not in the store",
                "run cyberbackupd check; bring the store back from a copy");
}

Result<PlainBlob> V3Reader::fetch(const BlobId& id) {
  CB_ASSIGN(const StoredBlob blob, stored(id));
  const repository::SessionId& session = blob.head.session;
  if (!session.is_zero() && !opener_->knows(session)) {
    BlobId record;
    std::copy(session.bytes.begin(), session.bytes.end(), record.bytes.begin());
    CB_ASSIGN(const StoredBlob found, stored(record));
    CB_TRY(opener_->learn(session, found.stored));
  }
  return opener_->open(blob);
}

Result<repository::Node> V3Reader::node(const BlobId& id) {
  CB_ASSIGN(const PlainBlob blob, fetch(id));
  return repository::decode_node(blob.plain, blob.children);
}

Result<BlobId> V3Reader::root_of(const BlobId& snapshot) {
  CB_ASSIGN(const PlainBlob blob, fetch(snapshot));
  if (blob.kind == repository::BlobKind::snapshot && blob.children.size() == 1)
    return blob.children.front();
  return failed(Code::corrupt, "snapshot " + snapshot.hex(), "does not name one tree");
}

}  // namespace cb::server
