// SPDX-License-Identifier: Apache-2.0
//
// One file up to a v3 server, on a connection that is logged in: packets, checksum, resends,
// confirmation. Runs on the connection's strand.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/client/v3_content.h"
#include "core/client/v3_settings.h"
#include "core/client/v3_wire.h"

namespace cb::client {

// A file on its way; lives on when a connection breaks and the next one takes over.
struct V3Transfer {
  os::Path path;
  v3::TextField name{};  // as sent
  std::unique_ptr<os::File> file;
  uint64_t size = 0;
  uint32_t cksum = 0;
  uint32_t uploads = 0;  // begun
  uint32_t repeats = 0;  // after 1607
  uint32_t resends = 0;  // after a wrong checksum
};

// Opens a file for sending. Code::limit when v3 cannot express its size or the name, or would need
// more packets than it can count; otherwise what the system says.
Result<V3Transfer> open_transfer(os::FileSystem& files, const os::Path& path,
                                 const V3SendSettings& settings);

class V3Upload {
 public:
  using Progress = std::function<void(uint64_t plain_done)>;
  using Note = std::function<void(const std::string&)>;

  enum class End {
    confirmed,
    not_confirmed,
    unreadable,  // the file's fault; the connection must be closed
    refused,
    again,   // 1607 to a file of several packets: once more, on a new connection
    broken,  // the connection's fault
  };

  struct Verdict {
    End end = End::broken;
    std::optional<Error> error;
  };

  // All outlive the upload. `chunk` is the suite's chunk_plain.
  V3Upload(V3Wire& wire, const ClientId& client, const plugin::Key& key, uint32_t chunk,
           const V3SendSettings& settings);

  boost::asio::awaitable<Verdict> run(V3Transfer& transfer, Progress progress, Note note);

 private:
  enum class Step { sent, refused };

  stream::Task<Step> send_content(V3Transfer& transfer, const Progress& progress);
  stream::Task<Step> send_packets(V3Transfer& transfer, V3Content& content,
                                  const Progress& progress);
  stream::Task<void> send_2023(V3Transfer& transfer, V3Content& content, const Progress& progress);
  stream::Task<bool> refused_early();
  stream::Task<V3Reply> await_file_reply(const V3Transfer& transfer);
  stream::Task<void> tell(v3::Request request, const V3Transfer& transfer);
  boost::asio::awaitable<Verdict> confirm(const V3Transfer& transfer);
  boost::asio::awaitable<Verdict> give_up(const V3Transfer& transfer);
  boost::asio::awaitable<std::optional<Verdict>> judge(V3Transfer& transfer, const V3Reply& reply,
                                                       const Note& note);
  Verdict after_error(V3Transfer& transfer, const Note& note) const;
  [[nodiscard]] Verdict after_failure(Error error) const;
  [[nodiscard]] uint16_t packets_of(const V3Transfer& transfer) const;

  V3Wire& wire_;
  ClientId client_;
  const plugin::Key& key_;
  uint32_t chunk_;
  const V3SendSettings& settings_;
  bool file_failed_ = false;  // the last failure was the file's
};

}  // namespace cb::client
