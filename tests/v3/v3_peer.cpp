// SPDX-License-Identifier: Apache-2.0
#include "tests/v3/v3_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>

namespace cb::server {
namespace {

constexpr int kPatienceMs = 30000;

const unsigned char* raw(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* raw(ByteSpan bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

bool wait_readable(int fd, int milliseconds) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, milliseconds) > 0;
}

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

}  // namespace

V3Peer::V3Peer(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    throw std::runtime_error("cannot connect to the test server");
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

V3Peer::~V3Peer() { ::close(fd_); }

bool V3Peer::send(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(sent));
  }
  return true;
}

bool V3Peer::request(const ClientId& id, v3::Request request,
                     std::initializer_list<ByteView> parts) {
  return send(v3::request_bytes(id, request, parts));
}

bool V3Peer::read_exactly(ByteSpan into) {
  while (!into.empty()) {
    if (!wait_readable(fd_, kPatienceMs)) return false;
    const ssize_t got = ::recv(fd_, into.data(), into.size(), 0);
    if (got <= 0) return false;
    into = into.subspan(static_cast<size_t>(got));
  }
  return true;
}

std::optional<Response> V3Peer::response() {
  protocol::ResponseHeaderBytes head{};
  if (!read_exactly(head)) return std::nullopt;
  Response response{protocol::decode_response_header(head), {}};
  response.payload.resize(response.header.payload_size);
  if (!read_exactly(response.payload)) return std::nullopt;
  return response;
}

bool V3Peer::ended() {
  ::shutdown(fd_, SHUT_WR);
  std::byte one{};
  if (!wait_readable(fd_, kPatienceMs)) return false;
  return ::recv(fd_, &one, 1, 0) <= 0;
}

bool V3Peer::silent_for(std::chrono::milliseconds patience) {
  return !wait_readable(fd_, static_cast<int>(patience.count()));
}

V3Key V3Key::make(int bits, unsigned exponent) {
  const KeyContext context(EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY_keygen_init(context.get());
  EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), bits);
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> e(BN_new(), BN_free);
  BN_set_word(e.get(), exponent);
  EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), e.get());
  EVP_PKEY* made = nullptr;
  if (EVP_PKEY_keygen(context.get(), &made) != 1) throw std::runtime_error("RSA key generation");
  const KeyPtr key(made, EVP_PKEY_free);
  V3Key result;
  unsigned char* der = nullptr;
  int size = i2d_PUBKEY(key.get(), &der);
  result.public_der.assign(reinterpret_cast<std::byte*>(der),
                           reinterpret_cast<std::byte*>(der) + size);
  OPENSSL_free(der);
  const std::unique_ptr<PKCS8_PRIV_KEY_INFO, decltype(&PKCS8_PRIV_KEY_INFO_free)> info(
      EVP_PKEY2PKCS8(key.get()), PKCS8_PRIV_KEY_INFO_free);
  der = nullptr;
  size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der);
  result.private_der.assign(reinterpret_cast<std::byte*>(der),
                            reinterpret_cast<std::byte*>(der) + size);
  OPENSSL_free(der);
  return result;
}

std::optional<Bytes> open_aes_key(ByteView private_der, ByteView wrapped, bool sha1) {
  const unsigned char* at = raw(private_der);
  const KeyPtr key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(private_der.size())),
                   EVP_PKEY_free);
  const KeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY_decrypt_init(context.get());
  EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING);
  EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), sha1 ? EVP_sha1() : EVP_sha256());
  EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), sha1 ? EVP_sha1() : EVP_sha256());
  Bytes out(256);
  size_t size = out.size();
  if (EVP_PKEY_decrypt(context.get(), raw(ByteSpan(out)), &size, raw(wrapped), wrapped.size()) != 1)
    return std::nullopt;
  out.resize(size);
  return out;
}

Bytes encrypt_file(ByteView key, ByteView plain) {
  const CipherContext context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  const Bytes zero(16);
  EVP_EncryptInit_ex(context.get(), key.size() == 16 ? EVP_aes_128_cbc() : EVP_aes_256_cbc(),
                     nullptr, raw(key), raw(zero));
  Bytes out(plain.size() + 16);
  int first = 0;
  int last = 0;
  EVP_EncryptUpdate(context.get(), raw(ByteSpan(out)), &first, raw(plain),
                    static_cast<int>(plain.size()));
  EVP_EncryptFinal_ex(context.get(), raw(ByteSpan(out)) + first, &last);
  out.resize(static_cast<size_t>(first + last));
  return out;
}

}  // namespace cb::server
