// SPDX-License-Identifier: Apache-2.0
#include "tests/conversation/v4_player.h"

#include <algorithm>

#include "core/server/v4_rules.h"

namespace cb::conversation {
namespace {

using repository::BlobId;
using repository::StoredBlob;
using server::V4Owner;
using v4::Request;
using v4::Response;
using namespace std::chrono_literals;

std::chrono::nanoseconds time_of(uint8_t a) {
  constexpr std::array<std::chrono::nanoseconds, 6> kTimes = {21ms, 1100ms, 31s, 61s, 11min, 25h};
  return kTimes[a % kTimes.size()];
}

size_t size_of(uint16_t x) { return x < 60000 ? x / 4 + 1 : size_t{x - 59000U} * 64; }

}  // namespace

V4Player::V4Player(InProcessServer& server, const V4World& world, uint64_t number)
    : server_(server), world_(world), account_(world.account(number)), number_(number) {
  do_line({});
}

void V4Player::do_line(const Step& step) {
  current_ = step.a % talks_.size();
  auto& talk = talks_[current_];
  if (talk && step.b % 2 == 0) return;
  talk.reset();
  arriving_[current_].reset();
  haves_.clear();
  const std::string address = "198.18." + std::to_string(number_ / 250 % 250) + "." +
                              std::to_string(number_ % 250) + ":4711";
  talk = std::make_unique<V4Talk>(server_, address);
}

const V4Owner& V4Player::device(unsigned i) const {
  const V4Owner* all[] = {&account_.owner, &account_.writer, &account_.sharer, &account_.reader,
                          &world_.stranger().owner};
  return *all[i % 5];
}

// --- coming in -----------------------------------------------------------------------------------

void V4Player::do_hello(const Step& step) {
  v4::pb::Hello hello;
  hello.set_version_min(step.a == 0 ? 4 : step.a);
  hello.set_version_max(step.b == 0 ? 4 : step.b);
  for (unsigned i = 0; i < step.c % 64U; ++i)
    hello.add_features(i % 2 == 0 ? "signatures" : "receipts");
  hello.set_program(std::string(as_text(step.bytes)));
  talk().hello(hello);
}

void V4Player::do_login(const Step& step) {
  const unsigned who = step.a % 4;  // never the stranger
  const V4Owner& owner = device(who);
  const unsigned wrong = step.b % 6;
  v4::pb::Login login;
  repository::DeviceId id = wrong == 1 ? device(who + 1).device : owner.device;
  Bytes statement = talk().statement(id);
  if (wrong == 2) statement.back() ^= std::byte{1};
  if (wrong == 3 && talks_[1 - current_]) statement = talks_[1 - current_]->statement(id);
  repository::Signature signature = must(owner.key.sign(statement));
  if (wrong == 4) signature[step.c % signature.size()] ^= std::byte{4};
  if (wrong == 5) id.bytes.fill(std::byte{9});
  login.set_device(v4::field_of(id.view()));
  login.set_signature(v4::field_of(signature));
  const uint32_t request = talk().request(Request::login, login);
  const bool other_line = wrong == 3 && talks_[1 - current_];
  if (wrong == 0 || (wrong == 3 && !other_line))
    talk().expect_standing(request, v4::standing_of(owner.certificate.role));
}

void V4Player::do_password(const Step& step) {
  v4::pb::PasswordLogin login;
  const unsigned wrong = step.a % 4;
  login.set_account(wrong == 1 ? "nobody" : account_.name);
  login.set_password(wrong >= 2 ? "another password" : account_.password);
  const uint32_t request = talk().request(Request::password_login, login);
  if (wrong == 0) talk().expect_standing(request, v4::Standing::person);
}

// --- blobs ---------------------------------------------------------------------------------------

void V4Player::do_put(const Step& step) {
  const size_t index = step.a % kBlobs;
  StoredBlob blob = planned_blob(salt(), index, step.b, size_of(step.x));
  repository::BlobHead& head = blob.head;
  switch (step.c % 16) {
    case 1:
      head.kind = static_cast<repository::BlobKind>(1 + step.y % 6);
      break;
    case 2:
      ++head.stored_size;
      break;
    case 3:
      head.stored_size = step.y;
      break;
    case 4:
      head.session.bytes.fill(std::byte{0x77});
      break;
    case 8:
      head.children.insert(head.children.end(), head.children.begin(), head.children.end());
      break;
    case 9:
      head.id = world_.strangers_blobs()[step.y % 5].head.id;
      took_strangers_ = true;
      break;
    case 10:
      head.stored_size = static_cast<uint32_t>(repository::kMaxStored + step.y);
      break;
    case 12:
      blob.stored.front() ^= static_cast<std::byte>(step.y);
      break;
    case 14:
      head.children.push_back(head.id);
      break;
    case 15:
      head.children.assign(step.y % 9000, head.id);
      break;
    default:
      break;
  }
  send_blob(std::move(blob), step);
}

void V4Player::send_blob(StoredBlob blob, const Step& step) {
  v4::pb::Put put = v4::put_of(blob.head);
  if (step.c % 16 == 11) put.mutable_children()->resize(step.y % 100);
  contents_[blob.head.id].insert(identity::sha256(blob.stored));
  if (blob.head.kind == repository::BlobKind::session) was_spoilt_ |= step.c % 16 != 0;
  const Bytes message = v4::encode(put);
  if (message.size() > v4::kFrameMax - 64) return;
  ByteView rest = blob.stored;
  size_t take = v4::bulk_in_frame(message.size(), rest.size());
  if (step.c % 16 == 6) take /= 2;
  const uint32_t id = talk().request(Request::put, message, rest.first(take));
  if (step.c % 16 != 5) send_rest(id, rest.subspan(take), step);
}

void V4Player::send_rest(uint32_t id, ByteView rest, const Step& step) {
  if (step.c % 16 == 7) ++id;
  while (!rest.empty()) {
    const size_t take = v4::bulk_in_frame(0, rest.size());
    talk().request(Request::put_more, {}, rest.first(take), id);
    rest = rest.subspan(take);
  }
  if (step.c % 16 == 13) talk().request(Request::put_more, {}, Bytes(step.y % 500), id);
}

std::string V4Player::ids_of(uint16_t which, unsigned others) const {
  std::vector<BlobId> ids;
  for (size_t i = 0; i < kBlobs; ++i)
    if ((which >> i & 1) != 0) ids.push_back(planned_id(salt(), i));
  if ((others & 1) != 0)
    for (const StoredBlob& blob : world_.strangers_blobs()) ids.push_back(blob.head.id);
  if ((others & 2) != 0) ids.insert(ids.end(), v4::kIdsMax, planned_id(77, 2));
  std::string field = v4::join_ids(ids);
  if ((others & 4) != 0) field.resize(field.size() / 2 + 7);
  return field;
}

void V4Player::do_have(const Step& step) {
  v4::pb::Have have;
  have.set_ids(ids_of(step.x, step.b));
  const uint32_t id = talk().request(Request::have, have);
  if (step.b % 8 == 1) haves_[id] = static_cast<size_t>(__builtin_popcount(step.x));
}

void V4Player::check_have(const V4Answered& answer) {
  const auto reply = must(v4::parse<v4::pb::HaveReply>(answer.message));
  const auto found = haves_.find(answer.id);
  if (found == haves_.end() || was_spoilt_ || took_strangers_) return;
  const std::string& present = reply.present();
  require(present.size() == found->second + world_.strangers_blobs().size(),
          "Have answers for another number of ids");
  for (size_t i = found->second; i < present.size(); ++i)
    require(present[i] == 0, "Have tells of blobs of another account");
}

void V4Player::do_get(const Step& step) {
  v4::pb::Get get;
  get.set_ids(ids_of(step.x, step.c));
  if (step.a % 8 != 0) get.set_device(v4::field_of(device(step.a - 1U).device.view()));
  if (step.a % 8 == 7) get.set_device(std::string(16, '\0'));
  get.set_exact(step.b % 2 == 1);
  talk().request(Request::get, get);
}

void V4Player::take_blob(size_t line, const V4Answered& answer) {
  auto& arriving = arriving_[line];
  if (answer.code == Response::blob) {
    check_blob(line);
    const auto message = must(v4::parse<v4::pb::Blob>(answer.message));
    arriving = StoredBlob{must(v4::head_of(message)), {}};
  }
  require(arriving.has_value(), "more of a blob comes that did not begin");
  arriving->stored.insert(arriving->stored.end(), answer.bulk.begin(), answer.bulk.end());
  require(arriving->stored.size() <= arriving->head.stored_size, "a blob is longer than it says");
}

// The blob that came before is whole, and was put here.
void V4Player::check_blob(size_t line) {
  const auto blob = std::exchange(arriving_[line], std::nullopt);
  if (!blob) return;
  require(blob->stored.size() == blob->head.stored_size, "a blob ends before its end");
  if (was_spoilt_) return;
  const auto known = contents_.find(blob->head.id);
  require(known != contents_.end(), "a blob came that was not put here");
  require(known->second.contains(identity::sha256(blob->stored)),
          "a blob is another than the one that was put");
}

// --- snapshots -----------------------------------------------------------------------------------

void V4Player::do_commit(const Step& step) {
  repository::CommitRequest request;
  request.commit_id.bytes.fill(static_cast<std::byte>(step.x % 4 + 1));
  store_le<uint64_t>(request.commit_id.bytes.data(), number_);
  request.snapshot = planned_id(salt(), kFirstSnapshot + step.a % 3);
  request.root = planned_id(salt(), kFirstNode + step.b % 3);
  if (step.c == 0x10) request.snapshot = world_.strangers_blobs().back().head.id;
  if (step.c == 0x20) request.root = world_.strangers_blobs()[3].head.id;
  const V4Owner& signer = device((step.c & 3U) + (step.b >> 4));
  request.device_signature = signer.sign_snapshot(request.snapshot);
  if ((step.c & 4) != 0) request.flags = step.y % 4;
  if ((step.c & 8) != 0)
    request.report = repository::ChangeReport{step.y, 1, ~uint64_t{0}, 2, 3, 4, 5};
  request.files = step.y;
  request.bytes = uint64_t{step.y} << (step.c % 48);
  request.tags.resize(step.y % 3);
  talk().request(Request::commit, v4::message_of(request));
}

// An acknowledged commit is whole, for good, and shows.
void V4Player::check_commit(const V4Answered& answer) {
  const auto reply = must(v4::parse<v4::pb::CommitReply>(answer.message));
  const auto said = must(v4::answer_of(reply));
  if (!said.missing.empty()) return;
  const auto record = must(repository::decode_commit(said.receipt));
  const auto& repository = account_.owner.record.id;
  must(identity::verify(must(server_.backend().signing_public()),
                        repository::signed_part(record, repository), record.signature));
  listed_.insert(record.snapshot);
  if (was_condemned_) return;
  const auto size = server_.backend().engine().measure(repository, record.device, record.root,
                                                       [] { return true; });
  if (!size) broken("a commit was acknowledged that lacks something: " + size.error().text());
}

void V4Player::check_snapshots(const V4Answered& answer) {
  const auto reply = must(v4::parse<v4::pb::SnapshotsReply>(answer.message));
  for (const auto& one : reply.snapshots()) {
    const auto record = must(repository::decode_commit(v4::view_of(one.commit())));
    const bool is_ours = listed_.contains(record.snapshot);
    // A connection may have ended between a commit and its answer.
    require(
        is_ours || record.snapshot != world_.strangers_blobs().back().head.id || took_strangers_,
        "a snapshot of another account is listed");
  }
}

void V4Player::do_wish(const Step& step) {
  v4::pb::Forget forget;
  BlobId snapshot = planned_id(salt(), kFirstSnapshot + step.a % 3);
  if (step.a % 8 == 6) snapshot = world_.strangers_blobs().back().head.id;
  if (step.a % 8 == 7) snapshot = planned_id(salt(), kFirstNode);
  forget.set_snapshot(v4::field_of(snapshot.view()));
  talk().request(step.b % 2 == 0 ? Request::forget : Request::undelete, forget);
}

void V4Player::do_backup(const Step& step) {
  for (const size_t index : {size_t{0}, size_t{1}, size_t{2}, size_t{3}, size_t{10}, size_t{13}}) {
    StoredBlob blob = planned_blob(salt(), index, static_cast<uint8_t>(step.b & 3),
                                   index == 2 ? size_of(step.x) : 300);
    if (index == 13) blob.head.children = {planned_id(salt(), 10)};
    send_blob(std::move(blob), {});
  }
  do_commit({.c = step.a, .x = step.c});
}

// --- one step ------------------------------------------------------------------------------------

void V4Player::play_transfer(const Step& step) {
  switch (static_cast<Kind>(step.kind % kinds)) {
    case put:
      return do_put(step);
    case put_more:
      talk().request(Request::put_more, {}, Bytes(step.x), step.y);
      return;
    case have:
      return do_have(step);
    case flush:
      talk().request(Request::flush, Bytes());
      return;
    case commit:
      return do_commit(step);
    case get:
      return do_get(step);
    case back_up:
      return do_backup(step);
    default:
      return play_members(step);
  }
}

void V4Player::play_transport(const Step& step) {
  switch (static_cast<Kind>(step.kind % kinds)) {
    case raw:
      was_spoilt_ = true;
      return talk().send(step.bytes);
    case spoil:
      was_spoilt_ = true;
      if (step.b % 2 == 1) return talk().cut_next(step.x);
      return talk().spoil_next(step.x, static_cast<std::byte>(step.c | 1));
    case wait:
      settle();
      return forward(time_of(step.a));
    case stop_reading:
      return talk().line().stop_reading(step.a % 2 == 1);
    case close:
      return talk().line().close();
    case end_sending:
      return talk().line().end_sending();
    default:
      return play_transfer(step);
  }
}

void V4Player::play(const Step& step) {
  server_.log().show("step " + text_of(step));
  // Long looks follow one conversation in four, always the same ones.
  checks_store_ ^= (step.x + step.kind) % 4 == 1;
  switch (static_cast<Kind>(step.kind % kinds)) {
    case use_line:
      return do_line(step);
    case hello:
      do_hello(step);
      break;
    case login:
      do_login(step);
      break;
    case password_login:
      do_password(step);
      break;
    case enter:
      do_hello({.c = 2});
      settle();
      do_login({.a = step.a});
      break;
    case at_once:
      at_once_ = step.a % 2 == 1;
      return;
    default:
      play_transport(step);
  }
  if (!at_once_) settle();
}

void V4Player::settle() {
  server_.run_to_rest();
  for (size_t i = 0; i < talks_.size(); ++i)
    if (talks_[i]) talks_[i]->receive([&](const V4Answered& one) { answered(i, one); });
}

void V4Player::answered(size_t line, const V4Answered& answer) {
  if (answer.code == Response::blob || answer.code == Response::blob_more)
    return take_blob(line, answer);
  if (answer.code == Response::get_end) return check_blob(line);
  if (answer.code == Response::failure) arriving_[line].reset();
  if (answer.code == Response::commit) check_commit(answer);
  if (answer.code == Response::have) check_have(answer);
  if (answer.code == Response::snapshots) check_snapshots(answer);
}

void V4Player::finish() {
  for (auto& talk : talks_)
    if (talk) talk->line().stop_reading(false);
  settle();
  for (auto& talk : talks_) talk.reset();
  server_.check_at_rest();
  for (unsigned i = 0; i < 5; ++i)
    require(server_.v4().running().count(device(i).device) == 0,
            "a session is still held to run after its connection ended");
  if (checks_store_) server_.check_store();
  server_.check_repository(account_.owner.record.id);
  std::set<BlobId> there;
  const auto all = must(server_.backend().engine().snapshots(account_.owner.record.id, true));
  for (const auto& one : all) there.insert(one.commit.snapshot);
  require(std::includes(there.begin(), there.end(), listed_.begin(), listed_.end()),
          "a snapshot whose commit was acknowledged is not there");
  if (checks_store_) collect();
}

// What nobody needs can go, all of it, since no session holds anything any more; and what somebody
// needs stays.
void V4Player::collect() {
  repository::Engine& engine = server_.backend().engine();
  const auto& repository = account_.owner.record.id;
  const repository::Engine::CollectOptions options{0s, 0s, false};
  const auto goes_on = [](uint64_t, uint64_t) { return true; };
  uint64_t dead = 0;
  for (int run = 0; run < 3; ++run) {
    forward(1h);
    const auto done = engine.collect(repository, options, goes_on);
    if (!done && was_condemned_) return;
    dead = must(done).dead;
  }
  require(dead == 0, "what is dead stays, as if a session still held it");
  server_.check_repository(repository);
}

}  // namespace cb::conversation
