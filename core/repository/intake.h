// SPDX-License-Identifier: Apache-2.0
//
// An Intake over packs: one open pack of each class. Used by one thread at a time.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "core/repository/engine_parts.h"
#include "core/repository/pack_writer.h"

namespace cb::repository {

class PackIntake final : public Intake {
 public:
  PackIntake(std::shared_ptr<EngineParts> engine, std::shared_ptr<CommitChain> chain,
             const DeviceId& device, int64_t domain, bool is_private, Quota* quota)
      : engine_(std::move(engine)),
        chain_(std::move(chain)),
        device_(device),
        domain_(domain),
        is_private_(is_private),
        quota_(quota),
        lease_(chain_->leases, engine_->parts.clock->monotonic(), is_private),
        in_flight_(is_private ? std::make_shared<InFlight>() : engine_->in_flight(chain_->id())) {}
  ~PackIntake() override;

  Status begin(const BlobHead& head) override;
  Status content(ByteView stored) override;
  Status end() override;
  void cut() override;
  Result<std::vector<bool>> have(std::span<const BlobId> ids) override;
  Status flush() override;
  Status close_old() override;
  [[nodiscard]] bool is_wanted() const override;
  bool settle(std::chrono::nanoseconds patience) override;
  [[nodiscard]] uint64_t durable() const override { return durable_; }
  Result<CommitAnswer> commit(const CommitRequest& request) override;
  Status drop() override;

 private:
  // Records in memory; more than two packs have.
  static constexpr size_t kMostSessions = 4096;

  struct OpenPack {
    InFlight::PackPtr place;             // from before the pack is begun
    std::unique_ptr<PackWriter> writer;  // none: not begun
    std::chrono::nanoseconds begun{};
    std::set<SessionId> sessions;  // whose record it has
    size_t children = 0;           // of all its blobs
    QuotaShare quota;              // what it may become, set aside
  };
  // The blob between begin and end.
  struct OpenBlob {
    BlobHead head;
    uint64_t taken = 0;
    OpenPack* pack = nullptr;  // none: it is not stored here
    InFlight::PackPtr place;   // that it will be durable with; none: it is
    Bytes record;              // content of a session record
  };

  Status usable() const;
  template <typename T>
  T noted(T result);
  [[nodiscard]] catalog::View view() const { return {is_private_ ? owner_ : domain_}; }
  [[nodiscard]] Result<std::optional<Bytes>> known_record(const SessionId& session) const;
  Status check_session(const BlobId& id, ByteView record);
  void make_room_for_session();
  void keep_session(OpenBlob& blob);
  Status check_epochs(const OpenPack& pack);
  Status learn_session(const SessionId& session);
  Result<bool> is_stored(const BlobHead& head) const;
  Status place(OpenBlob& blob);
  Status begin_claimed(OpenBlob& blob, uint64_t generation);
  Status set_aside(const OpenBlob& blob);
  [[nodiscard]] QuotaKey quota_key() const { return {chain_->number(), device_}; }
  Status open(OpenPack& pack, PackClass kind);
  Status put_session(OpenPack& pack, const SessionId& session);
  Status begin_new(OpenBlob& blob);
  Status end_new(OpenBlob& blob);
  Status close(OpenPack& pack);
  Status add_rows(const OpenPack& pack);
  void abandon(OpenPack& pack);
  [[nodiscard]] bool is_full(const OpenPack& pack) const;
  [[nodiscard]] bool is_mine(const InFlight::PackPtr& place) const;
  void lean_on(const InFlight::PackPtr& place);
  void ended(const InFlight::PackPtr& place);
  void count_durable();
  Result<int64_t> owner();
  Status remove_private();

  std::shared_ptr<EngineParts> engine_;
  std::shared_ptr<CommitChain> chain_;
  DeviceId device_;
  int64_t domain_;  // of what comes, unless it is private
  bool is_private_;
  Quota* quota_;                         // none: nothing is refused for its sake
  Leases::Lease lease_;                  // from before it leans on anything
  std::shared_ptr<InFlight> in_flight_;  // nobody else's when private
  int64_t owner_ = 0;                    // drawn when it is first needed
  bool dropped_ = false;
  bool stores_ = false;  // something was let in
  uint64_t stored_ = 0;  // bytes of packs that were closed
  std::optional<Error> broken_;
  std::array<OpenPack, 2> packs_;
  std::optional<OpenBlob> blob_;
  std::map<SessionId, Bytes> sessions_;  // that blobs here may name
  InFlight::Packs others_;               // that are leaned on, and open when last looked at
  // Blobs that follow each other, and the packs that they are durable with.
  struct Run {
    InFlight::Packs mine, others;
    uint64_t blobs = 0;
    [[nodiscard]] bool is_durable() const;
  };
  std::deque<Run> order_;  // of blobs that are not counted as durable yet
  std::atomic<uint64_t> durable_ = 0;
};

}  // namespace cb::repository
