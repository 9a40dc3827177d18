// SPDX-License-Identifier: Apache-2.0
//
// A client of protocol v3 becomes the owner of what it uploaded, at the real daemon: the whole way,
// and interrupted at every step of it.
#include <gmock/gmock.h>

#include <filesystem>

#include "core/client/failing_file_system.h"
#include "core/client/pending_migration.h"
#include "core/client/receipts.h"
#include "core/repository/device_name.h"
#include "tests/v4-client/migration_fixture.h"

namespace cb::client {
namespace {

using repository::KeySlot;
using testing::HasSubstr;

class Migration : public Migrating {
 protected:
  Migration() { start(); }

  // The keys as the recovery code opens them now.
  repository::Keyring keyring_of(const OldClient& client, const Migrated& done) {
    V3Keys keys = keys_of(client);
    const auto session = must(server(client, keys)->open(done.profile));
    const std::vector<KeySlot> slots = must(session->slots());
    return must(repository::open_with_recovery_code(modern(), done.profile.repository, slots,
                                                    done.recovery_code.view()));
  }
  static std::string file_in(const os::Path& path) {
    return std::string(as_text(must(os::read_file(os::real_file_system(), path, 1 << 20))));
  }
};

TEST_F(Migration, makes_the_client_the_owner_and_leaves_the_server_no_key) {
  const OldClient client = old_client("alice");
  const auto slot = must(
      repository::decode_slot(must(backend().catalog().legacy_repository(client.id)).value().slot));
  const auto before = files_below(client.folder);
  const std::string key = file_in(client.folder / "priv.key");
  const auto done = run(client);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->rotation.epoch, 2U);
  EXPECT_TRUE(done->rotation.finished);
  EXPECT_EQ(done->rotation.sessions, 1U);
  EXPECT_THAT(done->rotation.problems, testing::IsEmpty());
  expect_migrated(client);
  for (const std::string& file : files_below(folder_ / "store"))
    EXPECT_EQ(file.find(slot.id.hex()), std::string::npos) << "the server's slot is in the store";
  EXPECT_EQ(files_below(client.folder), before);
  EXPECT_EQ(file_in(client.folder / "priv.key"), key);
  for (const char* event : {"v4.migration.asked", "v4.migration.proved", "v4.migration.adopted",
                            "v4.migration.finished"})
    EXPECT_TRUE(log_.contains(event)) << event;
  // The profile works, and knows the device's name.
  const auto names = must(repository::DeviceNames::make(
      modern(), done->profile.repository, keyring_of(client, *done).root_seed.view()));
  const auto account = must(backend().catalog().accounts().account_by_name(done->profile.account));
  const auto device = must(backend().catalog().accounts().devices(account->number)).at(0);
  EXPECT_EQ(must(names.open(must(repository::decode_certificate(device.certificate)))), "desk");
  EXPECT_EQ(repository::DeviceId{device.id}, done->device);
}

TEST_F(Migration, keeps_its_secrets_to_the_owner_alone_until_the_code_was_shown) {
  const OldClient client = old_client("alice");
  ASSERT_TRUE(run(client));
  const auto mode = [&](const char* name) {
    return static_cast<unsigned>(std::filesystem::status(client.profile / name).permissions());
  };
  for (const char* name : {"migration", "device.key", "write.key", "profile.json"})
    EXPECT_EQ(mode(name), 0600U) << name;
  ASSERT_TRUE(finish_migration(parts(client)));
  EXPECT_FALSE(migration_pending(os::real_file_system(), client.profile));
  const auto again = run(client);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::exists);
}

TEST_F(Migration, wraps_what_was_uploaded_before_for_keys_that_the_server_never_had) {
  const OldClient client = old_client("alice");
  upload(client, "big.bin", std::string(300'000, 'x'));
  const auto servers = must(backend().archive().keys().open(client.id));
  const auto done = run(client);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->rotation.sessions, 2U);
  const repository::Keyring now = keyring_of(client, *done);
  ASSERT_EQ(now.epochs.size(), 1U);
  EXPECT_NE(to_hex(now.epochs[0].half.view()), to_hex(servers->keyring.epochs.at(0).half.view()));
  EXPECT_EQ(to_hex(now.write_key.view()), to_hex(servers->keyring.write_key.view()));
}

TEST_F(Migration, follows_the_history_that_the_server_made_for_the_client) {
  const OldClient client = old_client("alice");
  upload(client, "note.txt", "second");
  const auto done = run(client);
  ASSERT_TRUE(done) << done.error().text();
  V3Keys keys = keys_of(client);
  const auto session = must(server(client, keys)->open(done->profile));
  Receipts receipts(os::real_file_system(), client.profile, done->profile.repository);
  ServerView view;
  view.key = session->welcome().server_key;
  view.record = &session->welcome().record;
  view.chain = [&](uint64_t sequence) { return session->chain(sequence); };
  view.devices = []() -> Result<std::vector<repository::Certificate>> {
    return std::vector<repository::Certificate>();
  };
  const Status followed = receipts.follow(view);
  ASSERT_TRUE(followed) << followed.error().text();
  EXPECT_EQ(must(receipts.head()).sequence, 2U);
}

TEST_F(Migration, takes_a_token_of_the_account_where_nobody_allowed_it) {
  const OldClient client = old_client("alice", false);
  AdoptionClaim::Token token = token_of(client);
  const catalog::Bytes16 id = token.id.bytes;
  const auto done = run(client, std::move(token));
  ASSERT_TRUE(done) << done.error().text();
  expect_migrated(client);
  EXPECT_EQ(must(backend().catalog().accounts().token_by_id(id))->used_by, done->device.bytes);
}

TEST_F(Migration, of_a_client_that_never_uploaded_gives_it_an_empty_repository) {
  const OldClient client = old_client("alice");
  OldClient idle = old_client("bob", false);
  // Known by its key alone.
  idle.name = "carol";
  idle.folder = folder_ / "old-carol";
  idle.profile = folder_ / "profile-carol";
  idle.id.bytes[0] ^= std::byte{1};
  V3Keys keys = keys_of(client);
  must(V3IdentityFolder(os::real_file_system(), idle.folder)
           .save("carol", idle.id, must(keys.private_key())));
  catalog::LegacyClient row;
  row.id = idle.id;
  row.name = "carol";
  row.public_key = must(keys.public_key());
  must(backend().catalog().add_client(row));
  change_policy(idle, [](catalog::LegacyPolicy& policy) { policy.allowed_until_ns = INT64_MAX; });
  const auto done = run(idle);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_TRUE(done->rotation.finished);
  EXPECT_EQ(done->rotation.sessions, 0U);
  EXPECT_EQ(must(backend().catalog().legacy_policy(idle.id)).migrated_ns != 0, true);
}

TEST_F(Migration, goes_on_with_the_same_device_and_code_after_a_cut_at_every_step) {
  for (const bool answered : {false, true}) {
    for (size_t at = 0;; ++at) {
      const OldClient client =
          old_client("c" + std::to_string(at) + (answered ? "-answered" : "-lost"));
      V3Keys keys = keys_of(client);
      const auto there = server(client, keys);
      there->cutter.cut_at = at;
      there->cutter.answered = answered;
      const auto first = migrate(parts(client), wish(client), *there);
      const bool was_cut = there->cutter.came();
      const auto pending = must(load_migration(os::real_file_system(), client.profile));
      ASSERT_TRUE(pending) << "cut " << at;
      const auto again = run(client);
      ASSERT_TRUE(again) << "cut " << at << ": " << again.error().text();
      const auto key = must(identity::SigningKey::from_seed(pending->device_seed.view()));
      EXPECT_EQ(again->device, repository::device_of(key.public_key()));
      EXPECT_EQ(to_hex(again->recovery_code.view()), to_hex(pending->recovery_code.view()));
      expect_migrated(client);
      EXPECT_EQ(keyring_of(client, *again).epochs.size(), 1U) << "cut " << at;
      if (was_cut) continue;
      EXPECT_TRUE(first) << first.error().text();
      EXPECT_GT(at, 8U) << "few steps were cut";
      break;
    }
  }
}

TEST_F(Migration, goes_on_after_the_disk_failed_at_every_write) {
  for (size_t good = 0;; ++good) {
    const OldClient client = old_client("d" + std::to_string(good));
    FailingFileSystem files(good);
    V3Keys keys = keys_of(client);
    const auto there = server(client, keys);
    const auto first = migrate(parts(client, files), wish(client), *there);
    const auto again = run(client);
    ASSERT_TRUE(again) << "write " << good << ": " << again.error().text();
    expect_migrated(client);
    EXPECT_TRUE(must(load_profile(os::real_file_system(), client.profile)).record.revision > 1);
    if (!first) continue;
    EXPECT_GT(good, 8U) << "few writes failed";
    EXPECT_EQ(first->device, again->device);
    break;
  }
}

TEST_F(Migration, that_was_begun_wants_the_same_passphrase_and_the_same_client) {
  const OldClient client = old_client("alice");
  V3Keys keys = keys_of(client);
  const auto there = server(client, keys);
  there->cutter.cut_at = 0;
  there->cutter.cut_steps = 2;
  there->cutter.answered = true;
  ASSERT_FALSE(migrate(parts(client), wish(client), *there));
  EXPECT_EQ(there->adoptions, 1U);
  const auto other = migrate(parts(client), wish(client, "other"), *there);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::denied);
  EXPECT_THAT(other.error().text(), HasSubstr("another passphrase"));
  MigrationWish stranger = wish(client);
  stranger.client.bytes[0] ^= std::byte{1};
  const auto strange = migrate(parts(client), stranger, *there);
  ASSERT_FALSE(strange);
  EXPECT_EQ(strange.error().code, Code::exists);
  EXPECT_EQ(there->adoptions, 1U);
}

TEST_F(Migration, that_came_to_nothing_stands_in_no_other_clients_way) {
  const OldClient client = old_client("alice");
  V3Keys keys = keys_of(client);
  const auto there = server(client, keys);
  there->cutter.cut_at = 0;
  ASSERT_FALSE(migrate(parts(client), wish(client), *there));
  ASSERT_TRUE(migration_pending(os::real_file_system(), client.profile));
  OldClient other = old_client("bob");
  other.profile = client.profile;
  const auto done = run(other);
  ASSERT_TRUE(done) << done.error().text();
  expect_migrated(other);
}

TEST_F(Migration, is_finished_by_the_servers_next_start_when_its_power_went) {
  const OldClient client = old_client("alice");
  const auto kept = must(backend().catalog().legacy_repository(client.id)).value();
  ASSERT_TRUE(run(client));
  stop();
  // As if it had gone between the record and the server's own copy.
  change_policy(client, [](catalog::LegacyPolicy& policy) { policy.migrated_ns = 0; });
  must(backend().catalog().add_legacy_repository(client.id, kept));
  start();
  EXPECT_TRUE(log_.contains("v4.migration.settled"));
  expect_migrated(client);
}

TEST_F(Migration, leaves_what_comes_after_a_lift_to_another_repository) {
  const OldClient client = old_client("alice");
  const auto done = run(client);
  ASSERT_TRUE(done) << done.error().text();
  upload(client, "late.txt", "late");
  upload(client, "late.txt", "later");
  const auto servers = must(backend().archive().keys().open(client.id));
  EXPECT_NE(servers->record.id, done->profile.repository);
  const auto account = server::V3Keys::account_of(client.id) + "/2";
  EXPECT_EQ(must(backend().engine().of_account(account)), servers->record.id);
  const auto newest = must(backend().catalog().newest_version(client.id));
  ASSERT_TRUE(newest);
  std::string read;
  must(backend().archive().read(*newest, [&](ByteView plain) -> Status {
    read += as_text(plain);
    return {};
  }));
  EXPECT_EQ(read, "later");
  const auto again = run(old_client("other"));
  EXPECT_TRUE(again) << again.error().text();
}

TEST_F(Migration, that_comes_in_the_middle_of_an_upload_lets_that_one_fail) {
  const OldClient client = old_client("alice");
  const auto deposit = must(backend().archive().begin(client.id, "late.txt"));
  must(deposit->write(as_bytes("late")));
  ASSERT_TRUE(run(client));
  const Status done = deposit->commit(v3::cksum_of(as_bytes("late")));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied) << done.error().text();
}

}  // namespace
}  // namespace cb::client
