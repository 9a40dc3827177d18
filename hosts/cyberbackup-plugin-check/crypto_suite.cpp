// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/crypto_suite.h"

#include <algorithm>

namespace cb::check {

Result<CryptoSuite> CryptoSuite::make(Subject& subject) {
  CB_ASSIGN(plugin::Crypto crypto, subject.make<plugin::Crypto>());
  CB_ASSIGN(const cb_crypto_props props, crypto.props());
  CryptoSuite suite{std::move(crypto), props, {}};
  if (!suite.has(CB_CRYPTO_UNAUTHENTICATED)) suite.aad = to_bytes(as_bytes("kind and id"));
  return suite;
}

bool CryptoSuite::has(uint64_t capability) const {
  return (crypto.capabilities() & capability) != 0;
}

Result<plugin::Key> CryptoSuite::new_key(Subject& subject) const {
  return crypto.import_key(subject.random_bytes(props.key_size));
}

Result<SealedObject> CryptoSuite::seal(const plugin::Key& key, ByteView plain) const {
  return seal_object(key, props, aad, plain);
}

Result<Bytes> CryptoSuite::open(const plugin::Key& key, const SealedObject& object) const {
  return open_object(key, aad, object);
}

bool CryptoSuite::same(const plugin::Key& a, const plugin::Key& b) const {
  const ByteView plain = as_bytes("sixteen bytes and a few more of plaintext");
  if (!has(CB_CRYPTO_STREAM)) {
    const auto name = a.id_of(plain);
    const auto other = b.id_of(plain);
    return name && other && *name == *other;
  }
  const auto sealed = seal(a, plain);
  if (!sealed) return false;
  const auto opened = open(b, *sealed);
  return opened && std::ranges::equal(*opened, plain);
}

Result<SealedObject> seal_object(const plugin::Key& key, const cb_crypto_props& props, ByteView aad,
                                 ByteView plain) {
  CB_ASSIGN(plugin::Seal seal, key.seal(aad));
  SealedObject object{to_bytes(seal.header()), {}};
  while (true) {
    const bool last = plain.size() <= props.chunk_plain;
    const ByteView some = last ? plain : plain.first(props.chunk_plain);
    Bytes& chunk = object.chunks.emplace_back(some.size() + props.chunk_overhead);
    CB_ASSIGN(const size_t size, seal.chunk(some, last, chunk));
    chunk.resize(size);
    if (last) return object;
    plain = plain.subspan(some.size());
  }
}

Result<Bytes> open_object(const plugin::Key& key, ByteView aad, const SealedObject& object) {
  CB_ASSIGN(plugin::Open open, key.open(aad, object.header));
  Bytes all;
  for (size_t i = 0; i < object.chunks.size(); ++i) {
    Bytes plain(object.chunks[i].size());
    CB_ASSIGN(const size_t size,
              open.chunk(i, i + 1 == object.chunks.size(), object.chunks[i], plain));
    all.insert(all.end(), plain.begin(), plain.begin() + static_cast<ptrdiff_t>(size));
  }
  return all;
}

Bytes flipped(ByteView bytes, size_t bit) {
  Bytes copy = to_bytes(bytes);
  copy.at(bit / 8) ^= static_cast<std::byte>(1U << (bit % 8));
  return copy;
}

bool shows(ByteView bytes, ByteView plain) {
  constexpr size_t kRun = 8;
  const size_t size = std::min(bytes.size(), plain.size());
  for (size_t at = 0; at + kRun <= size; ++at)
    if (std::ranges::equal(bytes.subspan(at, kRun), plain.subspan(at, kRun))) return true;
  return false;
}

}  // namespace cb::check
