// SPDX-License-Identifier: Apache-2.0
//
// Has well-behaved clients act: as fast as so many at once can, or so many a second whatever comes
// of it. Coroutines of one thread.
#pragma once

#include <boost/asio/io_context.hpp>

#include "bench/mix/v3_clients.h"
#include "bench/mix/v4_clients.h"

namespace cb::bench {

class Drive {
 public:
  // All outlive it.
  Drive(boost::asio::io_context& context, V4Clients& v4, V3Clients& v3, std::mt19937_64& random)
      : context_(context), v4_(v4), v3_(v3), random_(random) {}

  // Closed: `workers` acts are under way at every moment, until `stop`.
  void begin_closed(size_t workers);
  // Open: acts begin by chance, `a_second` of them on average, until `stop`.
  void begin_open(double a_second);
  // Begins no more.
  void stop() { ++round_; }
  // Acts that are under way, and those that begin them.
  [[nodiscard]] size_t under_way() const { return under_way_; }
  // The most that were under way at one time.
  [[nodiscard]] size_t most_under_way() const { return most_; }

 private:
  boost::asio::awaitable<void> work(size_t round);
  boost::asio::awaitable<void> arrive(size_t round, double a_second);
  boost::asio::awaitable<void> act(std::chrono::steady_clock::time_point due);
  [[nodiscard]] Act draw();
  void spawn(boost::asio::awaitable<void> one);

  boost::asio::io_context& context_;
  V4Clients& v4_;
  V3Clients& v3_;
  std::mt19937_64& random_;
  size_t round_ = 0;
  size_t under_way_ = 0, most_ = 0;
};

}  // namespace cb::bench
