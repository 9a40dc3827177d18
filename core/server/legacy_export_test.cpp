// SPDX-License-Identifier: Apache-2.0
#include "core/server/legacy_export.h"

#include "core/protocol/v3/cksum.h"
#include "core/server/daemon_fixture.h"

namespace cb::server {
namespace {

class Export : public DaemonFolder {
 protected:
  void SetUp() override {
    const auto made = init();
    ASSERT_TRUE(made) << made.error().text();
    settings_ = settings();
    registry_ = make_registry(settings_, seams_, log_);
    ASSERT_TRUE(prepare_plugins(settings_, *registry_));
    auto backend = Backend::open(settings_, *registry_, seams_);
    ASSERT_TRUE(backend) << backend.error().text();
    backend_ = std::move(*backend);
    client_.bytes[0] = std::byte{7};
    catalog::LegacyClient client;
    client.id = client_;
    client.name = "alice";
    ASSERT_TRUE(backend_->catalog().add_client(client));
  }
  void TearDown() override {
    backend_.reset();
    registry_.reset();
  }

  void upload(const std::string& name, const std::string& content, uint32_t wrong_by = 0) {
    auto upload = backend_->archive().begin(client_, name);
    ASSERT_TRUE(upload) << upload.error().text();
    ASSERT_TRUE((*upload)->write(as_bytes(content)));
    const Status done = (*upload)->commit(v3::cksum_of(as_bytes(content)) + wrong_by);
    ASSERT_TRUE(done) << done.error().text();
  }

  Result<std::vector<ExportedFile>> run(const std::string& file = "",
                                        std::optional<uint64_t> version = std::nullopt,
                                        const std::string& client = "alice") {
    return export_legacy({client, file, version, folder_ / "out"}, *backend_, *seams_.files);
  }

  Settings settings_;
  std::unique_ptr<plugin::Registry> registry_;
  std::unique_ptr<Backend> backend_;
  ClientId client_;
};

TEST_F(Export, the_newest_version_of_every_file_comes_back) {
  upload("a.txt", "one");
  upload("a.txt", "two");
  upload("b.txt", std::string(300'000, 'x'));
  const auto done = run();
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->size(), 2u);
  EXPECT_EQ(content("out/a.txt"), "two");
  EXPECT_EQ(content("out/b.txt"), std::string(300'000, 'x'));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_ / "out"), {}), 2);
}

TEST_F(Export, what_somebody_laid_in_the_folder_beforehand_is_not_written_through) {
  upload("a.txt", "one");
  const auto first = run();
  ASSERT_TRUE(first) << first.error().text();
  std::ofstream(folder_ / "of-others") << "precious";
  const auto versions =
      backend_->catalog().versions(backend_->catalog().client_by_name("alice").value()->id).value();
  ASSERT_EQ(versions.size(), 1u);
  std::filesystem::create_symlink(
      folder_ / "of-others",
      folder_ / "out" / (".cyberbackup-" + to_hex(versions.front().snapshot)));
  ASSERT_TRUE(run());
  EXPECT_EQ(content("of-others"), "precious");
  EXPECT_EQ(content("out/a.txt"), "one");
}

TEST_F(Export, an_older_version_comes_back_when_asked_for) {
  upload("a.txt", "one");
  upload("a.txt", "two");
  ASSERT_TRUE(run("a.txt", 1));
  EXPECT_EQ(content("out/a.txt"), "one");
}

TEST_F(Export, what_is_not_there_is_named) {
  upload("a.txt", "one");
  EXPECT_EQ(run("", std::nullopt, "bob").error().object, "client bob");
  EXPECT_EQ(run("b.txt").error().object, "b.txt");
  const auto version = run("a.txt", 9);
  EXPECT_EQ(version.error().code, Code::not_found);
  EXPECT_EQ(version.error().cause, "there is no version 9 of it");
}

TEST_F(Export, content_that_does_not_match_its_checksum_is_not_written) {
  upload("a.txt", "one", 1);
  const auto done = run();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::corrupt);
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "out"));
}

TEST(SafeFileName, never_leaves_its_folder) {
  EXPECT_EQ(safe_file_name("notes (1).txt"), "notes (1).txt");
  EXPECT_EQ(safe_file_name(".bashrc"), ".bashrc");
  EXPECT_EQ(safe_file_name("../../etc/passwd"), "..%2F..%2Fetc%2Fpasswd");
  EXPECT_EQ(safe_file_name(".."), "%2E%2E");
  EXPECT_EQ(safe_file_name("."), "%2E");
  EXPECT_EQ(safe_file_name(std::string("a\0b", 3)), "a%00b");
  EXPECT_EQ(safe_file_name("%2F"), "%252F");
  EXPECT_EQ(safe_file_name(""), "%");
}

}  // namespace
}  // namespace cb::server
