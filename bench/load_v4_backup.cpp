// SPDX-License-Identifier: Apache-2.0
#include "bench/load_v4_backup.h"

#include <algorithm>

#include "core/os/random.h"
#include "core/repository/signatures.h"

namespace cb::bench {

using repository::BlobHead;
using repository::BlobId;
using repository::BlobKind;
using stream::Task;

Result<Bytes> drawn_bytes(size_t size) {
  Bytes bytes(size);
  CB_TRY(os::system_random().fill(bytes));
  return bytes;
}

Task<void> V4Backup::begin() {
  CB_CO_TRY(os::system_random().fill(session_.bytes));
  repository::SessionRecord record;
  record.epoch = 1;
  CB_CO_ASSIGN(record.kem_cipher, drawn_bytes(64));
  const Bytes encoded = repository::encode(record);
  BlobHead head;
  head.kind = BlobKind::session;
  std::copy(session_.bytes.begin(), session_.bytes.end(), head.id.bytes.begin());
  head.stored_size = static_cast<uint32_t>(encoded.size());
  co_return co_await caller_.put(head, encoded);
}

Task<BlobId> V4Backup::put(BlobKind kind, std::vector<BlobId> children, ByteView stored) {
  BlobId id;
  CB_CO_TRY(os::system_random().fill(id.bytes));
  CB_CO_TRY(co_await put_as(id, kind, std::move(children), stored));
  co_return id;
}

Task<void> V4Backup::put_as(const BlobId& id, BlobKind kind, std::vector<BlobId> children,
                            ByteView stored) {
  BlobHead head;
  head.id = id;
  head.kind = kind;
  head.session = session_;
  head.children = std::move(children);
  head.stored_size = static_cast<uint32_t>(stored.size());
  co_return co_await caller_.put(head, stored);
}

Task<BlobId> V4Backup::commit(std::vector<BlobId> data, uint64_t size) {
  CB_CO_ASSIGN(const Bytes some, drawn_bytes(700));
  CB_CO_ASSIGN(const BlobId root, co_await put(BlobKind::node, std::move(data), some));
  std::vector<BlobId> roots(1, root);
  CB_CO_ASSIGN(const BlobId snapshot, co_await put(BlobKind::snapshot, std::move(roots), some));
  repository::CommitRequest request;
  CB_CO_TRY(os::system_random().fill(request.commit_id.bytes));
  request.snapshot = snapshot;
  request.root = root;
  CB_CO_ASSIGN(request.device_signature,
               repository::sign_snapshot(device_.record.id, snapshot, device_.key));
  request.files = 1;
  request.bytes = size;
  const Bytes message = v4::encode(v4::message_of(request));
  CB_CO_ASSIGN(const Bytes answer,
               co_await caller_.ask(v4::Request::commit, message, v4::Response::commit));
  CB_CO_ASSIGN(const auto reply, v4::parse<v4::pb::CommitReply>(answer));
  CB_CO_TRY(check_receipt(reply.receipt(), request));
  co_return snapshot;
}

Status V4Backup::check_receipt(const std::string& receipt,
                               const repository::CommitRequest& request) const {
  if (receipt.empty()) return failed(Code::corrupt, "commit", "is answered with missing blobs");
  CB_ASSIGN(const auto record, repository::decode_commit(v4::view_of(receipt)));
  CB_ASSIGN(const auto key, caller_.server_key());
  CB_TRY(repository::verify_commit(record, device_.record.id, key));
  if (record.snapshot != request.snapshot || record.commit_id != request.commit_id)
    return failed(Code::corrupt, "receipt", "is about another snapshot");
  return {};
}

}  // namespace cb::bench
