// SPDX-License-Identifier: Apache-2.0
//
// The threads that run all network coroutines: one Asio context and as many threads as asked for.
// All functions are for any thread, except that join and the destructor are not for one of its own.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <exception>
#include <functional>
#include <memory>

namespace cb::stream {

namespace asio = boost::asio;

class IoThreads {
 public:
  // Hears of an exception that left a handler; the thread then goes on. Called on an io thread.
  using OnException = std::function<void(std::exception_ptr)>;

  // Starts `threads` threads (at least one). Without `on_exception` such an exception ends the
  // process.
  explicit IoThreads(unsigned threads, OnException on_exception = {});
  // Stops and joins. Coroutines that still wait are destroyed.
  ~IoThreads();
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  // Runs handlers on any of the threads.
  [[nodiscard]] asio::any_io_executor executor() const;
  // A new strand: handlers of one strand never run at the same time.
  [[nodiscard]] asio::any_io_executor make_strand() const;

  // The threads return as soon as their present handler does.
  void stop();
  // Waits until the threads have returned: after stop at once, else when no work is left.
  void join();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cb::stream
