// SPDX-License-Identifier: Apache-2.0
//
// Two ends of one connection over the loopback, made by the transport under check: by itself when
// it is a root, above transport-tcp when it is a filter. Waits have an end. Each pair is used by
// one thread; TransportEnds by one at a time.
#pragma once

#include <memory>

#include "core/plugin/transport.h"
#include "hosts/cyberbackup-plugin-check/check.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {

// A root that listens, or a filter: what a pair can be made of.
Result<Verdict> with_pairs(Subject& subject, Result<Verdict> (*run)(Subject& subject));

struct TransportPair {
  std::unique_ptr<plugin::Stream> client;
  std::unique_ptr<plugin::Stream> server;

  // Drives both handshakes to their end.
  Status stand();
};

class TransportEnds {
 public:
  static Result<TransportEnds> make(Subject& subject);

  // Both ends; no handshake was begun.
  Result<TransportPair> connect();
  // Both ends stand.
  Result<TransportPair> stand();
  // The accepting end of the transport, and a plain socket as its peer.
  Result<std::unique_ptr<plugin::Stream>> accept_plain(int& peer);

 private:
  TransportEnds(plugin::Transport own, plugin::Transport root, plugin::Listener listener,
                bool filters)
      : own_(std::move(own)),
        root_(std::move(root)),
        listener_(std::move(listener)),
        filters_(filters) {}
  Result<std::unique_ptr<plugin::Stream>> above(std::unique_ptr<plugin::Stream> below,
                                                uint32_t direction);
  Result<std::unique_ptr<plugin::Stream>> accept();

  plugin::Transport own_;
  plugin::Transport root_;  // the same when it is a root
  plugin::Listener listener_;
  bool filters_;
};

// Waits, at most 5 s, for what a step wants.
Status wait_for(const plugin::Stream& stream, plugin::IoStep step);
// Is the descriptor ready for these events of poll(2) now?
bool is_ready(int fd, short events);

Status write_all(plugin::Stream& stream, ByteView from);
// Fills `into`; the end before that is an error.
Status read_all(plugin::Stream& stream, ByteSpan into);
// Sends `content` through both ends at once, in pieces of at most `piece` bytes at either end, and
// fails unless it arrives as it was.
Status transfer(plugin::Stream& from, plugin::Stream& to, ByteView content, size_t piece);
// Shuts down, whatever that wants on the way.
Status shut_down(plugin::Stream& stream);

}  // namespace cb::check
