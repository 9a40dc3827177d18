// SPDX-License-Identifier: Apache-2.0
//
// The thief of a writer's machine: has every file that the programs left there, logs in with its
// key, and does what that can do.
#include <gmock/gmock.h>

#include "core/client/open_keyring.h"
#include "core/protocol/v4/privileges.h"
#include "core/repository/device_name.h"
#include "core/repository/signatures.h"
#include "core/repository/slots.h"
#include "tests/trust/intruder.h"

namespace cb::trust {
namespace {

using repository::BlobId;
using repository::BlobKind;
using repository::CommitType;
using repository::SessionId;
using repository::StoredBlob;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

class Thief : public House {
 protected:
  struct Saved {
    std::string by, snapshot;
    os::Path tree;
    Files files;
  };

  // An owner's backup, and two of a writer that had other files at first.
  Thief() {
    enroll_owner();
    let_in("writer", "writer");
    let_in("other", "reader");
    write(owners_ / "name-of-the-owners", text_of("content-of-the-owner", 300'000));
    write(owners_ / "small", "content-of-the-owner, a little");
    save("owner", owners_);
    write(writers_ / "name-of-before", text_of("content-of-before", 900'000));
    write(writers_ / "name-of-today", text_of("content-of-today", 200'000));
    save("writer", writers_);
    std::filesystem::remove(writers_ / "name-of-before");
    write(writers_ / "name-of-today", text_of("content-of-today-changed", 200'000));
    save("writer", writers_);
    std::filesystem::copy(machine("writer"), loot_, std::filesystem::copy_options::recursive);
    std::filesystem::remove(loot_ / "passphrase");
    thief_.emplace(tools_, loot_);
  }

  void save(const std::string& by, const os::Path& tree) {
    saved_.push_back({by, back_up(by, tree), tree, files_below(tree)});
  }
  // Whatever the thief did: everything is listed, and comes back byte for byte.
  void expect_all_is_well() const {
    const Finished list = client("owner", {"snapshots", "--json"});
    for (const Saved& saved : saved_) {
      EXPECT_NE(list.output.find(saved.snapshot), std::string::npos)
          << saved.snapshot << " is hidden: " << list.output;
      expect_restores("owner", saved.snapshot, saved.tree, saved.files);
    }
  }
  [[nodiscard]] BlobId snapshot(size_t which) const {
    return must(BlobId::from_hex_text(saved_.at(which).snapshot));
  }
  // What an owner can do, with the owner's passphrase: the measure of what the thief cannot.
  [[nodiscard]] repository::Keyring owners_keys() {
    return must(client::open_keyring(*tools_.suite().crypto, thief_->profile.repository, slots(),
                                     "the passphrase of the owner"));
  }
  [[nodiscard]] std::vector<repository::KeySlot> slots() {
    return must(Intruder(tools_, machine("owner")).login()->slots());
  }
  [[nodiscard]] Blobs everything(client::V4Session& session) const {
    return thief_->fetch_all(session);
  }

  const os::Path owners_ = machines_ / "trees" / "owner";
  const os::Path writers_ = machines_ / "trees" / "writer";
  const os::Path loot_ = machines_ / "loot";
  std::vector<Saved> saved_;
  Tools tools_;
  std::optional<Intruder> thief_;
};

TEST_F(Thief, finds_no_content_and_no_name_beyond_the_last_scan) {
  EXPECT_THAT(finds(loot_, {"content-of-the-owner", "name-of-the-owners", "content-of-before",
                            "name-of-before", "content-of-today", "name-of-owner", "name-of-writer",
                            "name-of-other", "host-of-owner", "host-of-other", "the passphrase"}),
              IsEmpty());
  // The search finds what is there: names of the last scan.
  EXPECT_THAT(finds(loot_ / "cache", {"name-of-today"}), SizeIs(1));
  // And the owner's machine is no better a place to look for contents.
  EXPECT_THAT(finds(machine("owner") / "config", {"content-of-the-owner"}), IsEmpty());
}

TEST_F(Thief, reads_no_name_that_an_owner_gave_to_a_device) {
  // With the program, on this machine and on a reader's that even has its passphrase.
  for (const std::string thief : {"loot", "other"}) {
    for (const std::string form : {"--quiet", "--json"}) {
      const Finished list = client(thief, {"device", "list", form});
      EXPECT_EQ(list.exit_code, 0) << list.output;
      EXPECT_THAT(list.output, HasSubstr(thief_->device.hex().substr(0, 12)));
      EXPECT_THAT(list.output, Not(HasSubstr("name-of-")));
    }
    EXPECT_EQ(client(thief, {"device", "list", "--names"}).exit_code, 12);
  }
  EXPECT_THAT(finds(loot_, {"name-of-owner", "name-of-writer", "name-of-other"}), IsEmpty());

  // With all that the server tells and every key of the three machines.
  const auto names_with = [&](ByteView key) {
    return must(
        repository::DeviceNames::make(*tools_.suite().crypto, thief_->profile.repository, key));
  };
  const Intruder owner(tools_, machine("owner"));
  const Intruder reader(tools_, machine("other"));
  const repository::Keyring opened = owners_keys();
  std::vector<std::string> read;
  const auto list = must(thief_->login()->devices());
  for (const auto& each : list.devices) {
    const repository::Certificate& certificate = each.certificate;
    EXPECT_THAT(std::string(as_text(repository::encode(certificate))), Not(HasSubstr("name-of-")));
    read.push_back(must(names_with(opened.root_seed.view()).open(certificate)));
    for (const ByteView key : {thief_->profile.device_seed.view(), thief_->profile.write_key.view(),
                               reader.profile.device_seed.view(), owner.profile.device_seed.view(),
                               owner.profile.write_key.view(), opened.write_key.view()})
      EXPECT_FALSE(names_with(key).open(certificate));
  }
  EXPECT_THAT(read, UnorderedElementsAre("name-of-owner", "name-of-writer", "name-of-other"));
}

TEST_F(Thief, opens_nothing_that_the_server_gives) {
  const auto session = thief_->login();
  const Blobs blobs = everything(*session);
  size_t sealed = 0;
  for (const auto& [id, blob] : blobs) sealed += blob.head.kind == BlobKind::session ? 0 : 1;
  EXPECT_GE(sealed, 9U);
  EXPECT_THAT(thief_->opened(blobs, owners_keys()), SizeIs(sealed));

  // All keys that there are, each in every place.
  repository::Keyring keys;
  keys.write_key = thief_->profile.write_key.clone();
  EXPECT_THAT(thief_->opened(blobs, keys), IsEmpty());
  for (const Secret* half : {&thief_->profile.device_seed, &thief_->profile.write_key}) {
    keys.epochs.clear();
    for (const auto& epoch : session->welcome().record.epochs)
      keys.epochs.push_back({epoch.number, half->clone()});
    EXPECT_THAT(thief_->opened(blobs, keys), IsEmpty());
  }
  // Nor do the slots open with them, if somebody has those.
  for (const auto& slot : slots())
    for (const Secret* code : {&thief_->profile.device_seed, &thief_->profile.write_key})
      EXPECT_FALSE(repository::open_with_recovery_code(
          *tools_.suite().crypto, thief_->profile.repository, std::span(&slot, 1), code->view()));
}

TEST_F(Thief, of_a_reader_opens_nothing_without_the_passphrase_even_with_a_writers_keys) {
  const os::Path loot = machines_ / "loot-of-a-reader";
  std::filesystem::copy(machine("other"), loot, std::filesystem::copy_options::recursive);
  std::filesystem::remove(loot / "passphrase");
  EXPECT_THAT(finds(loot, {"content-of", "name-of", "host-of-owner", "the passphrase"}), IsEmpty());
  const Intruder reader(tools_, loot);
  const auto session = reader.login();
  const Blobs blobs = reader.fetch_all(*session);
  const auto lock = must(repository::decode_device_lock(reader.profile.reader_lock));
  for (const ByteView half : {reader.profile.device_seed.view(), ByteView(lock.locked).first(32)}) {
    repository::Keyring keys;
    keys.write_key = thief_->profile.write_key.clone();
    for (const auto& epoch : session->welcome().record.epochs)
      keys.epochs.push_back({epoch.number, Secret(half)});
    EXPECT_THAT(reader.opened(blobs, keys), IsEmpty());
  }
  const repository::DeviceSlotPlace place{*tools_.suite().crypto, reader.profile.repository,
                                          reader.profile.root, reader.device};
  const auto slots = must(session->slots());
  EXPECT_TRUE(repository::open_device_slot(place, slots, lock, "the passphrase of other"));
  for (const std::string guess : {"", "the passphrase of owner", "the passphrase of writer"})
    EXPECT_FALSE(repository::open_device_slot(place, slots, lock, guess)) << guess;
}

TEST_F(Thief, is_denied_whatever_its_role_does_not_grant) {
  const auto session = thief_->login();
  const auto slots = this->slots();
  const auto devices = must(session->devices());
  const repository::DeviceId owner = device("owner");
  const auto denied = [](const auto& result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::denied) << result.error().text();
  };

  repository::NewInvite invite;
  const server::V4Owner self = thief_->peer_identity();
  const auto invited = server::V4Invited::make(self, repository::Role::owner);
  invite.record = repository::encode(invited.invite);
  invite.sealed_keys = invited.sealed_keys;
  denied(session->add_invite(invite));
  denied(session->remove_invite(devices.invites.at(0).invite.id));
  denied(session->set_device(owner, 1));
  denied(session->set_device(thief_->device, 0));
  repository::RepositoryRecord record = session->welcome().record;
  ++record.revision;
  record.revoked.push_back(server::revocation(owner.view()));
  server::sign_record(self, record);
  denied(session->put_record(record, std::nullopt));
  denied(session->put_record(session->welcome().record, slots));
  denied(session->add_slot(server::signed_slot(self)));
  for (const auto& slot : slots) denied(session->remove_slot(slot.id));
  denied(session->sessions(2, {}));
  denied(session->put_sessions({}));
  denied(session->copies(0));
  denied(session->verified(owner, std::vector<BlobId>{snapshot(0)}, true));

  // Whatever else there is in the table, and whatever will be.
  for (const v4::RequestPrivilege& entry : v4::kPrivileges) {
    if (v4::has_privilege(v4::Standing::writer, entry.privilege)) continue;
    const auto peer = member(self);
    peer->request(entry.request, 99);
    const auto answer = peer->answer();
    ASSERT_TRUE(answer && answer->code == v4::Response::failure) << static_cast<int>(entry.request);
    const bool before_login = entry.privilege <= v4::Privilege::stranger;
    EXPECT_EQ(answer->as<v4::pb::Failure>().code(),
              static_cast<int>(before_login ? Code::state : Code::denied))
        << static_cast<int>(entry.request) << ": " << answer->failure();
  }

  EXPECT_EQ(this->slots().size(), slots.size());
  const auto after = must(thief_->login()->devices());
  ASSERT_EQ(after.devices.size(), devices.devices.size());
  for (const auto& each : after.devices) EXPECT_EQ(each.state, 0U);
  EXPECT_EQ(after.invites.size(), devices.invites.size());
  expect_all_is_well();
}

TEST_F(Thief, removes_nothing_because_forget_is_only_a_wish) {
  const auto session = thief_->login();
  for (size_t i = 0; i < saved_.size(); ++i) {
    const auto wished = must(session->forget(snapshot(i)));
    EXPECT_EQ(wished.type, CommitType::forget);
    EXPECT_EQ(wished.device, thief_->device);
  }
  EXPECT_THAT(must(session->snapshots(false)), SizeIs(saved_.size()));
  expect_all_is_well();
  for (size_t i = 0; i < saved_.size(); ++i) (void)session->undelete(snapshot(i));
  EXPECT_EQ(client("owner", {"check", "--read-data"}).exit_code, 0);
  expect_all_is_well();
}

TEST_F(Thief, replaces_no_blob_by_putting_garbage_under_its_id) {
  const auto session = thief_->login();
  const Blobs before = everything(*session);
  const auto sealer = thief_->begin(*session);
  for (const BlobKind kind : {BlobKind::data, BlobKind::node, BlobKind::snapshot})
    for (const auto& [id, blob] : before)
      if (blob.head.kind == kind) {
        ASSERT_TRUE(session->put(Intruder::garbage(blob.head, sealer->session())));
      }
  ASSERT_TRUE(session->flush());
  expect_all_is_well();

  // Nor the records of sessions, which hold the keys.
  for (const auto& [id, blob] : before) {
    if (blob.head.kind != BlobKind::session) continue;
    const auto another = thief_->login();
    auto record = sealer->record();
    record.head.id = id;
    EXPECT_FALSE(another->put(record) && another->flush()) << id.hex();
  }
  expect_all_is_well();
}

TEST_F(Thief, commits_nothing_in_another_name_or_place) {
  const auto session = thief_->login();
  const auto listed = must(session->snapshots(true));
  const auto sealer = thief_->begin(*session);
  StoredBlob root =
      Intruder::garbage({server::random_blob_id(), BlobKind::node, {}, {}, 0}, sealer->session());
  ASSERT_TRUE(session->put(root));

  // A snapshot that is there stays what it was, whatever root it is given.
  for (const auto& info : listed) {
    const auto again = session->commit(thief_->commit_of(info.commit.snapshot, root.head.id));
    if (again && again->missing.empty()) {
      EXPECT_EQ(must(repository::decode_commit(again->receipt)), info.commit);
    }
    auto with_its_id = thief_->commit_of(root.head.id, root.head.id);
    with_its_id.commit_id = info.commit.commit_id;
    EXPECT_FALSE(session->commit(with_its_id));
  }
  // Another device's signature is refused.
  StoredBlob made = Intruder::garbage(
      {server::random_blob_id(), BlobKind::snapshot, {}, {root.head.id}, 0}, sealer->session());
  ASSERT_TRUE(session->put(made));
  auto foreign = thief_->commit_of(made.head.id, root.head.id);
  foreign.device_signature = listed.at(0).commit.device_signature;
  EXPECT_FALSE(session->commit(foreign));
  // A blob of the owner's is no snapshot of the thief's, and nobody leans on what he cannot have.
  EXPECT_FALSE(session->commit(thief_->commit_of(listed.at(0).commit.root, root.head.id)));
  const auto leaning = session->commit(thief_->commit_of(made.head.id, server::random_blob_id()));
  EXPECT_FALSE(leaning && leaning->missing.empty());
  EXPECT_THAT(must(session->snapshots(true)), SizeIs(listed.size()));
  expect_all_is_well();
}

TEST_F(Thief, hides_nothing_behind_snapshots_of_its_own_until_it_is_put_out) {
  const auto session = thief_->login();
  const auto sealer = thief_->begin(*session);
  std::vector<BlobId> made;
  for (int i = 0; i < 3; ++i) {
    StoredBlob root =
        Intruder::garbage({server::random_blob_id(), BlobKind::node, {}, {}, 0}, sealer->session());
    StoredBlob top = Intruder::garbage(
        {server::random_blob_id(), BlobKind::snapshot, {}, {root.head.id}, 0}, sealer->session());
    ASSERT_TRUE(session->put(root));
    ASSERT_TRUE(session->put(top));
    const auto committed = must(session->commit(thief_->commit_of(top.head.id, root.head.id)));
    EXPECT_THAT(committed.missing, IsEmpty());
    made.push_back(top.head.id);
  }
  expect_all_is_well();
  // Lists that look inside go on, too.
  const Finished list = client("owner", {"snapshots", "--paths"});
  EXPECT_NE(list.output.find(owners_.string()), std::string::npos) << list.output;
  const Finished check = client("owner", {"check", "--read-data"});
  EXPECT_EQ(check.exit_code, 1) << check.output;
  EXPECT_NE(check.output.find(made[0].hex().substr(0, 12)), std::string::npos) << check.output;
  EXPECT_NE(check.output.find("name-of-writer"), std::string::npos) << check.output;

  done("owner", {"device", "revoke", thief_->device.hex()});
  EXPECT_FALSE(session->snapshots(false)) << "the running session goes on";
  EXPECT_THROW((void)thief_->login(), std::runtime_error);
  expect_all_is_well();
}

}  // namespace
}  // namespace cb::trust
