// SPDX-License-Identifier: Apache-2.0
//
// How bytes move through a transport, and what it says of waiting.
#include <poll.h>
#include <sys/socket.h>

#include <thread>

#include "hosts/cyberbackup-plugin-check/transport_checks.h"
#include "hosts/cyberbackup-plugin-check/transport_pair.h"

namespace cb::check {
namespace {

using plugin::IoResult;
using plugin::IoStep;
using plugin::Stream;

Result<Verdict> bytes_arrive(Subject& subject) {
  CB_ASSIGN(TransportEnds ends, TransportEnds::make(subject));
  CB_ASSIGN(const TransportPair pair, ends.stand());
  for (const size_t size : {1U, 7U, 1000U, 16384U, 16385U, 100'003U, 1U << 20, 8U << 20}) {
    const Bytes content = subject.random_bytes(size);
    CB_TRY(transfer(*pair.client, *pair.server, content, 64U << 10));
    CB_TRY(transfer(*pair.server, *pair.client, content, 64U << 10));
  }
  return passed();
}

Result<Verdict> one_byte_io(Subject& subject) {
  CB_ASSIGN(TransportEnds ends, TransportEnds::make(subject));
  CB_ASSIGN(const TransportPair pair, ends.stand());
  CB_TRY(transfer(*pair.client, *pair.server, subject.random_bytes(2000), 1));
  // Read byte by byte what came at once, and the other way round.
  const Bytes content = subject.random_bytes(2000);
  CB_TRY(write_all(*pair.client, content));
  Bytes came(content.size());
  for (size_t i = 0; i < came.size(); ++i)
    CB_TRY(read_all(*pair.server, ByteSpan(came).subspan(i, 1)));
  CB_TRY(expect(came == content, "2,000 bytes read one by one arrived changed"));
  for (size_t i = 0; i < content.size(); ++i)
    CB_TRY(write_all(*pair.server, ByteView(content).subspan(i, 1)));
  CB_TRY(read_all(*pair.client, came));
  CB_TRY(expect(came == content, "2,000 bytes written one by one arrived changed"));
  return passed();
}

Result<Verdict> short_writes(Subject& subject) {
  CB_ASSIGN(TransportEnds ends, TransportEnds::make(subject));
  CB_ASSIGN(const TransportPair pair, ends.stand());
  // The system takes little at a time.
  const int little = 4096;
  (void)::setsockopt(pair.client->fd(), SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
  CB_TRY(transfer(*pair.client, *pair.server, subject.random_bytes(1U << 20), 1U << 20));
  CB_TRY(transfer(*pair.client, *pair.server, subject.random_bytes(300'007), 7001));
  return passed();
}

// Reads until the stream says that it must wait; what it says must then be so.
Status waits_honestly(Stream& stream) {
  for (int tries = 0; tries < 10; ++tries) {
    Bytes into(1000);
    CB_ASSIGN(const IoResult got, stream.read(into));
    CB_TRY(expect(got.step == IoStep::want_read && got.bytes == 0,
                  "a read without data did not want to read"));
    // What the transport sends by itself may have come in between.
    if (!is_ready(stream.fd(), POLLIN)) return {};
  }
  return expect(false, "it wants to read while its descriptor is readable: who waits would spin");
}

Result<Verdict> would_block_is_honest(Subject& subject) {
  CB_ASSIGN(TransportEnds ends, TransportEnds::make(subject));
  CB_ASSIGN(const TransportPair pair, ends.stand());
  CB_TRY(waits_honestly(*pair.server));
  CB_TRY(waits_honestly(*pair.client));
  CB_TRY(write_all(*pair.client, as_bytes("x")));
  CB_TRY(wait_for(*pair.server, IoStep::want_read));
  Bytes one(1);
  CB_TRY(read_all(*pair.server, one));
  // Now nobody reads, until nothing more is taken.
  const Bytes much = subject.random_bytes(1U << 20);
  ByteView offered = much;
  IoResult wrote;
  size_t total = 0;
  while (wrote.step == IoStep::ok) {
    if (offered.empty()) offered = much;
    CB_ASSIGN(wrote, pair.client->write(offered));
    offered = offered.subspan(wrote.bytes);
    total += wrote.bytes;
    CB_TRY(expect(total < (256U << 20), "256 MiB were taken although nobody reads"));
  }
  CB_TRY(expect(wrote.step == IoStep::want_write, "a write that cannot go on wants to read"));
  CB_TRY(expect(!is_ready(pair.client->fd(), POLLOUT),
                "it wants to write while its descriptor is writable"));
  Bytes sink(total);
  size_t got = 0;
  while (got < total && !is_ready(pair.client->fd(), POLLOUT)) {
    CB_ASSIGN(const IoResult read, pair.server->read(ByteSpan(sink).subspan(got)));
    got += read.bytes;
    if (read.step != IoStep::ok) CB_TRY(wait_for(*pair.server, read.step));
  }
  // After a want the same bytes are offered again.
  CB_TRY(wait_for(*pair.client, IoStep::want_write));
  CB_ASSIGN(const IoResult again, pair.client->write(offered));
  CB_TRY(expect(again.step == IoStep::ok, "ready to write, but still nothing is taken"));
  return passed();
}

Result<Verdict> fd_is_constant(Subject& subject) {
  CB_ASSIGN(TransportEnds ends, TransportEnds::make(subject));
  CB_ASSIGN(TransportPair pair, ends.connect());
  const int client = pair.client->fd();
  const int server = pair.server->fd();
  const auto constant = [&](const std::string& when) {
    return expect(pair.client->fd() == client && pair.server->fd() == server,
                  "the descriptor is another one after " + when);
  };
  CB_TRY(expect(client >= 0 && server >= 0, "a stream has no descriptor"));
  CB_TRY(pair.stand());
  CB_TRY(constant("the handshake"));
  CB_TRY(transfer(*pair.client, *pair.server, subject.random_bytes(100'000), 1000));
  CB_TRY(constant("reading and writing"));
  CB_TRY(shut_down(*pair.client));
  CB_TRY(constant("shutdown"));
  return passed();
}

Result<Verdict> two_streams_parallel(Subject& subject) {
  CB_ASSIGN(TransportEnds ends, TransportEnds::make(subject));
  constexpr size_t kStreams = 2;
  std::vector<TransportPair> pairs(kStreams);
  for (TransportPair& pair : pairs) {
    CB_ASSIGN(pair, ends.connect());
  }
  const Bytes content = subject.random_bytes(2U << 20);
  std::vector<Status> results(kStreams);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kStreams; ++i)
    threads.emplace_back([&pair = pairs[i], &result = results[i], &content] {
      result = [&]() -> Status {
        CB_TRY(pair.stand());
        CB_TRY(transfer(*pair.client, *pair.server, content, 10'007));
        return transfer(*pair.server, *pair.client, content, 10'007);
      }();
    });
  for (std::thread& thread : threads) thread.join();
  for (const Status& result : results) CB_TRY(result);
  return passed();
}

}  // namespace

std::vector<Check> transport_flow_checks() {
  const auto check = [](std::string_view name, std::string_view sentence,
                        Result<Verdict> (*run)(Subject&)) {
    return Check{.name = name,
                 .sentence = sentence,
                 .group = Group::transport,
                 .run = run,
                 .applies = {.interface_id = CB_TRANSPORT_INTERFACE}};
  };
  return {
      check("bytes-arrive", "1 byte to 8 MiB arrive unchanged and in order, in both directions.",
            [](Subject& subject) { return with_pairs(subject, bytes_arrive); }),
      check("one-byte-io", "Reading and writing byte by byte works.",
            [](Subject& subject) { return with_pairs(subject, one_byte_io); }),
      check("short-writes", "Nothing is lost when little is taken at a time.",
            [](Subject& subject) { return with_pairs(subject, short_writes); }),
      check("would-block-is-honest", "What a stream wants to wait for, its descriptor announces.",
            [](Subject& subject) { return with_pairs(subject, would_block_is_honest); }),
      check("fd-is-constant", "The descriptor stays the same for the life of a stream.",
            [](Subject& subject) { return with_pairs(subject, fd_is_constant); }),
      check("two-streams-parallel", "Streams of one instance serve two threads.",
            [](Subject& subject) { return with_pairs(subject, two_streams_parallel); }),
  };
}

}  // namespace cb::check
