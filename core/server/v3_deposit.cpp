// SPDX-License-Identifier: Apache-2.0
//
// An upload from its first byte to its snapshot.
#include <algorithm>

#include "core/base/trial.h"
#include "core/server/v3_archive.h"
#include "core/server/v3_reader.h"

namespace cb::server {

using repository::BlobId;
using repository::BlobKind;
using repository::Entry;
using repository::kIdHeadroom;

namespace {

// What an open pack holds is listed in memory until it is closed: not more than this many bytes of
// it.
constexpr uint64_t kOpenBytes = 32 * 1024 * 1024;

}  // namespace

V3Deposit::V3Deposit(V3Archive& archive, const ClientId& client, std::string file_name,
                     std::unique_ptr<V3Repository> repository, const V3DepositOptions& options)
    : archive_(archive),
      client_(client),
      file_name_(std::move(file_name)),
      options_(options),
      repository_(std::move(repository)),
      cutter_(repository_->write.gear(), repository_->record.cutting),
      cuts_(cutter_),
      extents_(repository_->write.gear()[0],
               [this](const repository::EncodedNode& node) { return put_node(node); }),
      piece_(kIdHeadroom) {}

V3Deposit::~V3Deposit() {
  // What cannot be removed now is removed with the next start.
  if (intake_ && !committed_) (void)intake_->drop();
}

Status V3Deposit::begin() {
  const auto& parts = archive_.parts_;
  CB_ASSIGN(const auto session, repository::draw_id<repository::SessionId>(*parts.random));
  const auto sign = [this](ByteView bytes) { return repository_->root.sign(bytes); };
  // No device: the root key signs.
  CB_ASSIGN(sealer_, repository::SessionSealer::begin(parts.suite, repository_->record, session,
                                                      repository::DeviceId{}, sign));
  CB_ASSIGN(intake_, parts.engine->begin(repository_->record.id, repository::Viewer{}, true));
  // All at once: growing by doubling would take up to twice as much. Untouched pages cost nothing.
  piece_.reserve(kIdHeadroom + repository_->record.cutting.max);
  return store(sealer_->record());
}

Status V3Deposit::store(const repository::StoredBlob& blob) {
  CB_TRY(intake_->begin(blob.head));
  CB_TRY(intake_->content(blob.stored));
  CB_TRY(intake_->end());
  stored_ += blob.stored.size();
  open_ += blob.stored.size();
  if (open_ < kOpenBytes) return {};
  open_ = 0;
  return intake_->flush();
}

Status V3Deposit::seal_and_store(BlobKind kind, const BlobId& id, std::span<const BlobId> children,
                                 ByteView plain) {
  CB_ASSIGN(const std::vector<bool> there, intake_->have(std::span(&id, 1)));
  if (there.front()) return {};
  CB_ASSIGN(const repository::StoredBlob blob, sealer_->seal(kind, id, children, plain, false));
  return store(blob);
}

Result<BlobId> V3Deposit::put(BlobKind kind, std::span<const BlobId> children, ByteView plain) {
  CB_ASSIGN(const BlobId id, repository_->write.id_of(kind, children, plain));
  CB_TRY(seal_and_store(kind, id, children, plain));
  return id;
}

Result<BlobId> V3Deposit::put_node(const repository::EncodedNode& node) {
  return put(BlobKind::node, node.children, node.plain);
}

Status V3Deposit::finish_piece() {
  CB_ASSIGN(const BlobId id, repository_->write.id_in_place(BlobKind::data, {}, piece_));
  const ByteView plain = ByteView(piece_).subspan(kIdHeadroom);
  CB_TRY(seal_and_store(BlobKind::data, id, {}, plain));
  CB_TRY(extents_.add({plain.size(), false, id, 0}));
  piece_.resize(kIdHeadroom);
  return {};
}

Status V3Deposit::write(ByteView plain) {
  Status done =
      spent_ ? failed(Code::state, file_name_, "was committed, or failed before") : take(plain);
  // Half an upload must not be committed by somebody who overlooks this error.
  if (!done) spent_ = true;
  return done;
}

Status V3Deposit::take(ByteView plain) {
  size_ += plain.size();
  while (!plain.empty()) {
    bool ended = false;
    const size_t taken = cuts_.take(plain, ended);
    piece_.insert(piece_.end(), plain.begin(), plain.begin() + static_cast<ptrdiff_t>(taken));
    plain = plain.subspan(taken);
    if (ended) CB_TRY(finish_piece());
  }
  return {};
}

Result<V3Deposit::Tree> V3Deposit::build_tree(const std::optional<catalog::LegacyVersion>& base,
                                              const Entry& entry) {
  Tree tree;
  repository::TreeBuilder builder(
      repository_->write.gear()[0],
      [this](const repository::EncodedNode& node) { return put_node(node); });
  const auto add = [&](const Entry& file) {
    ++tree.files;
    tree.bytes += file.size;
    return builder.add(file);
  };
  bool placed = false;
  if (base) {
    const auto& parts = archive_.parts_;
    CB_ASSIGN(const auto reader, V3Reader::make(*parts.engine, parts.suite, *repository_));
    CB_ASSIGN(const BlobId root, reader->root_of(BlobId{base->snapshot}));
    repository::TreeWalker walker([&](const BlobId& id) { return reader->node(id); }, root);
    while (true) {
      CB_ASSIGN(const std::optional<Entry> file, walker.next());
      if (!file) break;
      const int order = repository::compare_paths(file->path, entry.path);
      if (order >= 0 && !placed) CB_TRY(add(entry));
      placed = placed || order >= 0;
      if (order != 0) CB_TRY(add(*file));
    }
  }
  if (!placed) CB_TRY(add(entry));
  CB_ASSIGN(tree.root, builder.finish());
  return tree;
}

Result<repository::CommitRecord> V3Deposit::commit_snapshot(
    const Tree& tree, const repository::SnapshotRecord& record) {
  const auto& parts = archive_.parts_;
  repository::CommitRequest request;
  request.root = tree.root;
  request.flags = record.flags;
  request.files = tree.files;
  request.bytes = tree.bytes;
  request.made_ns = options_.date_ns.value_or(0);
  CB_ASSIGN(request.snapshot,
            put(BlobKind::snapshot, std::span(&tree.root, 1), repository::encode(record)));
  CB_ASSIGN(request.commit_id, repository::draw_id<repository::CommitId>(*parts.random));
  CB_ASSIGN(request.device_signature, repository_->root.sign(repository::snapshot_signed_part(
                                          repository_->record.id, request.snapshot)));
  CB_ASSIGN(request.source, repository_->write.source_hash(record.device, record.paths));
  CB_ASSIGN(const repository::CommitAnswer answer, intake_->commit(request));
  if (answer.missing.empty()) return repository::decode_commit(answer.receipt);
  return failed(Code::busy, file_name_,
                "builds on " + std::to_string(answer.missing.size()) +
                    " blobs that were removed while it came",
                "send it again");
}

Status V3Deposit::commit(uint32_t cksum) {
  if (spent_) return failed(Code::state, file_name_, "was committed, or failed before");
  spent_ = true;
  if (piece_.size() > kIdHeadroom) CB_TRY(finish_piece());
  const std::lock_guard lock(archive_.lock_of(client_));
  return commit_locked(cksum);
}

// Whoever got an owner meanwhile has this server add nothing.
Status V3Deposit::check_not_migrated() const {
  CB_ASSIGN(const auto kept, archive_.parts_.catalog->legacy_repository(client_));
  if (kept) {
    CB_ASSIGN(const repository::RepositoryRecord record,
              repository::decode_repository(kept->record));
    if (record.id == repository_->record.id) return {};
  }
  return failed(V3Keys::migrated(client_));
}

Status V3Deposit::commit_locked(uint32_t cksum) {
  const auto& parts = archive_.parts_;
  CB_TRY(check_not_migrated());
  const int64_t date = options_.date_ns.value_or(parts.clock->wall().count());
  CB_ASSIGN(const std::optional<catalog::LegacyVersion> base,
            parts.catalog->newest_version(client_));
  CB_ASSIGN(const std::optional<catalog::LegacyClient> client,
            parts.catalog->client_by_id(client_));
  if (!client) return failed(Code::not_found, "client " + client_.hex(), "is not registered here");
  Entry entry;
  entry.path = file_name_;
  entry.mode = 0600;
  entry.mtime_ns = date;
  entry.size = size_;
  CB_TRY(extents_.finish(entry));
  CB_ASSIGN(const Tree tree, build_tree(base, entry));
  repository::SnapshotRecord record;
  record.time_ns = date;
  record.host = client->name;
  record.paths = {"/"};
  record.program = "cyberbackupd";
  record.flags = repository::kSnapshotV3;
  record.files = tree.files;
  record.bytes = tree.bytes;
  if (base) record.previous = BlobId{base->snapshot};
  trial::passed("v3.stored");
  CB_ASSIGN(const repository::CommitRecord done, commit_snapshot(tree, record));
  trial::passed("v3.committed");
  committed_ = true;
  catalog::LegacyVersion version;
  version.client = client_;
  version.file_name = file_name_;
  version.size = size_;
  version.cksum = cksum;
  version.snapshot = done.snapshot.bytes;
  version.sequence = done.sequence;
  version.stored_size = stored_;
  version.created_ns = date;
  const Result<uint64_t> number = parts.catalog->add_version(version);
  if (number) return {};
  // Nobody was told of it.
  (void)parts.engine->forget(repository_->record.id, done.snapshot, repository::DeviceId{});
  return failed(number.error());
}

}  // namespace cb::server
