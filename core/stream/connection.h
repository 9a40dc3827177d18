// SPDX-License-Identifier: Apache-2.0
//
// A byte stream over a stack of transports, for coroutines. All functions run on the connection's
// executor (one strand); at most one read and one write are under way at a time. Every wait has a
// deadline; past it the error is Code::timeout and the connection is only good for close.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "core/base/bytes.h"
#include "core/plugin/transport.h"

namespace cb::stream {

namespace asio = boost::asio;

template <typename T>
using Task = asio::awaitable<Result<T>>;

class Connection {
 public:
  // Takes a stream whose handshake has not been done. `executor` is a strand (or a single-threaded
  // context's executor).
  Connection(asio::any_io_executor executor, std::unique_ptr<plugin::Stream> stream);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // How long one wait for readiness may last. Zero waits for ever.
  void set_read_timeout(std::chrono::nanoseconds timeout);
  void set_write_timeout(std::chrono::nanoseconds timeout);

  // Brings the stack up; `timeout` covers the whole handshake.
  Task<void> handshake(std::chrono::nanoseconds timeout);

  // Reads 1..into.size() bytes; 0 is the clean end.
  Task<size_t> read_some(ByteSpan into);
  // Reads what is there without waiting, at most into.size() bytes; 0 when nothing is there, or at
  // the end. Not while another read is under way.
  Result<size_t> read_ready(ByteSpan into);
  // Fills `into`; Code::closed when the stream ends before.
  Task<void> read_exactly(ByteSpan into);
  // Waits until something can be read (true), the peer ended (true) or `timeout` passed (false).
  Task<bool> wait_readable(std::chrono::nanoseconds timeout);
  // Writes all of `from`.
  Task<void> write(ByteView from);
  // Tells the peer that nothing more comes.
  Task<void> shutdown();

  // Makes every pending and later operation fail with Code::cancelled. From any thread.
  void cancel();
  [[nodiscard]] bool is_cancelled() const;  // from any thread, too
  // Cancels the waits, lets their handlers run, then closes the stream. Call once, last.
  asio::awaitable<void> close();
  // The same, but hands the stream out instead of closing it. What wait_readable took in is lost.
  asio::awaitable<std::unique_ptr<plugin::Stream>> release();

  // "127.0.0.1:4711"; "?" when no transport knows.
  [[nodiscard]] std::string peer() const;
  [[nodiscard]] plugin::Stream& stream();
  [[nodiscard]] const asio::any_io_executor& executor() const;

  // Complete in connection.cpp only.
  struct Operation;
  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace cb::stream
