// SPDX-License-Identifier: Apache-2.0
#include "tests/conversation/v4_world.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "core/identity/password.h"
#include "core/repository/pairing_token.h"
#include "tests/conversation/v4_talk.h"

namespace cb::conversation {
namespace {

using repository::BlobHead;
using repository::BlobId;
using repository::BlobKind;
using server::V4Invited;
using server::V4Owner;
using v4::Request;
using v4::Response;

constexpr uint64_t kStrangersSalt = 1'000'000'000;

BlobKind kind_of(size_t index) {
  if (index < kFirstData) return BlobKind::session;
  if (index < kFirstWeak) return BlobKind::data;
  if (index == kFirstWeak) return BlobKind::signature;
  if (index < kFirstNode) return BlobKind::recipe;
  return index < kFirstSnapshot ? BlobKind::node : BlobKind::snapshot;
}

repository::SessionId session_id(uint64_t salt, size_t index) {
  repository::SessionId id;
  const BlobId whole = planned_id(salt, index);
  std::copy_n(whole.bytes.begin(), id.bytes.size(), id.bytes.begin());
  return id;
}

std::vector<BlobId> children_of(uint64_t salt, size_t index, uint8_t mask) {
  std::vector<BlobId> children;
  if (kind_of(index) == BlobKind::snapshot) return {planned_id(salt, kFirstNode + mask % 3)};
  if (index == kFirstWeak || index == kFirstWeak + 1)
    return {planned_id(salt, kFirstData + mask % 6)};
  if (kind_of(index) != BlobKind::node) return {};
  for (size_t i = 0; i < 6; ++i)
    if ((mask >> i & 1) != 0) children.push_back(planned_id(salt, kFirstData + i));
  if (mask >> 6 != 0 && index > kFirstNode) children.push_back(planned_id(salt, index - 1));
  return children;
}

Bytes fill(size_t size, uint64_t seed) {
  Bytes bytes(size);
  if (size > 0) std::memset(bytes.data(), static_cast<int>(seed % 251), size);
  std::minstd_rand random(static_cast<uint32_t>(seed) + 1);
  for (size_t i = 0; i < std::min<size_t>(size, 64); ++i)
    bytes[i] = bytes[size - 1 - i] = static_cast<std::byte>(random() >> 7);
  return bytes;
}

// Asks, and expects this answer.
Bytes expect(InProcessServer& server, V4Talk& talk, Response wanted) {
  Bytes message;
  bool came = false;
  server.run_until([&] {
    talk.receive([&](const V4Answered& answer) {
      if (answer.code == Response::taken) return;
      require(answer.code == wanted, "a conversation that prepares the accounts failed");
      message = answer.message;
      came = true;
    });
    return came;
  });
  require(came, "no answer while the accounts are prepared");
  return message;
}

void greet(InProcessServer& server, V4Talk& talk) {
  talk.hello(server::V4Peer::usual_hello());
  expect(server, talk, Response::hello);
}

V4Owner join(InProcessServer& server, const V4Owner& owner, V4Talk& owners, V4Invited invited) {
  owners.request(Request::add_invite, invited.add_invite());
  expect(server, owners, Response::done);
  V4Talk comer(server, "203.0.113.9:1");
  greet(server, comer);
  const uint32_t id = comer.request(Request::join, invited.join(comer.statement(invited.device)));
  comer.expect_standing(id, v4::standing_of(invited.certificate.role));
  expect(server, comer, Response::enroll);
  return invited.member(owner);
}

std::string token_for(InProcessServer& server, int64_t account) {
  repository::PairingToken token;
  Bytes secret(32);
  must(os::system_random().fill(secret));
  must(os::system_random().fill(token.id.bytes));
  token.secret = Secret(ByteView(secret));
  token.servers = {"127.0.0.1:1"};
  catalog::PairingToken row;
  row.id = token.id.bytes;
  row.secret_hash = identity::sha256(secret);
  row.account = account;
  row.expires_ns = (server.clock().wall() + std::chrono::hours(1)).count();
  must(server.backend().catalog().accounts().add_token(row));
  return must(repository::format_pairing_token(token));
}

}  // namespace

ByteView canary() {
  static const Bytes secret = to_bytes(as_bytes("\x93 of another account \xf1\x07\xee"));
  return secret;
}

BlobId planned_id(uint64_t salt, size_t index) {
  std::byte seed[9] = {};
  store_le<uint64_t>(seed, salt);
  seed[8] = static_cast<std::byte>(index);
  BlobId id;
  id.bytes = identity::sha256(seed);
  if (index < kFirstData) std::fill(id.bytes.begin() + 16, id.bytes.end(), std::byte{0});
  return id;
}

repository::StoredBlob planned_blob(uint64_t salt, size_t index, uint8_t mask, size_t size) {
  repository::StoredBlob blob;
  blob.head.id = planned_id(salt, index);
  blob.head.kind = kind_of(index);
  blob.head.children = children_of(salt, index, mask);
  if (blob.head.kind == BlobKind::session) {
    repository::SessionRecord record;
    record.epoch = 1;
    record.kem_cipher = fill(64, salt + index);
    blob.stored = repository::encode(record);
  } else {
    blob.head.session = session_id(salt, mask >> 7);
    blob.stored = fill(std::max<size_t>(size, 1), salt + index * 977 + size);
  }
  blob.head.stored_size = static_cast<uint32_t>(blob.stored.size());
  return blob;
}

void V4World::prepare(InProcessServer& server) {
  for (size_t i = 0; i < kAccounts; ++i)
    accounts_.push_back(make_account(server, "account-" + std::to_string(i), false));
  accounts_.push_back(make_account(server, "stranger", true));
  back_up_stranger(server);
}

V4Account V4World::make_account(InProcessServer& server, const std::string& name,
                                bool is_stranger) {
  catalog::Accounts& accounts = server.backend().catalog().accounts();
  catalog::Account row;
  row.name = name;
  row.created_ns = server.clock().wall().count();
  const std::string password = "the password of all";
  static const std::string hash = must(identity::hash_password(password, {1, 8192}));
  row.password_hash = hash;
  const int64_t number = must(accounts.add_account(row));
  V4Owner owner = V4Owner::make();
  const auto mark = [&](Bytes& bytes) {
    if (is_stranger) bytes.insert(bytes.end(), canary().begin(), canary().end());
  };
  mark(owner.slot.sealed);
  V4Talk talk(server, "203.0.113.1:1");
  greet(server, talk);
  const uint32_t id = talk.request(
      Request::enroll, owner.enroll(token_for(server, number), talk.statement(owner.device)));
  talk.expect_standing(id, v4::Standing::owner);
  expect(server, talk, Response::enroll);
  const auto invited = [&](repository::Role role, uint64_t flags) {
    V4Invited made = V4Invited::make(owner, role, flags);
    mark(made.certificate.name);
    mark(made.sealed_keys);
    made.sign(owner);
    return join(server, owner, talk, std::move(made));
  };
  V4Owner writer = invited(repository::Role::writer, 0);
  V4Owner sharer = invited(repository::Role::writer, repository::kDeviceSharesDedup);
  V4Owner reader = invited(repository::Role::reader, 0);
  return {name,    std::move(owner), std::move(writer), std::move(sharer), std::move(reader),
          password};
}

void V4World::back_up_stranger(InProcessServer& server) {
  const V4Owner& owner = accounts_.back().owner;
  auto intake = must(server.backend().engine().begin(
      owner.record.id, {owner.device, repository::Role::owner, false}, false));
  for (const size_t index : {0, 2, 3, 10, 13}) {
    repository::StoredBlob blob = planned_blob(kStrangersSalt, index, 3, 500);
    if (index >= kFirstData) {
      blob.head.session = session_id(kStrangersSalt, 0);
      blob.stored.insert(blob.stored.end(), canary().begin(), canary().end());
      blob.head.stored_size = static_cast<uint32_t>(blob.stored.size());
    }
    if (index == 13) blob.head.children = {planned_id(kStrangersSalt, 10)};
    must(intake->begin(blob.head));
    must(intake->content(blob.stored));
    must(intake->end());
    strangers_blobs_.push_back(std::move(blob));
  }
  repository::CommitRequest request;
  request.commit_id.bytes.fill(std::byte{1});
  request.snapshot = planned_id(kStrangersSalt, 13);
  request.root = planned_id(kStrangersSalt, 10);
  request.device_signature = owner.sign_snapshot(request.snapshot);
  const auto answer = must(intake->commit(request));
  require(answer.missing.empty(), "the stranger's backup lacks something");
}

}  // namespace cb::conversation
