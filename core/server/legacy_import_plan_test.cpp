// SPDX-License-Identifier: Apache-2.0
//
// What is planned for the files of every kind of old server, and for all that may be wrong with
// them.
#include "core/server/legacy_import_plan.h"

#include <sys/stat.h>
#include <unistd.h>

#include "core/os/failing_tree_test.h"
#include "core/protocol/v3/names.h"
#include "core/server/legacy_places.h"
#include "core/server/legacy_source_fixture.h"

namespace cb::server {
namespace {

const std::string kAnna = "0a000000000000000000000000000001";
const std::string kBert = "0a000000000000000000000000000002";

ClientId id_of(const std::string& hex) { return ClientId::from_hex_text(hex).value(); }

class Plan : public ::testing::Test {
 protected:
  Plan()
      : folder_("/tmp/plan-" + std::to_string(::getpid()) + "-" +
                ::testing::UnitTest::GetInstance()->current_test_info()->name()),
        old_((std::filesystem::remove_all(folder_), folder_ / "old")) {
    input_.canonical_key = [](ByteView raw) -> Result<Bytes> {
      if (raw.size() < 100) return failed(Code::corrupt, "key", "cannot be read");
      return to_bytes(raw.first(100));
    };
    input_.now_ns = 4'000'000'000'000'000'000;
  }
  ~Plan() override { std::filesystem::remove_all(folder_); }

  // Two clients with and rows with checksums.
  void two_clients() const {
    old_.statements(std::string(kTablesWithChecksums) + "INSERT INTO clients VALUES (x'" + kAnna +
                    "', 'anna', NULL, '2024-07-01T00:00:00+00:00Z', NULL), (x'" + kBert +
                    "', 'bert', NULL, '2024-07-01T00:00:00+00:00Z', NULL)");
  }

  const ImportPlan& plan(os::Tree& tree = os::real_tree(), const std::string& below = "") {
    if (std::filesystem::exists(old_.database())) {
      auto source =
          catalog::read_legacy_source(old_.database(), folder_ / "scratch", os::real_file_system());
      EXPECT_TRUE(source) << source.error().text();
      input_.source = std::move(*source);
    }
    input_.not_files = {"defensive.db"};
    auto files = LegacyFiles::open(tree, old_.folder() / below);
    EXPECT_TRUE(files) << files.error().text();
    auto planned = plan_import(input_, *files);
    EXPECT_TRUE(planned) << planned.error().text();
    plan_ = std::move(*planned);
    return plan_;
  }

  // "owner/name fate" of each file, owners by their ids' last digits or "nobody", sorted.
  [[nodiscard]] std::vector<std::string> fates() const {
    std::vector<std::string> all;
    for (const PlannedFile& file : plan_.files) {
      const char* names[] = {"take", "there", "skip", "failed", "left"};
      const std::string owner = file.owner == ownerless_id() ? "nobody"
                                : file.owner.is_zero()       ? "-"
                                                             : file.owner.hex().substr(30);
      all.push_back(owner + "/" + file.file_name + " " + names[static_cast<int>(file.fate)]);
    }
    std::sort(all.begin(), all.end());
    return all;
  }
  [[nodiscard]] const PlannedFile& file(const std::string& name) const {
    const auto found = std::find_if(plan_.files.begin(), plan_.files.end(),
                                    [&](const PlannedFile& f) { return f.file_name == name; });
    EXPECT_NE(found, plan_.files.end()) << name;
    return *found;
  }
  [[nodiscard]] const PlannedClient& client(const std::string& name) const {
    const auto found = std::find_if(plan_.clients.begin(), plan_.clients.end(),
                                    [&](const PlannedClient& c) { return c.name == name; });
    EXPECT_NE(found, plan_.clients.end()) << name;
    return *found;
  }

  using Fates = std::vector<std::string>;
  os::Path folder_;
  OldServer old_;
  ImportInput input_;
  ImportPlan plan_;
};

TEST_F(Plan, a_real_server_with_checksums) {
  old_.sample("o2-clean");
  plan();
  EXPECT_EQ(fates(), (Fates{"99/poem.txt take", "ca/note.txt take", "nobody/big.bin take"}));
  EXPECT_TRUE(file("poem.txt").why.empty());
  EXPECT_TRUE(file("poem.txt").confirmed);
  EXPECT_EQ(file("poem.txt").content.cksum, 1098723953U);
  EXPECT_EQ(file("poem.txt").date_ns, parse_source_time("2026-11-23T16:46:15.333886"));
  EXPECT_EQ(file("big.bin").why, (Fates{"the database has no row of it"}));
  ASSERT_EQ(plan_.clients.size(), 3U);
  EXPECT_EQ(client("Alice Renamed").public_key.size(), 100U);
  EXPECT_EQ(client("Alice Renamed").last_seen_ns, parse_source_time("2026-11-23T16:45:17Z"));
  EXPECT_EQ(client(std::string(v3::kOwnerlessName)).fate, ImportFate::take);
}

TEST_F(Plan, a_real_server_with_a_folder_for_each_client) {
  old_.sample("reefjo");
  std::filesystem::rename(old_.folder() / "db.defensive", old_.database());
  plan();
  EXPECT_EQ(fates(), (Fates{"1f/hello.txt take", "2c/blob.dat take", "2c/hello.txt take",
                            "2c/long.txt take", "55/note.txt take"}));
  EXPECT_EQ(file("long.txt").why, (Fates{"its client did not confirm the checksum"}));
  // Two clients have the name: one keeps it, the other keeps its files.
  EXPECT_EQ(client("bob").id, id_of("a3fa03ff510c4e6aa9f05edec080a42c"));
  const auto& other = client("bob (f37a4372c9d84190bae25b9dfbecfa1f)");
  EXPECT_EQ(other.fate, ImportFate::take);
  EXPECT_EQ(other.old_name, "bob");
  EXPECT_EQ(client("").fate, ImportFate::skip);
  EXPECT_EQ(client("").why.front(), "its name is empty");
  EXPECT_EQ(client(std::string(255, 'z')).fate, ImportFate::skip);
  EXPECT_TRUE(client("q67dc7d").public_key.empty());
  EXPECT_EQ(client("q67dc7d").fate, ImportFate::take);
}

TEST_F(Plan, without_checksums_a_name_of_several_clients_is_nobodys) {
  old_.data("o1.sql");
  old_.file("received_files/own.txt", "own", 1);
  old_.file("received_files/both.txt", "both", 2);
  plan();
  EXPECT_EQ(fates(), (Fates{"01/both.txt skip", "01/own.txt take", "02/both.txt skip",
                            "02/gone.txt skip", "nobody/both.txt take"}));
  EXPECT_EQ(file("own.txt").date_ns, parse_source_time("2024-06-02"));
  EXPECT_EQ(file("gone.txt").why, (Fates{"the file is gone (received_files/gone.txt)"}));
  EXPECT_EQ(client("anna").why.size(), 1U);  // its key is cut off
  EXPECT_TRUE(client("anna").public_key.empty());
}

TEST_F(Plan, ids_in_hex) {
  old_.data("doc.sql");
  old_.file("received_files/d.txt", "d");
  plan();
  EXPECT_EQ(fates(), (Fates{"0f/d.txt take"}));
  EXPECT_EQ(plan_.doubts.size(), 2U);
}

TEST_F(Plan, absolute_paths_are_found_in_the_folder_and_never_outside) {
  old_.data("b.sql");
  old_.file("files/0b000000-0000-0000-0000-000000000001/b.txt", "b");
  old_.file("files/0b000000-0000-0000-0000-000000000001/orphan.txt", "o");
  old_.file("files/0b000000-0000-0000-0000-000000000002/lost.txt", "l");
  old_.file("files/readme.txt", "not a client's");
  plan();
  EXPECT_EQ(fates(),
            (Fates{"-/readme.txt skip", "01/b.txt take", "01/c.txt skip", "01/orphan.txt take",
                   "nobody/0b000000-0000-0000-0000-000000000002_lost.txt take"}));
  EXPECT_EQ(file("orphan.txt").why.front(),
            "the database has no row of it; its folder tells the owner");
}

TEST_F(Plan, windows_paths_are_found_by_their_last_components) {
  old_.data("n.sql");
  old_.file("backups/n.txt", "n");
  old_.file("backups/more.txt", "m");
  plan();
  EXPECT_EQ(fates(), (Fates{"01/n.txt take", "nobody/more.txt take"}));
  EXPECT_EQ(file("n.txt").owner.hex(), "0e000000000000000000000000000001");
  EXPECT_EQ(client("nora").last_seen_ns, parse_source_time("2022-12-24T18:00:00.5"));
  // The folder itself may be named.
  plan(os::real_tree(), "backups");
  EXPECT_EQ(fates(), (Fates{"01/n.txt take", "nobody/more.txt take"}));
}

TEST_F(Plan, a_server_without_a_database_has_folders_alone) {
  old_.file("users/" + kAnna + "/a.txt", "a");
  catalog::LegacyClient bert;
  bert.id = id_of(kBert);
  bert.name = "bert";
  input_.clients = {bert};
  old_.file("users/" + kBert + "/b.txt", "b");
  plan();
  EXPECT_EQ(fates(), (Fates{"02/b.txt take", "nobody/" + kAnna + "_a.txt take"}));
}

TEST_F(Plan, an_overwritten_file_is_his_whose_checksum_it_has) {
  two_clients();
  old_.event(kAnna, "x", "from anna", true, "2024-06-01T00:00:00");
  old_.event(kBert, "x", "from bert!", true, "2024-06-02T00:00:00");
  old_.file("received_files/x", "from bert!");
  plan();
  EXPECT_EQ(fates(), (Fates{"01/x skip", "02/x take"}));
  EXPECT_NE(file("x").why.front().find("was overwritten"), std::string::npos);
}

TEST_F(Plan, a_file_that_fits_no_row_is_nobodys_and_imported_once) {
  two_clients();
  old_.event(kAnna, "x", "from anna", true, "2024-06-01T00:00:00");
  old_.event(kBert, "x", "from bert", true, "2024-06-02T00:00:00");
  old_.event(kBert, "y", "from bert", true, "2024-06-02T00:00:00");
  old_.file("received_files/x", "from carl");
  old_.file("received_files/y", "longer than it was");
  plan();
  EXPECT_EQ(fates(),
            (Fates{"01/x skip", "02/x skip", "02/y skip", "nobody/x take", "nobody/y take"}));
}

TEST_F(Plan, the_same_content_of_two_clients_is_both_s) {
  two_clients();
  old_.event(kAnna, "x", "same", true, "2024-06-01T00:00:00");
  old_.event(kBert, "x", "same", true, "2024-06-02T00:00:00");
  old_.file("received_files/x", "same");
  plan();
  EXPECT_EQ(fates(), (Fates{"01/x take", "02/x take"}));
}

TEST_F(Plan, in_a_clients_own_folder_wrong_content_is_still_its_but_doubted) {
  two_clients();
  old_.event(kAnna, "x", "as it was", true, "2024-06-01T00:00:00");
  old_.file("client_folders/" + kAnna + "/x", "as it is");
  plan();
  EXPECT_EQ(fates(), (Fates{"01/x take"}));
  EXPECT_EQ(file("x").why, (Fates{"size or checksum is not what the database says"}));
}

TEST_F(Plan, what_was_not_confirmed_is_imported_and_doubted) {
  two_clients();
  old_.event(kAnna, "x", "from anna", false, "2024-06-01T00:00:00");
  old_.file("received_files/x", "from anna");
  plan();
  EXPECT_EQ(fates(), (Fates{"01/x take"}));
  EXPECT_FALSE(file("x").confirmed);
  EXPECT_EQ(file("x").why, (Fates{"its client did not confirm the checksum"}));
}

TEST_F(Plan, rows_of_a_client_that_is_not_there_leave_their_file_without_owner) {
  two_clients();
  const std::string gone = "0a0000000000000000000000000000cc";
  old_.event(gone, "x", "whose", true, "2024-06-01T00:00:00");
  old_.file("received_files/x", "whose");
  plan();
  EXPECT_EQ(fates(), (Fates{"cc/x skip", "nobody/" + gone + "_x take"}));
  EXPECT_EQ(file(gone + "_x").date_ns, parse_source_time("2024-06-01"));
}

TEST_F(Plan, links_folders_and_unfinished_uploads_are_skipped) {
  two_clients();
  old_.event(kAnna, "link", "secret", true, "2024-06-01T00:00:00");
  old_.file("received_files/note.txt.0a0b.tmp_EncryptedBackup", "half");
  old_.file("received_files/sub/deep.txt", "deep");
  std::ofstream(folder_ / "secret") << "secret";
  std::filesystem::create_symlink(folder_ / "secret", old_.folder() / "received_files/link");
  std::filesystem::create_directory_symlink(folder_, old_.folder() / "client_folders");
  plan();
  EXPECT_EQ(fates(),
            (Fates{"-/client_folders skip", "-/link skip",
                   "-/note.txt.0a0b.tmp_EncryptedBackup skip", "-/sub skip", "01/link skip"}));
}

TEST_F(Plan, the_old_servers_own_files_are_never_taken_for_a_clients) {
  two_clients();
  old_.event(kAnna, "server.py", "anna's", true, "2024-06-01T00:00:00");
  old_.file("server.py", "the program");
  old_.file("received_files/other", "x");
  plan();
  EXPECT_EQ(fates(), (Fates{"01/server.py skip", "nobody/other take"}));
}

TEST_F(Plan, what_is_here_is_not_imported_again) {
  two_clients();
  old_.event(kAnna, "x", "from anna", true, "2024-06-01T00:00:00");
  old_.event(kAnna, "y", "older", true, "2024-06-01T00:00:00");
  old_.file("received_files/x", "from anna");
  old_.file("received_files/y", "older");
  catalog::LegacyClient anna;
  anna.id = id_of(kAnna);
  anna.name = "anna";
  input_.clients = {anna};
  catalog::LegacyVersion version;
  version.client = anna.id;
  version.file_name = "x";
  version.size = 9;
  version.cksum = v3::cksum_of(as_bytes("from anna"));
  version.created_ns = *parse_source_time("2024-06-01");
  catalog::LegacyVersion newer = version;
  newer.file_name = "y";
  newer.created_ns += 1;
  input_.versions[anna.id] = {version, newer};
  plan();
  EXPECT_EQ(fates(), (Fates{"01/x there", "01/y take"}));
  EXPECT_EQ(client("anna").fate, ImportFate::there);
  EXPECT_EQ(file("y").why.back(), "is older than a version that is here, and becomes the newest");
}

TEST_F(Plan, a_client_that_migrated_gets_no_files) {
  two_clients();
  old_.event(kAnna, "x", "from anna", true, "2024-06-01T00:00:00");
  old_.file("received_files/x", "from anna");
  catalog::LegacyClient anna;
  anna.id = id_of(kAnna);
  anna.name = "anna";
  input_.clients = {anna};
  input_.migrated = {anna.id};
  plan();
  EXPECT_EQ(fates(), (Fates{"01/x skip"}));
}

TEST_F(Plan, a_name_that_is_taken_here_is_changed_only_for_a_client_with_files) {
  two_clients();
  old_.event(kAnna, "x", "from anna", true, "2024-06-01T00:00:00");
  old_.file("received_files/x", "from anna");
  catalog::LegacyClient other;
  other.id = id_of("0c000000000000000000000000000009");
  other.name = "anna";
  catalog::LegacyClient second = other;
  second.id.bytes[0] = std::byte{9};
  second.name = "bert";
  input_.clients = {other, second};
  plan();
  EXPECT_EQ(client("anna (" + kAnna + ")").fate, ImportFate::take);
  EXPECT_EQ(client("anna (" + kAnna + ")").why.front(),
            "its name is client 0c000000000000000000000000000009's here");
  EXPECT_EQ(client("bert").fate, ImportFate::skip);
}

TEST_F(Plan, a_key_here_stays_and_a_missing_one_is_added) {
  two_clients();
  old_.statements("UPDATE clients SET PublicKey = zeroblob(99) || x'01' || x'ffff'");
  catalog::LegacyClient anna;
  anna.id = id_of(kAnna);
  anna.name = "anna";
  catalog::LegacyClient bert = anna;
  bert.id = id_of(kBert);
  bert.name = "bert";
  bert.public_key = Bytes(100);
  input_.clients = {anna, bert};
  plan();
  EXPECT_TRUE(client("anna").adds_key);
  EXPECT_EQ(client("anna").public_key.size(), 100U);
  EXPECT_FALSE(client("bert").adds_key);
  EXPECT_EQ(client("bert").why, (Fates{"has another public key here, which stays"}));
}

TEST_F(Plan, names_that_cannot_be_sent_here_are_kept_and_told) {
  two_clients();
  old_.event(kAnna, "what''s new?.txt", "?", true, "2024-06-01T00:00:00");
  old_.file("received_files/what's new?.txt", "?");
  plan();
  EXPECT_EQ(fates(), (Fates{"01/what's new?.txt take"}));
  EXPECT_EQ(file("what's new?.txt").why.size(), 1U);
}

TEST_F(Plan, what_cannot_be_read_is_told_and_hides_nothing_else) {
  two_clients();
  old_.event(kAnna, "x", "x", true, "2024-06-01T00:00:00");
  old_.event(kBert, "y", "y", true, "2024-06-01T00:00:00");
  old_.file("received_files/x", "x");
  old_.file("received_files/y", "y");
  const auto fault = [](const std::string& call, const std::string& path) {
    return call == "read_at" && path.find("received_files/x") != std::string::npos ? EIO : 0;
  };
  os::FailingTree failing(fault);
  plan(failing);
  EXPECT_EQ(fates(), (Fates{"01/x failed", "02/y take"}));
}

TEST_F(Plan, a_folder_that_cannot_be_listed_is_not_taken_for_an_empty_one) {
  two_clients();
  old_.event(kAnna, "x", "x", true, "2024-06-01T00:00:00");
  old_.file("received_files/x", "x");
  const auto fault = [](const std::string& call, const std::string& path) {
    return call == "each_name" && path.find("received_files") != std::string::npos ? EACCES : 0;
  };
  os::FailingTree failing(fault);
  plan(failing);
  EXPECT_EQ(fates(), (Fates{"-/received_files failed", "01/x failed"}));
}

TEST_F(Plan, a_file_that_grows_while_it_is_read_is_told) {
  old_.file("received_files/x", "x");
  int reads = 0;
  const auto fault = [&](const std::string& call, const std::string&) {
    if (call == "read_at" && ++reads == 2)
      std::ofstream(old_.folder() / "received_files/x", std::ios::app) << "more";
    return 0;
  };
  os::FailingTree growing(fault);
  plan(growing);
  EXPECT_EQ(fates(), (Fates{"-/x failed"}));
  EXPECT_NE(file("x").why.front().find("changed while it was read"), std::string::npos);
}

}  // namespace
}  // namespace cb::server
