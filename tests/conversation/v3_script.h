// SPDX-License-Identifier: Apache-2.0
//
// A server of protocol v3 that answers as a script says, and honestly when the script is over. Used
// by the thread of who writes to it.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>

#include "core/protocol/header.h"
#include "core/protocol/v3/messages.h"
#include "tests/conversation/memory_transport.h"
#include "tests/conversation/script_reader.h"

namespace cb::conversation {

// What an honest server would know, and what it was heard to say.
struct ScriptedFiles {
  ClientId client;
  std::array<std::byte, v3::kWrappedKeySize> wrapped_key{};  // for the client's key
  std::map<std::string, uint32_t> checksums;                 // right ones, of files by name
  std::map<std::string, bool> said_right;  // a right 1603 was said; reset for each input
  uint64_t acknowledged = 0;               // 1604 that were said
};

class V3Script final : public Answerer {
 public:
  enum Kind : uint8_t {
    honest,  //
    bent,    // the honest answer; a: how, x: where, y: with what
    reply,   // x: code, a: dialect, bytes are the payload
    sized,   // x: code, y: payload size said; bytes are the payload
    file,    // 1603; a: what is wrong
    key,     // a: 1602 or 1605, b: what is wrong
    raw,     // bytes
    silence,
    end,
    kinds
  };

  V3Script(ScriptedFiles& files, std::shared_ptr<Script> script)
      : files_(files), script_(std::move(script)) {}

  bool take(ByteView sent, Bytes& out) override;

 private:
  struct Asked {
    v3::Request code{};
    Bytes payload;
  };

  bool answer(const Asked& asked, Bytes& out);
  bool play(const Step& step, const Asked& asked, Bytes& out);
  void send_honestly(const Asked& asked, Bytes& out) const;
  void send_bent(const Step& step, const Asked& asked, Bytes& out) const;
  void send_file(const Step& step, const Asked& asked, Bytes& out) const;
  void send_key(const Step& step, Bytes& out) const;
  static bool is_last(const Asked& asked);
  [[nodiscard]] Bytes file_answer(const Asked& asked, uint32_t spoil) const;
  void note(ByteView said);

  ScriptedFiles& files_;
  const std::shared_ptr<Script> script_;
  Bytes in_;
  Bytes said_;  // of answers that are not whole yet
};

}  // namespace cb::conversation
