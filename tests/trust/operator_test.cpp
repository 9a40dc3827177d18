// SPDX-License-Identifier: Apache-2.0
//
// The operator: has store, catalog and the daemon's keys, and changes all of them.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

#include "core/catalog/statement.h"
#include "core/os/clock.h"
#include "core/repository/signatures.h"
#include "core/repository/slots.h"
#include "tests/trust/intruder.h"

namespace cb::trust {
namespace {

namespace fs = std::filesystem;

using repository::BlobId;
using repository::BlobKind;
using repository::CommitRecord;
using repository::CommitType;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

constexpr int kDenied = 12;

std::string sql(ByteView bytes) { return "x'" + to_hex(bytes) + "'"; }

class Operator : public House {
 protected:
  Operator() {
    enroll_owner();
    let_in("writer", "writer");
    write(tree_ / "name-of-a-file", text_of("content-of-a-file", 700'000));
    write(tree_ / "another", text_of("content-of-another", 900'000));
    first_ = back_up("owner", tree_);
    files_ = files_below(tree_);
  }

  // Changes the catalog while the daemon is not there.
  void change(const std::string& statements) {
    stop();
    const auto catalog =
        must(catalog::Connection::open((folder_ / "catalog.sqlite").string(), 1000));
    const Status done = catalog->execute(statements.c_str());
    EXPECT_TRUE(done) << done.error().text();
    EXPECT_GE(catalog->changes(), 1);
    restart();
  }
  // Everything that the operator has, as it is now; and back to that.
  void remember() {
    stop();
    fs::remove_all(copy_);
    fs::copy(folder_, copy_, fs::copy_options::recursive);
    restart();
  }
  void roll_back() {
    stop();
    fs::remove_all(folder_);
    fs::copy(copy_, folder_, fs::copy_options::recursive);
    restart();
  }
  [[nodiscard]] identity::SigningKey server_key() const {
    const auto seed = to_bytes(as_bytes(content(folder_ / "keys" / "signing.key")));
    return must(identity::SigningKey::from_seed(seed));
  }
  static std::string content(const os::Path& file) {
    std::ostringstream all;
    all << std::ifstream(file, std::ios::binary).rdbuf();
    return all.str();
  }
  // The objects of the store whose names have this part: "commit", "pack", "repository".
  [[nodiscard]] std::vector<os::Path> objects(const std::string& part) const {
    std::vector<os::Path> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "store" / "objects"))
      for (const os::Path& name : entry.path().lexically_relative(folder_))
        if (entry.is_regular_file() && (name == part || name == part + ","))
          found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
  }
  [[nodiscard]] CommitRecord last_of_chain() {
    const Intruder owner(tools_, machine("owner"));
    const auto page = must(owner.login()->chain(1));
    return must(repository::decode_commit(page.commits.back()));
  }
  // Puts a record behind the newest one, signed by the server, and does what it says.
  void add_commit(CommitRecord record) {
    const CommitRecord last = last_of_chain();
    record.sequence = last.sequence + 1;
    record.previous = repository::CommitHash{identity::sha256(repository::encode(last))};
    record.time_ns = last.time_ns + 1;
    record.commit_id = must(repository::draw_id<repository::CommitId>(os::system_random()));
    record.signature =
        must(server_key().sign(repository::signed_part(record, profile("owner").repository)));
    const Bytes bytes = repository::encode(record);
    const std::string sequence = std::to_string(record.sequence);
    const std::string snapshot = sql(record.snapshot.view());
    std::string effect = "DELETE FROM snapshot WHERE id = " + snapshot;
    if (record.type == CommitType::commit)
      effect = "INSERT INTO snapshot SELECT number, " + snapshot + ", " + sequence +
               ", 0 FROM repository; INSERT INTO blob (repository, id, owner, kind, condemned,"
               " closed, session, pack, offset, size, children) SELECT repository, " +
               snapshot +
               ", owner, kind, condemned, closed, session, pack, offset, size, children FROM blob"
               " WHERE kind = 5 LIMIT 1";
    if (record.type == CommitType::forget)
      effect = "UPDATE snapshot SET in_trash = 1 WHERE id = " + snapshot;
    change("INSERT INTO commit_record SELECT number, " + sequence + ", " +
           std::to_string(static_cast<int>(record.type)) + ", " + snapshot + ", " +
           sql(record.commit_id.view()) + ", " + sql(identity::sha256(bytes)) + ", " + sql(bytes) +
           " FROM repository; " + effect);
  }
  // A backup of something that the machine alone has; its key does not come out afterwards.
  void spoil_a_session_of(const std::string& name) {
    const os::Path tree = machines_ / "trees" / name;
    write(tree / "file", text_of("what this one alone has", 300'000));
    done(name, {"backup", tree.string()});
    const Intruder owner(tools_, machine("owner"));
    for (const auto& [id, blob] : owner.fetch_all(*owner.login())) {
      if (blob.head.kind != BlobKind::session) continue;
      auto record = must(repository::decode_session(blob.stored));
      if (record.device != device(name)) continue;
      // As if rotation had wrapped it.
      record.wrapped = server::random_bytes(64);
      change("UPDATE session SET record = " + sql(repository::encode(record)) +
             " WHERE id = " + sql(id.view().first(repository::SessionId::kSize)));
      return;
    }
    FAIL() << "there is no session of " << name;
  }
  // Every command of the owner's that goes to the server ends so, and says this.
  void expect_refused(const std::string& says) const {
    for (const auto& command : std::vector<std::vector<std::string>>{
             {"snapshots"},
             {"restore", "latest", "--target", (machines_ / "nowhere").string()},
             {"check"},
             {"backup", tree_.string()}}) {
      const Finished refused = client("owner", command);
      EXPECT_EQ(refused.exit_code, kDenied) << command[0] << ": " << refused.output;
      EXPECT_THAT(refused.output, HasSubstr(says)) << command[0];
    }
    EXPECT_FALSE(fs::exists(machines_ / "nowhere"));
  }

  const os::Path tree_ = machines_ / "trees" / "owner";
  const os::Path copy_ = machines_ / "copy-of-the-server";
  std::string first_;
  Files files_;
  Tools tools_;
};

TEST_F(Operator, finds_no_content_and_no_name_of_a_file_a_host_or_a_device) {
  let_in("reader", "reader");
  done("writer", {"backup", "--tag", "name-of-a-tag", tree_.string()});
  const std::string seen = done("owner", {"snapshots", "--paths"});
  EXPECT_THAT(seen, HasSubstr("host-of-writer"));
  EXPECT_THAT(done("owner", {"device", "list"}), HasSubstr("name-of-reader"));
  stop();
  EXPECT_THAT(finds(folder_, {"name-of-a-file", "content-of-a-file", "name-of-a-tag",
                              "name-of-owner", "name-of-writer", "name-of-reader", "host-of-owner",
                              "host-of-writer", tree_.string(), "the passphrase"}),
              IsEmpty());
  EXPECT_THAT(finds(folder_, {"alice"}), Not(IsEmpty()));  // the search finds
}

TEST_F(Operator, opens_nothing_with_all_keys_of_the_daemon) {
  const Intruder owner(tools_, machine("owner"));
  const auto session = owner.login();
  const Blobs blobs = owner.fetch_all(*session);
  ASSERT_GE(blobs.size(), 4U);
  size_t tried = 0;
  for (const auto& [name, bytes] : files_below(folder_ / "keys")) {
    if (bytes.size() < 32) continue;
    repository::Keyring keys;
    keys.write_key = Secret(ByteView(bytes).first(32));
    keys.epochs.push_back({1, Secret(ByteView(bytes).first(32))});
    EXPECT_THAT(owner.opened(blobs, keys), IsEmpty()) << name;
    for (const auto& slot : must(session->slots()))
      EXPECT_FALSE(
          repository::open_with_recovery_code(*tools_.suite().crypto, owner.profile.repository,
                                              std::span(&slot, 1), ByteView(bytes).first(32)));
    ++tried;
  }
  EXPECT_GE(tried, 2U);
}

TEST_F(Operator, adds_no_device) {
  // A device of its own, certified by the best key that it has, and listed as an owner.
  server::V4Owner made = Intruder(tools_, machine("owner")).peer_identity();
  made.key = must(identity::SigningKey::make(os::system_random()));
  made.device = repository::device_of(made.key.public_key());
  made.certificate.device = made.key.public_key();
  ASSERT_TRUE(repository::sign_certificate(made.certificate, made.record.id, server_key()));
  change("INSERT INTO device SELECT " + sql(made.device.view()) + ", account, " +
         sql(made.certificate.device) + ", " + sql(repository::encode(made.certificate)) +
         ", 1, 0, 1, 1 FROM repository");
  EXPECT_THAT(done("owner", {"device", "list"}), HasSubstr("not certified"));

  // Its snapshot is refused by everybody, because the chain has it.
  const auto peer = member(made);
  const server::V4Blobs blobs;
  for (const auto& blob : blobs.all) peer->put(peer->next_id++, blob.head, blob.stored);
  ASSERT_EQ(ask(*peer, v4::Request::commit, blobs.commit(made)).code, v4::Response::commit);
  expect_refused(made.device.hex());
  EXPECT_EQ(client("writer", {"backup", tree_.string()}).exit_code, kDenied);
}

TEST_F(Operator, forges_no_snapshot_in_a_devices_name) {
  const auto stranger = must(identity::SigningKey::make(os::system_random()));
  CommitRecord forged = last_of_chain();
  forged.snapshot = server::random_blob_id();
  forged.device_signature =
      must(repository::sign_snapshot(profile("owner").repository, forged.snapshot, stranger));
  add_commit(forged);
  expect_refused("did not sign");
}

TEST_F(Operator, forges_no_snapshot_in_the_name_of_the_root) {
  CommitRecord forged = last_of_chain();
  forged.device = {};
  forged.snapshot = server::random_blob_id();
  forged.device_signature =
      must(repository::sign_snapshot(profile("owner").repository, forged.snapshot, server_key()));
  add_commit(forged);
  expect_refused("did not sign");
}

TEST_F(Operator, shows_no_signed_snapshot_with_another_tree) {
  // Snapshot and signature are real, the root that the record tells is another snapshot's.
  const std::string late = invite("late", "reader");
  write(tree_ / "another", "changed");
  const std::string second = back_up("owner", tree_);
  const BlobId id = must(BlobId::from_hex_text(second));
  Intruder owner(tools_, machine("owner"));
  const auto list = must(owner.login()->snapshots(true));
  ASSERT_THAT(list, SizeIs(2));
  CommitRecord forged = list[1].commit;
  forged.root = list[0].commit.root;
  forged.signature =
      must(server_key().sign(repository::signed_part(forged, owner.profile.repository)));
  const Bytes bytes = repository::encode(forged);
  change("UPDATE commit_record SET record = " + sql(bytes) +
         ", hash = " + sql(identity::sha256(bytes)) + " WHERE snapshot = " + sql(id.view()));
  // Who knew the record before is told of another history; who comes new opens the snapshot itself.
  expect_refused("shows another commit");
  join("late", late);
  const Finished restored =
      client("late", {"restore", second, "--target", (machines_ / "nowhere").string()});
  EXPECT_NE(restored.exit_code, 0) << restored.output;
  EXPECT_THAT(restored.output, HasSubstr("another file list"));
  EXPECT_FALSE(fs::exists(machines_ / "nowhere"));
}

TEST_F(Operator, is_noticed_when_it_rolls_back) {
  remember();
  write(tree_ / "another", "changed");
  const std::string second = back_up("owner", tree_);
  done("writer", {"backup", tree_.string()});
  done("owner", {"snapshots"});
  roll_back();
  expect_refused("older");
  EXPECT_EQ(client("writer", {"backup", tree_.string()}).exit_code, kDenied);
  // After a documented restore of the server the people decide.
  const Finished accepted = client("owner", {"--accept-rollback", "snapshots"});
  EXPECT_EQ(accepted.exit_code, 0) << accepted.output;
  EXPECT_THAT(accepted.output, HasSubstr(second));  // what is lost is named
  expect_restores("owner", first_, tree_, files_);
}

TEST_F(Operator, is_noticed_when_it_tells_two_devices_two_stories) {
  done("writer", {"backup", tree_.string()});
  remember();
  write(tree_ / "another", "changed for the owner");
  (void)back_up("owner", tree_);
  roll_back();
  write(tree_ / "another", "changed for the writer");
  (void)back_up("writer", tree_);
  // The chain is as long as the owner knows it, but has another end.
  expect_refused("shows another commit");
}

TEST_F(Operator, is_noticed_in_the_list_of_snapshots_when_it_told_another_device_another_story) {
  // The writer was told of another first commit, which its snapshot names under seal.
  const Intruder writer(tools_, machine("writer"));
  const auto session = writer.login();
  const BlobId root = must(session->snapshots(false)).front().commit.root;
  repository::SnapshotRecord record;
  record.device = writer.device;
  record.head_sequence = 1;
  record.head_hash.bytes.fill(std::byte{7});
  const Bytes plain = repository::encode(record);
  const auto keys = must(repository::WriteKeys::make(
      *tools_.suite().crypto, writer.profile.repository, writer.profile.write_key.view()));
  const std::vector<BlobId> children = {root};
  const BlobId id = must(keys.id_of(BlobKind::snapshot, children, plain));
  const auto sealer = writer.begin(*session);
  (void)must(session->put(must(sealer->seal(BlobKind::snapshot, id, children, plain, false))));
  EXPECT_THAT(must(session->commit(writer.commit_of(id, root))).missing, IsEmpty());
  for (const auto& command :
       std::vector<std::vector<std::string>>{{"snapshots", "--paths"}, {"ls", id.hex()}})
    EXPECT_THAT(done("owner", command), HasSubstr("told the two devices different histories"));
}

TEST_F(Operator, is_noticed_when_it_drops_a_snapshot) {
  (void)back_up("owner", tree_);
  change("DELETE FROM snapshot WHERE id = x'" + first_ + "'");
  for (const auto& command : std::vector<std::vector<std::string>>{{"snapshots"}, {"check"}}) {
    const Finished refused = client("owner", command);
    EXPECT_EQ(refused.exit_code, kDenied) << refused.output;
    EXPECT_THAT(refused.output, HasSubstr(first_));
  }
}

TEST_F(Operator, is_noticed_when_it_drops_a_snapshot_with_its_record) {
  (void)back_up("owner", tree_);
  stop();
  const auto commits = objects("commit");
  ASSERT_THAT(commits, SizeIs(2));
  fs::remove(commits[1]);  // their names sort by sequence
  change("DELETE FROM snapshot WHERE sequence > 1; DELETE FROM commit_record WHERE sequence > 1");
  expect_refused("older");
}

TEST_F(Operator, is_told_by_a_witness_when_it_removes_snapshots_on_record) {
  const std::string second = back_up("owner", tree_);
  const std::string witness = machines_ / "witness";
  done("owner", {"receipts", "export", witness});
  CommitRecord record = last_of_chain();
  record.device_signature = {};
  record.type = CommitType::forget;  // as if the owner had wished it
  add_commit(record);
  record.type = CommitType::removal;  // as if its time were over
  record.device = {};
  record.snapshot = must(BlobId::from_hex_text(first_));
  add_commit(record);
  const Finished against = client("owner", {"check", "--against", witness});
  EXPECT_EQ(against.exit_code, 1) << against.output;
  for (const std::string& snapshot : {first_, second})
    EXPECT_THAT(against.output, HasSubstr(snapshot.substr(0, 12)));
}

TEST_F(Operator, is_noticed_when_it_swaps_blobs) {
  // Two pieces of content change places in the index: each is whole where it lies now.
  change(
      "CREATE TEMP TABLE two AS SELECT number, pack, offset, size FROM blob WHERE kind = 1"
      " ORDER BY number LIMIT 2;"
      "UPDATE blob SET pack = (SELECT pack FROM two WHERE two.number <> blob.number),"
      " offset = (SELECT offset FROM two WHERE two.number <> blob.number),"
      " size = (SELECT size FROM two WHERE two.number <> blob.number)"
      " WHERE number IN (SELECT number FROM two)");
  const Finished restored =
      client("owner", {"restore", first_, "--target", (machines_ / "wrong").string()});
  EXPECT_EQ(restored.exit_code, 1) << restored.output;
  for (const auto& [path, bytes] : files_below(machines_ / "wrong"))
    EXPECT_TRUE(bytes == files_.at(fs::path(path).filename().string())) << path;
  const Finished check = client("owner", {"check", "--read-data"});
  EXPECT_EQ(check.exit_code, 1) << check.output;
  EXPECT_THAT(check.output, AnyOf(HasSubstr("owner/name-of-a-file"), HasSubstr("owner/another")));
}

TEST_F(Operator, makes_no_writer_a_poisoner_by_spoiling_the_record_of_its_session) {
  spoil_a_session_of("writer");
  const Finished check = client("owner", {"check", "--read-data"});
  EXPECT_EQ(check.exit_code, 1) << check.output;
  EXPECT_THAT(check.output, HasSubstr("or by the server"));
  EXPECT_THAT(check.output, Not(HasSubstr("poisoned by")));
}

TEST_F(Operator, keeps_no_device_in_by_spoiling_the_record_of_a_session) {
  spoil_a_session_of("writer");
  const std::string writer = device("writer").hex();
  const Finished revoked = client("owner", {"device", "revoke", writer});
  EXPECT_EQ(revoked.exit_code, 1) << revoked.output;
  EXPECT_THAT(revoked.output, HasSubstr("is revoked"));
  EXPECT_THAT(revoked.output, HasSubstr("Not wrapped anew: session"));
  EXPECT_THAT(revoked.output, HasSubstr("kept the older keys"));
  EXPECT_EQ(client("writer", {"backup", tree_.string()}).exit_code, kDenied);
  expect_restores("owner", first_, tree_, files_);
}

TEST_F(Operator, is_noticed_when_it_swaps_packs) {
  write(tree_ / "more", text_of("something else", 900'000));
  (void)back_up("owner", tree_);
  done("owner", {"check", "--read-data"});
  stop();
  const auto packs = objects("pack");
  ASSERT_GE(packs.size(), 2U);
  fs::rename(packs[0], packs[0].string() + "-away");
  fs::rename(packs[1], packs[0]);
  fs::rename(packs[0].string() + "-away", packs[1]);
  restart();
  const Finished check = client("owner", {"check", "--read-data"});
  EXPECT_EQ(check.exit_code, 1) << check.output;
  // Where one of them holds the file list, nothing leads to the other.
  EXPECT_THAT(check.output, AnyOf(HasSubstr(packs[0].filename().string()),
                                  HasSubstr(packs[1].filename().string())));
}

TEST_F(Operator, is_noticed_when_it_shows_an_older_repository_record) {
  const std::string old = sql(repository::encode(profile("owner").record));
  done("writer", {"backup", tree_.string()});
  ASSERT_THAT(objects("repository"), SizeIs(1));
  const std::string old_object = content(objects("repository")[0]);
  done("owner", {"key", "rotate"});
  done("writer", {"backup", tree_.string()});
  stop();
  write(objects("repository")[0], old_object);
  change("UPDATE repository SET record = " + old);
  for (const std::string name : {"owner", "writer"}) {
    const Finished refused = client(name, {"backup", tree_.string()});
    EXPECT_EQ(refused.exit_code, kDenied) << name << ": " << refused.output;
    EXPECT_THAT(refused.output, HasSubstr("set back")) << name;
  }
}

}  // namespace
}  // namespace cb::trust
