// SPDX-License-Identifier: Apache-2.0
//
// One connection of protocol v4 as its peer has it, and the rules of what may be answered: it reads
// along what is sent, byte for byte, and holds each answer against that. One thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "core/protocol/v4/frame.h"
#include "core/protocol/v4/messages.h"
#include "core/protocol/v4/privileges.h"
#include "tests/conversation/in_process_server.h"
#include "tests/v4/v4_invited.h"

namespace cb::conversation {

// What was asked, as the bytes say.
class SentFrames {
 public:
  struct Frame {
    v4::Request code{};
    uint32_t id = 0;
    uint32_t message = 0, bulk = 0;  // bytes
  };
  // Takes bytes that were sent; `whole` hears of each frame whose head is there.
  void take(ByteView bytes, const std::function<void(const Frame&)>& whole);
  // Came something that is no frame? Then the server reads nothing more as one.
  [[nodiscard]] bool is_broken() const { return broken_; }

 private:
  static constexpr size_t kHead = protocol::kRequestHeaderSize + v4::kFrameHeadSize;
  bool decode(const std::function<void(const Frame&)>& whole);

  Bytes head_;
  uint64_t skip_ = 0;  // of the frame under way
  bool broken_ = false;
};

struct V4Answered {
  v4::Response code{};
  uint32_t id = 0;
  Bytes message;
  Bytes bulk;
};

class V4Talk {
 public:
  V4Talk(InProcessServer& server, const std::string& address);

  // Sends a frame; the id is the next one, or the one given.
  uint32_t request(v4::Request code, ByteView message, ByteView bulk = {}, uint32_t id = 0);
  uint32_t request(v4::Request code, const google::protobuf::MessageLite& message) {
    return request(code, v4::encode(message));
  }
  void send(Bytes bytes);
  // The next frame's byte `at` is changed, or it ends there.
  void spoil_next(uint16_t at, std::byte with) { spoil_ = {at, with, false}; }
  void cut_next(uint16_t at) { spoil_ = {at, std::byte{}, true}; }

  void hello(const v4::pb::Hello& hello);
  [[nodiscard]] Bytes statement(const repository::DeviceId& device) const;
  // The session will have this standing when request `id` is granted.
  void expect_standing(uint32_t id, v4::Standing standing) { entrances_[id] = standing; }

  // Takes what has come, and judges it. `answered` hears of each frame.
  void receive(const std::function<void(const V4Answered&)>& answered);
  [[nodiscard]] v4::Standing standing() const { return standing_; }
  [[nodiscard]] bool was_spoilt() const { return was_spoilt_; }
  Line& line() { return *line_; }

 private:
  struct Asked {
    v4::Request code{};
    uint32_t id = 0;
  };
  struct Spoil {
    uint16_t at = 0;
    std::byte with{};
    bool cuts = false;
  };
  void judge(const V4Answered& answer);
  void judge_taken(const V4Answered& answer);
  void judge_failure(const V4Answered& answer);
  void granted(const Asked& asked);

  InProcessServer& server_;
  std::unique_ptr<Line> line_;
  SentFrames sent_;
  std::deque<Asked> asked_;
  std::set<uint32_t> put_ids_;
  std::map<uint32_t, v4::Standing> entrances_;
  std::optional<Spoil> spoil_;
  bool was_spoilt_ = false;
  bool is_ended_ = false;  // a fatal failure came
  v4::Standing standing_ = v4::Standing::fresh;
  uint32_t next_id_ = 1;
  uint64_t bulk_ = 0, puts_ = 0, taken_ = 0, durable_ = 0;
  Bytes hello_, reply_;
};

}  // namespace cb::conversation
