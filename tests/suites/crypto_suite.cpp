// SPDX-License-Identifier: Apache-2.0
//
// What every crypto plugin that claims STREAM must do. Checks that need tags are left out for a
// suite that says UNAUTHENTICATED.
#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "tests/suites/crypto_suite.h"

namespace cb::crypto_suite {
namespace {

class CryptoStream : public testing::TestWithParam<Subject> {
 protected:
  void SetUp() override {
    if (!crypto_.has(CB_CRYPTO_STREAM)) GTEST_SKIP() << "the plugin does not claim STREAM";
  }

  Sealed sealed(ByteView plain) { return seal_all(key_, crypto_.props(), crypto_.aad(), plain); }
  Result<Bytes> opened(const Sealed& object) { return open_all(key_, crypto_.aad(), object); }
  [[nodiscard]] size_t chunk() const { return crypto_.props().chunk_plain; }

  LoadedCrypto crypto_{GetParam()};
  plugin::Key key_ = crypto_.new_key();
};

// The checks for which chunks must carry tags.
class CryptoSealedStream : public CryptoStream {
 protected:
  void SetUp() override {
    if (!crypto_.has(CB_CRYPTO_STREAM) || !crypto_.authenticates())
      GTEST_SKIP() << "the plugin does not claim authenticated streams";
  }

  // Opening this one chunk fails, shows no plaintext and ends the handle.
  void expect_refused(const Bytes& header, uint64_t index, bool last, const Bytes& sealed_chunk,
                      ByteView plain) {
    auto open = key_.open(crypto_.aad(), header);
    if (!open) {
      EXPECT_TRUE(open.error().code == Code::unsupported || open.error().code == Code::corrupt)
          << open.error().text();
      return;
    }
    Room room(sealed_chunk.size());
    EXPECT_EQ(code_of(open->chunk(index, last, sealed_chunk, room.span())), Code::auth);
    EXPECT_FALSE(room.shows(plain)) << "plaintext of a chunk that did not verify";
    EXPECT_TRUE(room.fence_stands());
    EXPECT_EQ(code_of(open->chunk(index, last, sealed_chunk, room.span())), Code::state)
        << "the handle is spent";
  }
};

TEST_P(CryptoStream, what_was_sealed_opens) {
  const std::vector<size_t> sizes = {
      0,       1,           15,           16,          17,          1000,           chunk() - 1,
      chunk(), chunk() + 1, chunk() + 16, 2 * chunk(), 3 * chunk(), 3 * chunk() + 5};
  for (const size_t size : sizes) {
    SCOPED_TRACE(size);
    const Bytes plain = noise(size, size);
    const auto back = opened(sealed(plain));
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_TRUE(*back == plain);
  }
}

TEST_P(CryptoStream, any_size_opens) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 40; ++round) {
    const Bytes plain = noise(random() % (4 * chunk()), random());
    const auto back = opened(sealed(plain));
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_TRUE(*back == plain);
  }
}

TEST_P(CryptoStream, an_empty_last_chunk_may_follow_full_ones) {
  plugin::Seal seal = must(key_.seal(crypto_.aad()));
  const Bytes plain = noise(chunk());
  Sealed object{to_bytes(seal.header()), {}};
  for (const bool last : {false, true}) {
    Bytes out(chunk() + crypto_.props().chunk_overhead);
    out.resize(must(seal.chunk(last ? ByteView() : ByteView(plain), last, out)));
    object.chunks.push_back(out);
  }
  const auto back = opened(object);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_TRUE(*back == plain);
}

TEST_P(CryptoStream, sizes_are_those_of_props) {
  for (const size_t size : {size_t{0}, size_t{1}, chunk(), 2 * chunk() + 7}) {
    const Sealed object = sealed(noise(size));
    EXPECT_EQ(object.header.size(), crypto_.props().header_size);
    EXPECT_EQ(object.chunks.size(), size == 0 ? 1 : (size + chunk() - 1) / chunk());
    size_t left = size;
    for (const Bytes& piece : object.chunks) {
      const size_t plain = std::min(left, chunk());
      EXPECT_GE(piece.size(), plain);
      EXPECT_LE(piece.size(), plain + crypto_.props().chunk_overhead);
      left -= plain;
    }
  }
  EXPECT_GE(crypto_.props().max_chunks, (uint64_t{16} << 30) / chunk()) << "less than 16 GiB";
}

TEST_P(CryptoStream, seal_minds_its_order_and_sizes) {
  plugin::Seal seal = must(key_.seal(crypto_.aad()));
  const Bytes plain = noise(chunk() + 1);
  Bytes out(plain.size() + crypto_.props().chunk_overhead);
  EXPECT_EQ(code_of(seal.chunk(plain, true, out)), Code::invalid);
  EXPECT_EQ(code_of(seal.chunk(ByteView(plain).first(5), false, out)), Code::invalid);
  EXPECT_EQ(code_of(seal.chunk(ByteView(plain).first(5), true, ByteSpan(out).first(5))),
            Code::too_small);
  const auto size = seal.chunk(ByteView(plain).first(5), true, out);
  ASSERT_TRUE(size) << "refusals do not use a seal up: " << size.error().text();
  EXPECT_EQ(code_of(seal.chunk({}, true, out)), Code::state);
  const Sealed object{to_bytes(seal.header()),
                      {Bytes(out.begin(), out.begin() + static_cast<ptrdiff_t>(*size))}};
  EXPECT_EQ(must(opened(object)), noise(5, 1));
}

TEST_P(CryptoStream, sealing_writes_into_its_room_only) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{16}, chunk()}) {
    Room room(size + crypto_.props().chunk_overhead);
    plugin::Seal seal = must(key_.seal(crypto_.aad()));
    EXPECT_TRUE(seal.chunk(noise(size), true, room.span()));
    EXPECT_TRUE(room.fence_stands());
  }
}

TEST_P(CryptoStream, a_chunk_past_the_limit_is_refused) {
  plugin::Open open = must(key_.open(crypto_.aad(), sealed({}).header));
  Bytes out(64);
  EXPECT_EQ(code_of(open.chunk(crypto_.props().max_chunks, true, noise(32), out)), Code::limit);
}

TEST_P(CryptoStream, a_header_of_another_size_is_refused) {
  Bytes header = sealed({}).header;
  header.push_back({});
  EXPECT_EQ(code_of(key_.open(crypto_.aad(), header)), Code::corrupt);
  if (crypto_.props().header_size == 0) return;
  EXPECT_EQ(code_of(key_.open(crypto_.aad(), {})), Code::corrupt);
}

TEST_P(CryptoStream, one_key_serves_several_threads) {
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (uint64_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (uint64_t round = 0; round < 50; ++round) {
        const Bytes plain = noise(1000 * round, 100 * t + round);
        const auto back = opened(sealed(plain));
        if (back && *back == plain) ++good;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 200);
}

TEST_P(CryptoStream, a_failing_random_source_is_told) {
  if (crypto_.props().header_size == 0) GTEST_SKIP() << "the suite draws nothing for an object";
  crypto_.random().fail_with(Code::busy);
  EXPECT_EQ(code_of(key_.seal(crypto_.aad())), Code::busy);
  crypto_.random().fail_with(std::nullopt);
  EXPECT_TRUE(key_.seal(crypto_.aad()));
}

TEST_P(CryptoSealedStream, headers_never_repeat) {
  std::set<Bytes> headers;
  for (int round = 0; round < 100'000; ++round) {
    const plugin::Seal seal = must(key_.seal(crypto_.aad()));
    ASSERT_TRUE(headers.insert(to_bytes(seal.header())).second) << round;
  }
}

TEST_P(CryptoSealedStream, equal_objects_are_sealed_differently) {
  const Bytes plain = noise(1000);
  EXPECT_NE(sealed(plain).chunks, sealed(plain).chunks);
}

TEST_P(CryptoSealedStream, every_flipped_bit_is_noticed) {
  const Bytes plain = noise(50);
  const Sealed object = sealed(plain);
  for (size_t bit = 0; bit < 8 * object.header.size(); ++bit)
    expect_refused(flipped(object.header, bit), 0, true, object.chunks[0], plain);
  for (size_t bit = 0; bit < 8 * object.chunks[0].size(); ++bit)
    expect_refused(object.header, 0, true, flipped(object.chunks[0], bit), plain);
}

TEST_P(CryptoSealedStream, a_flipped_bit_in_a_full_chunk_is_noticed) {
  const Bytes plain = noise(chunk() + 1);
  const Sealed object = sealed(plain);
  std::mt19937_64 random(7);
  for (int round = 0; round < 100; ++round) {
    const size_t bit = random() % (8 * object.chunks[0].size());
    SCOPED_TRACE(bit);
    expect_refused(object.header, 0, false, flipped(object.chunks[0], bit), plain);
  }
}

TEST_P(CryptoSealedStream, truncation_at_every_chunk_is_noticed) {
  const Bytes plain = noise(3 * chunk() + 5);
  const Sealed object = sealed(plain);
  for (size_t keep = 1; keep < object.chunks.size(); ++keep) {
    Sealed cut = object;
    cut.chunks.resize(keep);
    EXPECT_EQ(code_of(opened(cut)), Code::auth) << keep;
  }
  expect_refused(object.header, 3, false, object.chunks[3], ByteView(plain).subspan(3 * chunk()));
}

TEST_P(CryptoSealedStream, a_shortened_or_lengthened_chunk_is_noticed) {
  const Bytes plain = noise(100);
  const Sealed object = sealed(plain);
  for (size_t size = 0; size < object.chunks[0].size() + 20; ++size) {
    if (size == object.chunks[0].size()) continue;
    Bytes piece = object.chunks[0];
    piece.resize(size);
    SCOPED_TRACE(size);
    expect_refused(object.header, 0, true, piece, plain);
    expect_refused(object.header, 0, false, piece, plain);
  }
  expect_refused(object.header, 0, true, noise(chunk() + crypto_.props().chunk_overhead + 1),
                 plain);
}

TEST_P(CryptoSealedStream, chunks_open_at_their_own_place_only) {
  const Bytes plain = noise(4 * chunk());
  const Sealed object = sealed(plain);
  const Sealed other = sealed(noise(4 * chunk(), 2));
  for (size_t at = 0; at < 4; ++at)
    for (size_t from = 0; from < 4; ++from) {
      if (at != from) expect_refused(object.header, at, at == 3, object.chunks[from], plain);
      expect_refused(object.header, at, at == 3, other.chunks[from], plain);
    }
  expect_refused(object.header, uint64_t{1} << 20, false, object.chunks[0], plain);
}

TEST_P(CryptoSealedStream, chunks_open_in_any_order_and_again) {
  const Bytes plain = noise(3 * chunk() + 9);
  const Sealed object = sealed(plain);
  plugin::Open open = must(key_.open(crypto_.aad(), object.header));
  for (const size_t at : {3U, 1U, 2U, 0U, 1U, 3U}) {
    Bytes out(object.chunks[at].size());
    out.resize(must(open.chunk(at, at == 3, object.chunks[at], out)));
    const ByteView wanted = ByteView(plain).subspan(at * chunk(), out.size());
    EXPECT_TRUE(std::ranges::equal(out, wanted)) << at;
  }
}

TEST_P(CryptoSealedStream, other_associated_data_is_noticed) {
  const Bytes plain = noise(100);
  const Sealed object = seal_all(key_, crypto_.props(), as_bytes("one"), plain);
  for (const std::string_view wrong : {"", "two", "one ", "onE", "on"})
    EXPECT_EQ(code_of(open_all(key_, as_bytes(wrong), object)), Code::auth) << wrong;
  EXPECT_EQ(must(open_all(key_, as_bytes("one"), object)), plain);
  const Bytes large = noise(1'000'000);
  EXPECT_EQ(must(open_all(key_, large, seal_all(key_, crypto_.props(), large, plain))), plain);
}

TEST_P(CryptoSealedStream, another_key_opens_nothing) {
  const Sealed object = sealed(noise(100));
  for (int round = 0; round < 20; ++round)
    EXPECT_EQ(code_of(open_all(crypto_.new_key(), crypto_.aad(), object)), Code::auth);
}

TEST_P(CryptoSealedStream, an_object_opens_whatever_the_options_of_the_instance) {
  Bytes raw(crypto_.props().key_size, std::byte{9});
  const Bytes plain = noise(1000);
  const Sealed object =
      seal_all(must(crypto_->import_key(raw)), crypto_.props(), crypto_.aad(), plain);
  for (const Subject& subject : kSubjects) {
    if (subject.id != GetParam().id) continue;
    const plugin::Key key = must(crypto_.make(subject.options).import_key(raw));
    EXPECT_EQ(must(open_all(key, crypto_.aad(), object)), plain) << subject.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Plugins, CryptoStream, testing::ValuesIn(kSubjects), name_of_case);
INSTANTIATE_TEST_SUITE_P(Plugins, CryptoSealedStream, testing::ValuesIn(kSubjects), name_of_case);

}  // namespace
}  // namespace cb::crypto_suite
