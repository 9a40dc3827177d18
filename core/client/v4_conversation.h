// SPDX-License-Identifier: Apache-2.0
//
// A conversation of who has no device yet: connect, hello, a few requests, goodbye. Functions block
// and are for any thread.
#pragma once

#include <functional>

#include "core/client/run_on_network.h"
#include "core/client/v4_login.h"
#include "core/stream/io_threads.h"

namespace cb::client {

// What one conversation asks after the hello, and makes of the answers.
template <typename T>
using Talk = std::function<stream::Task<T>(V4Greeting&)>;

// The parameters outlive the coroutine.
template <typename T>
stream::Task<T> talk_and_leave(const stream::Stack& stack, const stream::Target& target,
                               const V4Limits& limits, const Talk<T>& talk) {
  CB_CO_ASSIGN(V4Greeting greeting, co_await greet(stack, target, V4Identity().program, limits));
  auto said = co_await talk(greeting);
  if (said) (void)co_await greeting.wire->connection().shutdown();
  co_await leave(std::move(greeting.wire));
  co_return said;
}

template <typename T>
Result<T> converse(const stream::Stack& stack, const stream::Target& target, const V4Limits& limits,
                   const Talk<T>& talk) {
  stream::IoThreads io(1);
  return run_on_network(io.executor(), talk_and_leave<T>(stack, target, limits, talk));
}

}  // namespace cb::client
