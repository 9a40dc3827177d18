// SPDX-License-Identifier: Apache-2.0
//
// Everything of repositories that was found in a folder, told by its content: which blobs lie
// where, and the records beside them. Read by one thread, then used by any.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/repository/records.h"
#include "core/rescue/pack_source.h"

namespace cb::rescue {

// One copy of a blob. Several devices may have put one id, and a lying one among them.
struct BlobCopy {
  repository::BlobId id;
  uint32_t pack = 0;  // of Hoard::packs
  uint64_t offset = 0;
};

struct FoundPack {
  const PackSource* source = nullptr;
  std::string name;
  repository::RepositoryId repository;
};

// A record that is an object of its own, and what its name tells, if it has the store's.
template <typename Record>
struct FoundRecord {
  Record record;
  std::optional<repository::RepositoryId> repository;
  std::optional<repository::SessionId> session;  // of a session record
};

// What lies of one repository in packs.
struct FoundRepository {
  std::optional<repository::RepositoryRecord> record;  // the newest that its owner signed
  std::vector<BlobCopy> copies;                        // by id
  std::set<repository::BlobId> snapshots;
  // The different records of each session that blobs name; none where all are damaged.
  std::map<repository::SessionId, std::vector<Bytes>> sessions;
  uint64_t packs = 0;
};

class Hoard {
 public:
  // Opens a file that store-sqlite made; may be empty.
  using OpenStore = std::function<Result<plugin::Store>(const os::Path&)>;

  // Looks through a folder, or one file. Code::not_found when there is no pack in it. With `scan`
  // no footer is trusted. `stopped`, which may be empty, ends this (Code::cancelled), and what is
  // read of packs later.
  static Result<std::unique_ptr<Hoard>> read(os::FileSystem& files, const os::Path& place,
                                             const OpenStore& open_store, bool scan,
                                             const Stopped& stopped);

  [[nodiscard]] const std::vector<FoundPack>& packs() const { return packs_; }
  [[nodiscard]] std::map<repository::RepositoryId, FoundRepository>& repositories() {
    return repositories_;
  }
  // Of any repository: which one the signatures tell.
  std::vector<FoundRecord<repository::KeySlot>> slots;
  std::vector<FoundRecord<repository::Certificate>> certificates;
  std::vector<FoundRecord<repository::CommitRecord>> commits;
  std::vector<FoundRecord<repository::SessionRecord>> sessions;
  // What could not be read: sentences that begin with a place.
  std::vector<std::string> damage;

 private:
  Status take(const PackSource& source, const std::string& name);
  Status look_at(const PackSource& source, const std::string& name);
  Status take_pack(const PackSource& source, const std::string& name, repository::PackBytes& bytes);
  Status take_session(const std::string& place, repository::PackBytes& bytes,
                      const repository::FooterEntry& entry, FoundRepository& of);
  void take_record(const std::string& name, ByteView bytes);
  void tell(const std::string& place, const std::string& what);

  bool scan_ = false;
  OpenStore open_store_;
  std::vector<std::unique_ptr<PackSource>> sources_;
  std::vector<os::Path> stores_;  // files that are stores, to be looked through afterwards
  std::vector<FoundPack> packs_;
  std::map<repository::RepositoryId, FoundRepository> repositories_;
};

// What the name of an object tells: "v4/<repository>/..." as stores have it, or the path of a file
// of store-fs.
std::optional<repository::RepositoryId> repository_in(const std::string& name);

}  // namespace cb::rescue
