// SPDX-License-Identifier: Apache-2.0
//
// v3 uploads in the repository engine: each is a snapshot of all files, nothing is stored twice or
// left behind, and what a crash cut short is completed.
#include "core/server/v3_archive.h"

#include <atomic>
#include <fstream>
#include <random>
#include <set>
#include <thread>

#include "core/catalog/statement.h"
#include "core/protocol/v3/cksum.h"
#include "core/repository/engine_chain.h"
#include "core/repository/engine_records.h"
#include "core/server/daemon_fixture.h"
#include "core/server/rebuild.h"

namespace cb::server {
namespace {

Bytes noise(size_t size, uint_fast32_t seed) {
  std::mt19937 random(seed);
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

class Archive : public DaemonFolder {
 protected:
  void SetUp() override {
    const auto made = init();
    ASSERT_TRUE(made) << made.error().text();
    settings_ = settings();
    open();
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

  void open() {
    backend_.reset();
    registry_ = make_registry(settings_, seams_, log_);
    ASSERT_TRUE(prepare_plugins(settings_, *registry_));
    auto backend = Backend::open(settings_, *registry_, seams_);
    ASSERT_TRUE(backend) << backend.error().text();
    backend_ = std::move(*backend);
  }

  V3Archive& archive() { return backend_->archive(); }

  std::unique_ptr<V3Deposit> begin(const std::string& name, ByteView content) {
    auto deposit = archive().begin(client_, name);
    EXPECT_TRUE(deposit) << deposit.error().text();
    // In ragged portions, as the network brings them.
    for (size_t step = 1; !content.empty(); step = step * 3 % 65'537 + 1) {
      const ByteView part = content.first(std::min(step, content.size()));
      EXPECT_TRUE((*deposit)->write(part));
      content = content.subspan(part.size());
    }
    return std::move(*deposit);
  }

  void upload(const std::string& name, ByteView content) {
    const Status done = begin(name, content)->commit(v3::cksum_of(content));
    ASSERT_TRUE(done) << done.error().text();
  }

  // With nothing open.
  Result<RebuildResult> rebuilt(const RebuildRequest& request) {
    const auto registry = make_registry(settings_, seams_, log_);
    EXPECT_TRUE(prepare_plugins(settings_, *registry));
    return rebuild_data_folder(settings_, *registry, seams_, request, {});
  }

  std::set<std::string> packs() {
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "store")) {
      std::string magic(7, ' ');
      if (entry.is_regular_file() &&
          std::ifstream(entry.path(), std::ios::binary).read(magic.data(), 7) && magic == "CBPACK1")
        files.insert(entry.path().string());
    }
    return files;
  }

  Bytes stored(const catalog::LegacyVersion& version) {
    Bytes content;
    const Status read = archive().read(version, [&](ByteView plain) -> Status {
      content.insert(content.end(), plain.begin(), plain.end());
      return {};
    });
    EXPECT_TRUE(read) << read.error().text();
    return content;
  }

  repository::RepositoryId repository() {
    const auto kept = backend_->catalog().legacy_repository(client_);
    return repository::decode_repository((*kept)->record)->id;
  }

  std::vector<repository::SnapshotInfo> snapshots() {
    return backend_->engine().snapshots(repository(), true).value();
  }

  // Bytes of packs in the store.
  uint64_t pack_bytes() {
    plugin::List list = backend_->store().list_open("v4/").value();
    uint64_t sum = 0;
    while (const auto object = list.next().value())
      if (object->name.find("/pack/") != std::string::npos) sum += object->length;
    return sum;
  }

  Settings settings_;
  std::unique_ptr<plugin::Registry> registry_;
  std::unique_ptr<Backend> backend_;
  ClientId client_;
};

TEST_F(Archive, every_version_of_every_file_comes_back) {
  const std::vector<std::pair<std::string, Bytes>> uploads = {
      {"b", noise(10, 1)},         {"a", {}},
      {"c", noise(12'000'000, 2)},  // more pieces than lie inline
      {"b", noise(300'000, 3)},    {"a", noise(1, 4)},
  };
  for (const auto& [name, content] : uploads) upload(name, content);
  open();
  const auto versions = backend_->catalog().versions(client_);
  ASSERT_TRUE(versions);
  ASSERT_EQ(versions->size(), uploads.size());
  for (const catalog::LegacyVersion& version : *versions) {
    const auto& [name, content] = uploads.at(version.sequence - 1);
    EXPECT_EQ(version.file_name, name);
    EXPECT_EQ(version.size, content.size());
    EXPECT_EQ(version.cksum, v3::cksum_of(content));
    EXPECT_TRUE(stored(version) == content) << name;
  }
}

TEST_F(Archive, every_upload_is_a_snapshot_of_all_files) {
  upload("b", as_bytes("one"));
  upload("a", as_bytes("three"));
  upload("b", as_bytes("fifteen"));
  const auto all = snapshots();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].commit.files, 1U);
  EXPECT_EQ(all[1].commit.files, 2U);
  EXPECT_EQ(all[2].commit.files, 2U);
  EXPECT_EQ(all[1].commit.bytes, 8U);
  EXPECT_EQ(all[2].commit.bytes, 12U);
  for (const auto& snapshot : all) EXPECT_EQ(snapshot.commit.flags, repository::kSnapshotV3);
  const auto checked = backend_->engine().check(repository(), true, {});
  ASSERT_TRUE(checked) << checked.error().text();
  EXPECT_TRUE(checked->findings.empty()) << checked->findings.front();
}

TEST_F(Archive, two_uploads_of_one_client_at_once_lose_neither) {
  upload("first", as_bytes("x"));
  std::vector<std::unique_ptr<V3Deposit>> deposits;
  for (int i = 0; i < 8; ++i)
    deposits.push_back(begin("f" + std::to_string(i), noise(200'000, 10)));
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (auto& deposit : deposits)
    threads.emplace_back([&] {
      if (!deposit->commit(1)) ++failures;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(snapshots().back().commit.files, 9U);
  const auto versions = backend_->catalog().versions(client_);
  for (const catalog::LegacyVersion& version : *versions)
    EXPECT_EQ(stored(version).size(), version.size);
}

TEST_F(Archive, what_is_there_is_not_stored_again) {
  const Bytes content = noise(3'000'000, 5);
  upload("a", content);
  const uint64_t once = pack_bytes();
  EXPECT_GT(once, content.size());
  upload("b", content);
  Bytes longer = noise(100, 6);
  longer.insert(longer.end(), content.begin(), content.end());
  upload("a", longer);
  EXPECT_LT(pack_bytes(), once + 400'000);
  EXPECT_TRUE(stored(*backend_->catalog().newest_version(client_).value()) == longer);
}

TEST_F(Archive, what_is_not_committed_leaves_no_pack) {
  upload("a", noise(100'000, 7));
  const uint64_t before = pack_bytes();
  { const auto dropped = begin("b", noise(3'000'000, 8)); }
  EXPECT_EQ(pack_bytes(), before);
  EXPECT_EQ(snapshots().size(), 1U);
  EXPECT_EQ(backend_->engine().remove_leftovers().value(), 0U);
}

TEST_F(Archive, a_deposit_is_committed_once) {
  const auto deposit = begin("a", as_bytes("x"));
  ASSERT_TRUE(deposit->commit(1));
  EXPECT_EQ(deposit->commit(1).error().code, Code::state);
  EXPECT_EQ(deposit->write(as_bytes("y")).error().code, Code::state);
  EXPECT_EQ(snapshots().size(), 1U);
}

TEST_F(Archive, a_name_that_leads_elsewhere_is_refused) {
  for (const char* name : {"", ".", "..", "a/b", "/a"})
    EXPECT_EQ(archive().begin(client_, name).error().code, Code::invalid) << name;
}

// The commit is there and its version is not: a crash in between.
TEST_F(Archive, a_snapshot_that_has_no_version_is_forgotten_at_the_start_and_no_other) {
  upload("a", as_bytes("one"));
  upload("b", as_bytes("two"));
  EXPECT_EQ(archive().forget_unnamed().value(), 0U);
  backend_.reset();
  auto catalog = catalog::Connection::open(settings_.catalog_file().string(), 5'000);
  ASSERT_TRUE(catalog);
  ASSERT_TRUE((*catalog)->execute("DELETE FROM legacy_version WHERE sequence = 2"));
  catalog->reset();
  open();
  EXPECT_EQ(archive().forget_unnamed().value(), 1U);
  EXPECT_EQ(archive().forget_unnamed().value(), 0U);
  const auto all = snapshots();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_FALSE(all[0].in_trash);
  EXPECT_TRUE(all[1].in_trash);
  // The next upload builds on the one that has a name.
  upload("b", as_bytes("three"));
  EXPECT_EQ(archive().forget_unnamed().value(), 0U);
  EXPECT_EQ(snapshots().back().commit.files, 2U);
  const auto versions = backend_->catalog().versions(client_).value();
  for (const catalog::LegacyVersion& version : versions)
    EXPECT_EQ(stored(version).size(), version.size);
  const auto checked = backend_->engine().check(repository(), true, {});
  ASSERT_TRUE(checked) << checked.error().text();
  EXPECT_TRUE(checked->findings.empty()) << checked->findings.front();
}

// It may have been damaged when a rebuild of the catalog looked for its versions.
TEST_F(Archive, a_snapshot_that_cannot_be_walked_is_not_forgotten) {
  upload("a", as_bytes("one"));
  const auto before = packs();
  upload("b", as_bytes("two"));
  backend_.reset();
  auto catalog = catalog::Connection::open(settings_.catalog_file().string(), 5'000);
  ASSERT_TRUE(catalog);
  ASSERT_TRUE((*catalog)->execute("DELETE FROM legacy_version WHERE sequence = 2"));
  catalog->reset();
  const auto flip = [&] {
    for (const auto& file : packs()) {
      if (before.contains(file)) continue;
      std::fstream pack(file, std::ios::binary | std::ios::in | std::ios::out);
      std::string all{std::istreambuf_iterator<char>(pack), {}};
      for (size_t at = 200; at < all.size(); ++at) all[at] = static_cast<char>(all[at] ^ 1);
      pack.seekp(0);
      pack << all;
    }
  };
  flip();
  open();
  EXPECT_EQ(archive().forget_unnamed().value(), 0U);
  EXPECT_FALSE(snapshots().back().in_trash);
  flip();
  EXPECT_EQ(archive().forget_unnamed().value(), 1U);
}

TEST_F(Archive, a_rebuild_with_another_server_key_ends_and_leaves_all) {
  upload("a", as_bytes("one"));
  TearDown();
  const auto key = os::read_secret_file(*seams_.files, settings_.key_file(), 1000).value();
  const auto other = [&] {
    const auto registry = make_registry(settings_, seams_, log_);
    EXPECT_TRUE(prepare_plugins(settings_, *registry));
    const plugin::Crypto crypto =
        registry->make_crypto(settings_.crypto.id, settings_.crypto.values).value();
    return crypto.pair_new()->private_form().value();
  }();
  ASSERT_TRUE(os::write_file_atomically(*seams_.files, settings_.key_file(), other.view(), 0600));
  EXPECT_EQ(rebuilt({}).error().code, Code::auth);
  ASSERT_TRUE(os::write_file_atomically(*seams_.files, settings_.key_file(), key.view(), 0600));
  const auto done = rebuilt({});
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->v3_versions, 1U);
}

// What an earlier start forgot because a rebuild had not seen it comes back.
TEST_F(Archive, a_rebuild_finds_versions_of_forgotten_snapshots) {
  upload("a", as_bytes("one"));
  ASSERT_TRUE(backend_->engine().forget(repository(), snapshots().back().commit.snapshot,
                                        repository::DeviceId{}));
  TearDown();
  EXPECT_EQ(rebuilt({}).value().v3_versions, 1U);
}

TEST_F(Archive, a_dry_run_completes_no_change_that_was_broken_off) {
  upload("a", as_bytes("one"));
  const std::string change = repository::change_object(repository());
  const auto record = backend_->engine().record(repository()).value();
  const Bytes bytes = encode(repository::RecordChange{record, {}});
  ASSERT_TRUE(repository::write_object(backend_->store(), change, bytes, false));
  TearDown();
  RebuildRequest request;
  request.dry_run = true;
  const auto done = rebuilt(request);
  ASSERT_TRUE(done) << done.error().text();
  const auto registry = make_registry(settings_, seams_, log_);
  ASSERT_TRUE(prepare_plugins(settings_, *registry));
  Seams looking = seams_;
  looking.is_read_only = true;
  const auto backend = Backend::open(settings_, *registry, looking).value();
  EXPECT_TRUE(backend->store().stat(change));
}

// The catalog has record and keys, and the engine was never told: a crash in between.
TEST_F(Archive, a_repository_whose_making_was_cut_short_is_completed) {
  upload("a", as_bytes("x"));
  const auto kept = backend_->catalog().legacy_repository(client_).value();
  const auto key = os::read_secret_file(*seams_.files, settings_.key_file(), 1000).value();
  TearDown();
  std::filesystem::remove_all(folder_);
  SetUp();
  ASSERT_TRUE(os::write_file_atomically(*seams_.files, settings_.key_file(), key.view(), 0600));
  open();
  ASSERT_TRUE(backend_->catalog().add_legacy_repository(client_, *kept));
  for (const char* content : {"y", "z"}) upload("b", as_bytes(content));
  EXPECT_EQ(repository(), repository::decode_repository(kept->record)->id);
  EXPECT_EQ(backend_->engine().slots(repository())->size(), 1U);
  EXPECT_EQ(as_text(stored(*backend_->catalog().newest_version(client_).value())), "z");
}

TEST_F(Archive, another_server_key_opens_nothing) {
  upload("a", as_bytes("x"));
  const auto version = backend_->catalog().newest_version(client_).value();
  backend_.reset();
  const plugin::Crypto crypto =
      registry_->make_crypto(settings_.crypto.id, settings_.crypto.values).value();
  const Secret other = crypto.pair_new()->private_form().value();
  ASSERT_TRUE(os::write_file_atomically(*seams_.files, settings_.key_file(), other.view(), 0600));
  open();
  EXPECT_EQ(archive().begin(client_, "a").error().code, Code::auth);
  EXPECT_EQ(archive().read(*version, [](ByteView) { return Status{}; }).error().code, Code::auth);
}

TEST_F(Archive, neither_names_nor_contents_lie_in_the_store) {
  const std::string canary = "canary-7f3a9c51-in-the-coal-mine";
  std::string content;
  for (int i = 0; i < 20'000; ++i) content += canary.substr(0, 10 + static_cast<size_t>(i % 20));
  upload(canary, as_bytes(content + canary));
  upload("other", as_bytes(canary));
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "store")) {
    if (!entry.is_regular_file()) continue;
    ++files;
    std::ifstream in(entry.path(), std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    EXPECT_EQ(text.str().find(canary.substr(0, 12)), std::string::npos) << entry.path();
    EXPECT_EQ(entry.path().string().find("canary"), std::string::npos);
  }
  EXPECT_GE(files, 8U);
}

}  // namespace
}  // namespace cb::server
