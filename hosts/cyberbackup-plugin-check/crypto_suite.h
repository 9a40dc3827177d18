// SPDX-License-Identifier: Apache-2.0
//
// A crypto suite under check: an instance, its sizes, and how objects are sealed and opened with
// it. Values are used by one thread; `crypto` may be shared.
#pragma once

#include <vector>

#include "core/plugin/crypto.h"
#include "hosts/cyberbackup-plugin-check/check.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {

constexpr Applies kKems = {.interface_id = CB_CRYPTO_INTERFACE, .with = CB_CRYPTO_KEM};
constexpr Applies kStreams = {.interface_id = CB_CRYPTO_INTERFACE, .with = CB_CRYPTO_STREAM};
constexpr Applies kSealedStreams = {.interface_id = CB_CRYPTO_INTERFACE,
                                    .with = CB_CRYPTO_STREAM,
                                    .without = CB_CRYPTO_UNAUTHENTICATED};

struct SealedObject {
  Bytes header;
  std::vector<Bytes> chunks;
};

struct CryptoSuite {
  plugin::Crypto crypto;
  cb_crypto_props props;
  Bytes aad;  // what is bound into objects; empty for a suite that cannot

  static Result<CryptoSuite> make(Subject& subject);

  [[nodiscard]] bool has(uint64_t capability) const;
  [[nodiscard]] Result<plugin::Key> new_key(Subject& subject) const;
  [[nodiscard]] Result<SealedObject> seal(const plugin::Key& key, ByteView plain) const;
  [[nodiscard]] Result<Bytes> open(const plugin::Key& key, const SealedObject& object) const;
  // Do the two do the same? Told by an object, or by keyed ids where there are no streams.
  [[nodiscard]] bool same(const plugin::Key& a, const plugin::Key& b) const;
};

Result<SealedObject> seal_object(const plugin::Key& key, const cb_crypto_props& props, ByteView aad,
                                 ByteView plain);
Result<Bytes> open_object(const plugin::Key& key, ByteView aad, const SealedObject& object);

// The same bytes with one bit changed.
Bytes flipped(ByteView bytes, size_t bit);
// Is any run of eight bytes of `plain` in `bytes` at its place?
bool shows(ByteView bytes, ByteView plain);

}  // namespace cb::check
