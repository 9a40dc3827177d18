// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as what was compressed, whole and in pieces, and compressed and back: never more than
// there is room for, and the same again.
#include <algorithm>

#include "tests/plugin-bytes/plugins.h"

using namespace cb;
using conversation::must;
using conversation::require;

namespace {

constexpr size_t kRoom = 256 * 1024;

const plugin::Compress& zstd() {
  static const plugin::Compress made = must(
      test::plugin_registry().make_compress("compress-zstd", test::options_of("compress-zstd")));
  return made;
}

void unpack(ByteView packed) {
  static Bytes out(kRoom);
  if (const auto size = zstd().decompress(packed, out)) require(*size <= kRoom, "it has no room");
  if (const auto size = zstd().decompress(packed, ByteSpan(out).first(10)))
    require(*size <= 10, "it has no room for so much");
}

// `step` bytes at a time, out of a codec that may be of no use any more.
void unpack_in_pieces(ByteView packed, size_t step) {
  if ((zstd().capabilities() & CB_COMPRESS_STREAM) == 0) return;
  plugin::Codec codec = must(zstd().codec(CB_CODEC_DECOMPRESS));
  Bytes out(4096);
  size_t total = 0;
  for (int rounds = 0; rounds < 4000 && total < kRoom * 4; ++rounds) {
    const ByteView some = packed.first(std::min(step, packed.size()));
    const auto run = codec.run(some, out, packed.size() > step ? CB_CODEC_GO : CB_CODEC_FINISH);
    if (!run) return;
    require(run->used <= some.size() && run->written <= out.size(), "it says more than there was");
    total += run->written;
    packed = packed.subspan(run->used);
    if (run->step == plugin::CodecStep::end || run->used + run->written == 0) return;
  }
}

void there_and_back(ByteView plain) {
  Bytes packed(must(zstd().bound(plain.size())));
  packed.resize(must(zstd().compress(plain, packed)));
  Bytes again(plain.size());
  require(must(zstd().decompress(packed, again)) == plain.size(), "it has another size");
  require(std::equal(plain.begin(), plain.end(), again.begin()), "it is another thing");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const auto bytes = std::as_bytes(std::span(data + 2, size - 2));
  if (data[0] == 'd') unpack(bytes);
  if (data[0] == 's') unpack_in_pieces(bytes, data[1] + 1U);
  if (data[0] == 'c' && !bytes.empty()) there_and_back(bytes);
  test::check_plugins();
  return 0;
}
