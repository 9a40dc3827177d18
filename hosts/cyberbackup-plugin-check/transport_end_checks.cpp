// SPDX-License-Identifier: Apache-2.0
//
// How streams of a transport begin and end, and what they say when that goes wrong.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "hosts/cyberbackup-plugin-check/transport_checks.h"
#include "hosts/cyberbackup-plugin-check/transport_pair.h"

namespace cb::check {
namespace {

using plugin::IoResult;
using plugin::IoStep;
using plugin::Stream;
using std::chrono::steady_clock;

constexpr Applies kAny = {.interface_id = CB_TRANSPORT_INTERFACE};
// Filters that have a handshake of their own.
constexpr Applies kSecureFilters = {.interface_id = CB_TRANSPORT_INTERFACE,
                                    .with = CB_TRANSPORT_FILTER | CB_TRANSPORT_ENCRYPTS};
constexpr Applies kSecure = {.interface_id = CB_TRANSPORT_INTERFACE, .with = CB_TRANSPORT_ENCRYPTS};

// A descriptor that is closed with its owner.
class Socket {
 public:
  Socket() = default;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { hang_up(); }
  void hang_up() {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  int fd = -1;
};

// How the stream ends: "end", or the code of its failure. Bytes before that are dropped.
Result<std::string> end_of(Stream& stream) {
  Bytes into(4096);
  while (true) {
    const auto got = stream.read(into);
    if (!got) return std::string(name_of(got.error().code));
    if (got->step == IoStep::end) return std::string("end");
    if (got->step != IoStep::ok) CB_TRY(wait_for(stream, got->step));
  }
}

Result<Verdict> half_close(Subject& subject) {
  CB_ASSIGN(TransportEnds ends, TransportEnds::make(subject));
  CB_ASSIGN(const TransportPair pair, ends.stand());
  CB_TRY(write_all(*pair.client, as_bytes("last words")));
  CB_TRY(shut_down(*pair.client));
  CB_TRY(shut_down(*pair.client));
  Bytes came(10);
  CB_TRY(read_all(*pair.server, came));
  CB_TRY(expect(as_text(came) == "last words", "what came before the end arrived changed"));
  CB_ASSIGN(const std::string end, end_of(*pair.server));
  CB_TRY(expect(end == "end", "a clean end is read as " + end));
  CB_TRY(transfer(*pair.server, *pair.client, subject.random_bytes(100'000), 10'000));
  const auto late = pair.client->write(as_bytes("x"));
  CB_TRY(expect(!late && late.error().code == Code::state,
                "a write after shutdown was not answered with state"));
  CB_TRY(shut_down(*pair.server));
  CB_ASSIGN(const std::string other, end_of(*pair.client));
  CB_TRY(expect(other == "end", "the clean end of the other side is read as " + other));
  return passed();
}

Result<Verdict> peer_reset(Subject& subject) {
  CB_ASSIGN(TransportEnds ends, TransportEnds::make(subject));
  CB_ASSIGN(TransportPair pair, ends.stand());
  const linger now{1, 0};
  (void)::setsockopt(pair.server->fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  pair.server.reset();
  CB_TRY(wait_for(*pair.client, IoStep::want_read));
  CB_ASSIGN(const std::string end, end_of(*pair.client));
  CB_TRY(expect(end == "closed", "a connection that was reset is read as " + end));
  const auto wrote = pair.client->write(as_bytes("x"));
  CB_TRY(expect(!wrote && (wrote.error().code == Code::closed || wrote.error().code == Code::state),
                "a write to a peer that is gone was not answered with closed or state"));
  return passed();
}

Result<Verdict> truncation_is_not_end(Subject& subject) {
  CB_ASSIGN(TransportEnds ends, TransportEnds::make(subject));
  CB_ASSIGN(const TransportPair pair, ends.stand());
  CB_TRY(transfer(*pair.server, *pair.client, as_bytes("half a message"), 100));
  // The stream below ends cleanly; this one was not ended by its peer.
  CB_TRY(expect(::shutdown(pair.server->fd(), SHUT_WR) == 0, "cannot end the stream below"));
  CB_ASSIGN(const std::string end, end_of(*pair.client));
  CB_TRY(expect(end == "closed", "a stream that was cut is read as " + end));
  return passed();
}

// What the accepting end's handshake comes to while its peer says `said`, at most 5 s.
Result<Verdict> meets_garbage(TransportEnds& ends, ByteView said) {
  Socket peer;
  CB_ASSIGN(const auto server, ends.accept_plain(peer.fd));
  CB_TRY(expect(
      ::send(peer.fd, said.data(), said.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(said.size()),
      "cannot send to the listener"));
  // Who waits for more of it learns that there is none.
  CB_TRY(expect(::shutdown(peer.fd, SHUT_WR) == 0, "cannot end the peer's stream"));
  const auto deadline = steady_clock::now() + std::chrono::seconds(5);
  while (steady_clock::now() < deadline) {
    const auto step = server->handshake();
    if (!step)
      return expect(step.error().code == Code::corrupt || step.error().code == Code::closed ||
                        step.error().code == Code::auth || step.error().code == Code::unsupported,
                    "garbage is answered with " + std::string(name_of(step.error().code)))
          .map([] { return passed(); });
    CB_TRY(expect(*step != IoStep::ok, "garbage passes for a handshake"));
    CB_TRY(wait_for(*server, *step));
  }
  return found_wrong("the handshake still waits after garbage and the end of the stream");
}

Result<Verdict> handshake_garbage(Subject& subject) {
  CB_ASSIGN(TransportEnds ends, TransportEnds::make(subject));
  CB_TRY(meets_garbage(ends, as_bytes("GET / HTTP/1.0\r\n\r\n")));
  for (const size_t size : {1U, 5U, 100U, 20'000U})
    CB_TRY(meets_garbage(ends, subject.random_bytes(size)));
  CB_TRY(meets_garbage(ends, Bytes(1000)));
  return passed();
}

Result<Verdict> handshake_stall(Subject& subject) {
  CB_ASSIGN(TransportEnds ends, TransportEnds::make(subject));
  Socket peer;
  CB_ASSIGN(const auto server, ends.accept_plain(peer.fd));
  for (int tries = 0; tries < 3; ++tries) {
    const auto began = steady_clock::now();
    CB_ASSIGN(const IoStep step, server->handshake());
    CB_TRY(expect(step == IoStep::want_read, "with a silent peer it does not want to read"));
    CB_TRY(expect(steady_clock::now() - began < std::chrono::seconds(1),
                  "with a silent peer it blocks"));
    CB_TRY(expect(!is_ready(server->fd(), POLLIN), "its descriptor is readable all the same"));
  }
  peer.hang_up();
  CB_TRY(wait_for(*server, IoStep::want_read));
  const auto end = server->handshake();
  CB_TRY(expect(!end && end.error().code == Code::closed,
                "a peer that leaves in the handshake was not answered with closed"));
  return passed();
}

Result<Verdict> handshake_comes_first(Subject& subject) {
  CB_ASSIGN(TransportEnds ends, TransportEnds::make(subject));
  CB_ASSIGN(const TransportPair pair, ends.connect());
  Bytes into(10);
  const auto read = pair.client->read(into);
  CB_TRY(expect(!read && read.error().code == Code::state,
                "a read before the handshake was not answered with state"));
  const auto wrote = pair.client->write(into);
  CB_TRY(expect(!wrote && wrote.error().code == Code::state,
                "a write before the handshake was not answered with state"));
  return passed();
}

size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

// Takes a pair `steps` steps far, then closes it.
Status close_after(TransportEnds& ends, int steps) {
  CB_ASSIGN(TransportPair pair, ends.connect());
  for (int i = 0; i < steps; ++i) {
    (void)pair.client->handshake();
    (void)pair.server->handshake();
  }
  return {};
}

Result<Verdict> close_at_every_step(Subject& subject) {
  CB_ASSIGN(TransportEnds ends, TransportEnds::make(subject));
  CB_TRY(close_after(ends, 0));
  const size_t before = open_descriptors();
  for (int steps = 0; steps < 8; ++steps) CB_TRY(close_after(ends, steps));
  {
    CB_ASSIGN(TransportPair unread, ends.stand());
    CB_TRY(write_all(*unread.client, subject.random_bytes(10'000)));
    unread.client.reset();
    CB_ASSIGN(TransportPair ended, ends.stand());
    CB_TRY(shut_down(*ended.server));
    CB_ASSIGN(TransportEnds others, TransportEnds::make(subject));
    CB_ASSIGN(const TransportPair waiting, others.connect());
  }
  const size_t after = open_descriptors();
  CB_TRY(expect(after <= before, std::to_string(after - std::min(before, after)) +
                                     " descriptors are left open by closed streams"));
  return passed();
}

Result<Verdict> info_is_told(Subject& subject) {
  CB_ASSIGN(TransportEnds ends, TransportEnds::make(subject));
  CB_ASSIGN(const TransportPair pair, ends.stand());
  CB_ASSIGN(const Bytes protocol, pair.client->info(CB_INFO_PROTOCOL));
  CB_TRY(expect(!protocol.empty(), "the protocol has no name"));
  CB_TRY(expect(std::ranges::find(protocol, std::byte{0}) == protocol.end(),
                "the protocol's name has a zero byte"));
  const auto nothing = pair.client->info(987'654);
  CB_TRY(expect(!nothing && nothing.error().code == Code::unsupported,
                "an unknown question was not answered with unsupported"));
  return passed();
}

Result<Verdict> channel_binding_agrees(Subject& subject) {
  CB_ASSIGN(TransportEnds ends, TransportEnds::make(subject));
  CB_ASSIGN(const TransportPair pair, ends.stand());
  CB_ASSIGN(const TransportPair other, ends.stand());
  CB_ASSIGN(const Bytes here, pair.client->info(CB_INFO_CHANNEL_BINDING));
  CB_ASSIGN(const Bytes there, pair.server->info(CB_INFO_CHANNEL_BINDING));
  CB_ASSIGN(const Bytes others, other.client->info(CB_INFO_CHANNEL_BINDING));
  CB_TRY(expect(here.size() == 32,
                "the channel binding has " + std::to_string(here.size()) + " bytes, not 32"));
  CB_TRY(expect(here == there, "the two ends have different channel bindings"));
  CB_TRY(expect(here != others, "two connections have the same channel binding"));
  return passed();
}

}  // namespace

std::vector<Check> transport_end_checks() {
  const auto check = [](std::string_view name, std::string_view sentence,
                        Result<Verdict> (*run)(Subject&), Applies applies) {
    return Check{.name = name,
                 .sentence = sentence,
                 .group = Group::transport,
                 .run = run,
                 .applies = applies};
  };
  return {
      check(
          "half-close", "A side that has ended still reads; its peer reads the end.",
          [](Subject& subject) { return with_pairs(subject, half_close); }, kAny),
      check(
          "peer-reset", "A connection that was reset is closed, which is not an end.",
          [](Subject& subject) { return with_pairs(subject, peer_reset); }, kAny),
      check("truncation-is-not-end", "A stream that is cut below is not read as ended.",
            truncation_is_not_end, kSecureFilters),
      check("handshake-garbage", "Bytes that are no handshake fail it.", handshake_garbage,
            kSecureFilters),
      check("handshake-stall", "A silent peer does not block; one that leaves is noticed.",
            handshake_stall, kSecureFilters),
      check(
          "handshake-comes-first", "Before the handshake nothing is read or written.",
          [](Subject& subject) { return with_pairs(subject, handshake_comes_first); }, kAny),
      check(
          "close-at-every-step", "A stream can be closed at any time and leaves nothing open.",
          [](Subject& subject) { return with_pairs(subject, close_at_every_step); }, kAny),
      check(
          "info-is-told", "A stream knows its protocol and admits what it does not know.",
          [](Subject& subject) { return with_pairs(subject, info_is_told); }, kAny),
      check(
          "channel-binding-agrees", "Both ends know one channel binding, each connection its own.",
          [](Subject& subject) { return with_pairs(subject, channel_binding_agrees); }, kSecure),
  };
}

}  // namespace cb::check
