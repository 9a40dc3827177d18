// SPDX-License-Identifier: Apache-2.0
//
// What every compression plugin with the capability STREAM must do, through the loader that hosts
// use.
#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/suites/compress_suite.h"

namespace cb::compress_suite {
namespace {

class CompressStreamSuite : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if ((compress_->capabilities() & CB_COMPRESS_STREAM) == 0) GTEST_SKIP() << "no streams";
  }
  plugin::Codec codec(uint32_t direction) {
    Result<plugin::Codec> made = compress_->codec(direction);
    if (!made) throw std::runtime_error(made.error().text());
    return std::move(*made);
  }

  LoadedCompress compress_{GetParam()};
};

TEST_P(CompressStreamSuite, a_stream_reads_what_one_shot_wrote_and_the_other_way) {
  for (const auto& [name, plain] : samples()) {
    SCOPED_TRACE(name);
    plugin::Codec pack = codec(CB_CODEC_COMPRESS);
    const auto streamed = pump(pack, plain, 70'001, 65'536, CB_CODEC_FINISH);
    ASSERT_TRUE(streamed) << streamed.error().text();
    const Result<Bytes> back = unpacked(*compress_, streamed->bytes, plain.size());
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_TRUE(*back == plain);

    plugin::Codec unpack = codec(CB_CODEC_DECOMPRESS);
    const Bytes small = packed(*compress_, plain);
    const auto again = pump(unpack, small, 4097, 100'003, CB_CODEC_GO);
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_TRUE(again->ended);
    EXPECT_EQ(again->used, small.size());
    EXPECT_TRUE(again->bytes == plain);
  }
}

TEST_P(CompressStreamSuite, one_byte_windows_are_enough) {
  for (const Bytes& plain : {Bytes{}, zeros(5000), prose(20'000), noise(3000)}) {
    SCOPED_TRACE(plain.size());
    plugin::Codec pack = codec(CB_CODEC_COMPRESS);
    const auto small = pump(pack, plain, 1, 1, CB_CODEC_FINISH);
    ASSERT_TRUE(small) << small.error().text();
    plugin::Codec unpack = codec(CB_CODEC_DECOMPRESS);
    const auto back = pump(unpack, small->bytes, 1, 1, CB_CODEC_GO);
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_TRUE(back->ended);
    EXPECT_TRUE(back->bytes == plain);
  }
}

TEST_P(CompressStreamSuite, any_windows_give_the_same_text) {
  constexpr uint32_t kSeed = 4242;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937 random(kSeed);
  for (int round = 0; round < 40; ++round) {
    SCOPED_TRACE(round);
    const Bytes plain =
        round % 2 == 0 ? prose(random() % 100'000, random()) : noise(random() % 50'000, random());
    plugin::Codec pack = codec(CB_CODEC_COMPRESS);
    const auto small = pump(pack, plain, 1 + random() % 9000, 1 + random() % 9000, CB_CODEC_FINISH);
    ASSERT_TRUE(small) << small.error().text();
    plugin::Codec unpack = codec(CB_CODEC_DECOMPRESS);
    const auto back =
        pump(unpack, small->bytes, 1 + random() % 9000, 1 + random() % 9000, CB_CODEC_GO);
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_TRUE(back->ended);
    EXPECT_TRUE(back->bytes == plain);
  }
}

TEST_P(CompressStreamSuite, a_flush_makes_what_came_so_far_readable) {
  const Bytes plain = prose(5000);
  plugin::Codec pack = codec(CB_CODEC_COMPRESS);
  plugin::Codec unpack = codec(CB_CODEC_DECOMPRESS);
  Bytes back;
  for (size_t at = 0; at < plain.size(); at += 1000) {
    const auto part = pump(pack, ByteView(plain).subspan(at, 1000), 300, 7, CB_CODEC_FLUSH);
    ASSERT_TRUE(part) << part.error().text();
    const auto read = pump(unpack, part->bytes, 50, 64, CB_CODEC_GO);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_FALSE(read->ended);
    back.insert(back.end(), read->bytes.begin(), read->bytes.end());
    EXPECT_EQ(back.size(), at + 1000);
  }
  EXPECT_TRUE(back == plain);
}

TEST_P(CompressStreamSuite, frames_in_a_row_end_one_by_one) {
  const std::vector<Bytes> plains = {prose(5000), Bytes{}, noise(2000)};
  Bytes row;
  for (const Bytes& plain : plains) {
    const Bytes frame = packed(*compress_, plain);
    row.insert(row.end(), frame.begin(), frame.end());
  }
  for (const size_t step : {size_t{1}, size_t{13}, row.size()}) {
    SCOPED_TRACE(step);
    plugin::Codec unpack = codec(CB_CODEC_DECOMPRESS);
    size_t at = 0;
    for (const Bytes& plain : plains) {
      const auto back = pump(unpack, ByteView(row).subspan(at), step, 100'000, CB_CODEC_GO);
      ASSERT_TRUE(back) << back.error().text();
      EXPECT_TRUE(back->ended);
      EXPECT_TRUE(back->bytes == plain);
      at += back->used;
    }
    EXPECT_EQ(at, row.size());
  }
}

TEST_P(CompressStreamSuite, a_frame_cut_short_never_ends) {
  const Bytes small = packed(*compress_, prose(700));
  for (size_t size = 0; size < small.size(); ++size) {
    SCOPED_TRACE(size);
    plugin::Codec unpack = codec(CB_CODEC_DECOMPRESS);
    const auto back = pump(unpack, ByteView(small).first(size), 50, 1000, CB_CODEC_GO);
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_FALSE(back->ended);
    EXPECT_EQ(back->used, size);
  }
}

TEST_P(CompressStreamSuite, rubbish_and_damage_are_corrupt_or_beyond_a_limit) {
  constexpr uint32_t kSeed = 5;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937 random(kSeed);
  const Bytes small = packed(*compress_, prose(3000));
  for (int round = 0; round < 400; ++round) {
    Bytes bad = small;
    if (round % 2 == 0)
      bad = noise(5 + random() % 400, random());
    else
      bad[random() % bad.size()] ^= static_cast<std::byte>(1u << (random() % 8));
    plugin::Codec unpack = codec(CB_CODEC_DECOMPRESS);
    const auto back = pump(unpack, bad, 1 + random() % 300, 1 + random() % 300, CB_CODEC_GO);
    if (back) continue;
    EXPECT_TRUE(back.error().code == Code::corrupt || back.error().code == Code::limit)
        << back.error().text();
  }
}

TEST_P(CompressStreamSuite, rubbish_is_corrupt_at_once) {
  plugin::Codec unpack = codec(CB_CODEC_DECOMPRESS);
  const auto back = pump(unpack, as_bytes("this is not a frame of any kind"), 4, 100, CB_CODEC_GO);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, Code::corrupt);
}

TEST_P(CompressStreamSuite, a_reset_makes_a_codec_as_new) {
  const Bytes plain = prose(30'000);
  plugin::Codec pack = codec(CB_CODEC_COMPRESS);
  ASSERT_TRUE(pump(pack, noise(50'000), 1000, 1000, CB_CODEC_GO));
  ASSERT_TRUE(pack.reset());
  const auto small = pump(pack, plain, 5000, 5000, CB_CODEC_FINISH);
  ASSERT_TRUE(small);
  EXPECT_TRUE(*unpacked(*compress_, small->bytes, plain.size()) == plain);

  plugin::Codec unpack = codec(CB_CODEC_DECOMPRESS);
  ASSERT_FALSE(pump(unpack, as_bytes("rubbish rubbish rubbish"), 9, 9, CB_CODEC_GO));
  ASSERT_TRUE(unpack.reset());
  ASSERT_TRUE(pump(unpack, ByteView(small->bytes).first(3), 9, 9, CB_CODEC_GO));
  ASSERT_TRUE(unpack.reset());
  const auto back = pump(unpack, small->bytes, 100, 1000, CB_CODEC_GO);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_TRUE(back->ended);
  EXPECT_TRUE(back->bytes == plain);
}

TEST_P(CompressStreamSuite, a_finished_codec_begins_the_next_frame) {
  plugin::Codec pack = codec(CB_CODEC_COMPRESS);
  Bytes row;
  for (const uint32_t seed : {1u, 2u}) {
    const auto frame = pump(pack, prose(9000, seed), 1000, 100, CB_CODEC_FINISH);
    ASSERT_TRUE(frame);
    row.insert(row.end(), frame->bytes.begin(), frame->bytes.end());
  }
  Bytes both = prose(9000, 1);
  const Bytes second = prose(9000, 2);
  both.insert(both.end(), second.begin(), second.end());
  EXPECT_TRUE(*unpacked(*compress_, row, both.size()) == both);
}

TEST_P(CompressStreamSuite, runs_without_input_or_without_room_are_allowed) {
  plugin::Codec pack = codec(CB_CODEC_COMPRESS);
  const auto idle = pack.run({}, {}, CB_CODEC_GO);
  ASSERT_TRUE(idle) << idle.error().text();
  EXPECT_EQ(idle->step, plugin::CodecStep::ok);
  const auto cramped = pack.run({}, {}, CB_CODEC_FINISH);
  ASSERT_TRUE(cramped) << cramped.error().text();
  EXPECT_EQ(cramped->step, plugin::CodecStep::more);
  const auto frame = pump(pack, {}, 1, 100, CB_CODEC_FINISH);
  ASSERT_TRUE(frame) << frame.error().text();
  EXPECT_FALSE(frame->bytes.empty());

  plugin::Codec unpack = codec(CB_CODEC_DECOMPRESS);
  EXPECT_EQ(unpack.run({}, {}, CB_CODEC_GO)->step, plugin::CodecStep::ok);
  const auto back = pump(unpack, frame->bytes, 100, 1, CB_CODEC_GO);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_TRUE(back->ended);
  EXPECT_TRUE(back->bytes.empty());
}

TEST_P(CompressStreamSuite, after_a_failure_a_codec_waits_for_its_reset) {
  plugin::Codec unpack = codec(CB_CODEC_DECOMPRESS);
  Bytes room(100);
  EXPECT_EQ(unpack.run({}, room, CB_CODEC_FINISH).error().code, Code::invalid);
  EXPECT_TRUE(unpack.run({}, room, CB_CODEC_GO)) << "a wrong question breaks nothing";
  const auto rubbish = as_bytes("this is not a frame of any kind");
  EXPECT_EQ(unpack.run(rubbish, room, CB_CODEC_GO).error().code, Code::corrupt);
  EXPECT_EQ(unpack.run(rubbish, room, CB_CODEC_GO).error().code, Code::state);
  ASSERT_TRUE(unpack.reset());
  EXPECT_EQ(unpack.run(rubbish, room, CB_CODEC_GO).error().code, Code::corrupt);
}

TEST_P(CompressStreamSuite, a_bomb_fills_only_the_rooms_it_is_given) {
  const Bytes bomb = packed(*compress_, zeros(size_t{64} << 20));
  plugin::Codec unpack = codec(CB_CODEC_DECOMPRESS);
  size_t used = 0;
  for (int rooms = 0; rooms < 100; ++rooms) {
    Room room(1000);
    const auto run = unpack.run(ByteView(bomb).subspan(used), room.span(), CB_CODEC_GO);
    ASSERT_TRUE(run) << run.error().text();
    ASSERT_TRUE(room.fence_stands());
    EXPECT_EQ(run->step, plugin::CodecStep::more);
    used += run->used;
  }
}

TEST_P(CompressStreamSuite, codecs_of_one_instance_do_not_disturb_each_other) {
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (uint32_t worker = 0; worker < 12; ++worker) {
    threads.emplace_back([&, worker] {
      for (uint32_t round = 0; round < 10; ++round) {
        const Bytes plain = prose(20'000 + worker, worker * 100 + round);
        plugin::Codec pack = codec(CB_CODEC_COMPRESS);
        const auto small = pump(pack, plain, 3000, 500, CB_CODEC_FINISH);
        plugin::Codec unpack = codec(CB_CODEC_DECOMPRESS);
        const auto back = pump(unpack, small->bytes, 100, 3000, CB_CODEC_GO);
        if (!back || !back->ended || back->bytes != plain) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

INSTANTIATE_TEST_SUITE_P(Plugins, CompressStreamSuite, testing::ValuesIn(kPlugins), name_of_case);

}  // namespace
}  // namespace cb::compress_suite
