// SPDX-License-Identifier: Apache-2.0
//
// The network half of a v4 session that is logged in: sends what is handed over, within the credit
// that the server gives, hands on what comes, beats, and notices a peer that is gone. Functions are
// for any thread but that of the network.
#pragma once

#include <condition_variable>
#include <deque>
#include <future>
#include <optional>
#include <variant>

#include <boost/asio/steady_timer.hpp>

#include "core/client/v4_calls.h"
#include "core/client/v4_wire.h"
#include "core/stream/io_threads.h"

namespace cb::client {

class V4Link {
 public:
  struct Settings {
    uint64_t credit = 0;  // bytes of bulk that may be under way unanswered
    std::chrono::nanoseconds heartbeat{};
    std::chrono::nanoseconds silence{};  // after which the peer is taken for gone
    std::chrono::nanoseconds write{};
  };

  // `executor` is of a single thread and outlives the link; so does `calls`.
  V4Link(stream::asio::any_io_executor executor, std::unique_ptr<V4Wire> wire, V4Calls& calls,
         const Settings& settings);
  ~V4Link();  // after stop()
  V4Link(const V4Link&) = delete;
  V4Link& operator=(const V4Link&) = delete;

  void start();
  // Says goodbye when nothing failed, ends all waits, and returns when the network is at rest.
  void stop();
  // Lets every wait end with Code::closed, soon.
  void close();

  // Sends a request: before the blobs that wait, or behind them.
  enum class Order { urgent, behind_blobs };
  Status send(v4::Request code, uint32_t request_id, ByteView message, Order order);
  // Hands a blob over, waiting while `credit` bytes are unanswered; gives its number. After a blob
  // was refused: that error, for ever.
  Result<uint64_t> put(repository::StoredBlob blob);
  // The error of a refused blob.
  Status put_state();

  [[nodiscard]] uint64_t durable();
  // False when it is more than was put, and nothing is learnt.
  [[nodiscard]] bool learn_durable(uint64_t durable);
  // For V4Calls: reading may go on.
  void resume();

 private:
  struct Blob {
    uint32_t request_id;
    repository::StoredBlob blob;
  };
  using Item = std::variant<Bytes, Blob>;

  std::optional<Item> next_item();
  void wake_writer();
  void post(std::function<void()> work);
  void fail(const Error& error);
  void ended();
  template <typename Coroutine>
  void spawn(Coroutine coroutine);

  stream::Task<void> read_all();
  Result<void> take(const V4Frame& frame);
  Status take_taken(ByteView message);
  Status take_failure(const V4Frame& frame, bool known);
  void refuse_blobs(const Error& error);
  stream::Task<void> write_all();
  stream::Task<void> write_blob(Blob blob);
  stream::Task<void> wait_for_reason(Error error);
  stream::Task<void> wait_for_credit(size_t bytes);
  stream::asio::awaitable<void> wait(stream::asio::steady_timer& timer, Moment until);
  stream::Task<void> watch();
  Status look(Moment now, std::chrono::nanoseconds passed);
  void beat(Moment now);
  stream::asio::awaitable<void> hang_up();

  const stream::asio::any_io_executor executor_;
  const Settings settings_;
  V4Calls& calls_;

  // Of the network's thread alone:
  std::unique_ptr<V4Wire> wire_;
  stream::asio::steady_timer to_read_, to_write_, to_watch_;
  uint64_t sent_ = 0;  // bytes of bulk
  Moment last_sent_{}, last_came_{}, last_beat_{};
  bool reading_pauses_ = false;
  bool gone_ = false;
  unsigned running_ = 0;  // coroutines

  std::mutex mutex_;  // guards all below
  std::condition_variable room_;
  std::deque<Bytes> urgent_;
  std::deque<Item> ordered_;
  uint64_t puts_ = 0;
  uint64_t accepted_ = 0;  // bytes of bulk that were handed over
  uint64_t taken_ = 0;
  uint64_t durable_ = 0;
  bool writer_idle_ = false;
  bool stopping_ = false;
  std::optional<Error> error_;
  std::optional<Error> put_error_;

  bool started_ = false;
  std::promise<void> at_rest_;
};

}  // namespace cb::client
