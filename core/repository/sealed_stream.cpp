// SPDX-License-Identifier: Apache-2.0
#include "core/repository/sealed_stream.h"

#include <algorithm>
#include <memory>

namespace cb::repository {
namespace {

constexpr const char* kSealedBytes = "sealed bytes";

// Plaintext in pieces of one chunk. Only the piece in which head and body meet is copied.
class Pieces {
 public:
  Pieces(const StreamPlain& plain, size_t chunk) : rest_(plain.body), chunk_(chunk) {
    if (plain.head.empty()) return;
    const size_t more = std::min(rest_.size(), chunk - plain.head.size());
    first_.reserve(plain.head.size() + more);
    first_.assign(plain.head.begin(), plain.head.end());
    first_.insert(first_.end(), rest_.begin(), rest_.begin() + static_cast<ptrdiff_t>(more));
    rest_ = rest_.subspan(more);
    has_first_ = true;
  }

  ByteView next() {
    if (has_first_) {
      has_first_ = false;
      return first_;
    }
    const ByteView piece = rest_.first(std::min(rest_.size(), chunk_));
    rest_ = rest_.subspan(piece.size());
    return piece;
  }
  [[nodiscard]] bool last() const { return !has_first_ && rest_.empty(); }

 private:
  ByteView rest_;
  size_t chunk_;
  Bytes first_;
  bool has_first_ = false;
};

// What a plugin says of bytes that it cannot open, in one code for whoever handed them in.
Error unopened(Error error) {
  const bool content = error.code == Code::auth || error.code == Code::corrupt ||
                       error.code == Code::unsupported || error.code == Code::invalid;
  if (!content) return error;
  return fail(Code::auth, kSealedBytes, "do not open: " + error.cause);
}

struct Sealed {
  ByteView aad;
  ByteView bytes;
};

// Opens chunk after chunk into the room that `room` gives.
template <typename Room, typename Sink>
Status open_each(const plugin::Key& key, const StreamSizes& sizes, const Sealed& sealed,
                 const Room& room, const Sink& sink) {
  if (sealed.bytes.size() < sizes.header + sizes.chunk_overhead)
    return failed(Code::auth, kSealedBytes, "are cut short");
  auto open = key.open(sealed.aad, sealed.bytes.first(sizes.header));
  if (!open) return failed(unopened(std::move(open).error()));
  ByteView rest = sealed.bytes.subspan(sizes.header);
  for (uint64_t index = 0; index == 0 || !rest.empty(); ++index) {
    const ByteView chunk =
        rest.first(std::min(rest.size(), sizes.chunk_plain + sizes.chunk_overhead));
    rest = rest.subspan(chunk.size());
    const ByteSpan out = room();
    auto got = open->chunk(index, rest.empty(), chunk, out);
    if (!got) return failed(unopened(std::move(got).error()));
    CB_TRY(sink(out.first(*got)));
  }
  return {};
}

}  // namespace

Result<StreamSizes> stream_sizes(const plugin::Crypto& crypto) {
  CB_ASSIGN(const cb_crypto_props props, crypto.props());
  return StreamSizes{props.header_size, props.chunk_plain, props.chunk_overhead};
}

Result<Bytes> seal_stream(const plugin::Key& key, const StreamSizes& sizes, ByteView aad,
                          const StreamPlain& plain) {
  if (plain.head.size() >= sizes.chunk_plain)
    return failed(Code::invalid, kSealedBytes, "the head is longer than a chunk");
  CB_ASSIGN(plugin::Seal seal, key.seal(aad));
  const size_t total = plain.head.size() + plain.body.size();
  const size_t chunks = std::max<size_t>(1, (total + sizes.chunk_plain - 1) / sizes.chunk_plain);
  Bytes sealed(seal.header().size() + total + chunks * sizes.chunk_overhead);
  std::copy(seal.header().begin(), seal.header().end(), sealed.begin());
  ByteSpan room = ByteSpan(sealed).subspan(seal.header().size());
  Pieces pieces(plain, sizes.chunk_plain);
  for (size_t i = 0; i < chunks; ++i) {
    const ByteView piece = pieces.next();
    CB_ASSIGN(const size_t size, seal.chunk(piece, pieces.last(), room));
    if (size != piece.size() + sizes.chunk_overhead)
      return failed(Code::internal, kSealedBytes,
                    "the crypto plugin sealed a chunk to an unexpected size",
                    "report this to the plugin's author");
    room = room.subspan(size);
  }
  return sealed;
}

Result<size_t> open_stream(const plugin::Key& key, const StreamSizes& sizes, ByteView aad,
                           ByteView sealed, ByteSpan out) {
  size_t written = 0;
  const auto room = [&] { return out.subspan(written); };
  CB_TRY(open_each(key, sizes, {aad, sealed}, room, [&](ByteView plain) -> Status {
    written += plain.size();
    return {};
  }));
  return written;
}

Status open_chunks(const plugin::Key& key, const StreamSizes& sizes, ByteView aad, ByteView sealed,
                   const ChunkSink& sink) {
  const size_t size = sizes.chunk_plain + sizes.chunk_overhead;
  const auto memory = std::make_unique_for_overwrite<std::byte[]>(size);
  const auto room = [&] { return ByteSpan(memory.get(), size); };
  return open_each(key, sizes, {aad, sealed}, room, sink);
}

}  // namespace cb::repository
