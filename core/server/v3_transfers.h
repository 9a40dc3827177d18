// SPDX-License-Identifier: Apache-2.0
//
// The file half of a v3 session: packets (1028) and the three verdicts on a checksum (1029, 1030,
// 1031). Runs on the connection's strand; what blocks is done on workers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "core/server/v3_accounts.h"
#include "core/server/v3_input.h"
#include "core/server/v3_service.h"
#include "core/server/v3_upload.h"

namespace cb::server {

// What became of a request about a file.
struct V3Outcome {
  enum class Kind {
    nothing,   // no answer (yet)
    received,  // 1603
    done,      // 1604
    refused,   // 1607; `why` is for the log
    ended,     // the same, and the connection is to end: nothing more of the packet was read
  };
  Kind kind = Kind::nothing;
  v3::FileReply reply;  // of `received`
  Error why;            // of `refused` and `ended`
};

class V3Transfers {
 public:
  using Key = std::shared_ptr<const plugin::Key>;

  V3Transfers(const V3Service::Parts& parts, const V3Settings& settings, Dialect dialect,
              const V3Entrance& at, V3Counters& counters);
  ~V3Transfers();  // drops what was not confirmed; blocks for a moment, so clear() first

  // What ends the connection soon, from any thread, when the store's mode changed and the time of
  // uploads under way is over.
  void set_end(std::function<void()> end) { end_ = std::move(end); }
  // May the client go on, or begin? Code::state while the store is read-only or offline.
  [[nodiscard]] Status admit() const;

  // Takes one packet whose head is in `head` (267 or 259 bytes) and whose content follows in
  // `input`. `payload_size` is that of the request's header; `key` opens the
  // content, null when none was exchanged. An error means that the connection is
  // of no more use; everything else is an outcome.
  stream::Task<V3Outcome> packet(const ClientId& client, ByteView head, uint32_t payload_size,
                                 Key key, V3Input& input);

  // 1029: makes the upload a version of the client's file.
  stream::Task<V3Outcome> confirm(const ClientId& client, ByteView name_field);
  // 1030 and 1031: forgets the upload.
  stream::Task<V3Outcome> drop(const ClientId& client, ByteView name_field);

  // Drops all uploads, on a worker.
  boost::asio::awaitable<void> clear();

 private:
  using Name = std::pair<ClientId, std::string>;  // client and stored file name
  struct Packet;
  struct Active {
    std::unique_ptr<V3Upload> upload;

    std::chrono::nanoseconds touched{};
  };

  Result<Packet> read_head(const ClientId& client, ByteView head, uint32_t payload_size) const;
  [[nodiscard]] bool is_first(const Packet& packet) const;
  stream::Task<Active*> upload_for(const Packet& packet, const Key& key);
  Result<std::unique_ptr<V3Upload>> begin(const Packet& packet, const plugin::Key& key);
  Result<std::unique_ptr<V3Upload>> begin_if_served(const Packet& packet, const plugin::Key& key);
  Status begin_work();
  [[nodiscard]] bool buffers_abound() const;
  stream::Task<Status> take_content(Active& active, const Packet& packet, V3Input& input,
                                    uint64_t& left);
  boost::asio::awaitable<Result<bool>> end_packet(V3Upload& upload, const Packet& packet);
  boost::asio::awaitable<void> forget(const Name& name);
  boost::asio::awaitable<void> forget_stale();

  const V3Service::Parts& parts_;
  const V3Settings settings_;
  const Dialect dialect_;
  const V3Entrance& at_;
  V3Counters& counters_;
  bool is_served_ = true;  // protocol 3, to the client of the last first packet
  std::function<void()> end_;
  std::optional<Maintenance::Ticket> work_;  // while uploads are under way
  std::map<Name, Active> active_;
  std::map<Name, bool> refused_;  // uploads refused half-way -> counted from zero
  std::set<Name> confirmed_;
};

}  // namespace cb::server
