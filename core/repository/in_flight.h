// SPDX-License-Identifier: Apache-2.0
//
// Which blobs lie in the open packs of one repository's intakes, so that nobody stores what another
// is just bringing. Bounded by what open packs hold. Thread-safe; nothing is called under its lock.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/repository/pack.h"

namespace cb::repository {

class InFlight {
 public:
  // An open pack as everybody sees it. Its intake holds it, and whoever leans on it.
  class Pack {
   public:
    enum class State : uint8_t { open, durable, lost };
    // Copies of this domain lie in it (catalog::kOpenDomain and the like).
    explicit Pack(int64_t domain) : domain_(domain) {}
    [[nodiscard]] State state() const { return state_; }
    // Does somebody wait for it? Then its intake closes it as soon as it can.
    [[nodiscard]] bool is_wanted() const { return wanted_; }
    // Nobody waits for it any longer: its blobs are as good as missing for others.
    [[nodiscard]] bool is_given_up() const { return given_up_; }
    // A blob of it that somebody leaned on did not come whole.
    [[nodiscard]] bool is_spoilt() const { return spoilt_; }

   private:
    friend class InFlight;
    const int64_t domain_;
    std::atomic<State> state_ = State::open;
    std::atomic<bool> wanted_ = false, given_up_ = false, spoilt_ = false;
  };
  using PackPtr = std::shared_ptr<Pack>;
  using Packs = std::vector<PackPtr>;

  // Is there nothing to wait for?
  static bool is_over(const PackPtr& pack) {
    return pack->state() != Pack::State::open || pack->is_given_up();
  }

  // The pack that has the blob, or will: `mine`, which has it from now on, unless another of its
  // domain or of the open one has it. `is_new` says whether it was `mine` only by this call.
  struct Claim {
    PackPtr pack;
    bool is_new = false;
  };
  Claim claim(const BlobId& id, const PackPtr& mine);
  // `mine` does not bring the blob after all.
  void release(const BlobId& id, const PackPtr& mine);
  // One for each id: the pack of this domain or of the open one that has it, if any.
  Packs find(int64_t domain, std::span<const BlobId> ids);

  // Counts the packs that became durable: the index knows more when it has changed.
  [[nodiscard]] uint64_t generation() const { return generation_; }

  // The index knows all blobs of `mine` now.
  void durable(const PackPtr& mine);
  // `mine` will never be durable.
  void abandon(const PackPtr& mine);

  // Asks for `packs` to be closed and waits until none is open, for `patience` at most.
  void wait(const Packs& packs, std::chrono::nanoseconds patience);
  // Nobody leans on `packs` any more.
  void give_up(const Packs& packs);

 private:
  struct Key {
    int64_t domain = 0;
    BlobId id;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const {
      return IdHash()(key.id) ^ static_cast<size_t>(key.domain);
    }
  };
  struct Entry {
    PackPtr pack;
    bool is_leaned_on = false;
  };
  // The entry of an open pack in the open domain, when `domain` is another.
  Entry* open_entry(int64_t domain, const BlobId& id);
  void end(const PackPtr& mine, Pack::State state);

  std::atomic<uint64_t> generation_ = 0;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::unordered_map<Key, Entry, KeyHash> entries_;  // guarded by mutex_
};

}  // namespace cb::repository
