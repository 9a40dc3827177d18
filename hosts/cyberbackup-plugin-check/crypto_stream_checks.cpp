// SPDX-License-Identifier: Apache-2.0
//
// What a crypto suite must do with sealed objects.
#include <atomic>
#include <set>
#include <thread>

#include "hosts/cyberbackup-plugin-check/catalogue.h"
#include "hosts/cyberbackup-plugin-check/crypto_checks.h"
#include "hosts/cyberbackup-plugin-check/crypto_suite.h"
#include "hosts/cyberbackup-plugin-check/guarded_memory.h"

namespace cb::check {
namespace {

using plugin::Key;

// A suite and a key.
struct Stream {
  CryptoSuite suite;
  Key key;

  static Result<Stream> make(Subject& subject) {
    CB_ASSIGN(CryptoSuite suite, CryptoSuite::make(subject));
    CB_ASSIGN(Key key, suite.new_key(subject));
    return Stream{std::move(suite), std::move(key)};
  }
  [[nodiscard]] size_t chunk() const { return suite.props.chunk_plain; }
};

// A chunk as it is offered to be opened.
struct Offer {
  uint64_t index = 0;
  bool last = true;
  ByteView sealed;
};

// Opening must fail, with auth unless the header is at fault, and must not leave plaintext.
Status refuses(const Stream& stream, ByteView header, const Offer& offer, ByteView plain,
               const std::string& what) {
  auto open = stream.key.open(stream.suite.aad, header);
  if (!open) {
    const Code code = open.error().code;
    return expect(code == Code::auth || code == Code::unsupported || code == Code::corrupt,
                  what + ": the error is " + std::string(name_of(code)));
  }
  const GuardedMemory out(offer.sealed.size());
  const auto size = open->chunk(offer.index, offer.last, offer.sealed, out.span());
  CB_TRY(expect(!size, what + " was not noticed"));
  CB_TRY(expect(size.error().code == Code::auth,
                what + ": the error is " + std::string(name_of(size.error().code)) + ", not auth"));
  return expect(!shows(out.span(), plain), what + " was noticed, but plaintext was left behind");
}

Result<Verdict> seal_open(Subject& subject) {
  CB_ASSIGN(const Stream stream, Stream::make(subject));
  const size_t chunk = stream.chunk();
  for (const size_t size : {size_t{0}, size_t{1}, chunk - 1, chunk, chunk + 1, 3 * chunk}) {
    const Bytes plain = subject.random_bytes(size);
    CB_ASSIGN(const SealedObject sealed, stream.suite.seal(stream.key, plain));
    CB_ASSIGN(const Bytes back, stream.suite.open(stream.key, sealed));
    CB_TRY(expect(back == plain, "an object of " + std::to_string(size) +
                                     " bytes did not open to what was sealed"));
  }
  return passed();
}

Result<Verdict> every_bit_flip_fails(Subject& subject) {
  CB_ASSIGN(const Stream stream, Stream::make(subject));
  const Bytes plain = subject.random_bytes(50);
  CB_ASSIGN(const SealedObject object, stream.suite.seal(stream.key, plain));
  const Bytes& only = object.chunks[0];
  for (size_t bit = 0; bit < 8 * object.header.size(); ++bit)
    CB_TRY(refuses(stream, flipped(object.header, bit), {0, true, only}, plain,
                   "bit " + std::to_string(bit) + " of the header"));
  for (size_t bit = 0; bit < 8 * only.size(); ++bit)
    CB_TRY(refuses(stream, object.header, {0, true, flipped(only, bit)}, plain,
                   "bit " + std::to_string(bit) + " of the chunk"));
  return passed();
}

Result<Verdict> truncate_at_every_chunk(Subject& subject) {
  CB_ASSIGN(const Stream stream, Stream::make(subject));
  const Bytes plain = subject.random_bytes(3 * stream.chunk() + 5);
  CB_ASSIGN(const SealedObject object, stream.suite.seal(stream.key, plain));
  for (size_t keep = 1; keep < object.chunks.size(); ++keep)
    CB_TRY(refuses(stream, object.header, {keep - 1, true, object.chunks[keep - 1]},
                   ByteView(plain).subspan((keep - 1) * stream.chunk(), stream.chunk()),
                   "an end after " + std::to_string(keep) + " of 4 chunks"));
  CB_TRY(refuses(stream, object.header, {3, false, object.chunks[3]},
                 ByteView(plain).subspan(3 * stream.chunk()), "the last chunk as a middle one"));
  for (size_t size = 0; size < object.chunks[3].size(); ++size)
    CB_TRY(refuses(stream, object.header, {3, true, ByteView(object.chunks[3]).first(size)},
                   ByteView(plain).subspan(3 * stream.chunk()),
                   "a chunk cut to " + std::to_string(size) + " bytes"));
  return passed();
}

Result<Verdict> swap_chunks(Subject& subject) {
  CB_ASSIGN(const Stream stream, Stream::make(subject));
  const Bytes plain = subject.random_bytes(3 * stream.chunk());
  CB_ASSIGN(const SealedObject object, stream.suite.seal(stream.key, plain));
  CB_ASSIGN(const SealedObject other, stream.suite.seal(stream.key, plain));
  for (size_t at = 0; at < 3; ++at)
    for (size_t from = 0; from < 3; ++from) {
      const std::string what = "chunk " + std::to_string(from) + " at place " + std::to_string(at);
      const ByteView there = ByteView(plain).subspan(from * stream.chunk(), stream.chunk());
      if (at != from)
        CB_TRY(refuses(stream, object.header, {at, at == 2, object.chunks[from]}, there, what));
      CB_TRY(refuses(stream, object.header, {at, at == 2, other.chunks[from]}, there,
                     what + ", of another object of the same key"));
    }
  return passed();
}

Result<Verdict> wrong_aad(Subject& subject) {
  CB_ASSIGN(const Stream stream, Stream::make(subject));
  const Bytes plain = subject.random_bytes(100);
  CB_ASSIGN(const SealedObject object,
            seal_object(stream.key, stream.suite.props, as_bytes("one"), plain));
  for (const std::string_view aad : {"", "two", "on", "one ", "onE"}) {
    const auto opened = open_object(stream.key, as_bytes(aad), object);
    CB_TRY(expect(!opened && opened.error().code == Code::auth,
                  "'one' opened with '" + std::string(aad) + "', or not auth"));
  }
  return passed();
}

Result<Verdict> wrong_key(Subject& subject) {
  CB_ASSIGN(const Stream stream, Stream::make(subject));
  const Bytes plain = subject.random_bytes(stream.chunk() + 100);
  CB_ASSIGN(const SealedObject object, stream.suite.seal(stream.key, plain));
  for (int round = 0; round < 20; ++round) {
    CB_ASSIGN(const Key other, stream.suite.new_key(subject));
    const auto opened = stream.suite.open(other, object);
    CB_TRY(expect(!opened || *opened != plain, "another key opens the object"));
    if (opened || stream.suite.has(CB_CRYPTO_UNAUTHENTICATED)) continue;
    CB_TRY(expect(opened.error().code == Code::auth,
                  "another key gets " + std::string(name_of(opened.error().code)) + ", not auth"));
  }
  return passed();
}

Result<Verdict> no_plaintext_on_failure(Subject& subject) {
  CB_ASSIGN(const Stream stream, Stream::make(subject));
  const Bytes plain = subject.random_bytes(stream.chunk());
  CB_ASSIGN(const SealedObject object, stream.suite.seal(stream.key, plain));
  const Bytes& only = object.chunks[0];
  // The end first: a plugin that decrypts before it verifies has then written all the rest.
  std::vector<size_t> bits = {8 * only.size() - 1, 8 * only.size() - 8};
  for (int round = 0; round < 50; ++round) bits.push_back(subject.random()() % (8 * only.size()));
  for (const size_t bit : bits)
    CB_TRY(refuses(stream, object.header, {0, true, flipped(only, bit)}, plain,
                   "bit " + std::to_string(bit) + " of a full chunk"));
  return passed();
}

Result<Verdict> headers_never_repeat(Subject& subject) {
  CB_ASSIGN(const Stream stream, Stream::make(subject));
  std::set<Bytes> headers;
  for (int round = 0; round < 100'000; ++round) {
    CB_ASSIGN(const plugin::Seal seal, stream.key.seal(stream.suite.aad));
    CB_TRY(expect(headers.insert(to_bytes(seal.header())).second,
                  "object " + std::to_string(round) + " has the header of an earlier one"));
  }
  return passed();
}

Result<Verdict> sizes_match_props(Subject& subject) {
  CB_ASSIGN(const Stream stream, Stream::make(subject));
  const cb_crypto_props& props = stream.suite.props;
  CB_TRY(expect(props.chunk_plain > 0 && props.key_size > 0 && props.max_chunks > 0,
                "chunk_plain, key_size or max_chunks is 0"));
  for (const size_t size : {size_t{0}, size_t{1}, size_t{17}, stream.chunk()}) {
    CB_ASSIGN(plugin::Seal seal, stream.key.seal(stream.suite.aad));
    CB_TRY(expect(seal.header().size() == props.header_size,
                  "a header has " + std::to_string(seal.header().size()) + " bytes"));
    const GuardedMemory plain(subject.random_bytes(size));
    // Not a byte more than was promised to be enough.
    const GuardedMemory room(size + props.chunk_overhead);
    CB_ASSIGN(const size_t took, seal.chunk(plain.span(), true, room.span()));
    CB_TRY(expect(room.canaries_stand(), "sealing wrote before its room"));
    CB_ASSIGN(plugin::Open open, stream.key.open(stream.suite.aad, seal.header()));
    const GuardedMemory sealed(room.span().first(took));
    const GuardedMemory out(took);
    CB_ASSIGN(const size_t opened, open.chunk(0, true, sealed.span(), out.span()));
    CB_TRY(expect(opened == size && out.canaries_stand(),
                  std::to_string(size) + " bytes opened to " + std::to_string(opened)));
  }
  return passed();
}

Result<Verdict> seal_minds_its_order(Subject& subject) {
  CB_ASSIGN(const Stream stream, Stream::make(subject));
  CB_ASSIGN(plugin::Seal seal, stream.key.seal(stream.suite.aad));
  const Bytes plain = subject.random_bytes(stream.chunk() + 1);
  Bytes out(plain.size() + stream.suite.props.chunk_overhead);
  const auto code_of = [](const Result<size_t>& result) {
    return result ? std::string("done") : std::string(name_of(result.error().code));
  };
  const ByteView few = ByteView(plain).first(5);
  const std::string long_one = code_of(seal.chunk(plain, true, out));
  CB_TRY(expect(long_one == "invalid", "a chunk that is too long got " + long_one));
  const std::string short_one = code_of(seal.chunk(few, false, out));
  CB_TRY(expect(short_one == "invalid", "a short chunk that is not the last got " + short_one));
  const std::string narrow = code_of(seal.chunk(few, true, ByteSpan(out).first(1)));
  CB_TRY(expect(narrow == "too-small", "a room of one byte got " + narrow));
  CB_ASSIGN(const size_t size, seal.chunk(few, true, out));
  const std::string spent = code_of(seal.chunk({}, true, out));
  CB_TRY(expect(spent == "state", "a chunk after the last got " + spent));
  out.resize(size);
  CB_ASSIGN(const Bytes back, stream.suite.open(stream.key, {to_bytes(seal.header()), {out}}));
  CB_TRY(expect(std::equal(back.begin(), back.end(), few.begin(), few.end()),
                "what was sealed after refusals does not open"));
  return passed();
}

Result<Verdict> in_parallel(Subject& subject) {
  CB_ASSIGN(const Stream stream, Stream::make(subject));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    std::vector<Bytes> plains;
    for (size_t round = 0; round < 25; ++round)
      plains.push_back(subject.random_bytes(1000 * round));
    threads.emplace_back([&stream, &wrong, plains = std::move(plains)] {
      for (const Bytes& plain : plains) {
        const auto sealed = stream.suite.seal(stream.key, plain);
        if (!sealed) {
          ++wrong;
          continue;
        }
        const auto back = stream.suite.open(stream.key, *sealed);
        if (!back || *back != plain) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CB_TRY(expect(wrong == 0, std::to_string(wrong) + " of 100 objects did not come back"));
  return passed();
}

}  // namespace

std::vector<Check> crypto_stream_checks() {
  const auto check = [](std::string_view name, std::string_view sentence,
                        Result<Verdict> (*run)(Subject&), Applies applies) {
    return Check{
        .name = name, .sentence = sentence, .group = Group::crypto, .run = run, .applies = applies};
  };
  return {
      check("seal-open", "What was sealed opens: 0, 1, a chunk less and more one byte, 3 chunks.",
            seal_open, kStreams),
      check("every-bit-flip-fails", "A change of any bit of header or chunk is noticed.",
            every_bit_flip_fails, kSealedStreams),
      check("truncate-at-every-chunk", "An object that ends early is noticed.",
            truncate_at_every_chunk, kSealedStreams),
      check("swap-chunks", "A chunk opens at its own place of its own object only.", swap_chunks,
            kSealedStreams),
      check("wrong-aad", "Other associated data opens nothing.", wrong_aad, kSealedStreams),
      check("wrong-key", "Another key opens nothing.", wrong_key, kStreams),
      check("no-plaintext-on-failure", "Plaintext leaves only after its tag was verified.",
            no_plaintext_on_failure, kSealedStreams),
      check("headers-never-repeat", "100,000 objects have 100,000 headers.", headers_never_repeat,
            kSealedStreams),
      check("sizes-match-props", "Everything fits into the room that props promises.",
            sizes_match_props, kStreams),
      check("seal-minds-its-order", "Refusals leave a seal as it was; the last chunk ends it.",
            seal_minds_its_order, kStreams),
      check("in-parallel", "One key serves several threads.", in_parallel, kStreams),
  };
}

}  // namespace cb::check
