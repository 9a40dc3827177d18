// SPDX-License-Identifier: Apache-2.0
//
// Well-behaved clients of protocol 3: each registers once, and then comes back from time to time
// with a file. Coroutines of one thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <random>
#include <vector>

#include "bench/load_client.h"
#include "bench/load_v4_plan.h"
#include "bench/mix/figures.h"
#include "bench/mix/pace.h"
#include "core/stream/connection.h"

namespace cb::bench {

// Runs a client's conversation until it is in `goal`; Code::timeout after a while. For the thread
// of its executor.
stream::Task<void> talk_until(LoadClient& client, LoadClient::State goal);
// Connects to a numeric address without TLS. Code::io when nobody listens. Blocks no longer than
// the kernel takes.
Result<int> connect_plainly(const std::string& host, uint16_t port);

class V3Clients {
 public:
  // All outlive it.
  V3Clients(const V4Plan& where, size_t clients, Figures& figures, std::mt19937_64& random);

  // Client `index` registers.
  boost::asio::awaitable<void> come(size_t index);
  // Some client that has nothing to do comes back and uploads; its time counts from `due`.
  boost::asio::awaitable<void> upload(std::chrono::steady_clock::time_point due);

  [[nodiscard]] size_t size() const { return clients_.size(); }

 private:
  struct Known {
    ClientId id;
    bool is_registered = false;
    bool is_busy = false;
  };
  stream::Task<void> register_one(size_t index);
  stream::Task<void> upload_one(size_t index);
  [[nodiscard]] std::string name_of_client(size_t index) const;

  const V4Plan& where_;
  Figures& figures_;
  std::mt19937_64& random_;
  RsaPair pair_;
  std::vector<Bytes> contents_;
  std::vector<Shared> shared_;  // one for each content
  std::vector<Known> clients_;
  Pace registrations_;
};

}  // namespace cb::bench
