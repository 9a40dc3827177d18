// SPDX-License-Identifier: Apache-2.0
//
// The blobs that one v4 session sends: from the network into the engine's intake in pool buffers,
// the next being filled while a worker stores the last. When the engine cannot store one, the rest
// is read and dropped. Runs on the session's strand; the engine is called on workers, one job at a
// time.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/repository/engine.h"
#include "core/server/background.h"
#include "core/server/v4_input.h"
#include "core/stream/buffer_pool.h"

namespace cb::server {

class V4Puts {
 public:
  // All outlive it.
  struct Parts {
    repository::Engine* engine = nullptr;
    stream::Workers* workers = nullptr;
    stream::BufferPool* buffers = nullptr;
    const os::Clock* clock = nullptr;
    std::chrono::nanoseconds bulk_timeout{};
  };
  // What Taken tells.
  struct Progress {
    uint64_t bytes = 0;    // bulk consumed
    uint64_t durable = 0;  // blobs
  };
  using Tell = std::function<stream::Task<void>(const Progress&)>;
  // Tells the client that the blob of this request, or one before it, could not be stored.
  using TellRefused = std::function<stream::Task<void>(uint32_t request_id, const Error& why)>;

  V4Puts(const Parts& parts, boost::asio::any_io_executor strand);
  V4Puts(const V4Puts&) = delete;
  V4Puts& operator=(const V4Puts&) = delete;

  // Before the first of the functions below: whose blobs they are.
  void set_owner(const repository::RepositoryId& repository, const repository::Viewer& owner);
  void set_tell(Tell tell) { tell_ = std::move(tell); }
  void set_tell_refused(TellRefused tell) { tell_refused_ = std::move(tell); }

  // Is a blob begun whose rest has not come?
  [[nodiscard]] bool is_open() const { return open_.has_value(); }
  // The request that the last failure belongs to.
  [[nodiscard]] uint32_t request_id() const { return request_id_; }

  // Why blobs are not stored any more. What came whole before is durable if the store could do that
  // much; what comes from now on is consumed and dropped.
  [[nodiscard]] const std::optional<Error>& refused() const { return refused_; }

  // The frame of a Put, or one that continues it: checks how much bulk it has and takes that in. A
  // failure of this and the functions below ends the session: a broken rule, or what another
  // session may be spared. That the engine cannot store a blob is none: see refused().
  stream::Task<void> put(uint32_t request_id, repository::BlobHead head, size_t message_size,
                         uint64_t bulk, V4Input& input);
  stream::Task<void> more(uint32_t request_id, uint64_t bulk, V4Input& input);

  // From now on nothing is stored, for this reason; what came whole becomes durable. Tells the
  // client, once. Not in the middle of a blob.
  stream::Task<void> deny(uint32_t request_id, Error why);

  // Waits for the job under way.
  stream::Task<void> settle();
  // Makes everything that came whole durable, and tells the progress. Waits for other sessions that
  // bring blobs which this one left to them: for 20 s at most, and on no worker.
  stream::Task<void> flush();
  // Runs `use` with the intake on a worker, after settling; then tells the progress.
  template <typename F>
  auto with_intake(F use)
      -> boost::asio::awaitable<decltype(use(std::declval<repository::Intake&>()))> {
    CB_CO_TRY(co_await settle());
    co_return co_await parts_.workers->run(
        [this, &use]() -> decltype(use(std::declval<repository::Intake&>())) {
          CB_TRY(open_intake());
          auto result = use(*intake_);
          durable_ = intake_->durable();
          return result;
        });
  }

  // Closes packs that are old enough or wanted. Call now and then; does something once a second at
  // most, or when another session waits.
  stream::Task<void> age();
  // Sends what has changed since it was last told, if it is worth a message.
  stream::Task<void> tell();
  // Tells the progress again, changed or not, when it was not told for long: a client whose bytes
  // a traffic rule holds up is to know that somebody is there.
  stream::Task<void> remind();
  // Only after settling.
  [[nodiscard]] uint64_t durable() const { return durable_; }
  // Does nothing wait for becoming durable? False while a job is under way.
  [[nodiscard]] bool is_all_durable() const {
    return !job_.running() && !open_ && (refused_ || durable_ == ended_);
  }
  // Which of the ids are durable, or on their way? Before the first Put: durable alone.
  stream::Task<std::vector<bool>> have(const std::vector<repository::BlobId>& ids);

  // Ends it: what came whole becomes durable, what was cut off is marked.
  boost::asio::awaitable<void> close();

 private:
  struct Open {
    repository::BlobHead head;
    uint64_t remaining = 0;
    bool begun = false;  // the intake knows of it
  };

  Status open_intake();
  stream::Task<void> take_in(uint64_t bulk, V4Input& input);
  stream::Task<void> drop(uint64_t bulk, V4Input& input);
  stream::Task<void> refuse(Error why);
  stream::Task<void> give_up(Error why);
  stream::Task<stream::Buffer> take_buffer();
  void store(stream::Buffer buffer, size_t size);
  // Of the open blob; true when it is whole.
  bool consume(size_t bytes);

  Parts parts_;
  Background job_;
  repository::RepositoryId repository_;
  repository::Viewer owner_;
  Tell tell_;
  TellRefused tell_refused_;
  std::unique_ptr<repository::Intake> intake_;
  std::optional<Open> open_;
  std::optional<Error> refused_;
  uint32_t request_id_ = 0;
  std::chrono::nanoseconds aged_{};
  // Written by jobs, read when none runs:
  uint64_t durable_ = 0;
  Progress progress_;  // consumed so far
  Progress told_;
  std::chrono::nanoseconds told_at_{};
  uint64_t ended_ = 0;    // blobs that came whole before one was refused
  uint64_t flushed_ = 0;  // of them, when many made a flush
};

}  // namespace cb::server
