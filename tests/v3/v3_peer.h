// SPDX-License-Identifier: Apache-2.0
//
// The other end of a v3 conversation for tests: a plain blocking socket that sends bytes as told
// and reads one response at a time. Not synchronised.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "core/protocol/v3/messages.h"

namespace cb::server {

struct Response {
  protocol::ResponseHeader header;
  Bytes payload;
};

class V3Peer {
 public:
  explicit V3Peer(uint16_t port);
  ~V3Peer();
  V3Peer(const V3Peer&) = delete;
  V3Peer& operator=(const V3Peer&) = delete;

  // False when the server has closed.
  bool send(ByteView bytes);
  // One request: header and payload parts.
  bool request(const ClientId& id, v3::Request request, std::initializer_list<ByteView> parts);

  // The next response; nothing when the connection ended, or when none came for 30 s.
  std::optional<Response> response();
  // Did the server end the connection? Waits up to 30 s for it.
  bool ended();
  // Is there nothing to read for `patience`?
  bool silent_for(std::chrono::milliseconds patience);

 private:
  bool read_exactly(ByteSpan into);
  int fd_ = -1;
};

// A v3 client's side of the cryptography, done with OpenSSL alone.
struct V3Key {
  Bytes private_der;  // PKCS#8
  Bytes public_der;   // SubjectPublicKeyInfo
  static V3Key make(int bits = 1024, unsigned exponent = 17);
};

// The AES key under RSA-OAEP, or nothing when it does not open with that hash.
std::optional<Bytes> open_aes_key(ByteView private_der, ByteView wrapped, bool sha1);

// AES-CBC, zero IV, PKCS#7, by the size of the key.
Bytes encrypt_file(ByteView key, ByteView plain);

}  // namespace cb::server
