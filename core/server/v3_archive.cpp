// SPDX-License-Identifier: Apache-2.0
#include "core/server/v3_archive.h"

#include "core/server/v3_reader.h"

namespace cb::server {

using repository::Entry;
using repository::Extent;

namespace {

// A crash between commit and version leaves a whole snapshot. One that cannot be walked may have no
// version because a rebuild of the catalog could not walk it either.
bool can_be_walked(V3Reader& reader, const repository::BlobId& snapshot) {
  const auto root = reader.root_of(snapshot);
  if (!root) return false;
  repository::TreeWalker walker([&](const repository::BlobId& id) { return reader.node(id); },
                                *root);
  for (;;) {
    const auto file = walker.next();
    if (!file) return false;
    if (!*file) return true;
  }
}

}  // namespace

std::mutex& V3Archive::lock_of(const ClientId& client) {
  return locks_[load_le<uint32_t>(client.bytes.data()) % locks_.size()];
}

Result<std::unique_ptr<V3Deposit>> V3Archive::begin(const ClientId& client,
                                                    const std::string& file_name,
                                                    const V3DepositOptions& options) {
  if (!repository::is_snapshot_path(file_name) || file_name.find('/') != std::string::npos)
    return failed(Code::invalid, file_name, "may not be the name of a stored file");
  CB_ASSIGN(std::unique_ptr<V3Repository> repository, keys_.ensure(client));
  std::unique_ptr<V3Deposit> deposit(
      new V3Deposit(*this, client, file_name, std::move(repository), options));
  CB_TRY(deposit->begin());
  return deposit;
}

Result<uint64_t> V3Archive::forget_unnamed() {
  CB_ASSIGN(const auto clients, parts_.catalog->clients());
  uint64_t forgotten = 0;
  for (const catalog::LegacyClient& client : clients) {
    // What cannot be done for one client must not keep the others out; the next start tries again.
    if (const auto more = forget_unnamed(client.id)) forgotten += *more;
  }
  return forgotten;
}

Result<uint64_t> V3Archive::forget_unnamed(const ClientId& client) {
  CB_ASSIGN(const auto kept, parts_.catalog->legacy_repository(client));
  CB_ASSIGN(const auto newest, parts_.catalog->newest_version(client));
  if (!kept) return 0;
  CB_ASSIGN(const repository::RepositoryRecord record, repository::decode_repository(kept->record));
  const auto head = parts_.engine->head(record.id);
  // Damage is told when it is used; a repository may not have been made to its end.
  if (!head || head->sequence == (newest ? newest->sequence : 0)) return 0;
  CB_ASSIGN(auto unnamed, parts_.engine->snapshots(record.id, false));
  std::erase_if(unnamed, [&](const repository::SnapshotInfo& snapshot) {
    const bool is_named = newest && snapshot.commit.sequence <= newest->sequence;
    return is_named || (snapshot.commit.flags & repository::kSnapshotV3) == 0;
  });
  if (unnamed.empty()) return 0;
  CB_ASSIGN(const std::unique_ptr<V3Repository> repository, keys_.open(client));
  CB_ASSIGN(const std::unique_ptr<V3Reader> reader,
            V3Reader::make(*parts_.engine, parts_.suite, *repository));
  uint64_t forgotten = 0;
  for (const repository::SnapshotInfo& snapshot : unnamed) {
    if (!can_be_walked(*reader, snapshot.commit.snapshot)) continue;
    CB_TRY(parts_.engine->forget(record.id, snapshot.commit.snapshot, repository::DeviceId{}));
    ++forgotten;
  }
  return forgotten;
}

Status V3Archive::read(const catalog::LegacyVersion& version,
                       const std::function<Status(ByteView)>& sink) {
  if (version.taken_over) return failed(V3Keys::migrated(version.client));
  CB_ASSIGN(const std::unique_ptr<V3Repository> repository, keys_.open(version.client));
  CB_ASSIGN(const std::unique_ptr<V3Reader> reader,
            V3Reader::make(*parts_.engine, parts_.suite, *repository));
  const repository::NodeSource nodes = [&](const repository::BlobId& id) {
    return reader->node(id);
  };
  const repository::BlobId snapshot{version.snapshot};
  CB_ASSIGN(const repository::BlobId root, reader->root_of(snapshot));
  CB_ASSIGN(const std::optional<Entry> file,
            repository::find_entry(nodes, root, version.file_name));
  if (!file)
    return failed(Code::corrupt, version.file_name, "is not in snapshot " + snapshot.hex());
  return repository::for_each_extent(*file, nodes, [&](const Extent& extent) -> Status {
    if (extent.hole) return failed(Code::corrupt, version.file_name, "has a hole");
    CB_ASSIGN(const repository::PlainBlob blob, reader->fetch(extent.blob));
    if (extent.offset + extent.length > blob.plain.size())
      return failed(Code::corrupt, version.file_name,
                    "reaches past the end of blob " + extent.blob.hex());
    return sink(ByteView(blob.plain).subspan(extent.offset, extent.length));
  });
}

}  // namespace cb::server
