// SPDX-License-Identifier: Apache-2.0
//
// Devices that a daemon knows, the ways to connect to it, and many conversations at once on one
// thread. Functions of one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/load_v4_caller.h"
#include "bench/load_v4_plan.h"
#include "core/log/output.h"
#include "core/plugin/registry.h"

namespace cb::bench {

class Fleet {
 public:
  // TLS that resumes, that never does, and none at all: at the listener of TLS, at that of
  // protocol 3.
  enum class Way { resuming, full, below_tls, plain_v3 };

  static Result<std::unique_ptr<Fleet>> open(const V4Plan& plan);

  // Makes an account with a device for each of the plan's devices.
  Status enroll_all();

  // A connection that stands. `worker` tells conversations apart that share no tickets.
  stream::Task<std::unique_ptr<V4Caller>> connect(Way way, size_t worker);
  // Connects and logs in with one of the devices.
  stream::Task<std::unique_ptr<V4Caller>> log_in(Way way, size_t worker, size_t device);
  [[nodiscard]] const V4Device& device(size_t index) const {
    return devices_[index % devices_.size()];
  }

  // Runs `each(i, worker)` for 0..count-1, `workers` at one time. Returns how many failed, and
  // prints the first few reasons.
  using Each = std::function<stream::Task<void>(size_t index, size_t worker)>;
  size_t run_all(size_t count, size_t workers, const Each& each);
  // Lets `time` pass.
  void rest(std::chrono::nanoseconds time);
  // For coroutines that run beside those of run_all.
  [[nodiscard]] boost::asio::io_context& context() { return context_; }

 private:
  explicit Fleet(const V4Plan& plan) : plan_(plan) {}
  Status load_plugins();
  Result<stream::Stack> stack(const std::map<std::string, std::string>* tls);
  Result<std::string> token(const std::string& account) const;

  const V4Plan& plan_;
  std::unique_ptr<log::Output> log_;
  std::unique_ptr<plugin::Registry> registry_;
  std::optional<stream::Stack> resuming_, full_, plain_;
  std::vector<V4Device> devices_;
  boost::asio::io_context context_{1};
};

}  // namespace cb::bench
