// SPDX-License-Identifier: Apache-2.0
#include "tests/v3/v3_client.h"

#include <random>

#include "core/protocol/v3/cksum.h"

namespace cb::server {
namespace {

// One key pair for all clients of a test program: making one costs time.
const V3Key& shared_key() {
  static const V3Key key = V3Key::make();
  return key;
}

}  // namespace

V3Client::V3Client(uint16_t port, std::string user)
    : name(std::move(user)), key(shared_key()), peer(std::make_unique<V3Peer>(port)), port_(port) {}

bool V3Client::sign_up() {
  const v3::TextField field = v3::text_field(name).value();
  peer->request(ClientId{}, v3::Request::sign_up, {field});
  const std::optional<Response> response = peer->response();
  if (!response || response->header.code != 1600) return false;
  id = v3::parse_id_reply(response->payload).value();
  peer->request(id, v3::Request::send_key, {field, key.public_der});
  return take_key(peer->response(), v3::Reply::key);
}

bool V3Client::reconnect() {
  peer = std::make_unique<V3Peer>(port_);
  peer->request(id, v3::Request::reconnect, {v3::text_field(name).value()});
  return take_key(peer->response(), v3::Reply::reconnected);
}

bool V3Client::take_key(const std::optional<Response>& response, v3::Reply expected) {
  if (!response || v3::reply_of(response->header.code) != expected) return false;
  const v3::KeyReply reply = v3::parse_key_reply(response->payload).value();
  const std::optional<Bytes> opened = open_aes_key(key.private_der, reply.wrapped_key, sha1);
  if (!opened) return false;
  aes_key = *opened;
  return true;
}

std::vector<V3Packet> V3Client::packets(const std::string& file, ByteView plain,
                                        const PacketStyle& style) {
  Bytes cipher = encrypt_file(aes_key, plain);
  const size_t total_cipher = cipher.size();
  if (style.zero_iv_in_front) cipher.insert(cipher.begin(), 16, std::byte{0});
  const size_t total = (cipher.size() + style.piece - 1) / style.piece;
  std::vector<V3Packet> packets;
  for (size_t i = 0; i < total; ++i) {
    V3Packet packet;
    const size_t end = std::min(cipher.size(), (i + 1) * style.piece);
    packet.content.assign(cipher.begin() + static_cast<ptrdiff_t>(i * style.piece),
                          cipher.begin() + static_cast<ptrdiff_t>(end));
    if (packet.content.size() < style.fill_to) packet.content.resize(style.fill_to);
    packet.head.content_size =
        static_cast<uint32_t>(style.total_content_size ? total_cipher : packet.content.size());
    packet.head.original_size = static_cast<uint32_t>(plain.size());
    packet.head.packet = static_cast<uint16_t>(style.from_zero ? i : i + 1);
    packet.head.total = static_cast<uint16_t>(total);
    packet.head.name = v3::text_field(file).value();
    packets.push_back(std::move(packet));
  }
  return packets;
}

bool V3Client::send(const V3Packet& packet) {
  return peer->request(id, v3::Request::send_file, {v3::encode(packet.head), packet.content});
}

std::optional<v3::FileReply> V3Client::upload(const std::string& file, ByteView plain,
                                              const PacketStyle& style) {
  for (const V3Packet& packet : packets(file, plain, style))
    if (!send(packet)) return std::nullopt;
  const std::optional<Response> response = peer->response();
  if (!response || response->header.code != 1603) return std::nullopt;
  return v3::parse_file_reply(response->payload).value();
}

bool V3Client::verdict(v3::Request request, const std::string& file) {
  return peer->request(id, request, {v3::text_field(file).value()});
}

bool V3Client::back_up(const std::string& file, ByteView plain, const PacketStyle& style) {
  const std::optional<v3::FileReply> reply = upload(file, plain, style);
  if (!reply || reply->cksum != v3::cksum_of(plain)) return false;
  return verdict(v3::Request::checksum_right, file) && code() == 1604;
}

uint16_t V3Client::code() {
  const std::optional<Response> response = peer->response();
  return response ? response->header.code : 0;
}

Bytes noise(size_t size, uint32_t seed) {
  std::mt19937_64 generator(seed);
  Bytes bytes(size);
  for (size_t i = 0; i < size; i += 8) {
    const uint64_t word = generator();
    std::memcpy(bytes.data() + i, &word, std::min<size_t>(8, size - i));
  }
  return bytes;
}

}  // namespace cb::server
