// SPDX-License-Identifier: Apache-2.0
//
// One run of a check: commits and snapshots in engine_check.cpp, packs and what lies in them in
// engine_check_packs.cpp, other records in engine_check_records.cpp. Used by one thread.
#pragma once

#include <set>
#include <utility>

#include "core/repository/engine_check.h"
#include "core/repository/pack_scanner.h"

namespace cb::repository {

class Check {
 public:
  Check(EngineParts& engine, CommitChain& chain, bool read_data,
        const Engine::CheckProgress& progress)
      : engine_(engine),
        repository_(chain.number()),
        id_(chain.id()),
        read_data_(read_data),
        progress_(progress),
        chain_(chain) {}

  Result<Engine::Checked> run();

 private:
  static constexpr size_t kMostFindings = 1000;
  static constexpr size_t kBatch = 256;
  static constexpr int kMostTries = 3;

  void find(const std::string& object, const std::string& what) {
    if (checked_.findings.size() < kMostFindings) checked_.findings.push_back(object + " " + what);
  }

  void note(const std::string& object, const std::string& what) {
    if (checked_.notes.size() < kMostFindings) checked_.notes.push_back(object + " " + what);
  }

  // An error that is about the object becomes a finding; others stop the check.
  template <typename T>
  Result<bool> whole(const std::string& object, const Result<T>& result) {
    if (result) return true;
    const Code code = result.error().code;
    if (code != Code::corrupt && code != Code::not_found && code != Code::limit &&
        code != Code::unsupported)
      return failed(result.error());
    find(object, code == Code::not_found ? "is not in the store" : result.error().cause);
    return false;
  }

  Status check_commits();
  Status check_commit(const catalog::CommitRow& row);
  Status check_last_commits();
  Status check_key();
  Status check_snapshot_row(const catalog::CommitRow& row, const CommitRecord& record);
  Status check_snapshots();
  Status check_object(const std::string& object, const Bytes& wanted);
  Status check_repository_records();
  Status check_slots();
  Status check_certificates(int64_t account);
  Status check_account_note(int64_t account);
  Status check_retention_note();
  Result<std::vector<std::string>> other_objects();
  Status check_others(std::span<const std::string> objects);
  Status check_replaced_sessions();
  Status check_replaced(const SessionId& session, const SessionRecord& record,
                        const Bytes& encoded);
  Status check_packs();
  Status check_owner(const catalog::PackRow& pack);
  Status check_pack(const catalog::PackRow& pack);
  Result<bool> misses(const catalog::PackRow& pack, std::span<const catalog::BlobPlace> rows,
                      const Error& why);
  Status count_blobs(const catalog::PackRow& pack, size_t blobs);
  Status check_rows(const std::string& object, std::span<const catalog::BlobPlace> rows);
  Status check_seen(const std::string& object, int64_t domain,
                    std::span<const catalog::BlobPlace> rows);
  Status check_closed(const std::string& object, int64_t domain,
                      std::span<const catalog::Bytes32> ids);
  Result<bool> is_whole_below(const catalog::BlobLink& parent);
  Status check_session(const SessionId& session, int64_t domain);
  Status check_records(const std::string& object, StoredPack& bytes,
                       std::span<const catalog::BlobPlace> rows);
  void compare(const std::string& object, const PackFooter& footer,
               std::span<const catalog::BlobPlace> rows);
  Status check_content(int64_t pack, const std::string& object, StoredPack& bytes,
                       const PackFooter& footer, std::span<const catalog::BlobPlace> rows);
  Result<std::set<uint64_t>> used_offsets(int64_t pack);
  Status check_children(const std::string& object, std::span<const PackedBlob> blobs,
                        std::span<const catalog::BlobPlace> rows);
  Result<std::vector<std::string>> unknown_packs();
  Status check_strange_packs(std::span<const std::string> objects);
  Status check_strange_pack(const std::string& object);

  EngineParts& engine_;
  int64_t repository_;
  RepositoryId id_;
  bool read_data_;
  const Engine::CheckProgress& progress_;
  Engine::Checked checked_;
  uint64_t sequence_ = 0;
  CommitHash hash_;
  CommitChain& chain_;
  std::set<std::pair<int64_t, SessionId>> sessions_;  // that were looked at, in each domain
  std::set<BlobId> missing_;                          // that snapshots need
  std::set<std::string> known_;                       // objects beside packs and commits
  bool is_changing_ = false;                          // record and slots are being replaced
};

}  // namespace cb::repository
