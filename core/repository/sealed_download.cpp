// SPDX-License-Identifier: Apache-2.0
//
// Reading a stored upload (docs/upload-format.md).
#include "core/repository/sealed_download.h"

#include <algorithm>
#include <utility>

namespace cb::repository {
namespace {

constexpr const char* kAdvice =
    "bring the object back from a copy of the store; if every object fails, the server's key is "
    "not the one they were sealed for";

Error damaged(const Place& place, std::string cause) {
  return fail(Code::corrupt, std::string(place.object), std::move(cause), kAdvice);
}

// The object as bytes from the store, with its length known beforehand.
class Source {
 public:
  static Result<Source> open(const Vault::Parts& parts, const Place& place) {
    CB_ASSIGN(const plugin::StoredObject found, parts.store->stat(place.object));
    CB_ASSIGN(plugin::Get get, parts.store->get_open(place.object));
    return Source(std::move(get), found.length, place);
  }

  [[nodiscard]] uint64_t left() const { return left_; }

  // Fills all of `into`, or fails.
  Status read(ByteSpan into) {
    if (into.size() > left_) return failed(damaged(place_, "is cut short"));
    left_ -= into.size();
    while (!into.empty()) {
      CB_ASSIGN(const size_t got, get_.read(into));
      if (got == 0) return failed(damaged(place_, "is shorter than the store says"));
      into = into.subspan(got);
    }
    return {};
  }

 private:
  Source(plugin::Get get, uint64_t length, const Place& place)
      : get_(std::move(get)), left_(length), place_(place) {}

  plugin::Get get_;
  uint64_t left_;
  Place place_;
};

struct Opened {
  plugin::Open open;
  size_t chunk_plain;
  size_t chunk_overhead;
};

// Reads the header and gets the object's key out of it.
Result<Opened> open_header(const Vault::Parts& parts, const Place& place, Source& source) {
  CB_ASSIGN(const cb_crypto_props props, parts.crypto->props());
  std::array<std::byte, kPrefixSize> raw{};
  CB_TRY(source.read(raw));
  const auto prefix = decode_prefix(raw);
  if (!prefix) {
    Error error = prefix.error();
    error.object = place.object;
    return failed(std::move(error));
  }
  if (prefix->chunk_plain != props.chunk_plain || prefix->seal_header_size != props.header_size)
    return failed(damaged(place, "was sealed by a suite with other sizes than the configured one"));
  Bytes cipher(prefix->kem_cipher_size);
  CB_TRY(source.read(cipher));
  Bytes seal_header(prefix->seal_header_size);
  CB_TRY(source.read(seal_header));

  auto key = parts.server_key->decapsulate(encode_place(place), cipher);
  if (!key) return failed(damaged(place, "its key does not open: " + key.error().cause));
  Bytes bound = to_bytes(raw);
  bound.insert(bound.end(), cipher.begin(), cipher.end());
  auto open = key->open(associated_data(place, bound), seal_header);
  if (!open) return failed(damaged(place, "its seal does not open: " + open.error().cause));
  return Opened{std::move(*open), props.chunk_plain, props.chunk_overhead};
}

// Opens the chunks one after the other and gives their plaintext to `sink`.
Status each_chunk(const Place& place, Source& source, Opened& opened,
                  const std::function<Status(ByteView)>& sink) {
  const size_t whole = opened.chunk_plain + opened.chunk_overhead;
  Bytes sealed(std::min<uint64_t>(whole, source.left()));
  Bytes plain(sealed.size());
  for (uint64_t index = 0;; ++index) {
    const bool last = source.left() <= whole;
    const ByteSpan chunk = ByteSpan(sealed).first(std::min<uint64_t>(whole, source.left()));
    if (chunk.size() < opened.chunk_overhead) return failed(damaged(place, "is cut short"));
    CB_TRY(source.read(chunk));
    const auto size = opened.open.chunk(index, last, chunk, plain);
    if (!size && size.error().code != Code::auth) return failed(size.error());
    if (!size)
      return failed(damaged(place, "chunk " + std::to_string(index) +
                                       " does not verify: the object was changed, cut or belongs "
                                       "to another client or file"));
    CB_TRY(sink(ByteView(plain).first(*size)));
    if (last) return {};
  }
}

}  // namespace

Status read_sealed(const Vault::Parts& parts, const Place& place,
                   const std::function<Status(ByteView)>& sink) {
  CB_ASSIGN(Source source, Source::open(parts, place));
  CB_ASSIGN(Opened opened, open_header(parts, place, source));
  FrameReader frames;
  Bytes unpacked(kFramePlain);
  const auto give_frame = [&](const Frame& frame) -> Status {
    if (!frame.compressed) return sink(frame.stored);
    const ByteSpan out = ByteSpan(unpacked).first(frame.plain_size);
    const auto size = parts.compress->decompress(frame.stored, out);
    if (!size || *size != frame.plain_size)
      return failed(damaged(place, "a frame does not decompress to its size"));
    return sink(out);
  };
  CB_TRY(each_chunk(place, source, opened,
                    [&](ByteView plaintext) { return frames.feed(plaintext, give_frame); }));
  return frames.end();
}

}  // namespace cb::repository
