// SPDX-License-Identifier: Apache-2.0
//
// See key.h.
#include "key.h"

#include <algorithm>
#include <string>

#include "cyberbackup/cpp/failure.hpp"

namespace crypto_legacy {

namespace {

using cyberbackup::sdk::Failure;

void run(EVP_CIPHER_CTX* context, View from, Span to) {
  if (from.empty()) return;
  int written = 0;
  require(
      EVP_CipherUpdate(context, out(to), &written, in(from), static_cast<int>(from.size())) == 1 &&
          static_cast<size_t>(written) == from.size(),
      "run AES-CBC");
}

void require_no_aad(View aad) {
  if (!aad.empty())
    throw Failure(CB_E_INVALID, "this suite cannot bind associated data; give none");
}

// Bytes of padding at the end of the decrypted last chunk, or 0 when it is not PKCS#7.
size_t padding_of(View plain) {
  const auto count = std::to_integer<size_t>(plain.back());
  if (count == 0 || count > kBlock) return 0;
  const View tail = plain.last(count);
  return std::all_of(tail.begin(), tail.end(), [&](std::byte b) { return b == plain.back(); })
             ? count
             : 0;
}

}  // namespace

Ciphers::Ciphers()
    : aes_128(EVP_CIPHER_fetch(nullptr, "AES-128-CBC", nullptr)),
      aes_192(EVP_CIPHER_fetch(nullptr, "AES-192-CBC", nullptr)),
      aes_256(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)) {
  require(aes_128 != nullptr && aes_192 != nullptr && aes_256 != nullptr, "fetch AES-CBC");
}

const EVP_CIPHER* Ciphers::for_key_of(size_t bytes) const {
  switch (bytes) {
    case 16:
      return aes_128.get();
    case 24:
      return aes_192.get();
    case 32:
      return aes_256.get();
    default:
      return nullptr;
  }
}

size_t Seal::chunk(View plain, bool last, Span sealed) {
  const size_t whole = last ? plain.size() / kBlock * kBlock : plain.size();
  run(context_.get(), plain.first(whole), sealed.first(whole));
  if (!last) return whole;
  const View rest = plain.subspan(whole);
  std::array<std::byte, kBlock> block;
  block.fill(static_cast<std::byte>(kBlock - rest.size()));
  std::copy(rest.begin(), rest.end(), block.begin());
  run(context_.get(), block, sealed.subspan(whole, kBlock));
  OPENSSL_cleanse(block.data(), block.size());
  return whole + kBlock;
}

size_t Open::chunk(uint64_t index, bool last, View sealed, Span plain) {
  if (ended_ || index != next_)
    throw Failure(CB_E_STATE, "chunk " + std::to_string(index) +
                                  " is out of turn: this suite opens chunks in order, once");
  const bool possible =
      last ? !sealed.empty() && sealed.size() % kBlock == 0 && sealed.size() <= kChunkPlain + kBlock
           : sealed.size() == kChunkPlain;
  if (!possible)
    throw Failure(CB_E_CORRUPT, "chunk " + std::to_string(index) + " has an impossible size");
  ++next_;
  ended_ = last;
  const Span text = plain.first(sealed.size());
  run(context_.get(), sealed, text);
  if (!last) return text.size();
  const size_t padding = padding_of(text);
  if (padding == 0) {
    OPENSSL_cleanse(text.data(), text.size());
    throw Failure(CB_E_CORRUPT, "the padding is wrong: another key, or damaged data");
  }
  return text.size() - padding;
}

Key::Key(const Ciphers& ciphers, View raw) : cipher_(ciphers.for_key_of(raw.size())) {
  if (cipher_ == nullptr) throw Failure(CB_E_INVALID, "an AES key has 16, 24 or 32 bytes");
  std::copy(raw.begin(), raw.end(), raw_.begin());
}

Key::~Key() { OPENSSL_cleanse(raw_.data(), raw_.size()); }

CipherContext Key::begin(bool seal) const {
  static constexpr unsigned char kZeroIv[kBlock] = {};
  CipherContext context(EVP_CIPHER_CTX_new());
  require(context != nullptr &&
              EVP_CipherInit_ex2(context.get(), cipher_, in(raw_), kZeroIv, seal ? 1 : 0,
                                 nullptr) == 1 &&
              EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1,
          "set the key of AES-CBC");
  return context;
}

std::unique_ptr<Seal> Key::seal_begin(View aad, Bytes& header) const {
  require_no_aad(aad);
  header.clear();
  return std::make_unique<Seal>(begin(true));
}

std::unique_ptr<Open> Key::open_begin(View aad, View header) const {
  require_no_aad(aad);
  if (!header.empty()) throw Failure(CB_E_CORRUPT, "a stream of this suite has no header");
  return std::make_unique<Open>(begin(false));
}

}  // namespace crypto_legacy
