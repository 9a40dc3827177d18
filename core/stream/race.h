// SPDX-License-Identifier: Apache-2.0
//
// From a host name to one connected root stream: look-up, and a race of the addresses against each
// other. Internal to core/stream; used on one strand.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "core/stream/stack.h"

namespace cb::stream {

// The numeric addresses of `host`, families alternating, the system's favourite first. A numeric
// address is its own. The look-up runs on Asio's resolver thread; past the deadline its answer is
// ignored (Code::timeout), but the thread ends only with the look-up.
Task<std::vector<std::string>> resolve(asio::any_io_executor executor, std::string host,
                                       std::chrono::steady_clock::time_point deadline);

struct Winner {
  std::unique_ptr<plugin::Stream> stream;
  std::string address;
};

// Connects `root` to the addresses, one more every 250 ms or as soon as one fails, until one
// stands.
Task<Winner> race(asio::any_io_executor executor, plugin::Transport root,
                  std::vector<std::string> addresses, Target target,
                  std::chrono::steady_clock::time_point deadline);

// Alternates between IPv6 and IPv4, beginning with the family of the first.
std::vector<std::string> alternate_families(const std::vector<std::string>& addresses);

}  // namespace cb::stream
