// SPDX-License-Identifier: Apache-2.0
//
// Devices that do not trust each other over the server's engine: what a writer sends when it has
// lost its cache, what poison does, and what an owner's check makes of it.
#include "core/client/backup_fixture.h"
#include "core/client/copy_check.h"
#include "core/client/restore.h"
#include "core/repository/engine_fixture.h"
#include "core/repository/local_remote.h"

namespace cb::client {
namespace {

using repository::BlobId;
using repository::must;
using repository::Role;
using repository::StoredBlob;
using repository::Viewer;

// What an owner's device asks for, straight from the engine.
class EngineOwner final : public repository::OwnerRemote {
 public:
  EngineOwner(repository::Engine& engine, const repository::RepositoryId& repository,
              std::vector<Viewer> devices)
      : engine_(engine), repository_(repository), devices_(std::move(devices)) {}

  Result<repository::CopyPage> copies(uint64_t after) override {
    if (is_cut()) return failed(Code::closed, "server", "is gone");
    return engine_.copies(repository_, after, 7);
  }
  Status verified(const repository::DeviceId& device, std::span<const BlobId> ids,
                  bool bad) override {
    // Done, and the answer lost; or not even that.
    if (is_cut()) return failed(Code::closed, "server", "is gone");
    told += ids.size();
    for (const Viewer& viewer : devices_)
      if (viewer.device == device) {
        CB_TRY(engine_.verified(repository_, viewer, ids, bad));
        return is_cut() ? failed(Code::closed, "server", "is gone") : Status();
      }
    return failed(Code::not_found, "device", "is not known");
  }
  Result<repository::DeviceList> devices() override { return none(); }
  Status add_invite(const repository::NewInvite&) override { return none(); }
  Status remove_invite(const repository::InviteId&) override { return none(); }
  Status set_device(const repository::DeviceId&, uint64_t) override { return none(); }
  Status put_record(const repository::RepositoryRecord&,
                    const std::optional<std::vector<repository::KeySlot>>&) override {
    return none();
  }
  Result<repository::SessionPage> sessions(uint32_t, const repository::SessionId&) override {
    return none();
  }
  Status put_sessions(std::span<const repository::SessionEntry>) override { return none(); }

  uint64_t told = 0;
  unsigned cut_each = 0;  // call; 0: none

 private:
  static tl::unexpected<Error> none() { return failed(Code::unsupported, "test", "has none"); }
  bool is_cut() { return cut_each > 0 && ++calls_ % cut_each == 0; }

  unsigned calls_ = 0;
  repository::Engine& engine_;
  repository::RepositoryId repository_;
  std::vector<Viewer> devices_;
};

class LeaningTest : public BackupFixture {
 protected:
  void SetUp() override {
    catalog::Account account;
    account.name = "account-1";
    must(house_.catalog().accounts().add_account(account));
    must(house_.engine().create(fresh_.record, account.name));
    owner_ = house_.add_device(1, Role::owner);
    writer_ = house_.add_device(2, Role::writer);
    other_ = house_.add_device(3, Role::writer);
    for (unsigned i = 0; i < 60; ++i)
      write("s/" + std::to_string(100 + i), random_bytes(900 + 61 * i, i));
    write("m/big", random_bytes(600'000, 1000));
  }

  Result<std::shared_ptr<repository::Remote>> remote_of(const Viewer& viewer) {
    return repository::make_local_remote(house_.engine(), fresh_.record.id, viewer);
  }

  // A backup of this device, whose cache is lost unless it is `kept`.
  BackupResult backup_of(const Viewer& viewer, bool kept = false) {
    auto with = parts();
    with.device = viewer.device;
    with.cache_folder = folder_ / ("cache-" + viewer.device.hex());
    with.connect = [&] { return remote_of(viewer); };
    if (!kept) std::filesystem::remove_all(with.cache_folder);
    Backup run(with);
    return must(run.run(request()));
  }

  std::vector<BlobId> content_of(const Viewer& viewer, const BackupResult& result) {
    BlobFetcher fetcher(must(remote_of(owner_)), opener());
    fetcher.read_as(viewer.device);
    std::set<BlobId> ids;
    repository::TreeWalker walker(fetcher.source(), result.commit.root);
    while (const auto entry = must(walker.next()))
      must(repository::for_each_extent(*entry, fetcher.source(),
                                       [&](const repository::Extent& extent) -> Status {
                                         if (!extent.hole) ids.insert(extent.blob);
                                         return {};
                                       }));
    return {ids.begin(), ids.end()};
  }

  // One that knows no sessions yet; lives as long as the test.
  repository::Opener& opener() {
    openers_.push_back(must(repository::Opener::make(suite(), fresh_.record.id, fresh_.keyring)));
    return *openers_.back();
  }

  // Puts blobs that do not open under these ids, in a session of the device's own.
  void poison(const Viewer& viewer, const std::vector<BlobId>& ids) {
    const auto remote = must(remote_of(viewer));
    const auto sealer = must(repository::SessionSealer::begin(
        suite(), fresh_.record, must(repository::draw_id<repository::SessionId>(*random_)),
        viewer.device, [this](ByteView message) { return device_.sign(message); }));
    must(remote->put(sealer->record()));
    for (const BlobId& id : ids) {
      // Of other content, which nobody notices who has no key.
      StoredBlob blob = must(
          sealer->seal(repository::BlobKind::data, id, {}, as_bytes("not what you think"), false));
      must(remote->put(std::move(blob)));
    }
    must(remote->flush());
  }

  CopyCheckResult check(EngineOwner& owner) {
    CopyCheck run(check_parts(owner));
    return must(run.run());
  }
  CopyCheck::Parts check_parts(EngineOwner& owner) {
    CopyCheck::Parts parts;
    parts.connect = [this, &owner]() -> Result<CopyRemote> {
      return CopyRemote{must(remote_of(owner_)), {&owner, [](auto*) {}}};
    };
    parts.opener = [this] {
      return repository::Opener::make(suite(), fresh_.record.id, fresh_.keyring);
    };
    return parts;
  }
  EngineOwner owner_remote() {
    return {house_.engine(), fresh_.record.id, {owner_, writer_, other_}};
  }

  // Does every blob of this snapshot open, read as its device?
  void expect_whole(const Viewer& viewer, const BackupResult& result) {
    BlobFetcher fetcher(must(remote_of(owner_)), opener());
    fetcher.read_as(viewer.device);
    for (const BlobId& id : content_of(viewer, result)) {
      const auto blob = fetcher.blob(id);
      EXPECT_TRUE(blob) << blob.error().text();
    }
  }

  repository::EngineHouse house_;
  Viewer owner_, writer_, other_;
  std::vector<std::unique_ptr<repository::Opener>> openers_;
};

constexpr uint64_t kLittle = 64 * 1024;  // a snapshot and a few nodes

TEST_F(LeaningTest, a_writer_that_lost_its_cache_reads_all_and_sends_nothing_again) {
  const BackupResult first = backup_of(writer_);
  EXPECT_GT(first.counts.bytes_sent, 600'000u);
  const BackupResult second = backup_of(writer_);
  EXPECT_EQ(second.counts.bytes_read, first.counts.bytes_read);
  EXPECT_LT(second.counts.bytes_sent, kLittle);
  expect_whole(writer_, second);
}

TEST_F(LeaningTest, a_writer_leans_on_what_an_owner_put_and_not_on_other_writers) {
  backup_of(owner_);
  EXPECT_LT(backup_of(writer_).counts.bytes_sent, kLittle);
  write("m/more", random_bytes(500'000, 77));
  EXPECT_GT(backup_of(writer_).counts.bytes_sent, 500'000u);
  EXPECT_GT(backup_of(other_).counts.bytes_sent, 500'000u);
  EXPECT_GT(backup_of(owner_).counts.bytes_sent, 500'000u);
  EXPECT_LT(backup_of(other_).counts.bytes_sent, kLittle);
}

TEST_F(LeaningTest, poison_under_another_s_ids_harms_nobody_and_is_named) {
  const BackupResult good = backup_of(writer_);
  const std::vector<BlobId> ids = content_of(writer_, good);
  poison(other_, ids);
  expect_whole(writer_, good);
  EngineOwner owner = owner_remote();
  const CopyCheckResult checked = check(owner);
  EXPECT_EQ(checked.poisoned_count, ids.size());
  EXPECT_EQ(checked.unread, 0u);
  for (const PoisonedCopy& copy : checked.poisoned) EXPECT_EQ(copy.device, other_.device);
  EXPECT_GT(checked.good, ids.size());
  expect_whole(writer_, good);
}

TEST_F(LeaningTest, poison_in_a_session_that_nobody_signed_is_condemned_and_blames_nobody) {
  const BackupResult good = backup_of(writer_);
  const std::vector<BlobId> ids = content_of(writer_, good);
  poison(other_, ids);
  EngineOwner owner = owner_remote();
  CopyCheck::Parts parts = check_parts(owner);
  parts.is_signed = [this](const repository::SessionId&, const repository::SessionRecord& record) {
    return record.device != other_.device;
  };
  CopyCheck run(std::move(parts));
  const CopyCheckResult checked = must(run.run());
  EXPECT_EQ(checked.poisoned_count, ids.size());
  for (const PoisonedCopy& copy : checked.poisoned) {
    EXPECT_EQ(copy.device, other_.device);
    EXPECT_FALSE(copy.blames_device);
  }
  EXPECT_EQ(check(owner).poisoned_count, 0u) << "was not condemned";
}

TEST_F(LeaningTest, a_check_whose_connection_is_lost_goes_on_over_another_one) {
  const BackupResult good = backup_of(writer_);
  const std::vector<BlobId> ids = content_of(writer_, good);
  poison(other_, ids);
  EngineOwner owner = owner_remote();
  owner.cut_each = 3;
  CopyCheck::Parts parts = check_parts(owner);
  unsigned connections = 0;
  parts.connect = [&connections, connect = parts.connect] {
    ++connections;
    return connect();
  };
  CopyCheck run(std::move(parts));
  const CopyCheckResult checked = must(run.run());
  EXPECT_GT(connections, 3u);
  EXPECT_EQ(checked.poisoned_count, ids.size());
  for (const PoisonedCopy& copy : checked.poisoned) EXPECT_TRUE(copy.blames_device);
  owner.cut_each = 0;
  EXPECT_EQ(check(owner).good, 0u);
  owner.cut_each = 1;
  CopyCheck cut(check_parts(owner));
  EXPECT_EQ(repository::code_of(cut.run()), Code::closed) << "goes on for ever";
}

TEST_F(LeaningTest, poison_put_first_harms_nobody_either) {
  const BackupResult model = backup_of(owner_);
  const std::vector<BlobId> ids = content_of(owner_, model);
  write("m/new", random_bytes(300'000, 99));
  const BackupResult first = backup_of(other_);
  std::vector<BlobId> fresh = content_of(other_, first);
  std::erase_if(
      fresh, [&](const BlobId& id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); });
  ASSERT_FALSE(fresh.empty());
  // The third device poisons what the second will back up.
  poison(writer_, fresh);
  const BackupResult again = backup_of(owner_);
  expect_whole(owner_, again);
  expect_whole(other_, first);
}

TEST_F(LeaningTest, an_owner_s_check_lets_others_lean_and_finds_nothing_the_next_time) {
  const BackupResult mine = backup_of(writer_);
  EXPECT_GT(backup_of(other_).counts.bytes_sent, 600'000u);
  EngineOwner owner = owner_remote();
  const CopyCheckResult checked = check(owner);
  EXPECT_EQ(checked.poisoned_count, 0u);
  EXPECT_EQ(checked.unread, 0u);
  EXPECT_GT(checked.good, 0u);
  EXPECT_EQ(check(owner).good, 0u) << "was not told to the server the first time";
  const Viewer newcomer = house_.add_device(4, Role::writer);
  EXPECT_LT(backup_of(newcomer).counts.bytes_sent, kLittle);
  expect_whole(newcomer, mine);
}

// Whether it is true does not show when it is opened.
TEST_F(LeaningTest, an_owner_s_check_passes_over_signatures) {
  const BackupResult mine = backup_of(writer_);
  StoredBlob lie;
  lie.head.id.bytes.fill(std::byte{5});
  lie.head.kind = repository::BlobKind::signature;
  lie.head.children = {content_of(writer_, mine).front()};
  lie.stored = Bytes(50, std::byte{1});
  lie.head.stored_size = 50;
  {
    const auto remote = must(remote_of(writer_));
    must(remote->put(lie));
    must(remote->flush());
  }
  EngineOwner owner = owner_remote();
  const CopyCheckResult checked = check(owner);
  EXPECT_EQ(checked.poisoned_count, 0u);
  EXPECT_GT(checked.good, 0u);
  EXPECT_TRUE(must(must(remote_of(owner_))->signatures(0)).ids.empty());
  EXPECT_TRUE(must(must(remote_of(other_))->signatures(0)).ids.empty());
  EXPECT_EQ(must(must(remote_of(writer_))->signatures(0)).ids, std::vector<BlobId>{lie.head.id});
}

TEST_F(LeaningTest, a_writer_whose_blobs_were_condemned_reads_and_sends_them_again) {
  const BackupResult first = backup_of(writer_);
  const std::vector<BlobId> ids = content_of(writer_, first);
  must(house_.engine().verified(fresh_.record.id, writer_, ids, true));
  // With its cache it believes to have sent all; the commit says what is missing.
  const BackupResult second = backup_of(writer_, true);
  EXPECT_GT(second.counts.bytes_sent, 600'000u);
  expect_whole(writer_, second);
}

TEST_F(LeaningTest, a_check_that_was_cancelled_keeps_what_it_told) {
  backup_of(writer_);
  EngineOwner owner = owner_remote();
  CopyCheck::Parts parts = check_parts(owner);
  CopyCheck* running = nullptr;
  parts.progress = [&](const report::Progress& now) {
    if (now.done >= 8) running->cancel();
  };
  CopyCheck run(std::move(parts));
  running = &run;
  EXPECT_EQ(repository::code_of(run.run()), Code::cancelled);
  const uint64_t told = owner.told;
  EXPECT_GE(told, 8u);
  const CopyCheckResult rest = check(owner);
  EXPECT_EQ(rest.poisoned_count, 0u);
  EXPECT_EQ(check(owner).good, 0u);
}

}  // namespace
}  // namespace cb::client
