// SPDX-License-Identifier: Apache-2.0
//
// Repositories that are only files: which copy of a blob is taken, and which snapshots show up.
#include "core/rescue/rescue.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <climits>
#include <filesystem>
#include <fstream>

#include "core/repository/pack.h"
#include "core/repository/rotation_keys.h"
#include "core/repository/sealing_fixture.h"

namespace cb::rescue {
namespace {

using namespace repository;
namespace fs = std::filesystem;

class Rescued : public SealingFixture {
 protected:
  Rescued() {
    std::string name = (fs::temp_directory_path() / "cb-rescue-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder: " + name);
    folder_ = name;
  }
  ~Rescued() override { fs::remove_all(folder_); }

  void write(const std::string& name, ByteView bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << as_text(bytes);
  }

  // A pack of these blobs, the session's record first; `harm` changes a byte of the stored ones.
  void write_pack(const std::string& name, std::vector<StoredBlob> blobs, bool harm = false,
                  const std::optional<StoredBlob>& record = {}) {
    blobs.insert(blobs.begin(), record ? *record : sealer_->record());
    Bytes bytes = encode_pack_header({PackClass::other, repository_->record.id, {}});
    const auto append = [&](ByteView more) { bytes.insert(bytes.end(), more.begin(), more.end()); };
    std::vector<PackedBlob> packed;
    for (const StoredBlob& blob : blobs) {
      packed.push_back({bytes.size(), blob.head});
      append(encode_record(blob.head));
      Checksum checksum;
      checksum.update(blob.stored);
      append(blob.stored);
      if (harm) bytes.back() ^= std::byte{1};
      append(checksum.value());
    }
    append(encode_footer(packed));
    Checksum digest;
    digest.update(bytes);
    append(encode_end(static_cast<uint32_t>(packed.size()), digest.value()));
    write(name, bytes);
  }

  StoredBlob snapshot(const std::string& host) {
    SnapshotRecord record;
    record.device = device_of(device_->public_key());
    record.host = host;
    record.time_ns = ++now_;
    return stored(BlobKind::snapshot, {child(9)}, encode(record));
  }
  void write_commit(CommitType type, uint64_t sequence, const BlobId& id) {
    CommitRecord record;
    record.type = type;
    record.sequence = sequence;
    record.snapshot = id;
    record.root = child(9);
    write("commit-" + std::to_string(sequence), encode(record));
  }

  Result<std::unique_ptr<Rescue>> try_open(const RescueWish& wish, const Stopped& stopped = {}) {
    CB_ASSIGN(auto hoard, Hoard::read(os::real_file_system(), folder_, {}, false, stopped));
    RescueSecret secret;
    secret.key = RescueKey{repository_->record, repository_->keyring.clone()};
    return Rescue::open(std::move(hoard), suite(), secret, wish);
  }
  std::unique_ptr<Rescue> open(bool all = false) { return must(try_open({{}, all})); }
  static Result<StoredBlob> get(Rescue& rescue, const BlobId& id) {
    Result<StoredBlob> found = failed(Code::internal, "blob", "was not given");
    const Status done = rescue.remote()->get(std::span(&id, 1), {}, [&](StoredBlob blob) -> Status {
      found = std::move(blob);
      return {};
    });
    if (!done) return failed(done.error());
    return found;
  }
  static std::vector<BlobId> ids(Rescue& rescue, bool with_trash) {
    std::vector<BlobId> ids;
    for (const auto& info : must(rescue.remote()->snapshots(with_trash)))
      ids.push_back(info.commit.snapshot);
    return ids;
  }

  fs::path folder_;
  int64_t now_ = 0;
};

TEST_F(Rescued, garbage_under_the_same_id_is_passed_over_wherever_it_lies) {
  const StoredBlob good = stored(BlobKind::data, {}, text(5000));
  StoredBlob garbage = good;
  for (std::byte& byte : garbage.stored) byte = std::byte{0xbb};
  for (const bool garbage_first : {true, false}) {
    write_pack("a", {garbage_first ? garbage : good});
    write_pack("b", {garbage_first ? good : garbage});
    const auto rescue = open();
    EXPECT_EQ(must(get(*rescue, good.head.id)).stored, good.stored);
  }
}

TEST_F(Rescued, a_damaged_copy_gives_way_to_a_good_one_and_is_told_when_there_is_none) {
  const StoredBlob blob = stored(BlobKind::data, {}, text(5000));
  write_pack("a", {blob}, true);
  {
    const auto rescue = open();
    const auto found = get(*rescue, blob.head.id);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Code::corrupt);
    EXPECT_NE(found.error().object.find((folder_ / "a").string()), std::string::npos);
  }
  write_pack("b", {blob});
  const auto rescue = open();
  EXPECT_EQ(must(get(*rescue, blob.head.id)).stored, blob.stored);
}

// No snapshot needs one, and whoever writes may put one under the id of data.
TEST_F(Rescued, signatures_are_passed_over_whatever_is_in_them) {
  const StoredBlob blob = stored(BlobKind::data, {}, text(5000));
  StoredBlob signature;
  signature.head = {child(4), BlobKind::signature, {}, {blob.head.id}, 3};
  signature.stored = Bytes(3, std::byte{7});
  StoredBlob recipe = signature;
  recipe.head.kind = BlobKind::recipe;
  recipe.head.id = blob.head.id;
  write_pack("a", {signature, recipe, blob, snapshot("one")});
  const auto rescue = open();
  EXPECT_EQ(must(get(*rescue, blob.head.id)).stored, blob.stored);
  EXPECT_FALSE(get(*rescue, signature.head.id));
  EXPECT_EQ(ids(*rescue, false).size(), 1u);
  EXPECT_EQ(must(rescue->remote()->counts()).blobs, 2u);
}

TEST_F(Rescued, one_good_record_of_a_session_is_enough_wherever_it_lies) {
  const StoredBlob blob = stored(BlobKind::data, {}, text(5000));
  const StoredBlob good = sealer_->record();
  StoredBlob bad = good;
  SessionRecord record = must(decode_session(good.stored));
  record.kem_cipher[7] ^= std::byte{1};
  bad.stored = encode(record);
  for (const bool bad_first : {true, false}) {
    write_pack("a", {blob}, false, bad_first ? bad : good);
    write_pack("b", {snapshot("one")}, false, bad_first ? good : bad);
    const auto rescue = open();
    EXPECT_EQ(ids(*rescue, false).size(), 1u);
    EXPECT_EQ(must(get(*rescue, blob.head.id)).stored, blob.stored);
    EXPECT_EQ(must(get(*rescue, good.head.id)).stored, good.stored);
  }
}

TEST_F(Rescued, a_session_record_without_its_checksum_is_told_and_not_taken) {
  const StoredBlob blob = stored(BlobKind::data, {}, text(5000));
  write_pack("a", {blob});
  std::fstream pack(folder_ / "a", std::ios::in | std::ios::out | std::ios::binary);
  const auto at = static_cast<std::streamoff>(kPackHeaderSize + record_size(0) + 60);
  pack.seekg(at);
  const auto byte = static_cast<char>(pack.get() ^ 1);
  pack.seekp(at);
  pack.put(byte);
  pack.close();
  const auto hoard = must(Hoard::read(os::real_file_system(), folder_, {}, false, {}));
  for (const auto& [session, records] : hoard->repositories().begin()->second.sessions)
    EXPECT_TRUE(records.empty());
  ASSERT_EQ(hoard->damage.size(), 1u);
  EXPECT_NE(hoard->damage[0].find("checksum"), std::string::npos) << hoard->damage[0];
}

TEST_F(Rescued, the_record_that_rotation_made_is_enough_when_all_in_the_packs_are_damaged) {
  const StoredBlob blob = stored(BlobKind::data, {}, text(5000));
  const SessionId session = sealer_->session();
  const std::array<BlobId, 1> record = {blob_of(session)};
  must(add_epoch(*crypto_, repository_->record, repository_->keyring));
  must(sign_record(repository_->record, repository_->root));
  const auto rewrapper = must(Rewrapper::make(*crypto_, repository_->record, repository_->keyring));
  const Bytes replaced = must(rewrapper.rewrap(session, sealer_->record().stored));
  write_pack("a", {blob});
  std::fstream pack(folder_ / "a", std::ios::in | std::ios::out | std::ios::binary);
  pack.seekp(static_cast<std::streamoff>(kPackHeaderSize + record_size(0) + 60));
  pack.write("\x01\x02\x03", 3);
  pack.close();
  EXPECT_FALSE(must(open()->remote()->have(record))[0]);
  // Under its name in a store, and under none.
  const std::string named = "v4/" + repository_->record.id.hex() + "/session/" + session.hex();
  for (const std::string& name : {named, std::string("some-file")}) {
    fs::create_directories((folder_ / name).parent_path());
    write(name, replaced);
    const auto rescue = open();
    EXPECT_TRUE(must(rescue->remote()->have(record))[0]) << name;
    EXPECT_EQ(must(get(*rescue, record[0])).stored, replaced);
    const StoredBlob found = must(get(*rescue, blob.head.id));
    must(rescue->opener().learn(session, replaced));
    EXPECT_EQ(must(rescue->opener().open(found)).plain, text(5000));
    fs::remove_all(folder_ / name);
  }
}

TEST_F(Rescued, links_are_not_followed) {
  write_pack("a", {snapshot("one")});
  fs::create_directory(folder_ / "below");
  fs::create_directory_symlink("..", folder_ / "below" / "round");
  fs::create_directory_symlink("..", folder_ / "below" / "and-round");
  fs::create_symlink("a", folder_ / "b");
  const auto hoard = must(Hoard::read(os::real_file_system(), folder_, {}, false, {}));
  EXPECT_EQ(hoard->packs().size(), 1u);
  EXPECT_TRUE(hoard->damage.empty());
}

TEST_F(Rescued, what_is_missing_is_told_after_all_others_came) {
  const StoredBlob blob = stored(BlobKind::data, {}, text(5000));
  write_pack("a", {blob});
  const auto rescue = open();
  const std::array<BlobId, 2> wanted = {child(1), blob.head.id};
  size_t came = 0;
  const Status done = rescue->remote()->get(wanted, {}, [&](const StoredBlob&) -> Status {
    ++came;
    return {};
  });
  EXPECT_EQ(came, 1u);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::not_found);
  EXPECT_EQ(must(rescue->remote()->have(wanted)), (std::vector<bool>{false, true}));
}

TEST_F(Rescued, commits_say_which_snapshots_count) {
  const StoredBlob kept = snapshot("kept");
  const StoredBlob forgotten = snapshot("forgotten");
  const StoredBlob removed = snapshot("removed");
  write_pack("a", {kept, forgotten, removed});
  write_commit(CommitType::commit, 1, kept.head.id);
  write_commit(CommitType::commit, 2, forgotten.head.id);
  write_commit(CommitType::commit, 3, removed.head.id);
  write_commit(CommitType::forget, 4, forgotten.head.id);
  write_commit(CommitType::removal, 5, removed.head.id);
  const auto rescue = open();
  EXPECT_TRUE(rescue->has_commits());
  EXPECT_TRUE(rescue->notes().empty());
  EXPECT_EQ(ids(*rescue, false), std::vector{kept.head.id});
  EXPECT_EQ(ids(*rescue, true), (std::vector{kept.head.id, forgotten.head.id}));
  const auto all = open(true);
  EXPECT_EQ(ids(*all, true).size(), 3u);
}

TEST_F(Rescued, a_removed_snapshot_that_was_committed_again_counts) {
  const StoredBlob one = snapshot("one");
  write_pack("a", {one});
  write_commit(CommitType::commit, 1, one.head.id);
  write_commit(CommitType::forget, 2, one.head.id);
  write_commit(CommitType::removal, 3, one.head.id);
  write_commit(CommitType::commit, 4, one.head.id);
  EXPECT_EQ(ids(*open(), false), std::vector{one.head.id});
}

TEST_F(Rescued, snapshots_behind_a_lost_end_of_the_chain_are_told) {
  const StoredBlob one = snapshot("one");
  write_pack("a", {one, snapshot("two"), snapshot("three")});
  write_commit(CommitType::commit, 1, one.head.id);
  const auto rescue = open();
  EXPECT_EQ(ids(*rescue, false), std::vector{one.head.id});
  ASSERT_EQ(rescue->notes().size(), 1u);
  EXPECT_NE(rescue->notes()[0].find("2 snapshots that no commit names"), std::string::npos);
  EXPECT_EQ(ids(*open(true), false).size(), 3u);
}

TEST_F(Rescued, a_hole_among_the_commits_is_told) {
  const StoredBlob one = snapshot("one");
  write_pack("a", {one});
  write_commit(CommitType::commit, 3, one.head.id);
  const auto rescue = open();
  ASSERT_EQ(rescue->notes().size(), 1u);
  EXPECT_NE(rescue->notes()[0].find("1 to 2"), std::string::npos) << rescue->notes()[0];
  EXPECT_EQ(ids(*rescue, false).size(), 1u);
}

TEST_F(Rescued, without_commits_every_snapshot_in_the_packs_shows_up_oldest_first) {
  const StoredBlob first = snapshot("first");
  const StoredBlob second = snapshot("second");
  write_pack("a", {second, first});
  const auto rescue = open();
  EXPECT_FALSE(rescue->has_commits());
  EXPECT_EQ(ids(*rescue, false), (std::vector{first.head.id, second.head.id}));
}

TEST_F(Rescued, an_interruption_ends_the_reading_at_once) {
  for (const char* name : {"a", "b", "c"})
    write_pack(name, {stored(BlobKind::data, {}, text(900))});
  const auto reads = [&](unsigned most) {
    unsigned asked = 0;
    const auto hoard =
        Hoard::read(os::real_file_system(), folder_, {}, true, [&] { return ++asked > most; });
    EXPECT_EQ(hoard.has_value(), asked <= most);
    if (!hoard) {
      EXPECT_EQ(hoard.error().code, Code::cancelled);
    }
    return asked;
  };
  const unsigned all = reads(UINT_MAX);
  ASSERT_GT(all, 10u);
  for (unsigned most = 0; most < all; ++most) EXPECT_EQ(reads(most), most + 1);
}

TEST_F(Rescued, an_interruption_ends_the_look_into_snapshots) {
  write_pack("a", {snapshot("one"), snapshot("two")});
  unsigned asked = 0;
  must(Hoard::read(os::real_file_system(), folder_, {}, false, [&] {
    ++asked;
    return false;
  }));
  unsigned left = asked;
  const auto opened = try_open({}, [&] { return left-- == 0; });
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::cancelled);
}

TEST_F(Rescued, a_key_file_opens_the_repository_that_is_chosen_or_none) {
  write_pack("a", {snapshot("one")});
  EXPECT_TRUE(try_open({repository_->record.id, false}));
  RepositoryId other;
  other.bytes.fill(std::byte{7});
  const auto opened = try_open({other, false});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::invalid);
  EXPECT_NE(opened.error().text().find(repository_->record.id.hex()), std::string::npos);
}

TEST_F(Rescued, nothing_can_be_changed) {
  write_pack("a", {snapshot("one")});
  const auto rescue = open();
  EXPECT_EQ(rescue->remote()->flush().error().code, Code::denied);
  EXPECT_EQ(rescue->remote()->forget(child(1)).error().code, Code::denied);
}

TEST_F(Rescued, a_folder_without_packs_and_another_repositorys_key_find_nothing) {
  write("note", as_bytes("CBPACK is no pack"));
  const auto none = Hoard::read(os::real_file_system(), folder_, {}, false, {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::not_found);
  write_pack("a", {snapshot("one")});
  const NewRepository other = fresh_repository();
  RescueSecret secret;
  secret.key = RescueKey{other.record, other.keyring.clone()};
  const auto opened = Rescue::open(
      must(Hoard::read(os::real_file_system(), folder_, {}, false, {})), suite(), secret, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::not_found);
}

TEST(RepositoryIn, is_told_by_names_of_stores_and_by_paths_of_store_fs) {
  const std::string hex(32, 'a');
  EXPECT_TRUE(repository_in("v4/" + hex + "/slot/" + hex));
  EXPECT_TRUE(repository_in("store/objects/v4=/v4,/aa=/" + hex + ",/sl=/slot,/aa=/" + hex));
  EXPECT_FALSE(repository_in(hex));
  EXPECT_FALSE(repository_in("v4/" + hex.substr(1) + "/slot/" + hex));
}

}  // namespace
}  // namespace cb::rescue
