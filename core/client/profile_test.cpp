// SPDX-License-Identifier: Apache-2.0
#include "core/client/profile.h"

#include <sys/stat.h>

#include "core/client/failing_file_system.h"
#include "core/client/keys_fixture.h"
#include "core/repository/signatures.h"
#include "core/repository/slots.h"

namespace cb::client {
namespace {

using repository::code_of;
using repository::must;

class ProfileTest : public KeysFixture {
 protected:
  Profile example() {
    const repository::NewRepository made = fresh_repository();
    Profile profile;
    profile.servers = {"backup.example:7900", "10.0.0.1:1"};
    profile.pin = std::string(64, 'a');
    profile.account = "alice \"\\ \xc3\xa4";
    profile.repository = made.record.id;
    profile.root = made.record.root;
    profile.record = made.record;
    profile.role = repository::Role::owner;
    profile.device_seed = Secret(random_bytes(32, 1));
    profile.write_key = made.keyring.write_key.clone();
    return profile;
  }

  static void expect_same(const Profile& a, const Profile& b) {
    EXPECT_EQ(profile_text(a), profile_text(b));
    EXPECT_EQ(a.record, b.record);
    EXPECT_EQ(to_hex(a.device_seed.view()), to_hex(b.device_seed.view()));
    EXPECT_EQ(to_hex(a.write_key.view()), to_hex(b.write_key.view()));
  }

  Result<Profile> load() { return load_profile(os::real_file_system(), folder_); }
  Status save(const Profile& profile) {
    return save_profile(os::real_file_system(), folder_, profile);
  }
};

TEST_F(ProfileTest, comes_back_as_it_was_saved) {
  const Profile saved = example();
  ASSERT_TRUE(save(saved));
  expect_same(must(load()), saved);
  expect_same(saved.clone(), saved);
}

TEST_F(ProfileTest, keeps_the_limits_that_somebody_wrote_into_it) {
  Profile profile = example();
  EXPECT_EQ(profile_text(profile).find("limit"), std::string::npos);
  profile.limit_upload = "5MiB";
  profile.limit_download = "none";
  const auto back = parse_profile_text(profile_text(profile.clone()), "p");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->limit_upload, "5MiB");
  EXPECT_EQ(back->limit_download, "none");
}

TEST_F(ProfileTest, of_a_reader_has_no_write_key) {
  Profile saved = example();
  saved.role = repository::Role::reader;
  saved.write_key = {};
  saved.reader_lock = repository::encode(repository::DeviceLock{Bytes(16), 3, 1 << 20, Bytes(60)});
  ASSERT_TRUE(save(saved));
  const Profile loaded = must(load());
  EXPECT_TRUE(loaded.write_key.empty());
  EXPECT_EQ(loaded.reader_lock, saved.reader_lock);
  EXPECT_EQ(loaded.role, repository::Role::reader);
}

TEST_F(ProfileTest, lies_in_files_that_only_its_owner_reads) {
  ASSERT_TRUE(save(example()));
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    struct stat info {};
    ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 3u);
  struct stat info {};
  ASSERT_EQ(::stat(folder_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
}

TEST_F(ProfileTest, that_is_missing_is_not_found_and_the_advice_is_to_enrol) {
  const auto none = load();
  ASSERT_EQ(code_of(none), Code::not_found);
  EXPECT_NE(none.error().text().find("default"), std::string::npos);
  EXPECT_NE(none.error().advice.find("enroll"), std::string::npos);
  EXPECT_FALSE(has_profile(os::real_file_system(), folder_));
}

TEST_F(ProfileTest, with_a_damaged_or_missing_file_names_it) {
  ASSERT_TRUE(save(example()));
  EXPECT_TRUE(has_profile(os::real_file_system(), folder_));
  for (const char* name : {"profile.json", "device.key", "write.key"}) {
    const os::Path file = folder_ / name;
    const Bytes good = content(file);
    for (const Bytes& bad : {Bytes(), Bytes(good.begin(), good.begin() + 9), Bytes(100)}) {
      overwrite(file, bad);
      const auto loaded = load();
      ASSERT_EQ(code_of(loaded), Code::corrupt) << name;
      EXPECT_EQ(loaded.error().object, file.string());
      EXPECT_FALSE(loaded.error().advice.empty());
    }
    std::filesystem::remove(file);
    const auto loaded = load();
    if (std::string(name) == "profile.json") {
      EXPECT_EQ(code_of(loaded), Code::not_found);
    } else {
      ASSERT_EQ(code_of(loaded), Code::corrupt);
      EXPECT_EQ(loaded.error().object, file.string());
    }
    overwrite(file, good);
  }
  EXPECT_TRUE(load());
}

TEST_F(ProfileTest, a_key_that_was_changed_by_a_single_bit_is_noticed) {
  ASSERT_TRUE(save(example()));
  for (const char* name : {"device.key", "write.key"}) {
    const Bytes good = content(folder_ / name);
    for (size_t at = 0; at < good.size(); ++at) {
      Bytes bad = good;
      bad[at] ^= std::byte{1};
      overwrite(folder_ / name, bad);
      ASSERT_EQ(code_of(load()), Code::corrupt) << name << " " << at;
    }
    overwrite(folder_ / name, good);
  }
}

TEST_F(ProfileTest, whose_record_is_not_its_owner_s_is_refused) {
  Profile profile = example();
  profile.record.revision = 99;
  EXPECT_EQ(code_of(parse_profile_text(profile_text(profile), "p")), Code::corrupt);
  profile = example();
  profile.repository.bytes[0] ^= std::byte{1};
  EXPECT_EQ(code_of(parse_profile_text(profile_text(profile), "p")), Code::corrupt);
  profile = example();
  profile.root[0] ^= std::byte{1};
  EXPECT_EQ(code_of(parse_profile_text(profile_text(profile), "p")), Code::corrupt);
}

TEST_F(ProfileTest, of_a_newer_program_is_told) {
  std::string text = profile_text(example());
  text.replace(text.find("\"version\": 1"), 12, "\"version\": 2");
  EXPECT_EQ(code_of(parse_profile_text(text, "p")), Code::unsupported);
}

TEST_F(ProfileTest, text_that_is_none_is_corrupt) {
  for (const char* text : {"", "{", "[]", "1", "{}", "{\"version\":1}", "{\"version\":\"1\"}",
                           "{\"version\":1,\"servers\":[]}", "{\"version\":1,\"servers\":[1]}",
                           "{\"version\":1,\"servers\":[\"a:1\"],\"pin\":\"xy\"}"})
    EXPECT_EQ(code_of(parse_profile_text(text, "p")), Code::corrupt) << text;
}

TEST_F(ProfileTest, a_failure_at_any_moment_leaves_the_old_one_or_the_new_one) {
  const Profile before = example();
  Profile after = before.clone();
  after.account = "bob";
  bool saved = false;
  for (size_t good = 0; !saved; ++good) {
    ASSERT_LT(good, 100u);
    std::filesystem::remove_all(folder_);
    ASSERT_TRUE(save(before));
    FailingFileSystem files(good);
    saved = save_profile(files, folder_, after).has_value();
    const auto loaded = load();
    ASSERT_TRUE(loaded) << good << ": " << loaded.error().text();
    EXPECT_TRUE(loaded->account == before.account || loaded->account == "bob");
    if (saved) expect_same(*loaded, after);
  }
}

TEST_F(ProfileTest, that_is_new_is_there_as_a_whole_or_not_at_all) {
  const Profile profile = example();
  bool saved = false;
  for (size_t good = 0; !saved; ++good) {
    ASSERT_LT(good, 100u);
    std::filesystem::remove_all(folder_);
    FailingFileSystem files(good);
    saved = save_profile(files, folder_, profile).has_value();
    const auto loaded = load();
    if (loaded) {
      expect_same(*loaded, profile);
    } else {
      EXPECT_EQ(loaded.error().code, Code::not_found) << loaded.error().text();
    }
    ASSERT_TRUE(!saved || loaded);
  }
}

TEST_F(ProfileTest, that_did_not_change_is_not_written_again) {
  const Profile profile = example();
  ASSERT_TRUE(save(profile));
  FailingFileSystem files;
  ASSERT_TRUE(save_profile(files, folder_, profile));
  EXPECT_EQ(files.changes(), 1u);  // its folder
}

TEST_F(ProfileTest, keeps_a_newer_record_of_the_repository_and_refuses_an_older_one) {
  const repository::NewRepository made = fresh_repository();
  const auto of_revision = [&](uint64_t revision) {
    repository::RepositoryRecord record = made.record;
    record.revision = revision;
    EXPECT_TRUE(repository::sign_record(record, made.root));
    return record;
  };
  const auto keep = [&](uint64_t shown, const RecordRule& rule) {
    return keep_record(os::real_file_system(), folder_, of_revision(shown), rule);
  };
  const auto kept = [&] { return must(load()).record.revision; };
  Profile profile = example();
  profile.repository = made.record.id;
  profile.root = made.record.root;
  profile.record = of_revision(5);
  ASSERT_TRUE(save(profile));
  EXPECT_FALSE(must(keep(7, {5, false})));
  EXPECT_EQ(kept(), 7u);
  // Another process knew 5 before it asked, and was shown 6 meanwhile.
  EXPECT_FALSE(must(keep(6, {5, false})));
  EXPECT_EQ(kept(), 7u);
  EXPECT_EQ(code_of(keep(6, {7, false})), Code::denied);
  EXPECT_EQ(kept(), 7u);
  // After a documented restore of the server.
  EXPECT_TRUE(must(keep(6, {7, true})));
  EXPECT_EQ(kept(), 6u);
}

TEST_F(ProfileTest, has_a_name_that_is_a_plain_file_name) {
  EXPECT_EQ(must(profile_folder("/c", "work-2")), "/c/profiles/work-2");
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("../x"),
        std::string("a\nb"), std::string("a\0b", 3), std::string(101, 'a')})
    EXPECT_EQ(code_of(profile_folder("/c", name)), Code::invalid) << name;
}

}  // namespace
}  // namespace cb::client
