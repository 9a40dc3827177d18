// SPDX-License-Identifier: Apache-2.0
//
// What is behind a V4Session, for the files that it is written in. Thread-safe as the session is.
#pragma once

#include "core/client/v4_link.h"
#include "core/client/v4_login.h"
#include "core/client/v4_session.h"
#include "core/protocol/v4/messages.h"
#include "core/stream/io_threads.h"

namespace cb::client {

struct V4Session::State {
  using Order = V4Link::Order;
  using nanoseconds = std::chrono::nanoseconds;

  State(V4Identity who, const V4Limits& limits_in)
      : identity(std::move(who)),
        limits(limits_in),
        calls(limits.held, [this] { link->resume(); }) {}
  ~State() {
    if (link) link->stop();
    io.stop();
    io.join();
  }

  void begin(V4LoggedIn logged_in);
  [[nodiscard]] Error strange(const std::string& what) const;
  // Sends a request; its answer is fetched with `answer`.
  Result<V4Calls::CallPtr> begin(v4::Request code, ByteView message, nanoseconds limit,
                                 Order order = Order::urgent);
  // The next part of an answer, and Code::corrupt when it is not of this kind.
  Result<V4Part> part(V4Calls::Call& call, v4::Response expected);
  // The one answer to one request.
  Result<Bytes> ask(v4::Request code, ByteView message, v4::Response expected, nanoseconds limit,
                    Order order = Order::urgent);
  // A request that is answered with Done.
  Status tell(v4::Request code, ByteView message, nanoseconds limit);
  // The same behind all blobs; when one of them was refused, that is the error.
  Result<Bytes> ask_behind_blobs(v4::Request code, ByteView message, v4::Response expected);
  Result<repository::CommitRecord> verified(ByteView receipt) const;
  [[nodiscard]] Status keep(ByteView receipt) const;
  Result<repository::CommitRecord> wish(v4::Request code, const repository::BlobId& snapshot);
  Status receive(V4Calls::Call& call, std::span<const repository::BlobId> ids, const BlobSink& sink,
                 bool& came_to_an_end);
  Result<std::vector<bool>> take_have(V4Calls::Call& call, size_t count);
  Result<std::vector<repository::SnapshotInfo>> take_snapshots(V4Calls::Call& call);

  stream::IoThreads io{1};
  V4Identity identity;
  V4Limits limits;
  V4Welcome welcome;
  std::string peer;
  V4Calls calls;
  std::unique_ptr<V4Link> link;
};

}  // namespace cb::client
