// SPDX-License-Identifier: Apache-2.0
#include "tests/conversation/v3_player.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "core/protocol/v3/cksum.h"

namespace cb::conversation {
namespace {

using server::V3Key;
using std::chrono::nanoseconds;
using namespace std::chrono_literals;

constexpr size_t kMostPackets = 40;

const std::array<std::string, 4>& file_names() {
  static const std::array<std::string, 4> names = {"a.txt", "b.bin", "dir/c", "\xc3\xa9"};
  return names;
}
const std::array<std::string, 4>& stored_names() {
  static const std::array<std::string, 4> names = {"a.txt", "b.bin", "c", "\xc3\xa9"};
  return names;
}

// One key pair for all clients: making one costs more than a conversation.
const V3Key& good_key() {
  static const V3Key key = V3Key::make();
  return key;
}
const V3Key& large_key() {
  static const V3Key key = V3Key::make(2048);
  return key;
}

// Mostly small; the largest have several chunks and pieces.
size_t size_of(uint16_t x) {
  constexpr size_t kTelling[] = {0, 1, 15, 16, 17, 31, 32, 1000};
  if (x < std::size(kTelling)) return kTelling[x];
  return x < 57344 ? size_t{x} / 8 : size_t{x - 57344U} * 24;
}

// Another one for another seed, quickly made.
Bytes content_of(size_t size, uint32_t seed) {
  Bytes bytes(size);
  std::array<std::byte, 1024> block{};
  std::minstd_rand random(seed + 1);
  for (size_t i = 0; i < 16; ++i) block[i * 61] = static_cast<std::byte>(random() >> 7);
  for (size_t at = 0; at < size; at += block.size()) {
    store_le<uint64_t>(block.data(), at + seed);
    std::memcpy(&bytes[at], block.data(), std::min(block.size(), size - at));
  }
  return bytes;
}

nanoseconds time_of(uint8_t a) {
  constexpr std::array<nanoseconds, 6> kTimes = {10ms, 1600ms, 31s, 61s, 16min, 25h};
  return kTimes[a % kTimes.size()];
}

// What Step::c says of an upload.
bool from_zero(const Step& s) { return (s.c & 1) != 0; }
bool says_total(const Step& s) { return (s.c & 2) != 0; }
bool is_filled(const Step& s) { return (s.c & 4) != 0; }
bool has_zero_iv(const Step& s) { return (s.c & 8) != 0; }
unsigned order_of(const Step& s) { return (s.c >> 4) & 3U; }
bool under_old_key(const Step& s) { return (s.c & 0x40) != 0; }
bool is_flipped(const Step& s) { return (s.c & 0x80) != 0; }

// What Step::y says of it.
enum class Fault { none, no_last, total, original, content, beyond, no_middle, other_id };
Fault fault_of(const Step& s) { return static_cast<Fault>(s.y % 8); }

bool is_right(const Step& s) {
  return fault_of(s) == Fault::none && !under_old_key(s) && !is_flipped(s);
}

}  // namespace

V3Player::V3Player(InProcessServer& server, uint64_t number)
    : server_(server),
      address_("198.51." + std::to_string(number / 250 % 250) + "." + std::to_string(number % 250) +
               ":4711") {
  for (size_t i = 0; i < clients_.size(); ++i)
    clients_[i].name = "user " + std::to_string(number) + "-" + std::to_string(i);
  renew_line(3);
}

void V3Player::renew_line(int version) {
  line_.reset();
  for (Client& who : clients_) look_at_versions(who);
  line_ = std::make_unique<Line>(server_, version, address_);
  spoilt_ = version != 3;
  if (spoilt_) spoil();
  cut_.reset();
}

void V3Player::spoil() {
  spoilt_ = true;
  for (Client& who : clients_) who.is_spoilt = true;
}

void V3Player::send(Bytes bytes) {
  if (cut_) {
    if (*cut_ < bytes.size()) spoil();
    bytes.resize(std::min(bytes.size(), *cut_));
    cut_.reset();
  }
  line_->send(bytes);
}

void V3Player::request(const ClientId& id, v3::Request code,
                       std::initializer_list<ByteView> parts) {
  send(v3::request_bytes(id, code, parts));
}

void V3Player::do_sign_up(const Step& step) {
  Client& who = who_of(step);
  v3::TextField field = v3::text_field(who.name).value();
  if (step.b % 4 == 1) field = {};
  if (step.b % 4 == 2) field.fill(std::byte{0xff});
  if (step.b % 4 == 3)
    std::copy_n(step.bytes.begin(), std::min<size_t>(step.bytes.size(), 255), field.begin());
  asking_ = &who;
  request(ClientId{}, v3::Request::sign_up, {field});
}

void V3Player::do_send_key(const Step& step) {
  Client& who = who_of(step);
  Bytes key = good_key().public_der;
  if (step.b % 4 == 1) key = large_key().public_der;
  if (step.b % 4 == 2) key[step.x % key.size()] ^= static_cast<std::byte>(step.c | 1);
  if (step.b % 4 == 3) key.resize(step.x % 400);
  asking_ = &who;
  request(who.id, v3::Request::send_key, {v3::text_field(who.name).value(), key});
}

void V3Player::do_reconnect(const Step& step) {
  Client& who = who_of(step);
  ClientId id = who.id;
  if (step.b % 4 == 1) id = {};
  if (step.b % 4 == 2) id.bytes.fill(std::byte{0x5a});
  const Client& named = step.b % 4 == 3 ? clients_[(step.a + 1) % clients_.size()] : who;
  asking_ = &who;
  request(id, v3::Request::reconnect, {v3::text_field(named.name).value()});
}

void V3Player::do_verdict(const Step& step) {
  Client& who = who_of(step);
  constexpr v3::Request kCodes[] = {v3::Request::checksum_right, v3::Request::checksum_retry,
                                    v3::Request::checksum_give_up};
  const v3::Request code = kCodes[step.c % 3];
  if (code == v3::Request::checksum_right) {
    ++who.confirms;
    who.may_show = true;
  }
  request(who.id, code, {v3::text_field(file_names()[step.b % 4]).value()});
}

void V3Player::send_header(const Step& step) {
  spoil();
  protocol::RequestHeader header;
  header.client = who_of(step).id;
  header.version = step.b == 0 ? uint8_t{3} : step.b;
  header.code = step.x;
  header.payload_size = step.y;
  const auto encoded = protocol::encode(header);
  Bytes bytes(encoded.begin(), encoded.end());
  Bytes payload = step.bytes;
  if (step.c % 2 == 0) payload.resize(std::min<size_t>(step.y, 2048));
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  for (Client& who : clients_) who.confirms += 3, who.may_show = true;  // for all that is known
  send(std::move(bytes));
}

std::vector<V3Player::Packet> V3Player::packets(const Client& who, const Step& step,
                                                ByteView plain) const {
  Bytes key = under_old_key(step) ? who.key_before : who.key;
  if (key.empty()) key = Bytes(32, std::byte{1});
  Bytes cipher = server::encrypt_file(key, plain);
  const size_t whole = cipher.size();
  if (is_flipped(step)) cipher[step.x % cipher.size()] ^= std::byte{1};
  if (has_zero_iv(step)) cipher.insert(cipher.begin(), 16, std::byte{0});
  const size_t wanted = size_t{16} << (2 * ((step.b >> 2) % 7));
  const size_t piece = std::max(wanted, (cipher.size() / kMostPackets / 16 + 1) * 16);
  const size_t total = (cipher.size() + piece - 1) / piece;
  std::vector<Packet> all;
  for (size_t i = 0; i < total; ++i) {
    Packet one;
    const auto begin = cipher.begin() + static_cast<ptrdiff_t>(i * piece);
    one.content.assign(begin,
                       i + 1 == total ? cipher.end() : begin + static_cast<ptrdiff_t>(piece));
    if (is_filled(step) && one.content.size() < piece) one.content.resize(piece);
    one.head.content_size = static_cast<uint32_t>(says_total(step) ? whole : one.content.size());
    one.head.original_size = static_cast<uint32_t>(plain.size());
    one.head.packet = static_cast<uint16_t>(from_zero(step) ? i : i + 1);
    one.head.total = static_cast<uint16_t>(total);
    one.head.name = v3::text_field(file_names()[step.b % 4]).value();
    all.push_back(std::move(one));
  }
  return all;
}

namespace {

using Heads = std::vector<v3::FileHead*>;

void spoil_heads(const Heads& heads, const Step& step) {
  const Fault fault = fault_of(step);
  for (v3::FileHead* head : heads) {
    if (fault == Fault::total) head->total = static_cast<uint16_t>(head->total + 1);
    if (fault == Fault::original) head->original_size += step.y;
    if (fault == Fault::content) head->content_size += step.y;
  }
  if (fault == Fault::beyond) heads.back()->packet = static_cast<uint16_t>(heads.size() + 7);
}

// Packets as some clients, and no client, send them.
template <typename Packets>
void disarrange(Packets& all, const Step& step) {
  Heads heads;
  for (auto& one : all) heads.push_back(&one.head);
  spoil_heads(heads, step);
  if (fault_of(step) == Fault::no_last) all.pop_back();
  if (fault_of(step) == Fault::no_middle)
    all.erase(all.begin() + static_cast<ptrdiff_t>(all.size() / 2));
  if (all.size() < 2) return;
  if (order_of(step) == 1) std::reverse(all.begin() + 1, all.end());
  if (order_of(step) == 2) std::shuffle(all.begin() + 1, all.end(), std::minstd_rand(step.x + 1U));
  if (order_of(step) == 3) all.push_back(all[all.size() / 2]);
}

}  // namespace

void V3Player::send_file(Client& who, const Step& step, bool alone) {
  const size_t file = step.b % 4;
  const Bytes plain = content_of(size_of(step.x), step.x * 4U + static_cast<uint32_t>(file));
  std::vector<Packet> all = packets(who, step, plain);
  if (!alone) disarrange(all, step);
  if (!is_right(step) || alone) who.is_spoilt = true;
  who.sent[file].insert(identity::sha256(plain));
  who.checksums[file].insert(v3::cksum_of(plain));
  const ClientId& id =
      fault_of(step) == Fault::other_id ? clients_[(step.a + 1) % clients_.size()].id : who.id;
  if (fault_of(step) == Fault::other_id) spoil();
  asking_ = &who;
  for (size_t i = 0; i < all.size(); ++i)
    if (!alone || i == step.y % all.size())
      request(id, v3::Request::send_file, {v3::encode(all[i].head), all[i].content});
}

void V3Player::good_backup(const Step& step) {
  Client& who = who_of(step);
  if (who.key.empty()) {
    do_sign_up({.a = step.a});
    settle();
    do_send_key({.a = step.a});
    settle();
  }
  Step right = step;
  right.y = 0;
  right.c &= 0x2f;
  send_file(who, right, false);
  settle();
  do_verdict({.a = step.a, .b = step.b});
}

void V3Player::play(const Step& step) {
  server_.log().show("step " + text_of(step));
  // The whole store is looked through after one conversation in four, always the same ones.
  checks_store_ ^= (step.x + step.kind) % 4 == 1;
  switch (static_cast<Kind>(step.kind % kinds)) {
    case sign_up:
      do_sign_up(step);
      break;
    case send_key:
      do_send_key(step);
      break;
    case reconnect:
      do_reconnect(step);
      break;
    case upload:
      send_file(who_of(step), step, false);
      break;
    case packet:
      send_file(who_of(step), step, true);
      break;
    case verdict:
      do_verdict(step);
      break;
    case raw:
      spoil();
      for (Client& who : clients_) who.confirms += 3, who.may_show = true;
      send(step.bytes);
      break;
    case cut:
      cut_ = step.x % 1024;
      break;
    case new_line:
      return renew_line(step.a % 8 == 7 ? 2023 : 3);
    case end_sending:
      line_->end_sending();
      break;
    case wait:
      settle();
      forward(time_of(step.a));
      break;
    case at_once:
      at_once_ = step.a % 2 == 1;
      return;
    case stop_reading:
      line_->stop_reading(step.a % 2 == 1);
      break;
    case header:
      send_header(step);
      break;
    case back_up:
      good_backup(step);
      break;
    default:
      break;
  }
  if (!at_once_) settle();
}

void V3Player::settle() {
  server_.run_to_rest();
  line_->receive();
  take_answers();
  for (Client& who : clients_)
    if (std::exchange(who.may_show, false)) look_at_versions(who);
}

void V3Player::take_answers() {
  Bytes& in = line_->inbox;
  size_t at = 0;
  while (in.size() - at >= protocol::kResponseHeaderSize) {
    const auto header = protocol::decode_response_header(
        ByteView(in).subspan(at).first<protocol::kResponseHeaderSize>());
    require(header.version == v3::kVersion, "an answer has another version than 3");
    const std::optional<v3::Reply> reply = v3::reply_of(header.code);
    require(reply.has_value(), "the server sent a code that is no answer");
    require(header.payload_size <= v3::kFileReplySize, "an answer is longer than any may be");
    if (in.size() - at - protocol::kResponseHeaderSize < header.payload_size) break;
    take_answer(*reply,
                ByteView(in).subspan(at + protocol::kResponseHeaderSize, header.payload_size));
    at += protocol::kResponseHeaderSize + header.payload_size;
  }
  in.erase(in.begin(), in.begin() + static_cast<ptrdiff_t>(at));
}

void V3Player::take_answer(v3::Reply reply, ByteView payload) {
  server_.log().show("  answer " + std::to_string(v3::code_of(reply)));
  if (reply == v3::Reply::signed_up) take_id(must(v3::parse_id_reply(payload)));
  if (reply == v3::Reply::key || reply == v3::Reply::reconnected) take_key(payload);
  if (reply == v3::Reply::file_received) take_file(payload);
}

// Once, and no two the same, whoever it was for: what counts is who uses it from now on.
void V3Player::take_id(const ClientId& id) {
  require(!id.is_zero(), "the server gave an id of zeros");
  const auto has_it = [&](const Client& who) { return who.id == id; };
  if (asking_ == nullptr || !asking_->id.is_zero()) return;
  if (std::none_of(clients_.begin(), clients_.end(), has_it)) asking_->id = id;
}

void V3Player::take_key(ByteView payload) {
  const v3::KeyReply answer = must(v3::parse_key_reply(payload));
  auto opened = server::open_aes_key(good_key().private_der, answer.wrapped_key, false);
  if (!opened) opened = server::open_aes_key(good_key().private_der, answer.wrapped_key, true);
  if (!opened) return;  // for another public key
  for (Client& who : clients_) {
    if (who.id != answer.client) continue;
    who.key_before = std::exchange(who.key, *opened);
  }
}

void V3Player::take_file(ByteView payload) {
  const v3::FileReply answer = must(v3::parse_file_reply(payload));
  for (Client& who : clients_) {
    if (who.id != answer.client || spoilt_ || who.is_spoilt) continue;
    for (size_t i = 0; i < 4; ++i) {
      if (v3::text_in(answer.name) != file_names()[i]) continue;
      require(who.checksums[i].contains(answer.cksum),
              "the server says another checksum than that of what was sent");
    }
  }
}

void V3Player::look_at_versions(Client& who) {
  if (who.id.is_zero()) return;
  const auto versions = must(server_.backend().catalog().versions(who.id));
  require(versions.size() >= who.versions, "a version has gone");
  if (versions.size() == who.versions) return;
  require(versions.size() <= who.confirms, "a file shows that was not confirmed");
  who.versions = versions.size();
  for (const catalog::LegacyVersion& version : versions) check_content(who, version);
}

void V3Player::check_content(Client& who, const catalog::LegacyVersion& version) {
  Bytes content;
  must(server_.backend().archive().read(version, [&](ByteView plain) -> Status {
    content.insert(content.end(), plain.begin(), plain.end());
    return {};
  }));
  require(content.size() == version.size, "a version's size is not that of its content");
  require(v3::cksum_of(content) == version.cksum, "a version's checksum is not its content's");
  if (who.is_spoilt) return;
  for (size_t i = 0; i < 4; ++i)
    if (stored_names()[i] == version.file_name) {
      require(who.sent[i].contains(identity::sha256(content)),
              "a version's content is not what was sent");
      return;
    }
  broken("a version has a name that was not sent");
}

void V3Player::finish() {
  line_->stop_reading(false);
  settle();
  line_.reset();
  for (Client& who : clients_) look_at_versions(who);
  server_.check_at_rest();
  if (checks_store_) server_.check_store();
  for (const Client& who : clients_) {
    if (who.id.is_zero()) continue;
    const auto found = server_.backend().engine().of_account(server::V3Keys::account_of(who.id));
    require(found || found.error().code == Code::not_found, "an account cannot be looked up");
    const auto repository = found ? *found : std::nullopt;
    if (!repository) {
      require(who.versions == 0, "there are versions and no repository");
      continue;
    }
    server_.check_repository(*repository);
    require(must(server_.backend().engine().drop_stale_uploads(*repository)) == 0,
            "an upload that nobody brings any more is still there");
    const auto counts = must(server_.backend().engine().counts(*repository));
    require(who.versions > 0 || counts.packs == 0, "an upload that was not confirmed left a pack");
    require(counts.snapshots == who.versions, "there are other snapshots than confirmed files");
  }
}

}  // namespace cb::conversation
