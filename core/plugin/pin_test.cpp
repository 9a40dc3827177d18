// SPDX-License-Identifier: Apache-2.0
//
// Pins, owners, and one file being one module, with copies of a good plugin.
#include "core/plugin/pin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "core/log/capture.h"
#include "core/plugin/module.h"

namespace cb::plugin {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* kOtherHash =
    "00000000000000000000000000000000000000000000000000000000000000ff";

class Pinned : public testing::Test {
 protected:
  Pinned() : folder_(os::Path(testing::TempDir()) / ("cb-pins-" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    fs::permissions(folder_, fs::perms::owner_all);
    fs::copy_file(os::Path(CB_BAD_PLUGIN_DIR) / "good.so", file());
    fs::permissions(file(), fs::perms(0644));
    const auto opened = PluginFile::open(file());
    if (opened) hash_ = opened->sha256();
  }
  ~Pinned() override { fs::remove_all(folder_); }

  [[nodiscard]] os::Path file() const { return folder_ / "good.so"; }

  Status load(Pins pins, std::map<std::string, std::string> sha256 = {}) {
    LoadOptions options;
    options.folder = folder_;
    options.pins = pins;
    options.sha256 = std::move(sha256);
    HostServices services;
    services.log = &log_;
    Registry registry(services, options);
    CB_TRY(registry.load("good"));
    CB_TRY(registry.make_store("good", {}));
    return {};
  }

  os::Path folder_;
  std::string hash_;
  log::Capture log_;
};

TEST_F(Pinned, the_hash_is_that_of_the_content) {
  EXPECT_EQ(sha256_hex(as_bytes("abc")).value(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash_.size(), 64U);
}

TEST_F(Pinned, off_looks_at_no_pin) { EXPECT_TRUE(load(Pins::off, {{"good", kOtherHash}})); }

TEST_F(Pinned, warn_loads_and_logs_both_hashes) {
  EXPECT_TRUE(load(Pins::warn, {{"good", kOtherHash}}));
  EXPECT_TRUE(log_.contains("event=plugin.pin plugin=good")) << log_.text();
  EXPECT_TRUE(log_.contains(hash_));
  EXPECT_TRUE(log_.contains(kOtherHash));
}

TEST_F(Pinned, warn_is_silent_about_the_right_file) {
  EXPECT_TRUE(load(Pins::warn, {{"good", hash_}}));
  EXPECT_FALSE(log_.contains("plugin.pin"));
}

TEST_F(Pinned, enforce_refuses_the_wrong_file_with_both_hashes_and_what_to_do) {
  const Status done = load(Pins::enforce, {{"good", kOtherHash}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  for (const std::string& word :
       {hash_, std::string(kOtherHash), file().string(), std::string("cyberbackupd plugins pin")})
    EXPECT_THAT(done.error().text(), HasSubstr(word));
}

TEST_F(Pinned, enforce_refuses_a_file_without_pin) {
  const Status done = load(Pins::enforce);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_THAT(done.error().text(), HasSubstr("is not pinned"));
  EXPECT_THAT(done.error().text(), HasSubstr(hash_));
}

TEST_F(Pinned, enforce_loads_the_right_file_from_a_sealed_copy) {
  const Status done = load(Pins::enforce, {{"good", hash_}});
  EXPECT_TRUE(done) << done.error().text();
  std::ifstream maps("/proc/self/maps");
  const std::string all{std::istreambuf_iterator<char>(maps), {}};
  EXPECT_THAT(all, HasSubstr("/memfd:good.so"));
}

TEST_F(Pinned, a_pin_may_be_written_in_capitals) {
  std::string capitals = hash_;
  for (char& c : capitals) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_TRUE(load(Pins::enforce, {{"good", capitals}}));
}

TEST_F(Pinned, a_sealed_copy_cannot_be_changed) {
  const auto opened = PluginFile::open(file());
  const auto copy = opened->sealed_copy();
  ASSERT_TRUE(copy) << copy.error().text();
  EXPECT_EQ(::write(copy->get(), "x", 1), -1);
  EXPECT_EQ(::ftruncate(copy->get(), 1), -1);
}

TEST_F(Pinned, a_file_that_others_may_write_is_refused) {
  for (const unsigned mode : {0664U, 0646U, 0666U}) {
    fs::permissions(file(), fs::perms(mode));
    const Status done = load(Pins::off);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::denied);
    EXPECT_THAT(done.error().text(), HasSubstr("may be written by others"));
    EXPECT_THAT(done.error().text(), HasSubstr("chmod go-w " + file().string()));
  }
}

TEST_F(Pinned, a_folder_that_others_may_write_is_refused_unless_it_is_sticky) {
  fs::permissions(folder_, fs::perms(0777));
  const Status done = load(Pins::off);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_THAT(done.error().text(), HasSubstr("its folder " + fs::canonical(folder_).string()));
  fs::permissions(folder_, fs::perms(01777));
  EXPECT_TRUE(load(Pins::off));
}

TEST_F(Pinned, a_folder_behind_a_link_is_looked_at_where_it_really_is) {
  fs::create_directories(folder_ / "open");
  fs::rename(file(), folder_ / "open" / "good.so");
  fs::create_symlink(folder_ / "open" / "good.so", file());
  fs::permissions(folder_ / "open", fs::perms(0777));
  EXPECT_EQ(load(Pins::off).error().code, Code::denied);
}

TEST_F(Pinned, a_file_of_somebody_else_is_refused_with_both_users) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  ASSERT_EQ(::chown(file().c_str(), 12345, 12345), 0);
  const Status done = load(Pins::off);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_THAT(done.error().text(), HasSubstr("belongs to user 12345"));
}

TEST_F(Pinned, what_is_not_a_regular_file_is_refused) {
  fs::remove(file());
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  EXPECT_EQ(load(Pins::off).error().code, Code::invalid);
  fs::remove(file());
  fs::create_directories(file());
  EXPECT_EQ(load(Pins::off).error().code, Code::invalid);
}

TEST_F(Pinned, one_file_by_two_paths_is_one_module) {
  fs::create_hard_link(file(), folder_ / "again.so");
  auto first = Module::load(std::move(*PluginFile::open(file())), false);
  auto second = Module::load(std::move(*PluginFile::open(folder_ / "again.so")), true);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
}

TEST_F(Pinned, the_same_content_in_two_files_is_two_modules) {
  fs::copy_file(file(), folder_ / "copy.so");
  auto first = Module::load(std::move(*PluginFile::open(file())), false);
  auto second = Module::load(std::move(*PluginFile::open(folder_ / "copy.so")), false);
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  EXPECT_NE(&(*first)->entry(), &(*second)->entry());
}

TEST_F(Pinned, a_file_replaced_by_rename_is_a_new_module) {
  ASSERT_TRUE(load(Pins::off));
  const auto before = Module::load(std::move(*PluginFile::open(file())), false);
  fs::copy_file(file(), folder_ / "new");
  fs::rename(folder_ / "new", file());
  const auto after = Module::load(std::move(*PluginFile::open(file())), false);
  ASSERT_TRUE(before && after);
  EXPECT_NE(*before, *after);
}

TEST_F(Pinned, a_file_changed_in_place_is_refused_with_both_hashes) {
  ASSERT_TRUE(load(Pins::enforce, {{"good", hash_}}));  // a sealed copy: the change cannot hurt it
  std::ofstream(file(), std::ios::binary | std::ios::app) << "more";
  const Status done = load(Pins::off);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::busy);
  EXPECT_THAT(done.error().text(), HasSubstr(hash_));
  EXPECT_THAT(done.error().text(), HasSubstr("restart"));
}

}  // namespace
}  // namespace cb::plugin
