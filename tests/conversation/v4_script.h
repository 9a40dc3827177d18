// SPDX-License-Identifier: Apache-2.0
//
// A server of protocol v4 that answers as a script says, and honestly when the script is over. Used
// by the thread of who writes to it.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <vector>

#include "core/protocol/v4/frame.h"
#include "core/protocol/v4/messages.h"
#include "tests/conversation/memory_transport.h"
#include "tests/conversation/script_reader.h"
#include "tests/v4/v4_invited.h"

namespace cb::conversation {

// The account that all clients are of. Keys are the same for the whole process.
struct ScriptedAccount {
  ScriptedAccount();

  server::V4Owner owner;
  identity::SigningKey server_key;
  server::V4Invited invited;
};

class V4Script final : public Answerer {
 public:
  enum Kind : uint8_t {
    honest,   //
    bent,     // the honest answer; a: how, x: where, y: with what
    message,  // x: code, a: id, bytes are the message, y: bulk
    raw,      // bytes
    taken,    // x: bytes, y: durable
    refuse,   // a: code, b: fatal, id; bytes are the text
    blob,     // x: stored size said, y: bytes that come, a: id, b: frames
    silence,  //
    end,      //
    greet,    // a: version, x: frame_max, y: credit, b: lease and heartbeat
    list,     // snapshots, x of them, that say whether more come; a
    many,     // an answer of x ids or bytes where another number was asked for
    kinds
  };

  V4Script(const ScriptedAccount& account, std::shared_ptr<Script> script)
      : account_(account), script_(std::move(script)) {}

  bool take(ByteView sent, Bytes& out) override;

 private:
  struct Asked {
    v4::Request code{};
    uint32_t id = 0;
    Bytes message;
    size_t bulk = 0;
  };

  bool answer(const Asked& asked, Bytes& out);
  bool play(const Step& step, const Asked& asked, Bytes& out);
  void play_more(const Step& step, const Asked& asked, Bytes& out);
  void send_honestly(const Asked& asked, Bytes& out);
  void send_bent(const Step& step, const Asked& asked, Bytes& out);
  void send_blob(const Step& step, const Asked& asked, Bytes& out) const;
  void send_blobs(const Asked& asked, Bytes& out) const;
  void send_list(const Step& step, const Asked& asked, Bytes& out) const;
  void send_many(const Step& step, const Asked& asked, Bytes& out) const;
  [[nodiscard]] Bytes honest_message(const Asked& asked, v4::Response& code) const;
  [[nodiscard]] Bytes record_message(const Asked& asked, v4::Response& code) const;
  [[nodiscard]] Bytes entrance_message(const Asked& asked, v4::Response& code) const;
  [[nodiscard]] v4::pb::HelloReply hello() const;
  [[nodiscard]] Bytes receipt(const Asked& asked) const;
  [[nodiscard]] uint32_t id_for(unsigned how, const Asked& asked) const;
  static void append(Bytes& out, v4::Response code, uint32_t id, ByteView message,
                     ByteView bulk = {});

  const ScriptedAccount& account_;
  const std::shared_ptr<Script> script_;
  Bytes in_;
  uint64_t bulk_ = 0, whole_ = 0;
};

}  // namespace cb::conversation
