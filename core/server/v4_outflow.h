// SPDX-License-Identifier: Apache-2.0
//
// Blobs on their way to a client: a worker that reads the store fills one buffer with frames while
// the network takes the other. A network that stays behind does not hold the worker: it is told to
// stop, and goes on where it was. `send` runs on the connection's strand, the other functions on
// the worker; they block while the network is a little behind.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "core/repository/blob.h"
#include "core/server/traffic_share.h"
#include "core/stream/buffer_pool.h"
#include "core/stream/connection.h"

namespace cb::server {

class V4Outflow {
 public:
  struct Settings {
    uint32_t request_id = 0;
    // The peer takes every 64 KiB within this, or the connection ends.
    std::chrono::nanoseconds pace{};
    // Does somebody else wait for a worker? Asked on the worker.
    std::function<bool()> is_wanted;
    TrafficShare* share = nullptr;  // what it may send; the time that it waits is not the peer's
  };

  // The second buffer may be empty: then filling and sending take turns.
  V4Outflow(boost::asio::any_io_executor strand, Settings settings, stream::Buffer first,
            stream::Buffer second);
  V4Outflow(const V4Outflow&) = delete;
  V4Outflow& operator=(const V4Outflow&) = delete;

  // A blob begins; its bytes follow. Code::closed once the connection is lost. Code::busy when the
  // network is behind: then `finish`, and after `send` and `resume` begin with the blob cut().
  Status head(const repository::BlobHead& head);
  Status content(ByteView stored);
  // Nothing follows, or nothing for now. Always call it, or `send` waits for ever.
  void finish();

  [[nodiscard]] bool is_behind() const { return behind_; }
  // The blob that is to be given again, from its head: what has gone of it is passed over.
  [[nodiscard]] const std::optional<repository::BlobId>& cut() const { return cut_; }

  // Writes everything until `finish`; after a failure what still comes is refused. Code::timeout
  // when the peer is too slow: then the connection is only good for close.
  stream::Task<void> send(stream::Connection& connection);
  // After `finish` and `send`, on the strand: more will come.
  void resume();

  // Bytes of blobs so far.
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  struct Side {
    stream::Buffer buffer;
    size_t full = 0;  // bytes for the network; 0: the worker's
  };

  Status append(ByteView raw);
  void close_frame();
  // Gives the buffer to the network and waits for one to fill.
  Status hand_over();
  void wake();
  stream::Task<void> write(stream::Connection& connection, ByteView bytes) const;
  stream::Task<uint64_t> wait_for_turn() const;
  [[nodiscard]] ByteSpan room() const { return sides_[filling_].buffer.span().subspan(used_); }

  boost::asio::any_io_executor strand_;
  std::shared_ptr<boost::asio::steady_timer> filled_;
  const Settings settings_;

  // The worker's own:
  size_t count_;  // of buffers
  size_t filling_ = 0;
  size_t used_ = 0;
  std::optional<size_t> frame_;  // where the open frame begins
  uint64_t bytes_ = 0;
  bool behind_ = false;
  repository::BlobId blob_;  // the newest
  uint64_t passed_ = 0;      // bytes of it that are in frames
  uint64_t skip_ = 0;        // bytes of it that come again
  Bytes rest_;               // of its first frame, that found no room
  std::optional<repository::BlobId> cut_;

  size_t sending_ = 0;  // the strand's own

  std::mutex mutex_;
  std::condition_variable emptied_;
  // Guarded by mutex_ (the buffers' bytes belong to one side at a time):
  std::array<Side, 2> sides_;
  bool finished_ = false;
  bool lost_ = false;
};

}  // namespace cb::server
