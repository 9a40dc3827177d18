// SPDX-License-Identifier: Apache-2.0
#include "tests/year/year_backup.h"

#include "core/repository/tree.h"

namespace cb::year {

using repository::BlobId;
using repository::BlobKind;
using repository::must;

namespace {

constexpr uint64_t kTreeSeed = 0x5eed;
constexpr int kMostCommits = 5;

// As a keyed hash: equal content of one account has one name, of another account another.
BlobId name_of(size_t account, BlobKind kind, ByteView plain, std::span<const BlobId> children) {
  Bytes named = {static_cast<std::byte>(account), static_cast<std::byte>(kind)};
  for (const BlobId& child : children)
    named.insert(named.end(), child.bytes.begin(), child.bytes.end());
  named.insert(named.end(), plain.begin(), plain.end());
  return {identity::sha256(named)};
}

// Bytes that follow from who backs up for the how manieth time.
template <typename IdType>
IdType drawn(const Source& source, uint8_t what) {
  Bytes named(17);
  named[0] = static_cast<std::byte>(what);
  store_le(named.data() + 1, uint64_t{source.number});
  store_le(named.data() + 9, source.backups);
  const auto hash = identity::sha256(named);
  IdType id;
  std::copy_n(hash.begin(), IdType::kSize, id.bytes.begin());
  return id;
}

}  // namespace

void mask(const repository::SessionId& session, Bytes& bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] ^= session.bytes[i % session.bytes.size()];
}

repository::KeyedHash kept_tag() {
  repository::KeyedHash tag;
  tag.bytes.fill(std::byte{0x77});
  return tag;
}

Backup::Backup(House& house, const repository::RepositoryId& repository, Source& source,
               const BackupOptions& options)
    : house_(house), repository_(repository), source_(source), options_(options) {
  ++source.backups;
  session_ = drawn<repository::SessionId>(source, 1);
  add_session();
  add_tree();
  add_snapshot();
}

void Backup::add_session() {
  repository::SessionRecord record;
  record.epoch = 1;
  record.kem_cipher = Bytes(48, static_cast<std::byte>(source_.number));
  repository::StoredBlob blob;
  blob.stored = encode(record);
  blob.head.kind = BlobKind::session;
  blob.head.id = repository::blob_of(session_);
  blob.head.stored_size = static_cast<uint32_t>(blob.stored.size());
  blobs_.push_back(std::move(blob));
}

void Backup::add(BlobKind kind, const BlobId& id, Bytes plain, std::vector<BlobId> children) {
  if (!added_.insert(id).second) return;
  repository::StoredBlob blob;
  blob.head.id = id;
  blob.head.kind = kind;
  blob.head.session = session_;
  blob.head.children = std::move(children);
  blob.head.stored_size = static_cast<uint32_t>(plain.size());
  mask(session_, plain);
  blob.stored = std::move(plain);
  blobs_.push_back(std::move(blob));
}

repository::Entry Backup::entry_of(const std::string& path, const std::vector<uint64_t>& pieces) {
  repository::Entry entry;
  entry.path = path;
  entry.mode = 0644;
  repository::ExtentBuilder extents(kTreeSeed, [this](const repository::EncodedNode& node) {
    const BlobId id = name_of(source_.account, BlobKind::node, node.plain, node.children);
    add(BlobKind::node, id, node.plain, node.children);
    return Result<BlobId>(id);
  });
  for (const uint64_t piece : pieces) {
    Bytes content = content_of(piece);
    const BlobId id = name_of(source_.account, BlobKind::data, content, {});
    repository::Extent extent;
    extent.length = content.size();
    extent.blob = id;
    entry.size += extent.length;
    must(extents.add(extent));
    add(BlobKind::data, id, std::move(content), {});
  }
  must(extents.finish(entry));
  return entry;
}

void Backup::add_tree() {
  repository::TreeBuilder tree(kTreeSeed, [this](const repository::EncodedNode& node) {
    const BlobId id = name_of(source_.account, BlobKind::node, node.plain, node.children);
    add(BlobKind::node, id, node.plain, node.children);
    return Result<BlobId>(id);
  });
  for (const auto& [path, pieces] : source_.files()) must(tree.add(entry_of(path, pieces)));
  request_.root = must(tree.finish());
}

void Backup::add_snapshot() {
  const BlobId id = drawn<BlobId>(source_, 2);
  add(BlobKind::snapshot, id, Bytes(120, std::byte{1}), {request_.root});
  request_.snapshot = id;
  request_.commit_id = drawn<repository::CommitId>(source_, 3);
  request_.source = source_.hash;
  request_.flags = options_.is_checkpoint ? repository::kSnapshotCheckpoint : 0;
  request_.files = source_.files().size();
  if (options_.is_tagged) request_.tags.push_back(kept_tag());
  snapshot_.id = id;
  snapshot_.root = request_.root;
  snapshot_.source = source_.number;
  snapshot_.is_checkpoint = options_.is_checkpoint;
  snapshot_.is_tagged = options_.is_tagged;
  snapshot_.files = source_.files();
}

// What the server lacks of these, in their order; the record of the session always.
Status Backup::send(size_t from, size_t until) {
  std::vector<BlobId> ids;
  for (size_t i = from; i < until; ++i) ids.push_back(blobs_[i].head.id);
  CB_ASSIGN(const std::vector<bool> there, intake_->have(ids));
  for (size_t i = from; i < until; ++i)
    if (!there[i - from] || blobs_[i].head.kind == BlobKind::session) {
      CB_TRY(intake_->begin(blobs_[i].head));
      CB_TRY(intake_->content(blobs_[i].stored));
      CB_TRY(intake_->end());
    }
  return {};
}

Status Backup::begin() {
  CB_ASSIGN(intake_, house_.engine().begin(repository_, source_.device, false));
  return {};
}

Status Backup::send_half() { return send(0, blobs_.size() / 2); }

Status Backup::finish() {
  CB_TRY(send(blobs_.size() / 2, blobs_.size()));
  for (int times = 0; times < kMostCommits; ++times) {
    intake_->settle({});
    CB_ASSIGN(const repository::CommitAnswer answer, intake_->commit(request_));
    if (answer.missing.empty()) {
      CB_ASSIGN(const repository::CommitRecord record, repository::decode_commit(answer.receipt));
      snapshot_.time_ns = record.time_ns;
      snapshot_.sequence = record.sequence;
      intake_.reset();
      return {};
    }
    CB_TRY(send(0, blobs_.size()));
  }
  return failed(Code::state, source_.name(), "lacks what was sent again and again");
}

Status Backup::run() {
  CB_TRY(begin());
  CB_TRY(send_half());
  return finish();
}

}  // namespace cb::year
