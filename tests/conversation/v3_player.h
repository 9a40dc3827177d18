// SPDX-License-Identifier: Apache-2.0
//
// Plays steps as a client of protocol v3 against the real session, and remembers what it sent: what
// the server shows afterwards must be of that. One thread.
#pragma once

#include <array>
#include <map>
#include <set>

#include "core/identity/signing.h"
#include "core/protocol/header.h"
#include "core/protocol/v3/messages.h"
#include "tests/conversation/in_process_server.h"
#include "tests/conversation/steps.h"
#include "tests/v3/v3_peer.h"

namespace cb::conversation {

class V3Player {
 public:
  enum Kind : uint8_t {
    sign_up,       // a: who, b: what name
    send_key,      // a: who, b: what key
    reconnect,     // a: who, b: under what id
    upload,        // a: who, b: which file, c: style, x: size, y: what is wrong; all packets
    packet,        // the same, of its packets number y alone
    verdict,       // a: who, b: which file, c: 1029, 1030 or 1031
    raw,           // bytes
    cut,           // of the next request only x bytes are sent
    new_line,      // closes; what follows goes over another connection. a: the dialect
    end_sending,   //
    wait,          // a: how long
    at_once,       // a: do requests that follow wait for answers?
    stop_reading,  // a: or go on
    header,        // a: version, x: code, y: payload size, bytes
    back_up,       // a: who, b: which file, c: style, x: size: all that a good client does
    kinds
  };

  // `number` makes the names of the clients.
  V3Player(InProcessServer& server, uint64_t number);

  void play(const Step& step);
  // Closes, then checks what must hold.
  void finish();

 private:
  struct Client {
    std::string name;
    ClientId id;
    Bytes key, key_before;
    uint64_t confirms = 0;             // 1029 that were sent
    uint64_t versions = 0;             // that were seen
    bool may_show = false;             // something was confirmed since
    std::set<identity::Hash> sent[4];  // contents, of each file
    std::set<uint32_t> checksums[4];   // of the same
    bool is_spoilt = false;            // somebody sent bytes of which this knows nothing
  };
  struct Packet {
    v3::FileHead head;
    Bytes content;
  };

  void request(const ClientId& id, v3::Request code, std::initializer_list<ByteView> parts);
  void send(Bytes bytes);
  void send_file(Client& who, const Step& step, bool alone);
  std::vector<Packet> packets(const Client& who, const Step& step, ByteView plain) const;
  void good_backup(const Step& step);
  void send_header(const Step& step);
  void do_sign_up(const Step& step);
  void do_send_key(const Step& step);
  void do_reconnect(const Step& step);
  void do_verdict(const Step& step);
  void settle();
  void take_answers();
  void take_answer(v3::Reply reply, ByteView payload);
  void take_id(const ClientId& id);
  void take_key(ByteView payload);
  void take_file(ByteView payload);
  void look_at_versions(Client& who);
  void check_content(Client& who, const catalog::LegacyVersion& version);
  void spoil();
  void renew_line(int version);
  Client& who_of(const Step& step) { return clients_[step.a % clients_.size()]; }

  InProcessServer& server_;
  const std::string address_;
  std::array<Client, 2> clients_;
  std::unique_ptr<Line> line_;
  Client* asking_ = nullptr;  // whose answer is awaited
  bool at_once_ = false;
  bool checks_store_ = false;
  bool spoilt_ = false;  // on this line
  std::optional<size_t> cut_;
};

}  // namespace cb::conversation
