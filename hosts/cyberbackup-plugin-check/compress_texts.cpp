// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/compress_texts.h"

#include <algorithm>

#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {
namespace {

constexpr std::string_view kOutside = "something was written before the buffer";

}  // namespace

Bytes words(Subject& subject, size_t size) {
  constexpr std::string_view kWords[] = {"backup ", "restore ", "chunk ", "of ", "the ", "key "};
  constexpr size_t kVerse = size_t{1} << 20;
  Bytes text;
  text.reserve(size + kVerse);
  while (text.size() < std::min(size, kVerse)) {
    const ByteView word = as_bytes(kWords[subject.random()() % std::size(kWords)]);
    text.insert(text.end(), word.begin(), word.end());
  }
  while (text.size() < size) {
    const size_t there = text.size();
    const size_t some = std::min(there, size - there);
    text.resize(there + some);
    std::copy_n(text.begin(), some, text.begin() + static_cast<ptrdiff_t>(there));
  }
  text.resize(size);
  return text;
}

std::vector<Sample> samples(Subject& subject, size_t size) {
  std::vector<Sample> all = {{"nothing", {}}};
  for (const size_t some : {size_t{1}, size_t{100}, size_t{4097}, size}) {
    if (some > size) continue;
    const std::string bytes = std::to_string(some) + " bytes of ";
    all.push_back({bytes + "zero", Bytes(some)});
    all.push_back({bytes + "noise", subject.random_bytes(some)});
    all.push_back({bytes + "text", words(subject, some)});
  }
  all.push_back(
      {"text, noise and zeros",
       joined({words(subject, size / 3), subject.random_bytes(size / 3), Bytes(size / 3)})});
  return all;
}

Result<Bytes> packed(const plugin::Compress& compress, ByteView plain) {
  CB_ASSIGN(const size_t bound, compress.bound(plain.size()));
  GuardedMemory in(plain);
  in.forbid_writing();
  const GuardedMemory out(2 * bound + 1000);
  CB_ASSIGN(const size_t size, compress.compress(in.span(), out.span()));
  CB_TRY(expect(out.canaries_stand(), kOutside));
  return to_bytes(ByteView(out.span()).first(size));
}

Result<Bytes> unpacked(const plugin::Compress& compress, ByteView data, size_t cap) {
  GuardedMemory in(data);
  in.forbid_writing();
  const GuardedMemory out(cap);
  CB_ASSIGN(const size_t size, compress.decompress(in.span(), out.span()));
  CB_TRY(expect(out.canaries_stand(), kOutside));
  return to_bytes(ByteView(out.span()).first(size));
}

Result<Streamed> pump(plugin::Codec& codec, ByteView in, Windows windows, uint32_t last_op,
                      size_t most) {
  const GuardedMemory from(std::min(windows.in, std::max<size_t>(in.size(), 1)));
  const GuardedMemory into(windows.out);
  Streamed done;
  while (true) {
    const ByteView piece = in.subspan(done.used, std::min(windows.in, in.size() - done.used));
    const bool last = done.used + piece.size() == in.size();
    // At the end of the room, so that one byte too far faults.
    const ByteSpan offered = from.span().last(piece.size());
    std::copy(piece.begin(), piece.end(), offered.begin());
    CB_ASSIGN(const plugin::CodecRun run,
              codec.run(offered, into.span(), last ? last_op : uint32_t{CB_CODEC_GO}));
    done.bytes.insert(done.bytes.end(), into.data(), into.data() + run.written);
    done.used += run.used;
    done.ended = run.step == plugin::CodecStep::end;
    if (done.ended) break;
    if (last && run.step == plugin::CodecStep::ok) break;
    CB_TRY(expect(run.used + run.written > 0,
                  "a run with " + std::to_string(piece.size()) + " bytes of input and " +
                      std::to_string(windows.out) + " bytes of room makes no progress"));
    CB_TRY(expect(done.bytes.size() <= most, "more bytes come than can be"));
  }
  CB_TRY(expect(from.canaries_stand() && into.canaries_stand(), kOutside));
  return done;
}

Result<Bytes> stream_packed(const plugin::Compress& compress, ByteView plain, Windows windows) {
  CB_ASSIGN(plugin::Codec codec, compress.codec(CB_CODEC_COMPRESS));
  CB_ASSIGN(Streamed streamed, pump(codec, plain, windows, CB_CODEC_FINISH));
  CB_TRY(expect(!streamed.ended, "compressing, a run answered END"));
  return std::move(streamed.bytes);
}

Result<Bytes> stream_unpacked(const plugin::Compress& compress, ByteView data, Windows windows) {
  CB_ASSIGN(plugin::Codec codec, compress.codec(CB_CODEC_DECOMPRESS));
  CB_ASSIGN(Streamed streamed, pump(codec, data, windows, CB_CODEC_GO));
  CB_TRY(expect(streamed.ended, "a whole frame went in, but END did not come"));
  CB_TRY(expect(streamed.used == data.size(), "END came before the end of the frame"));
  return std::move(streamed.bytes);
}

Bytes joined(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace cb::check
