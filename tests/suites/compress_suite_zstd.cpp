// SPDX-License-Identifier: Apache-2.0
//
// What compress-zstd promises beyond the suite: its options, its checksum, and what it refuses.
#include <array>

#include "tests/suites/compress_suite.h"

namespace cb::compress_suite {
namespace {

constexpr const char* kId = "compress-zstd";

TEST(CompressZstd, effort_pays) {
  LoadedCompress fast(kId, {{"level", "1"}});
  LoadedCompress best(kId, {{"level", "19"}});
  const Bytes plain = prose(300'000);
  EXPECT_LT(packed(*best, plain).size(), packed(*fast, plain).size());
}

// Lines of a log with much that is random in them: level 1 makes less of them than level 3.
Bytes log_lines(size_t size) {
  std::string text;
  for (uint64_t state = 1; text.size() < size;) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const uint64_t x = state >> 16;
    text += std::to_string(1700000000000 + text.size()) + " host" + std::to_string(x & 31) +
            " app-server[" + std::to_string(1000 + (x >> 5 & 255)) + "] INFO 10.0." +
            std::to_string(x >> 13 & 255) + "." + std::to_string(x >> 21 & 255) +
            " \"GET /api/v1/users/" + std::to_string(x >> 29 & 0xffff) +
            " HTTP/1.1\" 200 rid=" + std::to_string(state) + "\n";
  }
  return to_bytes(as_bytes(text).first(size));
}

TEST(CompressZstd, what_level_1_makes_as_small_is_made_with_level_1) {
  LoadedCompress adapting(kId, {{"level", "3"}});
  LoadedCompress fixed(kId, {{"level", "3"}, {"adapt", "false"}});
  LoadedCompress fast(kId, {{"level", "1"}});
  const Bytes lines = log_lines(1 << 20);
  ASSERT_LT(packed(*fast, lines).size(), packed(*fixed, lines).size());
  EXPECT_EQ(packed(*adapting, lines).size(), packed(*fast, lines).size());
  EXPECT_TRUE(*unpacked(*adapting, packed(*adapting, lines), lines.size()) == lines);
}

TEST(CompressZstd, what_level_3_makes_smaller_is_made_with_level_3) {
  LoadedCompress adapting(kId, {{"level", "3"}});
  LoadedCompress fixed(kId, {{"level", "3"}, {"adapt", "false"}});
  LoadedCompress fast(kId, {{"level", "1"}});
  const Bytes text = prose(1 << 20);
  ASSERT_GT(packed(*fast, text).size(), packed(*fixed, text).size());
  EXPECT_EQ(packed(*adapting, text).size(), packed(*fixed, text).size());
}

TEST(CompressZstd, options_out_of_range_or_at_odds_are_refused) {
  LoadedCompress zstd(kId);
  const std::vector<std::map<std::string, std::string>> bad = {
      {{"level", "0"}},         {{"level", "20"}},
      {{"window", "3MiB"}},     {{"max_window", "9MiB"}},
      {{"max_window", "4MiB"}}, {{"window", "64MiB"}, {"max_window", "32MiB"}}};
  for (const auto& written : bad) {
    const auto made = zstd.make(written);
    ASSERT_FALSE(made) << written.begin()->first << " = " << written.begin()->second;
    EXPECT_EQ(made.error().code, Code::invalid);
  }
  EXPECT_TRUE(zstd.make({{"window", "32MiB"}, {"max_window", "32MiB"}}));
}

TEST(CompressZstd, every_damaged_bit_of_the_contents_is_noticed) {
  LoadedCompress zstd(kId);
  const Bytes plain = prose(2000);
  const Bytes small = packed(*zstd, plain);
  for (size_t bit = 0; bit < small.size() * 8; ++bit) {
    Bytes damaged = small;
    damaged[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    const Result<Bytes> back = unpacked(*zstd, damaged, plain.size());
    EXPECT_TRUE(!back || *back == plain) << "bit " << bit;
  }
}

TEST(CompressZstd, the_checksum_can_be_left_out) {
  LoadedCompress with(kId);
  LoadedCompress without(kId, {{"checksum", "false"}});
  const Bytes plain = prose(2000);
  EXPECT_EQ(packed(*with, plain).size(), packed(*without, plain).size() + 4);
  EXPECT_TRUE(*unpacked(*with, packed(*without, plain), plain.size()) == plain);
}

TEST(CompressZstd, a_stream_that_demands_too_much_memory_is_refused) {
  LoadedCompress writer(kId, {{"window", "128MiB"}});
  LoadedCompress reader(kId, {{"max_window", "8MiB"}});
  auto pack = writer->codec(CB_CODEC_COMPRESS);
  ASSERT_TRUE(pack);
  const Bytes plain = prose(100'000);
  const auto small = pump(*pack, plain, 10'000, 10'000, CB_CODEC_FINISH);
  ASSERT_TRUE(small);
  auto strict = reader->codec(CB_CODEC_DECOMPRESS);
  ASSERT_TRUE(strict);
  const auto refused = pump(*strict, small->bytes, 1000, 1000, CB_CODEC_GO);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::limit);
  EXPECT_NE(refused.error().text().find("max_window"), std::string::npos);
  auto wide = writer->codec(CB_CODEC_DECOMPRESS);
  ASSERT_TRUE(wide);
  EXPECT_TRUE(pump(*wide, small->bytes, 1000, 1000, CB_CODEC_GO)->bytes == plain);
}

// A frame of format 0.7 that holds "abc": the library of Debian 12 would read it.
constexpr std::array<unsigned char, 15> kOldFrame = {0x27, 0xB5, 0x2F, 0xFD, 0x00, 0x00, 0x40, 0x00,
                                                     0x03, 'a',  'b',  'c',  0xC0, 0x00, 0x00};

TEST(CompressZstd, a_format_from_before_the_frozen_one_is_refused) {
  LoadedCompress zstd(kId);
  const ByteView old = std::as_bytes(std::span(kOldFrame));
  const Result<Bytes> back = unpacked(*zstd, old, 1000);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, Code::corrupt);
  for (const size_t step : {size_t{1}, old.size()}) {
    auto codec = zstd->codec(CB_CODEC_DECOMPRESS);
    ASSERT_TRUE(codec);
    const auto streamed = pump(*codec, old, step, 100, CB_CODEC_GO);
    ASSERT_FALSE(streamed);
    EXPECT_EQ(streamed.error().code, Code::corrupt);
  }
}

TEST(CompressZstd, skippable_frames_are_skipped) {
  LoadedCompress zstd(kId);
  const Bytes plain = prose(100);
  Bytes row(8 + 5, std::byte{7});
  store_le<uint32_t>(row.data(), 0x184D2A5Cu);
  store_le<uint32_t>(row.data() + 4, 5u);
  const Bytes frame = packed(*zstd, plain);
  row.insert(row.end(), frame.begin(), frame.end());
  const Result<Bytes> back = unpacked(*zstd, row, plain.size());
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_TRUE(*back == plain);
}

TEST(CompressZstd, a_codec_that_failed_waits_for_its_reset) {
  LoadedCompress zstd(kId);
  auto codec = zstd->codec(CB_CODEC_DECOMPRESS);
  ASSERT_TRUE(codec);
  ASSERT_FALSE(pump(*codec, as_bytes("rubbish"), 7, 7, CB_CODEC_GO));
  const Bytes frame = packed(*zstd, prose(10));
  const auto refused = pump(*codec, frame, 100, 100, CB_CODEC_GO);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::state);
  ASSERT_TRUE(codec->reset());
  EXPECT_TRUE(pump(*codec, frame, 100, 100, CB_CODEC_GO));
}

TEST(CompressZstd, a_decompressor_only_goes_on) {
  LoadedCompress zstd(kId);
  auto codec = zstd->codec(CB_CODEC_DECOMPRESS);
  ASSERT_TRUE(codec);
  Room room(10);
  const auto run = codec->run({}, room.span(), CB_CODEC_FINISH);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, Code::invalid);
}

}  // namespace
}  // namespace cb::compress_suite
