// SPDX-License-Identifier: Apache-2.0
#include "core/repository/sealed_blob.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "core/repository/shrink_probe.h"

namespace cb::repository {
namespace {

constexpr std::string_view kLabel = "cyberbackup/blob/1";
constexpr const char* kObject = "blob";
constexpr size_t kEnvelope = 5;  // encoding and plain size
constexpr std::byte kAsIs{0};
constexpr std::byte kZstd{1};
// Less than this never shrinks enough to matter.
constexpr size_t kLeastTried = 64;
// Compression must save a thirty-second part, else reading back is not worth its cost.
constexpr size_t kLeastSaving = 32;

// Memory for one call, kept for each thread and not for each blob, unless it is large: then each
// thread would hold what one of them needs now and then. It is not filled beforehand: pages that
// nobody writes to cost nothing.
enum Slot : size_t { kPacked, kOpened, kPlain, kSlots };

constexpr size_t kKeptScratch = 2 * 1024 * 1024;  // bytes

struct Scratch {
  std::unique_ptr<std::byte[]> memory;
  size_t size = 0;
};

ByteSpan scratch(Slot slot, size_t size) {
  thread_local std::array<Scratch, kSlots> all;
  Scratch& one = all.at(slot);
  if (one.size < size || one.size > kKeptScratch) {
    one = {};  // what was there need not be copied
    one = {std::make_unique_for_overwrite<std::byte[]>(size), size};
  }
  return {one.memory.get(), size};
}

void append(Bytes& to, ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

// The compressed form, or nothing when it is not worth it.
Result<std::optional<ByteView>> shrunk(const plugin::Compress& compress, ByteView plain) {
  thread_local ShrinkProbe probe;
  if (plain.size() < kLeastTried || !probe.worth_trying(plain)) return std::optional<ByteView>();
  CB_ASSIGN(const size_t bound, compress.bound(plain.size()));
  const ByteSpan out = scratch(kPacked, bound);
  CB_ASSIGN(const size_t packed, compress.compress(plain, out));
  const bool worth = packed > 0 && packed < plain.size() - plain.size() / kLeastSaving;
  probe.tried(worth);
  if (!worth) return std::optional<ByteView>();
  return std::optional<ByteView>(out.first(packed));
}

tl::unexpected<Error> makes_no_sense(std::string why) {
  return failed(Code::corrupt, kObject, "opens, but " + std::move(why),
                "the program that made it has an error; back the files up again");
}

// Compares what comes out of a seal, piece by piece, with what went in.
class Comparison {
 public:
  Comparison(const plugin::Compress& compress, ByteView plain)
      : compress_(compress), expected_(plain), rest_(plain) {}

  Status feed(ByteView opened) {
    const size_t more = std::min(opened.size(), kEnvelope - envelope_.size());
    envelope_.insert(envelope_.end(), opened.begin(),
                     opened.begin() + static_cast<ptrdiff_t>(more));
    if (envelope_.size() < kEnvelope) return {};
    if (more > 0) CB_TRY(begin());
    const ByteView body = opened.subspan(more);
    return codec_ ? unpack(body) : take(body);
  }

  Status end() {
    const bool whole = envelope_.size() == kEnvelope && rest_.empty() && ended_;
    return whole ? Status() : differs();
  }

 private:
  Status begin() {
    if (load_le<uint32_t>(envelope_.data() + 1) != expected_.size()) return differs();
    if (envelope_[0] == kAsIs) return {};
    if (envelope_[0] != kZstd) return differs();
    CB_ASSIGN(codec_, compress_.codec(CB_CODEC_DECOMPRESS));
    ended_ = false;
    window_ = std::make_unique_for_overwrite<std::byte[]>(kWindow);
    return {};
  }

  Status unpack(ByteView packed) {
    while (true) {
      const ByteSpan out(window_.get(), kWindow);
      CB_ASSIGN(const plugin::CodecRun run, codec_->run(packed, out, CB_CODEC_GO));
      CB_TRY(take(out.first(run.written)));
      packed = packed.subspan(run.used);
      if (run.step == plugin::CodecStep::more) continue;
      if (run.step == plugin::CodecStep::end) ended_ = true;
      return packed.empty() ? Status() : differs();
    }
  }

  Status take(ByteView piece) {
    if (piece.size() > rest_.size() || !std::equal(piece.begin(), piece.end(), rest_.begin()))
      return differs();
    rest_ = rest_.subspan(piece.size());
    return {};
  }

  static Status differs() {
    return failed(Code::internal, kObject, "did not come out of its seal as it went in");
  }

  static constexpr size_t kWindow = 64 * 1024;

  const plugin::Compress& compress_;
  ByteView expected_, rest_;
  Bytes envelope_;
  std::optional<plugin::Codec> codec_;
  std::unique_ptr<std::byte[]> window_;
  bool ended_ = true;  // of the compressed frame, if there is one
};

}  // namespace

size_t most_plain(BlobKind kind) {
  switch (kind) {
    case BlobKind::data:
      return kMaxData;
    case BlobKind::snapshot:
    case BlobKind::session:
      return kMaxSnapshot;
    case BlobKind::node:
    case BlobKind::signature:
    case BlobKind::recipe:
      return kMaxNode;
  }
  return 0;
}

Bytes blob_associated_data(const RepositoryId& repository, const BlobHead& head) {
  Bytes bytes;
  bytes.reserve(kLabel.size() + 16 + 1 + 32 + 16 + 4 + 32 * head.children.size());
  append(bytes, as_bytes(kLabel));
  append(bytes, repository.view());
  bytes.push_back(static_cast<std::byte>(head.kind));
  append(bytes, head.id.view());
  append(bytes, head.session.view());
  std::array<std::byte, 4> count{};
  store_le(count.data(), static_cast<uint32_t>(head.children.size()));
  append(bytes, count);
  for (const BlobId& child : head.children) append(bytes, child.view());
  return bytes;
}

Result<Bytes> seal_plain(const BlobSeal& how, ByteView plain) {
  CB_ASSIGN(const std::optional<ByteView> packed, shrunk(*how.suite.compress, plain));
  std::array<std::byte, kEnvelope> envelope{};
  envelope[0] = packed ? kZstd : kAsIs;
  store_le(envelope.data() + 1, static_cast<uint32_t>(plain.size()));
  return seal_stream(how.key, how.sizes, how.aad, {envelope, packed ? *packed : plain});
}

Result<ByteSpan> open_plain(const BlobSeal& how, ByteView stored, size_t most, size_t headroom) {
  const ByteSpan opened = scratch(kOpened, stored.size() + headroom);
  // The free bytes come to lie where the envelope was, when the body is taken as it is.
  const size_t before = headroom > kEnvelope ? headroom - kEnvelope : 0;
  const ByteSpan room = opened.subspan(before);
  CB_ASSIGN(const size_t size, open_stream(how.key, how.sizes, how.aad, stored, room));
  if (size < kEnvelope) return makes_no_sense("is shorter than its envelope");
  const ByteSpan body = room.subspan(kEnvelope, size - kEnvelope);
  const size_t plain_size = load_le<uint32_t>(room.data() + 1);
  if (plain_size > most)
    return makes_no_sense("claims " + std::to_string(plain_size) + " bytes of at most " +
                          std::to_string(most));
  if (room[0] == kAsIs) {
    if (body.size() != plain_size) return makes_no_sense("its size is not the one it claims");
    return opened.subspan(before + kEnvelope - headroom, headroom + plain_size);
  }
  if (room[0] != kZstd) return makes_no_sense("its encoding is unknown");
  const ByteSpan plain = scratch(kPlain, headroom + plain_size);
  const auto got = how.suite.compress->decompress(body, plain.subspan(headroom));
  if (!got && got.error().code != Code::corrupt && got.error().code != Code::limit)
    return failed(got.error());
  if (!got || *got != plain_size) return makes_no_sense("does not decompress to its size");
  return plain;
}

Status check_sealed(const BlobSeal& how, ByteView stored, ByteView plain) {
  Comparison comparison(*how.suite.compress, plain);
  CB_TRY(open_chunks(how.key, how.sizes, how.aad, stored,
                     [&](ByteView opened) { return comparison.feed(opened); }));
  return comparison.end();
}

}  // namespace cb::repository
