// SPDX-License-Identifier: Apache-2.0
//
// A v3 client for tests that registers properly and then sends files in any of the ways that
// programs in the field do. Not synchronised.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/v3/v3_peer.h"

namespace cb::server {

// How a client cuts and labels its packets.
struct PacketStyle {
  size_t piece = 65536;
  bool from_zero = false;           // numbers 0..total-1
  bool total_content_size = false;  // the field says the whole ciphertext
  size_t fill_to = 0;               // the last packet is filled with zeros to this size
  bool zero_iv_in_front = false;
};

struct V3Packet {
  v3::FileHead head;
  Bytes content;
};

class V3Client {
 public:
  V3Client(uint16_t port, std::string name);

  // 1025 and 1026. False when refused.
  bool sign_up();
  // 1027 on a new connection. False when refused.
  bool reconnect();

  // The packets of a file in a style.
  std::vector<V3Packet> packets(const std::string& file, ByteView plain,
                                const PacketStyle& style = {});
  bool send(const V3Packet& packet);
  // All packets, then the 1603; nothing when something else came.
  std::optional<v3::FileReply> upload(const std::string& file, ByteView plain,
                                      const PacketStyle& style = {});
  // 1029, 1030 or 1031.
  bool verdict(v3::Request request, const std::string& file);
  // Upload and 1029: true when the checksum was right and 1604 came.
  bool back_up(const std::string& file, ByteView plain, const PacketStyle& style = {});
  // The code of the next response; 0 when there is none.
  uint16_t code();

  ClientId id;
  std::string name;
  bool sha1 = false;  // opens its AES key with SHA-1 only
  Bytes aes_key;
  V3Key key;
  std::unique_ptr<V3Peer> peer;

 private:
  bool take_key(const std::optional<Response>& response, v3::Reply expected);
  uint16_t port_;
};

// Bytes that do not compress, the same for the same seed.
Bytes noise(size_t size, uint32_t seed);

}  // namespace cb::server
