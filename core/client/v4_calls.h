// SPDX-License-Identifier: Apache-2.0
//
// Who waits for which answer of a v4 session: request ids, the parts of answers that came, and how
// long they may still take. For any thread; `deliver` is the network's.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "core/client/v4_wire.h"
#include "core/repository/blob.h"

namespace cb::client {

using Moment = std::chrono::steady_clock::time_point;

// A frame of an answer, or a blob made of several.
struct V4Part {
  v4::Response code = v4::Response::failure;
  Bytes message;
  repository::StoredBlob blob;  // with Response::blob
};

class V4Calls {
 public:
  // One request and what came for it.
  struct Call {
    uint32_t id = 0;
    std::chrono::nanoseconds limit{};

   private:
    friend class V4Calls;
    Moment deadline;
    std::deque<V4Part> parts;
    std::optional<repository::StoredBlob> growing;
    std::optional<Error> error;
    bool abandoned = false;
    std::condition_variable came;
  };
  using CallPtr = std::shared_ptr<Call>;

  // `resume` is called, by any thread, when must_pause() has become false. `held` is the most bytes
  // of answers that lie here before it becomes true.
  V4Calls(size_t held, std::function<void()> resume);

  // A request whose answer may take so long (each part of it). Code::closed after fail_all.
  Result<CallPtr> begin(std::chrono::nanoseconds limit);
  // An id for a request that nobody waits for.
  uint32_t next_id();

  // Waits for the next part. After the last part, or an error, `end` the call.
  Result<V4Part> next(Call& call);
  // Whether all came or not: what still comes is dropped.
  void end(const CallPtr& call, bool complete);

  // Takes a frame. False when nobody waits for it; Code::corrupt when it makes no sense.
  Result<bool> deliver(const V4Frame& frame);
  // Every call ends with this error, now and later.
  void fail_all(const Error& error);

  // The server has done something for somebody: it answers in turn, so nobody is late yet.
  void note_progress();
  // The limit of a call that has passed since it began and since the last progress; `extension` is
  // added to all before (time in which nothing was read).
  std::optional<std::chrono::nanoseconds> overdue(Moment now, std::chrono::nanoseconds extension);
  // The longest limit of those that wait; 0 when nobody does.
  std::chrono::nanoseconds longest_limit();

  // Should the network stop reading? Once true it calls `resume` later.
  bool must_pause();

  // While it lives on a thread, a wait of that thread lifts the pause: it is a sink that asks for
  // more.
  class InSink {
   public:
    explicit InSink(V4Calls& calls);
    ~InSink();
    InSink(const InSink&) = delete;
    InSink& operator=(const InSink&) = delete;

   private:
    V4Calls* before_;
  };
  // Marks a wait; see InSink.
  class Waiting {
   public:
    explicit Waiting(V4Calls& calls);
    ~Waiting();
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

   private:
    V4Calls* lifted_;
  };

 private:
  Status grow(Call& call, const V4Frame& frame);
  void give_back(size_t bytes, std::unique_lock<std::mutex>& lock);
  [[nodiscard]] bool is_full() const { return held_ >= most_held_ && lifted_ == 0; }

  const size_t most_held_;
  const std::function<void()> resume_;
  std::mutex mutex_;  // guards all below
  std::map<uint32_t, CallPtr> calls_;
  uint32_t last_id_ = 0;
  std::optional<Error> error_;
  Moment progress_{};
  size_t held_ = 0;
  unsigned lifted_ = 0;
  bool paused_ = false;
};

}  // namespace cb::client
