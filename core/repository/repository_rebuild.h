// SPDX-License-Identifier: Apache-2.0
//
// One repository of a rebuild: its records (rebuild_records.cpp), packs (rebuild_packs.cpp),
// commits (rebuild_commits.cpp), and what is known of a copy (rebuild_replica.cpp). For one thread.
#pragma once

#include <map>
#include <optional>
#include <unordered_map>

#include "core/repository/catalog_rebuild.h"
#include "core/repository/engine_chain.h"
#include "core/repository/opened_blobs.h"
#include "core/repository/pack_scanner.h"

namespace cb::repository {

class RepositoryRebuild {
 public:
  RepositoryRebuild(const RebuildParts& parts, const RepositoryId& id) : parts_(parts) {
    result_.id = id;
  }

  // Account, record, slots and devices. False when there is no record to begin with.
  Result<bool> add_records();
  // `progress` gets the packs of this repository.
  Status add_packs(const RebuildProgress& progress);
  // Records of sessions that rotation replaced.
  Status add_sessions();
  Status add_commits();
  // Takes commit records that follow no chain out of the way of the next one, or tells that it
  // would. Those of a strange repository stay.
  Status set_rest_aside();
  // Counts what is there.
  Status finish();

  [[nodiscard]] RebuiltRepository& result() { return result_; }
  // Are there commit records of somebody else, and none of this server?
  [[nodiscard]] bool is_strange() const { return strange_commits_ > 0 && result_.commits == 0; }

 private:
  struct FoundPack {
    PackName name;
    uint64_t size = 0;
    int64_t modified_ns = 0;
  };
  struct FoundSession {
    Bytes record;
    uint32_t epoch = 0;
    bool is_verified = false;  // else the certificate of who signed it is lost
  };
  // What is read of one pack.
  struct Content {
    PackHeader header;
    ChecksumBytes digest{};
    std::vector<PackedBlob> blobs;
    std::map<SessionId, FoundSession> sessions;  // records of those that it needs
  };
  void doubt(const std::string& object, const std::string& what);
  // What is wrong with an object becomes a doubt; a store or catalog that fails ends the rebuild.
  template <typename T>
  Result<bool> usable(const std::string& object, const Result<T>& result);
  [[nodiscard]] std::string object(const std::string& name) const;
  Result<std::vector<plugin::StoredObject>> list(const std::string& folder);
  template <typename T>
  Result<std::optional<T>> read(const std::string& name, Result<T> (*decode)(ByteView));

  Result<bool> read_record();
  Status take_change(std::optional<RepositoryRecord>& record);
  Result<std::string> account_name(const std::optional<AccountRecord>& kept);
  Status add_account(const std::optional<AccountRecord>& kept);
  Status read_slots();
  Status add_device(const std::string& name, const std::optional<AccountRecord>& kept);

  // Without the note nothing has rules, so everything stays.
  Status add_retention();

  // Without the note of a copy its chain is a stranger's, which is told.
  Status add_origin();
  [[nodiscard]] const SigningPublic& server_key() const {
    return origin_ ? origin_->server_key : parts_.server_key;
  }
  // What a record does to the snapshots of a copy; `is_whole`: all below is in the packs.
  Result<bool> changes_copy(const CommitRecord& record, bool is_whole);

  Result<std::vector<FoundPack>> find_packs();
  Status add_pack(const FoundPack& pack);
  Status for_each_opened(const std::function<Status(const OpenedBlobs::InPack&)>& visit);
  Status open_up();
  Result<std::optional<Content>> read_pack(const FoundPack& pack);
  Result<Content> read_by_footer(PackBytes& bytes, const std::string& name);
  Result<Content> read_by_scan(PackBytes& bytes, const std::string& name);
  Status read_session_records(PackBytes& bytes, const std::string& name, Content& content);
  Result<int64_t> domain_of(const PackHeader& header, const std::string& name);
  Result<bool> is_verified(const SessionRecord& record, const SessionId& session) const;
  Status keep_best_records(const Content& content);
  Status add_replaced_records(Content& content);
  Result<std::optional<FoundSession>> read_replaced(const SessionId& session);

  Status add_commit(const std::string& name);
  Status add_row(const CommitRecord& record, Bytes encoded);
  Result<int64_t> domain_of_device(const DeviceId& device);
  Result<bool> set_aside(const std::string& name);

  const RebuildParts& parts_;
  RebuiltRepository result_;
  RepositoryRecord record_;
  std::vector<KeySlot> slots_;
  std::vector<KeySlot> changed_slots_;  // all that there are, when a change was broken off
  std::map<DeviceId, Certificate> devices_;
  std::optional<ReplicaRecord> origin_;  // of a copy of another server's repository
  int64_t number_ = 0;
  std::map<PackName, int64_t> opened_packs_;  // with copies that an owner verified; their domain
  // Verified or not, then the epoch, of the records that are rows: the higher one counts.
  std::unordered_map<SessionId, std::pair<bool, uint32_t>, IdHash> session_ranks_;
  std::optional<CommitHash> last_hash_;  // of the record that was taken last
  uint64_t last_sequence_ = 0;
  std::vector<std::string> not_taken_;  // commit records behind that
  uint64_t strange_commits_ = 0;
};

template <typename T>
Result<bool> RepositoryRebuild::usable(const std::string& object, const Result<T>& result) {
  if (result) return true;
  if (!is_damage(result.error().code)) return failed(result.error());
  doubt(object, result.error().cause);
  return false;
}

// Nothing when it is not there, and when it is damaged, which is told.
template <typename T>
Result<std::optional<T>> RepositoryRebuild::read(const std::string& name,
                                                 Result<T> (*decode)(ByteView)) {
  const auto bytes = read_object(*parts_.store, name, kMostRecordBytes);
  if (!bytes && bytes.error().code == Code::not_found) return std::nullopt;
  CB_ASSIGN(const bool readable, usable(name, bytes));
  if (!readable) return std::nullopt;
  auto record = decode(*bytes);
  CB_ASSIGN(const bool sound, usable(name, record));
  if (!sound) return std::nullopt;
  return std::move(*record);
}

}  // namespace cb::repository
