// SPDX-License-Identifier: Apache-2.0
//
// Compressors in one shot.
#include <algorithm>

#include "hosts/cyberbackup-plugin-check/compress_checks.h"
#include "hosts/cyberbackup-plugin-check/compress_texts.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

// Fails unless `came` is an error of this code.
Status expect_error(const Result<Bytes>& came, Code wanted, const std::string& what) {
  if (!came && came.error().code == wanted) return {};
  const std::string how = came ? "gave " + std::to_string(came->size()) + " bytes"
                               : "failed as " + std::string(name_of(came.error().code)) + " (" +
                                     came.error().cause + ")";
  return found_wrong(what + " " + how + " where it must fail as " + std::string(name_of(wanted)));
}

Status comes_back(const plugin::Compress& compress, ByteView plain, const std::string& what) {
  CB_ASSIGN(const Bytes small, packed(compress, plain));
  CB_ASSIGN(const Bytes back, unpacked(compress, small, plain.size()));
  return expect(std::equal(plain.begin(), plain.end(), back.begin(), back.end()),
                what + " did not come back as it was");
}

// Compresses into exactly the room of bound(), and into one byte less than it needed.
Status fits(const plugin::Compress& compress, ByteView plain) {
  const std::string what = std::to_string(plain.size()) + " bytes";
  CB_ASSIGN(const size_t bound, compress.bound(plain.size()));
  const GuardedMemory in(plain);
  const GuardedMemory exact(bound);
  const auto size = compress.compress(in.span(), exact.span());
  if (!size)
    return found_wrong(what + " do not fit into the " + std::to_string(bound) +
                       " that bound() names: " + size.error().cause);
  CB_TRY(expect(exact.canaries_stand(), "something was written before the buffer"));
  if (*size == 0) return found_wrong(what + " became no frame at all");
  const GuardedMemory less(*size - 1);
  const auto refused = compress.compress(in.span(), less.span());
  CB_TRY(expect(!refused && refused.error().code == Code::too_small,
                what + " in less room than they need were not refused as too-small"));
  return expect(less.canaries_stand(), "something was written before the buffer");
}

}  // namespace

Result<Verdict> compress_round_trip(Subject& subject) {
  CB_ASSIGN(const plugin::Compress compress, subject.make<plugin::Compress>());
  for (const Sample& sample : samples(subject, 300'000))
    CB_TRY(comes_back(compress, sample.plain, sample.what));
  CB_TRY(comes_back(compress, words(subject, 64 * kMiB), "64 MiB of text"));
  return passed();
}

Result<Verdict> compress_bound_is_true(Subject& subject) {
  CB_ASSIGN(const plugin::Compress compress, subject.make<plugin::Compress>());
  for (size_t size = 0; size < 300; ++size) CB_TRY(fits(compress, subject.random_bytes(size)));
  // Sizes around the powers of two, where formats cut their blocks.
  for (size_t block = 512; block <= kMiB; block *= 2)
    for (const size_t size : {block - 1, block, block + 1})
      CB_TRY(fits(compress, subject.random_bytes(size)));
  for (int round = 0; round < 20; ++round)
    CB_TRY(fits(compress, subject.random_bytes(subject.random()() % 400'000)));
  for (const Sample& sample : samples(subject, 100'000)) CB_TRY(fits(compress, sample.plain));
  const auto bound = compress.bound(SIZE_MAX - 5);
  CB_TRY(expect(!bound && bound.error().code == Code::limit,
                "bound() of more bytes than there can be is not refused as limit"));
  return passed();
}

Result<Verdict> compress_bomb_stops_at_cap(Subject& subject) {
  CB_ASSIGN(const plugin::Compress compress, subject.make<plugin::Compress>());
  CB_ASSIGN(const Bytes bomb, packed(compress, Bytes(16 * kMiB)));
  for (const size_t cap : {size_t{0}, size_t{1}, size_t{1000}, kMiB, 16 * kMiB - 1})
    CB_TRY(expect_error(unpacked(compress, bomb, cap), Code::limit,
                        "16 MiB of zero, decompressed into " + std::to_string(cap) + " bytes,"));
  for (const Sample& sample : samples(subject, 100'000)) {
    if (sample.plain.empty()) continue;
    CB_ASSIGN(const Bytes small, packed(compress, sample.plain));
    CB_TRY(expect_error(unpacked(compress, small, sample.plain.size() - 1), Code::limit,
                        sample.what + ", decompressed into one byte too few,"));
  }
  return passed();
}

Result<Verdict> compress_truncated(Subject& subject) {
  CB_ASSIGN(const plugin::Compress compress, subject.make<plugin::Compress>());
  CB_TRY(expect_error(unpacked(compress, {}, 100), Code::corrupt, "no frame at all"));
  const Bytes plain = joined({words(subject, 700), subject.random_bytes(300)});
  CB_ASSIGN(const Bytes small, packed(compress, plain));
  const std::string of = " of a frame of " + std::to_string(small.size());
  for (size_t size = 1; size < small.size(); ++size)
    CB_TRY(expect_error(unpacked(compress, ByteView(small).first(size), plain.size()),
                        Code::corrupt, "the first " + std::to_string(size) + " bytes" + of));
  if ((compress.capabilities() & CB_COMPRESS_STREAM) == 0) return passed();
  for (size_t size = 0; size < small.size(); size += 7) {
    CB_ASSIGN(plugin::Codec codec, compress.codec(CB_CODEC_DECOMPRESS));
    CB_ASSIGN(const Streamed came,
              pump(codec, ByteView(small).first(size), {50, 1000}, CB_CODEC_GO));
    CB_TRY(expect(!came.ended, "END came after " + std::to_string(size) + " bytes" + of));
  }
  return passed();
}

Result<Verdict> compress_concatenated_frames(Subject& subject) {
  CB_ASSIGN(const plugin::Compress compress, subject.make<plugin::Compress>());
  const std::vector<Bytes> plains = {words(subject, 10'000), {}, subject.random_bytes(3000)};
  std::vector<Bytes> frames;
  for (const Bytes& plain : plains) {
    CB_ASSIGN(Bytes frame, packed(compress, plain));
    frames.push_back(std::move(frame));
  }
  const Bytes row = joined(frames);
  const Bytes all = joined(plains);
  CB_ASSIGN(const Bytes back, unpacked(compress, row, all.size()));
  CB_TRY(expect(back == all, "three frames in a row came back as " + std::to_string(back.size()) +
                                 " bytes instead of the " + std::to_string(all.size()) +
                                 " that they are"));
  if ((compress.capabilities() & CB_COMPRESS_STREAM) == 0) return passed();
  CB_ASSIGN(plugin::Codec codec, compress.codec(CB_CODEC_DECOMPRESS));
  size_t at = 0;
  for (const Bytes& plain : plains) {
    CB_ASSIGN(const Streamed one, pump(codec, ByteView(row).subspan(at), {97, 5000}, CB_CODEC_GO));
    CB_TRY(expect(one.ended && one.bytes == plain,
                  "a stream did not give the frames of a row one by one"));
    at += one.used;
  }
  CB_TRY(expect(at == row.size(), "a stream left something of the last frame"));
  return passed();
}

}  // namespace cb::check
