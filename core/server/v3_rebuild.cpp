// SPDX-License-Identifier: Apache-2.0
#include "core/server/v3_rebuild.h"

#include <algorithm>

#include "core/protocol/v3/cksum.h"
#include "core/repository/engine_chain.h"
#include "core/repository/record_writer.h"
#include "core/server/v3_note.h"
#include "core/server/v3_reader.h"

namespace cb::server {
namespace {

using repository::BlobId;
using repository::CommitRecord;
using repository::Entry;
using repository::RebuiltRepository;
using repository::RepositoryId;

constexpr uint64_t kMostNote = 64 * 1024;  // bytes

// So that every rebuild gives the same one.
ClientId lost_client_id(const RepositoryId& repository) {
  repository::RecordWriter to;
  to.fixed(as_bytes("cyberbackup/lost-v3-client/1"));
  to.fixed(repository.view());
  const auto hash = identity::sha256(to.written());
  ClientId id;
  std::copy_n(hash.begin(), id.bytes.size(), id.bytes.begin());
  return id;
}

void doubt(RebuiltRepository& repository, const std::string& what) {
  repository.doubts.push_back(what);
}

// Damage is told; what fails otherwise ends the rebuild.
Status told(RebuiltRepository& repository, const Status& done) {
  if (done || !repository::is_damage(done.error().code)) return done;
  doubt(repository, done.error().object + " " + done.error().cause);
  return {};
}

}  // namespace

struct V3Rebuild::Reading {
  RebuiltRepository& repository;
  std::unique_ptr<V3Reader> reader;
  std::vector<CommitRecord> commits;  // oldest first
  BlobId root;                        // of the snapshot before; zero: none
  uint64_t sequence = 0;              // up to which versions have one

  repository::NodeSource nodes() {
    return [this](const BlobId& id) { return reader->node(id); };
  }
};

bool V3Rebuild::read_note(const RepositoryId& repository, Found& found) const {
  const auto sealed = repository::read_object(*parts_.store, v3_note_object(repository), kMostNote);
  if (!sealed) return false;
  auto note = open_v3_note(*sealed, repository, *parts_.suite.crypto, *parts_.server_key);
  if (note) found.note = std::move(*note);
  return note.has_value();
}

Result<std::string> V3Rebuild::account_of(const repository::RepositoryRecord& record,
                                          const repository::KeySlot& slot) {
  Found& found = found_[record.id];
  found.kept = {repository::encode(record), repository::encode(slot)};
  found.note.client.id = lost_client_id(record.id);
  found.note.client.created_ns = record.created_ns;
  found.has_note = read_note(record.id, found);
  const std::string account = V3Keys::account_of(found.note.client.id);
  return found.note.policy.migrated_ns == 0 ? account : account + "/2";
}

// A client that has migrated and whom the store's note does not tell: nothing is known but its id.
void V3Rebuild::name_migrated(const ClientId& id, Found& found, RebuiltRepository& repository) {
  found.note = {};
  found.note.client.id = id;
  found.note.client.name = "unknown-" + repository.id.hex();
  found.note.policy.min_version = 4;
  doubt(repository, v3_note_object(repository.id) + " is missing or damaged: the client that has " +
                        "migrated is called " + found.note.client.name +
                        " now, and protocol 3 is not served to it");
}

// What account_of did not see: repositories that have an owner, or are about to.
Result<std::optional<V3Rebuild::Found>> V3Rebuild::find(RebuiltRepository& repository) {
  if (const auto at = found_.find(repository.id); at != found_.end()) return at->second;
  const std::optional<ClientId> id = V3Keys::client_of(repository.account);
  if (!id) return std::nullopt;
  Found found;
  found.has_note = read_note(repository.id, found) && found.note.client.id == *id;
  if (!found.has_note) name_migrated(*id, found, repository);
  CB_ASSIGN(const auto slots, parts_.engine->slots(repository.id));
  for (const repository::KeySlot& slot : slots) {
    if (slot.kind != repository::SlotKind::server) continue;
    CB_ASSIGN(const repository::RepositoryRecord record, parts_.engine->record(repository.id));
    found.kept = {repository::encode(record), repository::encode(slot)};
  }
  // It may be so since a moment before the note could say so.
  if (!found.kept && found.note.policy.migrated_ns == 0)
    found.note.policy.migrated_ns = parts_.clock->wall().count();
  found.has_note = true;  // it has a name
  return found;
}

Status V3Rebuild::add_client(RebuiltRepository& repository) {
  CB_ASSIGN(std::optional<Found> known, find(repository));
  if (!known) return {};
  Found& found = *known;
  if (!found.kept) return add_row(found, repository);
  // Trash, too: the server forgets what has no version here, and a rebuild may not have seen it.
  CB_ASSIGN(const auto snapshots, parts_.engine->snapshots(repository.id, true));
  Reading reading{repository, nullptr, {}, {}, 0};
  for (const auto& snapshot : snapshots)
    if ((snapshot.commit.flags & repository::kSnapshotV3) != 0)
      reading.commits.push_back(snapshot.commit);
  const auto opened = keys_.load(*found.kept);
  ++sealed_;
  if (opened) {
    ++opened_;
    CB_ASSIGN(reading.reader, V3Reader::make(*parts_.engine, parts_.suite, **opened));
  }
  CB_TRY(name_client(found, repository, reading));
  CB_TRY(add_row(found, repository));
  if (opened) return add_versions(found, reading);
  doubt(repository,
        opened.error().object + " " + opened.error().cause + " (" + opened.error().advice + ")");
  return {};
}

Status V3Rebuild::check_key() const {
  if (sealed_ == 0 || opened_ > 0) return {};
  return failed(Code::auth, "the store", "no v3 client's files are sealed to this server's key",
                "bring back the keys/server.key that this store began with");
}

// Every snapshot has the client's name.
Status V3Rebuild::name_client(Found& found, RebuiltRepository& repository, Reading& reading) {
  if (found.has_note) return {};
  found.note.client.name = "unknown-" + repository.id.hex();
  for (size_t i = reading.commits.size(); reading.reader && i-- > 0;) {
    const auto blob = reading.reader->fetch(reading.commits[i].snapshot);
    const auto record = blob ? repository::decode_snapshot(blob->plain)
                             : Result<repository::SnapshotRecord>(failed(blob.error()));
    if (!record) continue;
    found.note.client.name = record->host;
    break;
  }
  doubt(repository, v3_note_object(repository.id) + " is missing or damaged: client " +
                        found.note.client.name +
                        " has to register again, under that name, and goes on with these files");
  return {};
}

Status V3Rebuild::add_row(Found& found, RebuiltRepository& repository) {
  catalog::LegacyClient& client = found.note.client;
  CB_ASSIGN(const auto there, parts_.catalog->client_by_id(client.id));
  Status added = there ? Status{} : parts_.catalog->add_client(client);
  if (!added && added.error().code == Code::exists) {
    const std::string name = client.name;
    client.name += " (" + repository.id.hex() + ")";
    doubt(repository, "client " + name + " is there already; this one is " + client.name);
    added = parts_.catalog->add_client(client);
  }
  CB_TRY(added);
  if (!there) ++clients_;
  CB_TRY(parts_.catalog->change_legacy_policy(
      client.id, [&](catalog::LegacyPolicy& policy) { policy = found.note.policy; }));
  if (!found.kept) return {};
  return parts_.catalog->add_legacy_repository(client.id, *found.kept);
}

Status V3Rebuild::add_versions(const Found& found, Reading& reading) {
  for (const CommitRecord& commit : reading.commits)
    CB_TRY(told(reading.repository, add_snapshot(found, reading, commit)));
  return {};
}

// An upload changes one file. When records of the chain are lost, more may have changed: those of
// the lost ones get their places in the chain.
Status V3Rebuild::add_snapshot(const Found& found, Reading& reading, const CommitRecord& commit) {
  CB_ASSIGN(const repository::PlainBlob blob, reading.reader->fetch(commit.snapshot));
  CB_ASSIGN(const repository::SnapshotRecord record, repository::decode_snapshot(blob.plain));
  std::vector<Entry> changed;
  if (reading.root.is_zero()) {
    repository::TreeWalker walker(reading.nodes(), commit.root);
    for (;;) {
      CB_ASSIGN(std::optional<Entry> file, walker.next());
      if (!file) break;
      changed.push_back(std::move(*file));
    }
  } else {
    CB_TRY(repository::compare_trees(reading.nodes(), reading.root, commit.root,
                                     [&](const repository::Difference& difference) -> Status {
                                       if (difference.after) changed.push_back(*difference.after);
                                       return {};
                                     }));
  }
  reading.root = commit.root;
  std::sort(changed.begin(), changed.end(),
            [](const Entry& a, const Entry& b) { return a.mtime_ns < b.mtime_ns; });
  for (const Entry& file : changed) {
    catalog::LegacyVersion version;
    version.snapshot = commit.snapshot.bytes;
    version.sequence = file.mtime_ns == record.time_ns || changed.size() == 1
                           ? commit.sequence
                           : reading.sequence + 1;
    if (version.sequence <= reading.sequence || version.sequence > commit.sequence) {
      doubt(reading.repository, "snapshot " + commit.snapshot.hex() + " has a file " + file.path +
                                    " of an upload that has no place in the chain");
      continue;
    }
    reading.sequence = version.sequence;
    CB_TRY(add_version(found, reading, file, std::move(version)));
  }
  return {};
}

Status V3Rebuild::add_version(const Found& found, Reading& reading, const Entry& file,
                              catalog::LegacyVersion version) {
  version.client = found.note.client.id;
  version.file_name = file.path;
  version.size = file.size;
  version.stored_size = file.size;  // what it took is not known any more
  version.created_ns = file.mtime_ns;
  v3::Cksum cksum;
  const auto add = [&](const repository::Extent& extent) -> Status {
    CB_ASSIGN(const repository::PlainBlob blob, reading.reader->fetch(extent.blob));
    if (extent.hole || extent.offset + extent.length > blob.plain.size())
      return failed(Code::corrupt, file.path, "does not fit its pieces");
    cksum.update(ByteView(blob.plain).subspan(extent.offset, extent.length));
    return {};
  };
  CB_TRY(told(reading.repository, repository::for_each_extent(file, reading.nodes(), add)));
  version.cksum = cksum.value();
  const auto added = parts_.catalog->add_version(version);
  if (!added) return failed(added.error());
  ++versions_;
  return {};
}

}  // namespace cb::server
