// SPDX-License-Identifier: Apache-2.0
//
// One run of a collection: what lives in collection.cpp, what goes in collection_sweep.cpp. Who
// changes the order of things here changes docs/collection.md first. Used by one thread.
#pragma once

#include <set>

#include "core/repository/collection.h"
#include "core/repository/collection_pace.h"
#include "core/repository/collection_weak.h"
#include "core/repository/engine_closure.h"

namespace cb::repository {

class CollectionRun {
 public:
  CollectionRun(EngineParts& engine, CommitChain& chain, const Engine::CollectOptions& options,
                const Engine::CheckProgress& progress)
      : engine_(engine),
        rows_(engine.collection()),
        chain_(chain),
        options_(options),
        progress_(progress),
        pace_(chain.leases),
        mark_(rows_, chain.number(), old_numbers_),
        weak_(rows_, chain.number(), old_numbers_, mark_) {}
  ~CollectionRun() {
    const std::lock_guard lock(chain_.mutex);
    chain_.is_collecting = false;
  }
  CollectionRun(const CollectionRun&) = delete;
  CollectionRun& operator=(const CollectionRun&) = delete;

  Result<Engine::Collected> run() {
    CB_TRY(begin());
    if (old_.empty()) return collected_;
    CB_TRY(check_whole());
    CB_TRY(mark_roots());
    CB_TRY(count());
    if (options_.dry_run) return collected_;
    CB_TRY(condemn());
    CB_TRY(sweep());
    CB_TRY(remove_packs());
    return collected_;
  }

 private:
  // A public pack that was old enough when the collection began.
  struct OldPack {
    int64_t number = 0;
    PackName name;
    uint64_t size = 0;
    int64_t retired_ns = 0;
    uint32_t rows = 0, dead = 0, weak = 0;  // when they were counted; dead ones that are weak
  };

  struct Root {
    BlobId snapshot, root;
    DeviceId device;
  };

  using Rows = std::vector<catalog::DeadRow>;
  static constexpr size_t kRowsAtOnce = 1024;  // of one transaction
  static constexpr size_t kListedAtOnce = 1024;
  // Children of weak rows that are looked up while nobody adds packs, about.
  static constexpr size_t kChildrenAtOnce = 16'384;

  [[nodiscard]] int64_t now() const { return engine_.parts.clock->wall().count(); }
  [[nodiscard]] int64_t old_until() const;
  Status begin();
  Status list_packs();
  Status mark_roots();
  Status check_whole();
  Status check_whole(const Root& root, ClosureWalk& walk, int64_t domain);
  Status mark_new_packs();
  Status mark_new_commits();
  Status look();
  Status count();
  // What a count finds that is otherwise than it should be.
  struct Odd {
    std::vector<int64_t> closed;  // dead rows that a commit would not look below
    Rows condemned;               // weak rows that live again
  };
  Status count_pack(OldPack& pack, Odd& odd);
  Status set_right(Odd& odd);
  Result<std::vector<catalog::HeldBlob>> rows_in(const OldPack& pack);
  using Wanted = std::function<bool(const catalog::HeldBlob&)>;
  Status gather(const OldPack& pack, Rows& batch, const Wanted& wanted);
  Status condemn();
  Status condemn_weak();
  Status condemn_batch(Rows& candidates, bool are_weak = false);
  Status condemn_now(const Rows& candidates, bool are_weak);
  Status sweep();
  Status sweep_rows(Rows& rows, int64_t until_ns);
  Status remove_packs();
  Status remove_pack(const OldPack& pack);

  [[nodiscard]] bool goes_on() const {
    return !progress_ || progress_(done_, std::max(done_, steps_));
  }
  void rest() {
    pace_.rest([this] { return goes_on(); });
  }

  // Tells that one of so many steps is done.
  Status step() {
    ++done_;
    rest();
    if (goes_on()) return {};
    return failed(Code::cancelled, "collection", "was stopped");
  }

  EngineParts& engine_;
  catalog::Collection& rows_;
  CommitChain& chain_;
  const Engine::CollectOptions& options_;
  const Engine::CheckProgress& progress_;
  Engine::Collected collected_;
  std::vector<OldPack> old_;
  NumberSet old_numbers_;
  int64_t newest_old_ = 0;        // the highest number of an old pack: new ones have higher ones
  std::vector<int64_t> young_;    // packs that were there at the beginning
  std::set<PackName> looked_at_;  // young packs
  std::vector<Root> roots_;
  std::set<int64_t> lacking_;  // domains whose snapshots lack something: their rows stay
  uint64_t sequence_ = 0;      // of the newest commit that was looked at
  CollectionPace pace_;
  Mark mark_;
  WeakRows weak_;
  uint64_t done_ = 0, steps_ = 0;
};

}  // namespace cb::repository
