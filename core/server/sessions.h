// SPDX-License-Identifier: Apache-2.0
//
// The connections that are being served: who they are, how many, and the way to end them all.
// Thread-safe.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/server/settings.h"
#include "core/stream/connection.h"

namespace cb::server {

class Sessions : public std::enable_shared_from_this<Sessions> {
 public:
  // Removes its entry when it is destroyed, on the connection's strand.
  class Ticket {
   public:
    Ticket(std::shared_ptr<Sessions> sessions, uint64_t id)
        : sessions_(std::move(sessions)), id_(id) {}
    Ticket(Ticket&& other) noexcept = default;
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (sessions_) sessions_->remove(id_);
    }

   private:
    std::shared_ptr<Sessions> sessions_;
    uint64_t id_;
  };

  struct Visitor {
    std::string address;   // without port
    std::string listener;  // its key
    uint32_t listener_limit = 0;
  };

  explicit Sessions(const LimitSettings& limits) : limits_(limits) {}

  // Code::limit with the reason when one more would be too many. `connection` is used until the
  // ticket is gone.
  Result<Ticket> admit(const Visitor& visitor, stream::Connection& connection);

  // Cancels each on its strand; they then end by themselves.
  void cancel_all();
  // False when some are left after `timeout`.
  bool wait_until_none(std::chrono::nanoseconds timeout);

  [[nodiscard]] size_t count() const;
  [[nodiscard]] size_t count_of_listener(const std::string& key) const;

  void set_limits(const LimitSettings& limits);
  [[nodiscard]] LimitSettings limits() const;

 private:
  struct Entry {
    stream::Connection* connection = nullptr;
    boost::asio::any_io_executor executor;
    Visitor visitor;
  };

  void remove(uint64_t id);
  void cancel(uint64_t id);

  mutable std::mutex mutex_;
  std::condition_variable left_;
  // Guarded by mutex_:
  LimitSettings limits_;
  uint64_t next_id_ = 1;
  std::map<uint64_t, Entry> entries_;
  std::map<std::string, uint32_t> by_address_;
  std::map<std::string, uint32_t> by_listener_;
};

}  // namespace cb::server
