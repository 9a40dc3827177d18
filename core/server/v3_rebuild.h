// SPDX-License-Identifier: Apache-2.0
//
// The rows of v3 clients out of their repositories, when the catalog is lost: who they are from the
// store's notes, what they uploaded from their snapshots, which the server's key opens. Blocks; for
// one thread.
#pragma once

#include <map>

#include "core/repository/catalog_rebuild.h"
#include "core/repository/entry.h"
#include "core/server/v3_keys.h"

namespace cb::server {

class V3Rebuild {
 public:
  // The parts outlive it; their catalog is the one that is being rebuilt.
  explicit V3Rebuild(const V3Keys::Parts& parts) : parts_(parts), keys_(parts) {}

  // The account of a repository (RebuildParts::name_v3). Without a note of its client the client
  // gets an id that follows from the repository's. What a client that has migrated uploaded since
  // is in another account than what has an owner.
  Result<std::string> account_of(const repository::RepositoryRecord& record,
                                 const repository::KeySlot& slot);
  // Client, keys and versions of a repository whose packs and commits have their rows. What cannot
  // be had becomes a doubt of it. Reads all that was uploaded, for the checksums. Of a repository
  // that has an owner by now the client alone is added, and what was decided about it: protocol 3
  // does not begin again. Does nothing for accounts that were never a v3 client's.
  Status add_client(repository::RebuiltRepository& repository);
  // Afterwards. Code::auth when there are clients and the server's key opens what none of them
  // stored: then it is another key.
  [[nodiscard]] Status check_key() const;

  [[nodiscard]] uint64_t clients() const { return clients_; }
  [[nodiscard]] uint64_t versions() const { return versions_; }

 private:
  struct Found {
    V3Note note;
    bool has_note = false;
    std::optional<catalog::LegacyRepository> kept;  // nothing: it has an owner
  };
  [[nodiscard]] bool read_note(const repository::RepositoryId& repository, Found& found) const;
  Result<std::optional<Found>> find(repository::RebuiltRepository& repository);
  void name_migrated(const ClientId& id, Found& found, repository::RebuiltRepository& repository);
  Status add_row(Found& found, repository::RebuiltRepository& repository);
  // What one repository's snapshots are read with, and what was found in them so far.
  struct Reading;
  Status name_client(Found& found, repository::RebuiltRepository& repository, Reading& reading);
  Status add_versions(const Found& found, Reading& reading);
  Status add_snapshot(const Found& found, Reading& reading, const repository::CommitRecord& commit);
  Status add_version(const Found& found, Reading& reading, const repository::Entry& file,
                     catalog::LegacyVersion version);

  V3Keys::Parts parts_;
  V3Keys keys_;
  std::map<repository::RepositoryId, Found> found_;
  uint64_t clients_ = 0;
  uint64_t sealed_ = 0;  // repositories whose keys lie here
  uint64_t opened_ = 0;  // of them
  uint64_t versions_ = 0;
};

}  // namespace cb::server
