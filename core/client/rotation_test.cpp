// SPDX-License-Identifier: Apache-2.0
//
// Rotation and revocation against an owner's remote that lies in memory and fails on command.
#include "core/client/rotation.h"

#include <map>

#include "core/repository/rotation_keys.h"
#include "core/repository/sealing_fixture.h"
#include "core/repository/signatures.h"

namespace cb::client {
namespace {

using repository::code_of;
using repository::KeySlot;
using repository::must;
using repository::Role;
using repository::SessionId;

constexpr repository::SlotCost kCheap{1, 8192};

// What a server keeps of this, with the rules of protocol v4.
class MemoryOwner final : public repository::OwnerRemote {
 public:
  Result<repository::DeviceList> devices() override { return list; }
  Status add_invite(const repository::NewInvite&) override { return {}; }
  Status remove_invite(const repository::InviteId& id) override {
    CB_TRY(step());
    std::erase_if(list.invites, [&](const auto& entry) { return entry.invite.id == id; });
    return {};
  }
  Status set_device(const repository::DeviceId&, uint64_t) override { return {}; }
  Status put_record(const repository::RepositoryRecord& next,
                    const std::optional<std::vector<KeySlot>>& fresh) override {
    CB_TRY(step());
    CB_TRY(repository::verify_record(next, record.root));
    if (next.revision != record.revision + 1) return failed(Code::state, "record", "is another");
    if (!std::equal(record.epochs.begin(), record.epochs.end(), next.epochs.begin()))
      return failed(Code::invalid, "record", "lacks an epoch");
    record = next;
    if (fresh) slots = *fresh;
    return {};
  }
  Result<repository::SessionPage> sessions(uint32_t epoch, const SessionId& after) override {
    CB_TRY(step());
    repository::SessionPage page;
    for (auto at = records.upper_bound(after); at != records.end(); ++at) {
      if (must(repository::decode_session(at->second)).epoch >= epoch) continue;
      if (page.sessions.size() == 3) return page;
      page.sessions.push_back({at->first, at->second});
    }
    page.last = true;
    return page;
  }
  Status put_sessions(std::span<const repository::SessionEntry> fresh) override {
    CB_TRY(step());
    for (const auto& entry : fresh) records[entry.session] = entry.record;
    return {};
  }
  Result<repository::CopyPage> copies(uint64_t) override { return repository::CopyPage(); }
  Status verified(const repository::DeviceId&, std::span<const repository::BlobId>, bool) override {
    return {};
  }

  repository::RepositoryRecord record;
  std::vector<KeySlot> slots;
  repository::DeviceList list;
  std::map<SessionId, Bytes> records;
  size_t good = 1000;  // calls until it fails

 private:
  Status step() {
    if (good == 0) return failed(Code::closed, "server", "is gone");
    --good;
    return {};
  }
};

class RotationTest : public repository::SealingFixture {
 protected:
  void SetUp() override {
    SealingFixture::SetUp();
    const repository::SlotMaker maker{*crypto_, *random_, id(), repository_->keyring};
    server_.record = repository_->record;
    server_.slots = {must(repository::make_passphrase_slot(maker, "sesame", kCheap)),
                     must(repository::make_recovery_slot(maker, code_))};
    for (uint8_t i = 0; i < 8; ++i) add_session();
  }

  [[nodiscard]] const repository::RepositoryId& id() const { return repository_->record.id; }

  // A session of the newest epoch, with a blob.
  void add_session() {
    repository_->record = server_.record;
    const auto sealer = new_sealer();
    server_.records[sealer->session()] = sealer->record().stored;
    const auto blob_id = must(write_->id_of(repository::BlobKind::data, {}, as_bytes("content")));
    blobs_.push_back(
        must(sealer->seal(repository::BlobKind::data, blob_id, {}, as_bytes("content"), false)));
  }
  repository::DeviceEntry add_reader(std::string_view passphrase) {
    const auto key = must(identity::SigningKey::make(*random_));
    repository::Certificate certificate;
    certificate.device = key.public_key();
    certificate.role = Role::reader;
    const auto device = repository::device_of(certificate.device);
    const repository::DeviceSlotPlace place{*crypto_, id(), server_.record.root, device};
    auto made = must(repository::make_device_lock(place, *random_, passphrase, kCheap));
    certificate.kem_public = made.kem_public;
    must(repository::sign_certificate(certificate, id(), repository_->root));
    server_.slots.push_back(must(repository::make_device_slot(
        place, made.kem_public, repository::keyring_of(unlocked().keyring, Role::reader))));
    locks_[device] = made.lock;
    server_.list.devices.push_back({certificate, 0, 0, 0});
    return server_.list.devices.back();
  }

  [[nodiscard]] std::vector<repository::Revocation> revoked_for(
      const repository::DeviceEntry& entry) const {
    return must(revocation_of(server_.record, entry.certificate, 7));
  }
  // Certified by the key of an invite.
  [[nodiscard]] repository::Certificate invited_reader() const {
    const auto key = must(identity::SigningKey::make(*random_));
    repository::Invite invite;
    must(random_->fill(invite.id.bytes));
    invite.role = Role::reader;
    invite.key = key.public_key();
    invite.signature = must(repository_->root.sign(repository::signed_part(invite, id())));
    repository::Certificate certificate;
    certificate.device = must(identity::SigningKey::make(*random_)).public_key();
    certificate.role = Role::reader;
    certificate.invite = invite;
    must(repository::sign_certificate(certificate, id(), key));
    return certificate;
  }

  Unlocked unlocked() {
    auto keyring = must(repository::open_with_passphrase(*crypto_, id(), server_.slots, "sesame"));
    must(repository::check_keyring(*crypto_, keyring, server_.record));
    return {server_.record, server_.slots, std::move(keyring), Secret(as_bytes("sesame"))};
  }
  RotationParts parts() { return {&*crypto_, random_, &server_}; }
  Result<RotationReport> turn(std::span<const repository::Revocation> revoked = {}) {
    Unlocked with = unlocked();
    return rotate(parts(), with, revoked);
  }

  // How many of the blobs open with these keys.
  size_t readable(const repository::Keyring& keyring) {
    const auto opener = must(repository::Opener::make(suite(), id(), keyring));
    size_t count = 0;
    for (const auto& blob : blobs_)
      if (opener->learn(blob.head.session, server_.records.at(blob.head.session)) &&
          opener->open(blob))
        ++count;
    return count;
  }
  Result<repository::Keyring> as_reader(const repository::DeviceEntry& entry,
                                        std::string_view passphrase) {
    const auto device = repository::device_of(entry.certificate.device);
    return repository::open_device_slot({*crypto_, id(), server_.record.root, device},
                                        server_.slots, locks_.at(device), passphrase);
  }

  MemoryOwner server_;
  Bytes code_ = random_bytes(32, 9);
  std::vector<repository::StoredBlob> blobs_;
  std::map<repository::DeviceId, repository::DeviceLock> locks_;
};

TEST_F(RotationTest, everything_opens_afterwards_with_the_new_epoch_alone) {
  for (uint32_t epoch = 2; epoch <= 3; ++epoch) {
    const RotationReport report = must(turn());
    EXPECT_TRUE(report.finished);
    EXPECT_FALSE(report.went_on);
    EXPECT_EQ(report.epoch, epoch);
    EXPECT_EQ(report.sessions, blobs_.size());
    EXPECT_EQ(server_.record.epochs.size(), epoch);
    const Unlocked with = unlocked();
    ASSERT_EQ(with.keyring.epochs.size(), 1u);
    EXPECT_EQ(with.keyring.epochs[0].epoch, epoch);
    EXPECT_EQ(readable(with.keyring), blobs_.size());
    add_session();
  }
  EXPECT_EQ(
      readable(must(repository::open_with_recovery_code(*crypto_, id(), server_.slots, code_))),
      blobs_.size());
  // Keys from before open nothing that is wrapped anew.
  EXPECT_EQ(readable(repository_->keyring), 0u);
}

TEST_F(RotationTest, goes_on_wherever_it_was_interrupted) {
  const auto records = server_.records;
  const auto slots = server_.slots;
  const auto record = server_.record;
  bool whole = false;
  for (size_t good = 0; !whole; ++good) {
    ASSERT_LT(good, 100u);
    server_.records = records;
    server_.slots = slots;
    server_.record = record;
    server_.good = good;
    whole = turn().has_value();
    server_.good = 1000;
    EXPECT_EQ(readable(unlocked().keyring), blobs_.size()) << good;
    if (whole) break;
    const bool begun = unlocked().keyring.epochs.size() > 1;
    const RotationReport report = must(turn());
    EXPECT_EQ(report.went_on, begun) << good;
    EXPECT_TRUE(report.finished);
    EXPECT_EQ(unlocked().keyring.epochs.size(), 1u);
    EXPECT_EQ(readable(unlocked().keyring), blobs_.size()) << good;
  }
}

TEST_F(RotationTest, readers_get_the_new_epoch_unless_they_are_revoked) {
  const auto stays = add_reader("one");
  const auto goes = add_reader("two");
  EXPECT_EQ(readable(must(as_reader(goes, "two"))), blobs_.size());
  const auto old = must(as_reader(goes, "two"));
  const auto revoked = revoked_for(goes);
  const RotationReport report = must(turn(revoked));
  EXPECT_EQ(report.slots, 3u);
  EXPECT_EQ(readable(must(as_reader(stays, "one"))), blobs_.size());
  EXPECT_EQ(code_of(as_reader(goes, "two")), Code::not_found);
  EXPECT_EQ(readable(old), 0u);
  EXPECT_EQ(repository::revoked_since(server_.record, goes.certificate), 7u);
  EXPECT_FALSE(repository::revoked_since(server_.record, stays.certificate));
}

TEST_F(RotationTest, a_revocation_during_an_unfinished_rotation_draws_an_epoch_of_its_own) {
  const auto goes = add_reader("two");
  server_.good = 2;
  EXPECT_EQ(code_of(turn()), Code::closed);
  server_.good = 1000;
  ASSERT_EQ(server_.record.epochs.size(), 2u);
  add_session();
  const auto known = must(as_reader(goes, "two"));
  const RotationReport report = must(turn(revoked_for(goes)));
  EXPECT_TRUE(report.finished);
  EXPECT_EQ(report.epoch, 3u);
  EXPECT_EQ(readable(known), 0u);
  EXPECT_EQ(readable(unlocked().keyring), blobs_.size());
}

TEST_F(RotationTest,
       a_reader_that_knew_the_epoch_of_an_unfinished_rotation_knows_none_of_the_next) {
  const auto goes = add_reader("two");
  server_.good = 2;
  EXPECT_EQ(code_of(turn()), Code::closed);
  server_.good = 1000;
  const auto known = must(as_reader(goes, "two"));
  Unlocked with = unlocked();
  must(revoke(parts(), with, revoked_for(goes)));
  const RotationReport report = must(turn());
  EXPECT_TRUE(report.went_on);
  EXPECT_TRUE(report.finished);
  EXPECT_EQ(report.epoch, 3u);
  EXPECT_EQ(readable(known), 0u);
}

TEST_F(RotationTest, revoking_alone_draws_no_epoch_and_takes_the_slot_away) {
  const auto goes = add_reader("two");
  Unlocked with = unlocked();
  must(revoke(parts(), with, revoked_for(goes)));
  EXPECT_EQ(server_.record.epochs.size(), 1u);
  EXPECT_EQ(server_.record.epochs[0].number, 1u);
  EXPECT_EQ(code_of(as_reader(goes, "two")), Code::not_found);
  EXPECT_EQ(readable(unlocked().keyring), blobs_.size());
}

TEST_F(RotationTest, a_device_that_the_owner_did_not_certify_gets_no_keys) {
  auto forged = add_reader("one");
  server_.list.devices[0].certificate.flags = 5;
  must(turn());
  EXPECT_EQ(code_of(as_reader(forged, "one")), Code::not_found);
}

TEST_F(RotationTest, invites_that_hold_the_older_keys_are_withdrawn) {
  const auto add = [&](Role role, std::optional<repository::DeviceId> used) {
    repository::InviteEntry entry;
    entry.invite.id.bytes.fill(static_cast<std::byte>(server_.list.invites.size() + 1));
    entry.invite.role = role;
    entry.used_by = used;
    server_.list.invites.push_back(entry);
  };
  add(Role::writer, {});
  add(Role::reader, {});
  add(Role::owner, {});
  add(Role::reader, repository::DeviceId{});
  const auto waiting = server_.list.invites;
  Unlocked with = unlocked();
  RotationParts by = parts();
  by.next_commit = 12;
  EXPECT_EQ(must(rotate(by, with, {})).withdrawn.size(), 2u);
  EXPECT_EQ(server_.list.invites.size(), 2u);
  // The server alone could let somebody in with one that it kept.
  ASSERT_EQ(server_.record.revoked.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(server_.record.revoked[i].id.bytes, waiting[i + 1].invite.id.bytes);
    EXPECT_EQ(server_.record.revoked[i].since, 12u);
  }
}

TEST_F(RotationTest, a_session_whose_key_does_not_come_out_keeps_the_older_epoch) {
  must(turn());
  auto& record = server_.records.begin()->second;
  auto broken = must(repository::decode_session(record));
  broken.wrapped[0] ^= std::byte{1};
  record = repository::encode(broken);
  const RotationReport report = must(turn());
  EXPECT_FALSE(report.finished);
  EXPECT_EQ(report.problems.size(), 1u);
  EXPECT_EQ(unlocked().keyring.epochs.size(), 2u);
  EXPECT_EQ(readable(unlocked().keyring), blobs_.size() - 1);
  // It cannot keep the owner from drawing new ones, either.
  EXPECT_EQ(must(turn()).epoch, report.epoch + 1);
}

TEST_F(RotationTest, a_slot_of_format_1_is_made_anew_by_who_opened_it) {
  KeySlot first;
  first.id.bytes.fill(std::byte{1});
  first.kind = repository::SlotKind::recovery_code;
  first.sealed = Bytes(100);
  server_.slots.push_back(first);
  const auto turned = turn();
  ASSERT_EQ(code_of(turned), Code::state);
  EXPECT_NE(turned.error().advice.find("key remove"), std::string::npos);
  EXPECT_EQ(server_.record.revision, 1u);
}

TEST_F(RotationTest, a_slot_of_format_1_that_nobody_opened_keeps_nobody_in) {
  const auto goes = add_reader("two");
  KeySlot first;
  first.id.bytes.fill(std::byte{1});
  first.kind = repository::SlotKind::recovery_code;
  first.sealed = Bytes(100);
  server_.slots.push_back(first);
  const auto slots = server_.slots;
  Unlocked with = unlocked();
  ASSERT_EQ(code_of(rotate(parts(), with, revoked_for(goes))), Code::state);
  EXPECT_FALSE(repository::revoked_since(with.record, goes.certificate));
  must(revoke(parts(), with, revoked_for(goes)));
  EXPECT_EQ(repository::revoked_since(server_.record, goes.certificate), 7u);
  EXPECT_EQ(with.record, server_.record);
  EXPECT_EQ(server_.slots, slots);
}

TEST_F(RotationTest, the_device_and_its_invite_are_revoked_together) {
  const auto certificate = invited_reader();
  const auto revoked = must(revocation_of(server_.record, certificate, 9));
  ASSERT_EQ(revoked.size(), 2u);
  EXPECT_EQ(revoked[0].id.bytes, repository::device_of(certificate.device).bytes);
  EXPECT_EQ(revoked[1].id.bytes, certificate.invite->id.bytes);
  EXPECT_EQ(revoked[1].since, 9u);
}

TEST_F(RotationTest, a_certificate_without_its_invite_or_with_another_one_revokes_nothing) {
  const auto certificate = invited_reader();
  auto stripped = certificate;
  stripped.invite.reset();
  EXPECT_EQ(code_of(revocation_of(server_.record, stripped, 9)), Code::auth);
  auto swapped = certificate;
  swapped.invite = invited_reader().invite;
  EXPECT_EQ(code_of(revocation_of(server_.record, swapped, 9)), Code::auth);
}

}  // namespace
}  // namespace cb::client
