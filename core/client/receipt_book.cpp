// SPDX-License-Identifier: Apache-2.0
//
// The file is a record in the notation of docs/repository-format.md, with SHA-256 of itself at its
// end:
//   version=1 uint ‖ repository[16] ‖ server key[32] ‖ sequence uint ‖ hash[32] ‖ time sint ‖
//   list of certificate bytes ‖ list of (snapshot[32] ‖ sequence uint ‖ time sint ‖ in trash[1]) ‖
//   hash[32]
// Certificates are sorted by device, snapshots by id.
#include "core/client/receipt_book.h"

#include "core/identity/signing.h"
#include "core/repository/record_reader.h"
#include "core/repository/record_writer.h"
#include "core/repository/signatures.h"

namespace cb::client {

using repository::BlobId;
using repository::Certificate;
using repository::CommitHash;
using repository::CommitRecord;
using repository::CommitType;
using repository::DeviceId;

namespace {

constexpr const char* kObject = "chain of receipts";
constexpr size_t kHashSize = sizeof(identity::Hash);

Error refused(const CommitRecord& commit, const std::string& cause) {
  return server_refused("commit " + std::to_string(commit.sequence), cause);
}

Status learn_devices(ReceiptBook& book, const ChainJudge& judge) {
  CB_ASSIGN(const std::vector<Certificate> all, judge.devices());
  for (const Certificate& one : all)
    if (repository::verify_certificate(one, *judge.record))
      book.devices.insert_or_assign(repository::device_of(one.device), one);
  return {};
}

// The certificate of who asked for the commit; null for the server's own acts.
Result<const Certificate*> certificate_of(ReceiptBook& book, const CommitRecord& commit,
                                          const ChainJudge& judge) {
  if (commit.device.is_zero()) return nullptr;
  auto found = book.devices.find(commit.device);
  if (found == book.devices.end()) {
    CB_TRY(learn_devices(book, judge));
    found = book.devices.find(commit.device);
  }
  if (found == book.devices.end())
    return failed(
        refused(commit, "is of device " + commit.device.hex() + ", which no owner has certified"));
  const auto since = repository::revoked_since(*judge.record, found->second);
  if (since && commit.sequence >= *since)
    return failed(
        refused(commit, "is of device " + commit.device.hex() + ", which was revoked before"));
  return &found->second;
}

Status verify_device(const ReceiptBook& book, const CommitRecord& commit,
                     const Certificate* certificate, const ChainJudge& judge) {
  const auto& key = certificate == nullptr ? judge.record->root : certificate->device;
  if (repository::verify_snapshot_signature(book.repository, commit.snapshot, key,
                                            commit.device_signature))
    return {};
  return failed(refused(commit, "has a snapshot that its device did not sign"));
}

// An owner's forget moves; a writer's or reader's is a wish.
bool moves_to_trash(const Certificate* certificate) {
  return certificate == nullptr || certificate->role == repository::Role::owner;
}

Status take_effect(ReceiptBook& book, const CommitRecord& commit, const Certificate* certificate) {
  if (commit.type == CommitType::commit) {
    // Again would be an old snapshot in the place of the newest.
    const KnownSnapshot made{commit.sequence, commit.time_ns, false};
    if (book.snapshots.emplace(commit.snapshot, made).second) return {};
    return failed(refused(commit, "makes a snapshot that was made before"));
  }
  const auto found = book.snapshots.find(commit.snapshot);
  if (found == book.snapshots.end())
    return failed(refused(commit, "is about a snapshot that was never made"));
  if (commit.type == CommitType::removal)
    book.snapshots.erase(found);
  else if (moves_to_trash(certificate))
    found->second.in_trash = commit.type == CommitType::forget;
  return {};
}

template <typename Map>
bool is_next(const Map& map, const typename Map::key_type& key) {
  return map.empty() || map.rbegin()->first < key;
}

}  // namespace

Error server_refused(std::string object, std::string cause) {
  return fail(Code::denied, std::move(object), std::move(cause),
              "ask the operator what happened; if the server was restored from a backup, run the "
              "command once with --accept-rollback");
}

Error history_forked(uint64_t sequence) {
  return server_refused("server", "shows another commit " + std::to_string(sequence) +
                                      " than this device has seen: its history was changed, or "
                                      "it tells its devices different ones");
}

ChainPlace place_of(const CommitRecord& commit, ByteView encoded) {
  return {commit.sequence, CommitHash{identity::sha256(encoded)}};
}

Status add_commit(ReceiptBook& book, ByteView record, const ChainJudge& judge) {
  const auto decoded = repository::decode_commit(record);
  if (!decoded)
    return failed(server_refused("commit " + std::to_string(book.head.sequence + 1),
                                 "cannot be read: " + decoded.error().cause));
  const CommitRecord& commit = *decoded;
  if (commit.sequence != book.head.sequence + 1)
    return failed(refused(
        commit, "is shown in the place of commit " + std::to_string(book.head.sequence + 1)));
  if (commit.previous != book.head.hash)
    return failed(refused(commit, "follows another history than the one that this device knows"));
  if (!judge.any_server && !repository::verify_commit(commit, book.repository, book.server))
    return failed(refused(commit, "is not signed by the server that this device knows"));
  CB_ASSIGN(const Certificate* certificate, certificate_of(book, commit, judge));
  if (commit.type == CommitType::commit && certificate != nullptr &&
      certificate->role == repository::Role::reader)
    return failed(refused(commit, "is of device " + commit.device.hex() + ", which may only read"));
  if (commit.type == CommitType::commit) CB_TRY(verify_device(book, commit, certificate, judge));
  CB_TRY(take_effect(book, commit, certificate));
  book.head = place_of(commit, record);
  book.head_time_ns = commit.time_ns;
  return {};
}

Bytes encode(const ReceiptBook& book) {
  repository::RecordWriter to;
  to.uint(1);
  to.fixed(book.repository.view());
  to.fixed(book.server);
  to.uint(book.head.sequence);
  to.fixed(book.head.hash.view());
  to.sint(book.head_time_ns);
  to.list(book.devices, [&](const auto& known) { to.bytes(repository::encode(known.second)); });
  to.list(book.snapshots, [&](const auto& known) {
    to.fixed(known.first.view());
    to.uint(known.second.sequence);
    to.sint(known.second.time_ns);
    to.byte(known.second.in_trash ? 1 : 0);
  });
  to.fixed(identity::sha256(to.written()));
  return to.take();
}

Result<ReceiptBook> decode_receipt_book(ByteView bytes) {
  if (bytes.size() < kHashSize) return failed(Code::corrupt, kObject, "is cut off");
  const ByteView content = bytes.first(bytes.size() - kHashSize);
  repository::RecordReader from(content, kObject);
  from.version();
  ReceiptBook book;
  book.repository = from.id<repository::RepositoryId>();
  book.server = from.fixed<repository::kPublicSize>();
  book.head.sequence = from.uint();
  book.head.hash = from.id<CommitHash>();
  book.head_time_ns = from.sint();
  for (size_t left = from.count(100); left > 0 && from.ok(); --left) {
    const auto certificate = repository::decode_certificate(from.bytes());
    const DeviceId device = certificate ? repository::device_of(certificate->device) : DeviceId{};
    if (!certificate || !is_next(book.devices, device))
      from.refuse("has certificates that are none or out of order");
    else
      book.devices.emplace_hint(book.devices.end(), device, *certificate);
  }
  for (size_t left = from.count(35); left > 0 && from.ok(); --left) {
    const auto id = from.id<BlobId>();
    KnownSnapshot known{from.uint(), from.sint(), false};
    const uint8_t in_trash = from.byte();
    if (in_trash > 1 || !is_next(book.snapshots, id))
      from.refuse("has snapshots that are none or out of order");
    known.in_trash = in_trash == 1;
    book.snapshots.emplace_hint(book.snapshots.end(), id, known);
  }
  CB_TRY(from.done());
  const identity::Hash sum = identity::sha256(content);
  if (!equal_in_constant_time(sum, bytes.subspan(content.size())))
    return failed(Code::corrupt, kObject, "is damaged");
  return book;
}

}  // namespace cb::client
