// SPDX-License-Identifier: Apache-2.0
//
// Runs a coroutine on a network thread and waits for it on another. For any thread but that of the
// network.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <future>

#include "core/stream/connection.h"

namespace cb::client {

// The coroutine's result; Code::internal when it threw.
template <typename T>
Result<T> run_on_network(const stream::asio::any_io_executor& executor, stream::Task<T> coroutine) {
  std::promise<Result<T>> promise;
  stream::asio::co_spawn(executor, std::move(coroutine),
                         [&promise](std::exception_ptr thrown, Result<T> result) {
                           if (thrown) result = failed(Code::internal, "network", "an exception");
                           promise.set_value(std::move(result));
                         });
  return promise.get_future().get();
}

}  // namespace cb::client
