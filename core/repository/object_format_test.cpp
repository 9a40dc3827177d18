// SPDX-License-Identifier: Apache-2.0
//
// The bytes of docs/upload-format.md: header, place, frames, and the guess about shrinking.
#include "core/repository/object_format.h"

#include <gtest/gtest.h>

#include <random>

#include "core/repository/shrink_probe.h"

namespace cb::repository {
namespace {

ClientId some_client() {
  ClientId id;
  for (size_t i = 0; i < id.bytes.size(); ++i) id.bytes[i] = static_cast<std::byte>(i);
  return id;
}

Bytes frame_bytes(uint32_t plain_size, uint32_t stored, size_t following) {
  Bytes bytes(kFrameHeaderSize + following, std::byte{'x'});
  store_le(bytes.data(), plain_size);
  store_le(bytes.data() + 4, stored);
  return bytes;
}

Status ignore(const Frame&) { return {}; }

TEST(ObjectName, is_the_client_and_randomness_in_hex) {
  const Bytes random(kNameRandomSize, std::byte{0xab});
  EXPECT_EQ(object_name(some_client(), random),
            "v3/000102030405060708090a0b0c0d0e0f/abababababababababababababababab");
}

TEST(Header, has_the_documented_bytes) {
  Header header;
  header.chunk_plain = 65'536;
  header.seal_header_size = 40;
  header.kem_cipher = Bytes(3, std::byte{0xcc});
  const auto bytes = encode_header(header);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(to_hex(*bytes), "636275706c6f6164010000000000010003002800cccccc");
  const auto prefix = decode_prefix(std::span(*bytes).first<kPrefixSize>());
  ASSERT_TRUE(prefix);
  EXPECT_EQ(prefix->chunk_plain, 65'536u);
  EXPECT_EQ(prefix->kem_cipher_size, 3u);
  EXPECT_EQ(prefix->seal_header_size, 40u);
}

TEST(Header, a_changed_magic_is_corrupt_and_another_version_unsupported) {
  auto bytes = encode_header(Header{}).value();
  for (size_t i = 0; i < 12; ++i) {
    Bytes changed = bytes;
    changed[i] ^= std::byte{1};
    const auto prefix = decode_prefix(std::span(changed).first<kPrefixSize>());
    ASSERT_FALSE(prefix) << i;
    EXPECT_EQ(prefix.error().code, i < 8 ? Code::corrupt : Code::unsupported) << i;
  }
}

TEST(Place, two_places_never_have_the_same_bytes) {
  const ClientId client = some_client();
  // The same letters, parted differently.
  EXPECT_NE(encode_place({client, "ab", "c"}), encode_place({client, "a", "bc"}));
  EXPECT_NE(encode_place({client, "b", "a"}), encode_place({client, "a", "b"}));
  EXPECT_NE(encode_place({client, "", "ab"}), encode_place({client, "ab", ""}));
  EXPECT_NE(encode_place({client, "a", "b"}), encode_place({ClientId{}, "a", "b"}));
}

TEST(FrameReader, gives_the_same_frames_however_they_are_cut) {
  Bytes stream;
  for (uint32_t size : {1u, 7u, 65'536u, 300u}) {
    Bytes frame = frame_bytes(size, size, size);
    frame[kFrameHeaderSize] = static_cast<std::byte>(size);
    stream.insert(stream.end(), frame.begin(), frame.end());
  }
  const Bytes packed = frame_bytes(65'536, 0x8000'0000u | 5, 5);
  stream.insert(stream.end(), packed.begin(), packed.end());
  for (size_t step : {size_t{1}, size_t{3}, size_t{1000}, size_t{65'536}, stream.size()}) {
    FrameReader reader;
    std::string seen;
    for (size_t at = 0; at < stream.size(); at += step) {
      const auto part = ByteView(stream).subspan(at, std::min(step, stream.size() - at));
      ASSERT_TRUE(reader.feed(part, [&](const Frame& frame) -> Status {
        seen += std::to_string(frame.plain_size) + (frame.compressed ? "c" : "p") +
                std::to_string(frame.stored.size()) + " ";
        return {};
      }));
    }
    EXPECT_TRUE(reader.end());
    EXPECT_EQ(seen, "1p1 7p7 65536p65536 300p300 65536c5 ") << step;
  }
}

TEST(FrameReader, impossible_frames_are_corrupt) {
  const std::vector<std::pair<uint32_t, uint32_t>> impossible = {{0, 0},
                                                                 {65'537, 65'537},
                                                                 {10, 9},
                                                                 {10, 11},
                                                                 {10, 0x8000'0000u},
                                                                 {10, 0x8000'000au},
                                                                 {10, 0xffff'ffffu},
                                                                 {0xffff'ffffu, 0xffff'ffffu}};
  for (const auto& [plain, stored] : impossible) {
    FrameReader reader;
    const auto fed = reader.feed(frame_bytes(plain, stored, 16), ignore);
    ASSERT_FALSE(fed) << plain << " " << stored;
    EXPECT_EQ(fed.error().code, Code::corrupt);
  }
}

TEST(FrameReader, an_end_inside_a_frame_is_corrupt) {
  const Bytes frame = frame_bytes(4, 4, 4);
  for (size_t size = 1; size < frame.size(); ++size) {
    FrameReader reader;
    ASSERT_TRUE(reader.feed(ByteView(frame).first(size), ignore));
    EXPECT_FALSE(reader.end()) << size;
  }
}

Bytes random_bytes(size_t size, unsigned seed, unsigned values = 256) {
  std::mt19937 random(seed);
  Bytes bytes(size);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random() % values);
  return bytes;
}

TEST(ShrinkProbe, passes_over_most_random_frames_and_tries_all_others) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  ShrinkProbe probe;
  int tries = 0;
  for (unsigned i = 0; i < 160; ++i)
    if (probe.worth_trying(random_bytes(kFramePlain, seed + i))) {
      ++tries;
      probe.tried(false);
    }
  EXPECT_GE(tries, 10);
  EXPECT_LE(tries, 20);
  for (unsigned i = 0; i < 20; ++i)
    EXPECT_TRUE(probe.worth_trying(random_bytes(kFramePlain, seed + i, 100)));
}

TEST(ShrinkProbe, even_looking_bytes_that_shrank_are_tried_again) {
  const Bytes even = random_bytes(kFramePlain, 1);
  ShrinkProbe probe;
  int tries = 0;
  for (int i = 0; i < 100; ++i)
    if (probe.worth_trying(even)) {
      ++tries;
      probe.tried(true);
    }
  EXPECT_EQ(tries, 100);
}

TEST(ShrinkProbe, short_frames_are_always_tried) {
  EXPECT_FALSE(looks_random(random_bytes(2'047, 1)));
}

}  // namespace
}  // namespace cb::repository
