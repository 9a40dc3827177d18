// SPDX-License-Identifier: Apache-2.0
//
// Clients that do what they should not, one after the other in each of many places, and what the
// server makes of them. Coroutines of one thread.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "bench/load_stranger.h"
#include "bench/mix/plan.h"

namespace cb::bench {

class Misbehaving {
 public:
  // All outlive it. `fleet` comes from where those that misbehave come from.
  Misbehaving(Fleet& fleet, const MixPlan& plan, std::mt19937_64& random)
      : fleet_(fleet), plan_(plan), random_(random) {}

  // As many as the plan says begin, and two that flood where they have an address of their own;
  // they go on until `end`.
  void begin(boost::asio::io_context& context);
  void end();
  // Are all gone? After end.
  [[nodiscard]] bool is_over() const { return running_ == 0; }

  // Prints what became of each kind; returns how many lived longer than the server's deadlines
  // say, by five seconds or more.
  [[nodiscard]] size_t tell_all() const;
  [[nodiscard]] size_t refused_hellos() const { return refused_hellos_; }

 private:
  struct Fate {
    size_t came = 0;
    size_t ended = 0;    // by the server
    size_t refused = 0;  // before they could do what they came for
    size_t late = 0;
    double longest = 0;  // seconds
    double most = 0;     // that it may live
  };

  boost::asio::awaitable<void> misbehave(size_t place);
  boost::asio::awaitable<void> stay(StrangerKind kind, size_t place);
  boost::asio::awaitable<void> drop(size_t place);
  boost::asio::awaitable<void> stop_in_packet();
  boost::asio::awaitable<void> flood_hellos();
  boost::asio::awaitable<void> flood_names();
  [[nodiscard]] double most_of(StrangerKind kind) const;
  static void note(Fate& fate, double lived, double most);

  Fleet& fleet_;
  const MixPlan& plan_;
  std::mt19937_64& random_;
  std::map<std::string, Fate> fates_;
  std::set<Stranger*> there_;
  size_t running_ = 0;
  size_t dropped_ = 0;
  size_t hellos_ = 0, refused_hellos_ = 0, names_ = 0;
  bool over_ = false;
};

}  // namespace cb::bench
