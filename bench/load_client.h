// SPDX-License-Identifier: Apache-2.0
//
// One v3 client of the load tool, as a state machine over a socket that does not block. For one
// thread.
#pragma once

#include <chrono>
#include <string>

#include "bench/load_crypto.h"
#include "core/base/id.h"
#include "core/protocol/header.h"

namespace cb::bench {

using Clock = std::chrono::steady_clock;

// What all clients share.
struct Shared {
  const RsaPair* pair = nullptr;
  uint64_t size = 0;   // of the plain content
  uint32_t cksum = 0;  // of the plain content
};

class LoadClient {
 public:
  enum class State { logging_in, ready, sending, confirming, done, failed };

  LoadClient(int fd, std::string name, const Shared& shared);
  LoadClient(LoadClient&& other) noexcept;
  LoadClient& operator=(LoadClient&&) = delete;
  ~LoadClient();

  // Before the first advance: comes back under the id that it has, instead of signing up.
  void come_back(const ClientId& id);
  // Takes the first checksum for a wrong one, and sends the content again.
  void dispute_once() { disputes_ = true; }

  // Moves what can be moved; called when the socket is readable or writable.
  void advance();
  // Gives the content to send; only in State::ready.
  void send(Bytes ciphertext);
  // Starts this client's clock.
  void start(Clock::time_point now) { started_ = now; }

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool wants_to_write() const { return out_at_ < out_.size() || has_packets(); }
  [[nodiscard]] const Bytes& key() const { return key_; }
  [[nodiscard]] const ClientId& id() const { return id_; }  // from State::ready on
  [[nodiscard]] const std::string& problem() const { return problem_; }
  // From the first byte of the content to the confirmation; of a finished client.
  [[nodiscard]] Clock::duration latency() const { return finished_ - started_; }

 private:
  static constexpr size_t kPacket = 65'536;

  [[nodiscard]] bool has_packets() const {
    return state_ == State::sending && sent_ < cipher_.size();
  }
  void fail(std::string problem);
  void write_some();
  void write_packet_head();
  void read_some();
  void take_reply(uint16_t code, ByteView payload);
  void take_key(ByteView payload);
  void take_checksum(ByteView payload);
  void send_again();

  int fd_;
  std::string name_;
  const Shared* shared_;
  State state_ = State::logging_in;
  ClientId id_;
  Bytes key_;
  Bytes cipher_;
  size_t sent_ = 0;        // of cipher_
  size_t packet_end_ = 0;  // of the packet whose head was written last
  uint16_t packets_ = 0;   // heads written so far
  Bytes out_;              // small things to send before the content
  size_t out_at_ = 0;
  Bytes in_;
  Clock::time_point started_;
  Clock::time_point finished_;
  bool disputes_ = false;  // and has not done so yet
  std::string problem_;
};

}  // namespace cb::bench
