// SPDX-License-Identifier: Apache-2.0
//
// Compressors given what is no frame, or no longer one.
#include "hosts/cyberbackup-plugin-check/compress_checks.h"
#include "hosts/cyberbackup-plugin-check/compress_texts.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {
namespace {

constexpr int kFewestRounds = 3000;
constexpr size_t kMost = 20'000;

// Noise, or a frame of the plugin with a few things done to it.
class Rubbish {
 public:
  Rubbish(Subject& subject, std::vector<Bytes> frames)
      : subject_(subject), frames_(std::move(frames)) {}

  Bytes next() {
    if (below(8) == 0) return subject_.random_bytes(1 + below(500));
    Bytes bad = frames_[below(frames_.size())];
    for (size_t changes = 1 + below(4); changes > 0; --changes) damage(bad);
    return bad;
  }

 private:
  size_t below(size_t end) { return static_cast<size_t>(subject_.random()() % end); }

  void damage(Bytes& bad) {
    if (bad.empty()) return;
    const size_t at = below(bad.size());
    const size_t some = std::min(1 + below(9), bad.size() - at);
    const auto place = bad.begin() + static_cast<ptrdiff_t>(at);
    switch (below(5)) {
      case 0:
        bad[at] ^= static_cast<std::byte>(1U << below(8));
        break;
      case 1:
        bad[at] = std::byte{0xff};
        break;
      case 2:
        bad.erase(place, place + static_cast<ptrdiff_t>(some));
        break;
      case 3: {
        const Bytes more = subject_.random_bytes(some);
        bad.insert(place, more.begin(), more.end());
        break;
      }
      default:
        bad.resize(at);
    }
  }

  Subject& subject_;
  const std::vector<Bytes> frames_;
};

Status is_fitting(const Error& error, const std::string& what) {
  if (error.code == Code::corrupt || error.code == Code::limit) return {};
  return found_wrong(what + " failed as " + std::string(name_of(error.code)) + " (" + error.cause +
                     ") where it may fail as corrupt or limit");
}

Status try_one(Subject& subject, const plugin::Compress& compress, const Bytes& bad,
               const std::string& what) {
  const auto back = unpacked(compress, bad, subject.random()() % kMost);
  if (!back) CB_TRY(is_fitting(back.error(), what));
  if ((compress.capabilities() & CB_COMPRESS_STREAM) == 0) return {};
  CB_ASSIGN(plugin::Codec codec, compress.codec(CB_CODEC_DECOMPRESS));
  const Windows windows{1 + subject.random()() % 300, 1 + subject.random()() % 3000};
  // A frame may well hold a lot: enough is enough.
  const auto streamed = pump(codec, bad, windows, CB_CODEC_GO, 50 * kMost);
  if (!streamed && streamed.error().code == Code::invalid) {
    CB_TRY(expect(streamed.error().cause == "more bytes come than can be",
                  what + ", as a stream: " + streamed.error().cause));
  } else if (!streamed) {
    CB_TRY(is_fitting(streamed.error(), what + ", as a stream,"));
    const GuardedMemory room(10);
    const auto after = codec.run({}, room.span(), CB_CODEC_GO);
    CB_TRY(expect(!after && after.error().code == Code::state,
                  "a run after one that had failed is not refused as state"));
  }
  return {};
}

}  // namespace

Result<Verdict> compress_garbage(Subject& subject) {
  CB_ASSIGN(const plugin::Compress compress, subject.make<plugin::Compress>());
  const auto refused = unpacked(compress, as_bytes("this is not a frame of any kind"), 1000);
  CB_TRY(expect(!refused, "a text that is no frame was decompressed"));
  CB_TRY(is_fitting(refused.error(), "a text that is no frame"));
  std::vector<Bytes> frames;
  for (const Sample& sample : samples(subject, 5000)) {
    CB_ASSIGN(Bytes frame, packed(compress, sample.plain));
    frames.push_back(std::move(frame));
  }
  Rubbish rubbish(subject, std::move(frames));
  int round = 0;
  while (round < kFewestRounds || std::chrono::steady_clock::now() < subject.fuzz_until()) {
    const Bytes bad = rubbish.next();
    ++round;
    CB_TRY(try_one(subject, compress, bad, "rubbish of round " + std::to_string(round)));
  }
  return passed(std::to_string(round) + " rounds");
}

}  // namespace cb::check
