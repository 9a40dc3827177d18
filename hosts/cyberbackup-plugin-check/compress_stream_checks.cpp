// SPDX-License-Identifier: Apache-2.0
//
// Compressors as streams.
#include "core/plugin/instance.h"
#include "hosts/cyberbackup-plugin-check/compress_checks.h"
#include "hosts/cyberbackup-plugin-check/compress_texts.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {
namespace {

using plugin::Function;
using plugin::Tag;

// Resets a codec in the middle of its work and then makes one frame of it.
Status is_as_new(const plugin::Compress& compress, plugin::Codec& codec, ByteView plain) {
  CB_TRY(codec.reset());
  CB_ASSIGN(const Streamed frame, pump(codec, plain, {3000, 500}, CB_CODEC_FINISH));
  CB_ASSIGN(const Bytes back, stream_unpacked(compress, frame.bytes, {3000, 3000}));
  return expect(std::equal(back.begin(), back.end(), plain.begin(), plain.end()),
                "after a reset a codec that compresses gives a frame of " +
                    std::to_string(back.size()) + " bytes where " + std::to_string(plain.size()) +
                    " went in");
}

Status reads_anew(plugin::Codec& codec, ByteView frame, const Bytes& plain) {
  CB_TRY(codec.reset());
  CB_ASSIGN(const Streamed back, pump(codec, frame, {500, 3000}, CB_CODEC_GO));
  return expect(back.ended && back.bytes == plain,
                "after a reset a codec that decompresses does not give what a frame holds");
}

Result<cb_status> run_raw(const plugin::Compress& compress, uint32_t direction, uint32_t op) {
  CB_ASSIGN(plugin::Codec codec, compress.codec(direction));
  const GuardedMemory room(100);
  CB_TRY(codec.run({}, room.span(), op));
  return CB_OK;
}

Status is_invalid(const Result<cb_status>& came, const std::string& what) {
  return expect(!came && came.error().code == Code::invalid, what + " is not refused as invalid");
}

}  // namespace

Result<Verdict> compress_stream_equals_one_shot(Subject& subject) {
  CB_ASSIGN(const plugin::Compress compress, subject.make<plugin::Compress>());
  for (const Sample& sample : samples(subject, 1'000'000)) {
    CB_ASSIGN(const Bytes streamed, stream_packed(compress, sample.plain, {70'001, 65'536}));
    const auto back = unpacked(compress, streamed, sample.plain.size());
    CB_TRY(expect(back && *back == sample.plain,
                  "one shot does not read what a stream wrote: " + sample.what));
    CB_ASSIGN(const Bytes small, packed(compress, sample.plain));
    const auto again = stream_unpacked(compress, small, {4097, 100'003});
    CB_TRY(expect(again && *again == sample.plain,
                  "a stream does not read what one shot wrote: " + sample.what));
  }
  for (int round = 0; round < 30; ++round) {
    auto& random = subject.random();
    const Bytes plain =
        joined({words(subject, random() % 50'000), subject.random_bytes(random() % 20'000)});
    const Windows one{100 + random() % 9000, 100 + random() % 9000};
    const Windows other{100 + random() % 9000, 100 + random() % 9000};
    CB_ASSIGN(const Bytes small, stream_packed(compress, plain, one));
    CB_ASSIGN(const Bytes back, stream_unpacked(compress, small, other));
    CB_TRY(expect(back == plain, "a stream did not come back as it was"));
  }
  return passed();
}

Result<Verdict> compress_one_byte_windows(Subject& subject) {
  CB_ASSIGN(const plugin::Compress compress, subject.make<plugin::Compress>());
  for (const Sample& sample : samples(subject, 20'000)) {
    for (const Windows windows : {Windows{1, 1}, Windows{1, 1000}, Windows{1000, 1}}) {
      const std::string what = sample.what + " in windows of " + std::to_string(windows.in) +
                               " and " + std::to_string(windows.out);
      CB_ASSIGN(const Bytes small, stream_packed(compress, sample.plain, windows));
      CB_ASSIGN(const Bytes back, stream_unpacked(compress, small, windows));
      CB_TRY(expect(back == sample.plain, what + " did not come back as it was"));
    }
  }
  return passed();
}

Result<Verdict> compress_flush_is_readable(Subject& subject) {
  CB_ASSIGN(const plugin::Compress compress, subject.make<plugin::Compress>());
  CB_ASSIGN(plugin::Codec pack, compress.codec(CB_CODEC_COMPRESS));
  CB_ASSIGN(plugin::Codec unpack, compress.codec(CB_CODEC_DECOMPRESS));
  constexpr size_t kStep = 1000;
  Bytes all;
  for (size_t part = 0; part < 8; ++part) {
    const Bytes plain = part % 2 == 0 ? words(subject, kStep) : subject.random_bytes(kStep);
    CB_ASSIGN(const Streamed flushed, pump(pack, plain, {300, 7}, CB_CODEC_FLUSH));
    CB_ASSIGN(const Streamed read, pump(unpack, flushed.bytes, {50, 64}, CB_CODEC_GO));
    CB_TRY(expect(!read.ended, "a flush ended the frame"));
    CB_TRY(expect(read.bytes == plain, "after a flush " + std::to_string(read.bytes.size()) +
                                           " bytes can be read where " + std::to_string(kStep) +
                                           " went in"));
  }
  return passed();
}

Result<Verdict> compress_reset_reuse(Subject& subject) {
  CB_ASSIGN(const plugin::Compress compress, subject.make<plugin::Compress>());
  const Bytes first = words(subject, 20'000);
  const Bytes plain = subject.random_bytes(3001);
  CB_ASSIGN(const Bytes frame, packed(compress, plain));
  CB_ASSIGN(plugin::Codec pack, compress.codec(CB_CODEC_COMPRESS));
  CB_TRY(is_as_new(compress, pack, plain));
  for (const size_t some : {size_t{1}, size_t{10}, first.size()}) {
    CB_TRY(pump(pack, ByteView(first).first(some), {1000, 1000}, CB_CODEC_GO));
    CB_TRY(is_as_new(compress, pack, plain));
  }
  CB_TRY(is_as_new(compress, pack, {}));
  CB_ASSIGN(plugin::Codec unpack, compress.codec(CB_CODEC_DECOMPRESS));
  CB_TRY(reads_anew(unpack, frame, plain));
  for (const size_t some : {size_t{1}, frame.size() / 2, frame.size() - 1}) {
    CB_TRY(pump(unpack, ByteView(frame).first(some), {100, 1000}, CB_CODEC_GO));
    CB_TRY(reads_anew(unpack, frame, plain));
  }
  const auto failed_run = pump(unpack, Bytes(64, std::byte{0xee}), {64, 1000}, CB_CODEC_GO);
  if (!failed_run) CB_TRY(reads_anew(unpack, frame, plain));
  plugin::Instance& instance = *compress.instance();
  instance.gate().end(Function{"codec_free", Tag::any}, instance.ops<cb_compress_ops>().codec_free,
                      static_cast<cb_codec*>(nullptr));
  return passed();
}

Result<Verdict> compress_unknown_ops(Subject& subject) {
  CB_ASSIGN(const plugin::Compress compress, subject.make<plugin::Compress>());
  for (const uint32_t direction : {0U, 3U, 0xffffffffU})
    CB_TRY(is_invalid(run_raw(compress, direction, CB_CODEC_GO),
                      "codec_new of direction " + std::to_string(direction)));
  for (const uint32_t op : {3U, 0xffffffffU})
    CB_TRY(is_invalid(run_raw(compress, CB_CODEC_COMPRESS, op),
                      "compressing with op " + std::to_string(op)));
  for (const uint32_t op : {uint32_t{CB_CODEC_FLUSH}, uint32_t{CB_CODEC_FINISH}, 3U})
    CB_TRY(is_invalid(run_raw(compress, CB_CODEC_DECOMPRESS, op),
                      "decompressing with op " + std::to_string(op)));
  return passed();
}

}  // namespace cb::check
