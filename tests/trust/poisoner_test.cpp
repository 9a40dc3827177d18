// SPDX-License-Identifier: Apache-2.0
//
// A writer that uploads garbage under the ids of what others back up: it knows the id key, and what
// is in their files.
#include <gmock/gmock.h>

#include "tests/folders.h"
#include "tests/trust/intruder.h"

namespace cb::trust {
namespace {

using repository::BlobId;
using repository::BlobKind;
using repository::StoredBlob;
using ::testing::HasSubstr;
using ::testing::Not;

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

class Poisoner : public House {
 protected:
  Poisoner() {
    enroll_owner();
    let_in("honest", "writer");
    let_in("poisoner", "writer");
    poisoner_.emplace(tools_, machine("poisoner"));
    // One piece each, so that its id can be told beforehand.
    write(tree_ / "file", content_);
    files_ = files_below(tree_);
  }

  // What an honest client will name this content.
  [[nodiscard]] BlobId foreseen() const {
    const auto keys =
        must(repository::WriteKeys::make(*tools_.suite().crypto, poisoner_->profile.repository,
                                         poisoner_->profile.write_key.view()));
    return must(keys.id_of(BlobKind::data, {}, as_bytes(content_)));
  }
  // Commits a snapshot of these blobs, so that they stay.
  void keep(client::V4Session& session, const repository::SessionSealer& sealer,
            const std::vector<BlobId>& below) const {
    const StoredBlob root = Intruder::garbage(
        {server::random_blob_id(), BlobKind::node, {}, below, 0}, sealer.session());
    const StoredBlob top = Intruder::garbage(
        {server::random_blob_id(), BlobKind::snapshot, {}, {root.head.id}, 0}, sealer.session());
    (void)must(session.put(root));
    (void)must(session.put(top));
    const auto done = must(session.commit(poisoner_->commit_of(top.head.id, root.head.id)));
    EXPECT_TRUE(done.missing.empty());
  }
  // Puts content under the id of another one, sealed as it should be.
  void put_lie(client::V4Session& session, const repository::SessionSealer& sealer,
               const BlobId& id) const {
    (void)must(session.put(
        must(sealer.seal(BlobKind::data, id, {}, as_bytes("not what it is named"), false))));
  }
  // Does the owner's check name the device, and only that one?
  void expect_named() const {
    const Finished check = client("owner", {"check", "--read-data"});
    EXPECT_EQ(check.exit_code, 1);
    EXPECT_THAT(check.output, HasSubstr(poisoner_->device.hex()));
    EXPECT_THAT(check.output, HasSubstr("name-of-poisoner"));
    EXPECT_THAT(check.output, Not(HasSubstr("name-of-honest")));
    EXPECT_THAT(check.output, Not(HasSubstr(device("honest").hex())));
  }

  const os::Path tree_ = machines_ / "trees" / "honest";
  const std::string content_ = text_of("what everybody knows", 700'000).substr(0, 500'000);
  Files files_;
  Tools tools_;
  std::optional<Intruder> poisoner_;
};

TEST_F(Poisoner, harms_no_backup_that_comes_after_it_and_is_named) {
  const auto session = poisoner_->login();
  const auto sealer = poisoner_->begin(*session);
  put_lie(*session, *sealer, foreseen());
  keep(*session, *sealer, {foreseen()});

  const std::string of_honest = back_up("honest", tree_);
  const std::string of_owner = back_up("owner", tree_);
  // The poison lay where it was to do harm.
  const Blobs all = poisoner_->fetch_all(*session);
  EXPECT_TRUE(all.contains(foreseen()));
  const auto below = [&](const std::string& snapshot) {
    const auto top = all.find(must(BlobId::from_hex_text(snapshot)));
    const auto root = all.find(top->second.head.children.at(0));
    const auto& children = root->second.head.children;
    return std::find(children.begin(), children.end(), foreseen()) != children.end();
  };
  EXPECT_TRUE(below(of_honest) && below(of_owner)) << "the id was not foreseen";

  for (const std::string& snapshot : {of_honest, of_owner})
    expect_restores("owner", snapshot, tree_, files_);
  expect_named();
  for (const std::string& snapshot : {of_honest, of_owner})
    expect_restores("owner", snapshot, tree_, files_);
  // What is condemned stays so, and nobody leans on it: the honest go on.
  write(tree_ / "more", "something else");
  const std::string next = back_up("honest", tree_);
  expect_restores("owner", next, tree_, files_below(tree_));
}

TEST_F(Poisoner, harms_no_backup_that_was_there_and_is_named) {
  const std::string of_honest = back_up("honest", tree_);
  const auto session = poisoner_->login();
  const auto sealer = poisoner_->begin(*session);
  std::vector<BlobId> data;
  for (const auto& [id, blob] : poisoner_->fetch_all(*session)) {
    if (blob.head.kind == BlobKind::session) continue;
    (void)must(session->put(Intruder::garbage(blob.head, sealer->session())));
    if (blob.head.kind == BlobKind::data) data.push_back(id);
  }
  EXPECT_FALSE(data.empty());
  keep(*session, *sealer, data);
  expect_restores("owner", of_honest, tree_, files_);
  expect_named();
  expect_restores("owner", of_honest, tree_, files_);

  // With a cache that is lost, the honest device sends what it may not lean on, and nothing bad.
  std::filesystem::remove_all(machine("honest") / "cache");
  const std::string again = back_up("honest", tree_);
  expect_restores("owner", again, tree_, files_);
  // Put out, it is gone for good; what the honest saved is not.
  done("owner", {"device", "revoke", poisoner_->device.hex()});
  EXPECT_THROW((void)poisoner_->login(), std::runtime_error);
  expect_restores("owner", of_honest, tree_, files_);
}

TEST_F(Poisoner, harms_neither_a_rebuilt_catalog_nor_a_rescue) {
  const std::string before = back_up("honest", tree_);
  const auto session = poisoner_->login();
  const auto sealer = poisoner_->begin(*session);
  std::vector<BlobId> data;
  for (const auto& [id, blob] : poisoner_->fetch_all(*session)) {
    if (blob.head.kind == BlobKind::session) continue;
    (void)must(session->put(Intruder::garbage(blob.head, sealer->session())));
    if (blob.head.kind == BlobKind::data) data.push_back(id);
  }
  keep(*session, *sealer, data);
  const os::Path key = machines_ / "key";
  done("owner", {"key", "export", key.string()});
  stop();
  const os::Path rescued = machines_ / "rescued";
  const Finished rescue = run_program(
      {test::program("cyberbackup-rescue"), "restore", (folder_ / "store").string(),
       before + ":" + tree_.string(), "--key", key.string(), "--target", rescued.string()},
      {"CYBERBACKUP_PLUGIN_DIR=" + test::plugins()});
  ASSERT_EQ(rescue.exit_code, 0) << rescue.output;
  EXPECT_TRUE(files_below(rescued) == files_);

  std::filesystem::remove(folder_ / "catalog.sqlite");
  const Finished rebuilt =
      run_program({test::program("cyberbackupd"), "rebuild-catalog", "--config",
                   (folder_ / "cyberbackupd.toml").string(), "--set", "plugins.check_owner=false"},
                  {});
  ASSERT_EQ(rebuilt.exit_code, 0) << rebuilt.output;
  restart();
  expect_restores("owner", before, tree_, files_);
  expect_named();
  expect_restores("owner", back_up("honest", tree_), tree_, files_);
}

TEST_F(Poisoner, harms_not_even_a_writer_that_sends_at_the_same_time) {
  const auto session = poisoner_->login();
  const auto sealer = poisoner_->begin(*session);
  put_lie(*session, *sealer, foreseen());  // in an open pack: nothing is durable yet
  const std::string of_honest = back_up("honest", tree_);
  keep(*session, *sealer, {foreseen()});
  expect_restores("owner", of_honest, tree_, files_);
}

}  // namespace
}  // namespace cb::trust
