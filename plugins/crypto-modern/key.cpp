// SPDX-License-Identifier: Apache-2.0
//
// See key.h.
#include "key.h"

#include <algorithm>

#include "cyberbackup/cpp/failure.hpp"

namespace crypto_modern {

namespace {

using cyberbackup::sdk::Failure;

// The salt of every key's extraction: names this suite and its revision.
constexpr std::string_view kSuiteLabel = "cyberbackup/crypto-modern/1";

View text(std::string_view from) { return std::as_bytes(std::span(from)); }

std::array<std::byte, 8> big_endian(uint64_t value) {
  std::array<std::byte, 8> bytes;
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>((value >> (8 * (7 - i))) & 0xff);
  return bytes;
}

Hmac make_id_key(const Algorithms& algorithms, const Hmac& root) {
  SecretArray<kHashSize> raw;
  hkdf_expand(root, {text(std::string_view("keyed-id\0", 9))}, raw.span());
  return Hmac(algorithms, raw.view());
}

// The key that a KEM's shared secret and the caller's context make.
std::unique_ptr<Key> key_of_secret(const Engine& engine, const SharedSecret& secret, View context) {
  const Hmac root = hkdf_extract(engine.algorithms, text(kSuiteLabel), {secret.view()});
  SecretArray<kKeySize> raw;
  hkdf_expand(root, {text(std::string_view("kem\0", 4)), context}, raw.span());
  return std::make_unique<Key>(engine, raw.view());
}

}  // namespace

Key::Key(const Engine& engine, std::span<const std::byte, kKeySize> raw)
    : engine_(engine),
      raw_(raw),
      root_(hkdf_extract(engine.algorithms, text(kSuiteLabel), {raw})),
      id_key_(make_id_key(engine.algorithms, root_)) {}

void Key::expand(std::string_view purpose, Parts fields, Span result) const {
  Bytes info(text(purpose).begin(), text(purpose).end());
  info.push_back(std::byte{0});
  for (const View field : fields) info.insert(info.end(), field.begin(), field.end());
  hkdf_expand(root_, {info}, result);
}

std::unique_ptr<Key> Key::derive(std::string_view label, View context) const {
  SecretArray<kKeySize> raw;
  expand("derive", {big_endian(label.size()), text(label), context}, raw.span());
  return std::make_unique<Key>(engine_, raw.view());
}

Bytes Key::wrap(const Key& inner) const {
  SecretArray<kSivKeySize> siv;
  expand("wrap", {}, siv.span());
  return siv_seal(engine_.algorithms, siv.view(), text(kSuiteLabel), inner.raw_.view());
}

std::unique_ptr<Key> Key::unwrap(View wrapped) const {
  SecretArray<kSivKeySize> siv;
  SecretArray<kKeySize> raw;
  expand("wrap", {}, siv.span());
  if (wrapped.size() != kWrappedSize ||
      !siv_open(engine_.algorithms, siv.view(), text(kSuiteLabel), wrapped, raw.span()))
    throw Failure(CB_E_AUTH, "the wrapped key does not verify under this key");
  return std::make_unique<Key>(engine_, raw.view());
}

void Key::keyed_id(View data, std::span<std::byte, kHashSize> id) const { id_key_.mac({data}, id); }

ObjectKey Key::object_key(View header, View aad) const {
  ObjectKey key;
  expand("object", {header, sha256(engine_.algorithms, aad)}, key.span());
  return key;
}

std::unique_ptr<Seal> Key::seal_begin(View aad, Bytes& header) const {
  header.resize(kHeaderSize);
  header.front() = static_cast<std::byte>(engine_.suite);
  engine_.host.random(Span(header).subspan(1));
  return std::make_unique<Seal>(engine_.algorithms, engine_.suite, object_key(header, aad));
}

std::unique_ptr<Open> Key::open_begin(View aad, View header) const {
  if (header.size() != kHeaderSize)
    throw Failure(CB_E_CORRUPT, "the header of a sealed object has the wrong size");
  const std::optional<Suite> suite = suite_of(header);
  if (!suite) throw Failure(CB_E_UNSUPPORTED, "the object was sealed with another suite");
  return std::make_unique<Open>(engine_.algorithms, *suite, object_key(header, aad));
}

Pair::Pair(const Engine& engine, const X25519Private& own)
    : engine_(engine), own_(own), half_(x25519_public(own)) {}

Pair::Pair(const Engine& engine, const X25519Public& half) : engine_(engine), half_(half) {}

const X25519Private& Pair::own() const {
  if (!own_) throw Failure(CB_E_STATE, "only the public half of this pair is there");
  return *own_;
}

Bytes Pair::public_half() const { return {half_.begin(), half_.end()}; }

Bytes Pair::private_form() const { return {own().view().begin(), own().view().end()}; }

std::unique_ptr<Key> Pair::encapsulate(View context, Bytes& cipher) const {
  X25519Private ephemeral;
  engine_.host.random(ephemeral.span());
  SharedSecret secret;
  if (!dhkem_encapsulate(engine_.algorithms, ephemeral, half_, secret))
    throw Failure(CB_E_CORRUPT, "the public key is a point of low order");
  const X25519Public half = x25519_public(ephemeral);
  cipher.assign(half.begin(), half.end());
  return key_of_secret(engine_, secret, context);
}

std::unique_ptr<Key> Pair::decapsulate(View context, View cipher) const {
  X25519Public ephemeral;
  if (cipher.size() != ephemeral.size())
    throw Failure(CB_E_AUTH, "an encapsulated key of the wrong size");
  std::copy(cipher.begin(), cipher.end(), ephemeral.begin());
  SharedSecret secret;
  if (!dhkem_decapsulate(engine_.algorithms, own(), ephemeral, secret))
    throw Failure(CB_E_AUTH, "the encapsulated key is a point of low order");
  return key_of_secret(engine_, secret, context);
}

}  // namespace crypto_modern
