// SPDX-License-Identifier: Apache-2.0
//
// Runs coroutines of tests on a context of this thread until they are done.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

namespace cb::stream::test {

// A coroutine that runs beside others; its result is there when the context has run.
template <typename T>
class Running {
 public:
  Running(boost::asio::io_context& context, boost::asio::awaitable<T> coroutine) {
    boost::asio::co_spawn(context, std::move(coroutine),
                          [this](std::exception_ptr thrown, T value) {
                            thrown_ = thrown;
                            value_.emplace(std::move(value));
                          });
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  [[nodiscard]] bool done() const { return value_.has_value(); }
  T& get() {
    if (thrown_) std::rethrow_exception(thrown_);
    return value_.value();
  }

 private:
  std::exception_ptr thrown_;
  std::optional<T> value_;
};

template <>
class Running<void> {
 public:
  Running(boost::asio::io_context& context, boost::asio::awaitable<void> coroutine) {
    boost::asio::co_spawn(context, std::move(coroutine), [this](std::exception_ptr thrown) {
      thrown_ = thrown;
      done_ = true;
    });
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  [[nodiscard]] bool done() const { return done_; }
  void get() {
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  std::exception_ptr thrown_;
  bool done_ = false;
};

// Runs everything until nothing is left.
inline void run_all(boost::asio::io_context& context) {
  context.restart();
  context.run();
}

// Runs until the coroutine is done; waits that others left behind go on.
template <typename T>
T run(boost::asio::io_context& context, boost::asio::awaitable<T> coroutine) {
  Running<T> running(context, std::move(coroutine));
  context.restart();
  while (!running.done() && context.run_one() > 0) continue;
  return std::move(running.get());
}

inline void run(boost::asio::io_context& context, boost::asio::awaitable<void> coroutine) {
  Running<void> running(context, std::move(coroutine));
  context.restart();
  while (!running.done() && context.run_one() > 0) continue;
  running.get();
}

}  // namespace cb::stream::test
