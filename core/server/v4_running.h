// SPDX-License-Identifier: Apache-2.0
//
// The sessions of protocol v4 that are logged in: whose they are, and the way to end them at once.
// Thread-safe; does not block.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>

#include "core/repository/ids.h"
#include "core/stream/connection.h"

namespace cb::server {

class V4Running : public std::enable_shared_from_this<V4Running> {
 public:
  static constexpr int64_t kAtWork = std::numeric_limits<int64_t>::max();

  struct Who {
    repository::DeviceId device;  // zero: a person
    int64_t account = 0;
  };

  struct Entry {
    Who who;
    stream::Connection* connection = nullptr;
    std::atomic<int64_t> listens_since = kAtWork;  // monotonic; kAtWork: the peer waits for us
    bool is_given_up = false;                      // it is being ended, and counts no more
  };

  // The account and a number: those of one account lie together.
  using Key = std::pair<int64_t, uint64_t>;

  // Removes its entry when it is destroyed.
  class Ticket {
   public:
    Ticket(std::shared_ptr<V4Running> running, const Key& key, Entry& entry)
        : running_(std::move(running)), key_(key), entry_(&entry) {}
    Ticket(Ticket&& other) noexcept = default;
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (running_) running_->remove(key_);
    }
    // The session waits for its peer from now on (monotonic), or has heard of it.
    void listens(std::chrono::nanoseconds now) { entry_->listens_since = now.count(); }
    void works() { entry_->listens_since = kAtWork; }

   private:
    std::shared_ptr<V4Running> running_;
    Key key_;
    Entry* entry_;
  };

  // How many there may be at one time; 0: any number. Persons are none of them: who has to put
  // things right must come in.
  struct Most {
    uint64_t of_account = 0;
    uint64_t of_device = 0;
    // Where there are as many as may be, a device takes the place of a session of its own that has
    // heard nothing since then (monotonic): whoever lost a connection comes in again.
    std::chrono::nanoseconds silent_since{};
  };
  // `connection` outlives the ticket. Code::busy when it would be one too many.
  Result<Ticket> enter(const Who& who, stream::Connection& connection, const Most& most);

  // Each cancels the connections, whose sessions then end on their strands; how many there were.
  size_t end_device(const repository::DeviceId& device);
  size_t end_account(int64_t account);
  // Those that came with the account's password.
  size_t end_persons(int64_t account);

  [[nodiscard]] uint32_t count(const repository::DeviceId& device) const;

 private:
  void remove(const Key& key);
  [[nodiscard]] Most counts_beside(const Who& who) const;
  Status check(const Who& who, const Most& most);
  Entry* silent_one(const Who& who, std::chrono::nanoseconds since);
  size_t end(const std::function<bool(const Who&)>& is_meant);

  mutable std::mutex mutex_;
  // Guarded by mutex_:
  uint64_t next_id_ = 1;
  std::map<Key, Entry> entries_;
};

}  // namespace cb::server
