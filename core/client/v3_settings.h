// SPDX-License-Identifier: Apache-2.0
//
// What a user can set about sending by protocol v3, and what the engine tells while it works. Plain
// values.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/units.h"
#include "core/client/backoff.h"
#include "core/os/file_system.h"
#include "core/protocol/v3/identity_files.h"
#include "core/stream/throttle.h"

namespace cb::client {

// What the content size field of 1028 holds (legacy-protocol 9): the bytes of its packet, or those
// of the whole ciphertext.
enum class ContentSize { packet, total };

struct V3SendSettings {
  v3::ServerAddress server;
  std::string peer_name;  // to verify in TLS; empty = the host
  std::string user_name;

  uint32_t piece_size = kMiB;  // ciphertext in one packet; a multiple of 16
  ContentSize content_size = ContentSize::packet;

  // One try to connect.
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(10);
  // All tries together until the server has taken the login.
  std::chrono::nanoseconds reach_timeout = std::chrono::seconds(32);
  // One answer; for 1603 a second more for every 8 MiB of the file, which the server may read
  // twice.
  std::chrono::nanoseconds response_timeout = std::chrono::seconds(30);
  // 1604 to 1029.
  std::chrono::nanoseconds confirm_timeout = std::chrono::seconds(30);
  // The server takes no byte for this long.
  std::chrono::nanoseconds write_timeout = std::chrono::seconds(30);

  uint32_t max_resends = 3;  // after a wrong checksum; then 1031
  uint32_t max_repeats = 3;  // of a request answered by 1607
  uint32_t max_tries = 3;    // of a file whose connection broke
  BackoffSettings backoff;
  BreakerSettings breaker;
  std::shared_ptr<stream::Throttle> upload = {};  // may be missing: no limit
};

// Where the engine stands; bytes are plain bytes of files, as handed to the connection.
struct V3SendProgress {
  std::string file;
  size_t files_done = 0;
  size_t files_total = 0;
  uint64_t file_done = 0;
  uint64_t file_total = 0;
  uint64_t bytes_done = 0;  // of all files
  uint64_t bytes_total = 0;
};

enum class V3Outcome {
  confirmed,      // the checksums agree and the server acknowledged it
  not_confirmed,  // the checksums agree, the server never acknowledged it
  unreadable,     // the file could not be read, or changed while it was read
  refused,        // the server refused the file, or its checksum never agreed
  denied,         // the server refused the name
  unreachable,    // no connection, no login, or not the pinned server
  failed,         // anything else on the way
};

// "not confirmed"
std::string_view name_of(V3Outcome outcome);

struct V3FileReport {
  os::Path file;
  V3Outcome outcome = V3Outcome::failed;
  uint64_t size = 0;
  uint32_t cksum = 0;    // of what was sent
  uint32_t uploads = 0;  // times the content was sent
  std::optional<Error> error;
};

struct V3SendReport {
  std::vector<V3FileReport> files;  // those that ended; fewer when interrupted
  size_t files_total = 0;
  std::string client_id;  // hex; empty if the server never gave one
  bool interrupted = false;
};

// Hears of progress and of things worth a line. Called on the thread that runs the engine.
struct V3SendObserver {
  std::function<void(const V3SendProgress&)> progress;
  std::function<void(const V3FileReport&)> file_ended;
  std::function<void(const std::string&)> note;
};

}  // namespace cb::client
