// SPDX-License-Identifier: Apache-2.0
//
// Imports into a real data folder: what comes, that it comes once, and that nothing which cuts an
// import short changes what comes in the end.
#include "core/server/legacy_import.h"

#include <sys/wait.h>

#include <csignal>
#include <cstdlib>

#include "core/os/failing_tree_test.h"
#include "core/protocol/v3/names.h"
#include "core/server/daemon_fixture.h"
#include "core/server/legacy_export.h"
#include "core/server/legacy_import_report.h"
#include "core/server/legacy_places.h"
#include "core/server/legacy_source_fixture.h"
#include "core/server/rebuild.h"

namespace cb::server {
namespace {

const ClientId kAlice = ClientId::from_hex_text("80cb957d3d194b679faf81d9767cc899").value();

class Import : public DaemonFolder {
 protected:
  Import() : old_((std::filesystem::remove_all(beside("old")), beside("old"))) {}
  ~Import() override {
    TearDown();
    std::filesystem::remove_all(beside("old"));
    std::filesystem::remove_all(beside("fresh"));
  }
  void SetUp() override {
    const auto made = init();
    ASSERT_TRUE(made) << made.error().text();
    const Settings fresh = settings();
    ASSERT_TRUE(ensure_signing_key(fresh, seams_));
  }
  void TearDown() override {
    backend_.reset();
    registry_.reset();
  }

  [[nodiscard]] os::Path beside(const std::string& what) const {
    return folder_.string() + "-" + what;
  }

  Status open(const std::vector<std::string>& set = {}) {
    TearDown();
    std::vector<std::string> all = {"plugins.probe=false", "plugins.check_owner=false"};
    all.insert(all.end(), set.begin(), set.end());
    settings_ = settings(all);
    registry_ = make_registry(settings_, seams_, log_);
    CB_TRY(prepare_plugins(settings_, *registry_));
    CB_ASSIGN(backend_, Backend::open(settings_, *registry_, seams_));
    return {};
  }

  // With what open() opened.
  Result<ImportResult> import(bool dry_run = false, os::Tree& tree = os::real_tree()) {
    ImportParts parts;
    parts.backend = backend_.get();
    parts.registry = registry_.get();
    parts.log = &log_;
    parts.tree = &tree;
    parts.scratch = settings_.spool_folder();
    parts.step = step_;
    const bool has_database = std::filesystem::exists(old_.database());
    return import_legacy({has_database ? old_.database() : os::Path(), old_.folder(), dry_run},
                         parts);
  }
  ImportResult must_import(bool dry_run = false) {
    const Status opened = open();
    EXPECT_TRUE(opened) << opened.error().text();
    auto result = import(dry_run);
    EXPECT_TRUE(result) << result.error().text();
    EXPECT_FALSE(result && result->stopped) << result->stopped->text();
    return result ? std::move(*result) : ImportResult();
  }

  // All that there is of v3 clients, a line each; every version's content is read.
  std::vector<std::string> listing() {
    std::vector<std::string> lines;
    const auto clients = backend_->catalog().clients().value();
    for (const auto& client : clients) {
      const auto versions = backend_->catalog().versions(client.id).value();
      const auto policy = backend_->catalog().legacy_policy(client.id).value();
      lines.push_back(
          client.id.hex() + " " + client.name + " " + std::to_string(client.public_key.size()) +
          " " + std::to_string(client.created_ns) + " " + std::to_string(client.last_seen_ns) +
          " " + std::to_string(policy.min_version) + (policy.imported_ns != 0 ? " imported" : ""));
      for (const auto& version : versions) {
        v3::Cksum cksum;
        const Status read = backend_->archive().read(version, [&](ByteView plain) -> Status {
          cksum.update(plain);
          return {};
        });
        EXPECT_TRUE(read) << read.error().text();
        EXPECT_EQ(cksum.value(), version.cksum);
        EXPECT_EQ(cksum.size(), version.size);
        lines.push_back("  " + version.file_name + " " + std::to_string(version.version) + " " +
                        std::to_string(version.cksum) + " " + std::to_string(version.created_ns));
      }
    }
    return lines;
  }
  std::vector<std::string> names_and_dates() {
    std::vector<std::string> lines;
    const auto clients = backend_->catalog().clients().value();
    for (const auto& client : clients) {
      const auto versions = backend_->catalog().versions(client.id).value();
      for (const auto& version : versions)
        lines.push_back(client.name + " " + version.file_name + " " +
                        std::to_string(version.created_ns));
    }
    return lines;
  }
  void expect_whole_store() {
    const auto rows = backend_->catalog().index().repositories().value();
    for (const auto& row : rows) {
      const auto checked = backend_->engine().check(repository::RepositoryId{row.id}, true, {});
      ASSERT_TRUE(checked) << checked.error().text();
      EXPECT_TRUE(checked->findings.empty()) << checked->findings.front();
    }
  }

  // A fresh data folder again.
  void keep_fresh() { std::filesystem::copy(folder_, beside("fresh"), kRecursive); }
  void make_fresh() {
    TearDown();
    std::filesystem::remove_all(folder_);
    std::filesystem::copy(beside("fresh"), folder_, kRecursive);
  }

  static constexpr auto kRecursive = std::filesystem::copy_options::recursive;
  OldServer old_;
  Settings settings_;
  std::unique_ptr<plugin::Registry> registry_;
  // Of the client's snapshots, as its owner will see them.
  std::vector<int64_t> commit_times(const ClientId& client) {
    const auto kept = backend_->catalog().legacy_repository(client).value();
    const auto record = repository::decode_repository(kept->record).value();
    std::vector<int64_t> times;
    const auto snapshots = backend_->engine().snapshots(record.id, true).value();
    for (const auto& snapshot : snapshots) times.push_back(snapshot.commit.time_ns);
    return times;
  }

  std::unique_ptr<Backend> backend_;
  std::function<void(const std::string&)> step_;
};

TEST_F(Import, a_real_server_s_clients_and_files_come_with_their_dates) {
  old_.sample("o2-clean");
  const ImportResult result = must_import();
  EXPECT_EQ(counts_of(result.plan).files, 3U);
  const auto alice = backend_->catalog().client_by_id(kAlice).value();
  ASSERT_TRUE(alice);
  EXPECT_EQ(alice->name, "Alice Legacy");
  EXPECT_GT(alice->public_key.size(), 100U);
  EXPECT_EQ(alice->last_seen_ns, parse_source_time("2026-11-23T16:46:10Z"));
  const auto policy = backend_->catalog().legacy_policy(kAlice).value();
  EXPECT_NE(policy.imported_ns, 0);
  EXPECT_EQ(policy.min_version, 3);
  const auto versions = backend_->catalog().versions(kAlice).value();
  ASSERT_EQ(versions.size(), 1U);
  EXPECT_EQ(versions[0].created_ns, parse_source_time("2026-11-23T16:46:15.333886"));
  EXPECT_EQ(commit_times(kAlice), std::vector<int64_t>{versions[0].created_ns});
  ASSERT_TRUE(export_legacy({"Alice Legacy", "", {}, folder_ / "out"}, *backend_, *seams_.files));
  std::ostringstream original;
  original << std::ifstream(old_.folder() / "received_files/poem.txt").rdbuf();
  EXPECT_EQ(content("out/poem.txt"), original.str());
  const auto nobody = backend_->catalog().client_by_name(std::string(v3::kOwnerlessName)).value();
  ASSERT_TRUE(nobody);
  EXPECT_TRUE(nobody->public_key.empty());
  EXPECT_EQ(backend_->catalog().legacy_policy(nobody->id)->min_version, 4);
  expect_whole_store();
}

TEST_F(Import, an_imported_key_is_the_one_that_the_client_would_send) {
  old_.sample("reefjo");
  std::filesystem::rename(old_.folder() / "db.defensive", old_.database());
  // As some servers keep it: with garbage behind the key.
  old_.statements("UPDATE clients SET public_key = public_key || x'4142' WHERE public_key NOTNULL");
  must_import();
  const auto source = catalog::read_legacy_source(old_.database(), settings_.spool_folder(),
                                                  os::real_file_system());
  const auto bob = backend_->catalog().client_by_name("bob").value();
  ASSERT_TRUE(bob);
  const Bytes& stored = source->clients.at(0).public_key;
  EXPECT_EQ(stored.size(), bob->public_key.size() + 2);
  EXPECT_TRUE(std::equal(bob->public_key.begin(), bob->public_key.end(), stored.begin()));
}

TEST_F(Import, the_second_time_everything_is_there_already) {
  old_.sample("o2-clean");
  must_import();
  const auto before = listing();
  const ImportResult again = must_import();
  EXPECT_EQ(counts_of(again.plan).there, 3U);
  EXPECT_EQ(counts_of(again.plan).files, 0U);
  EXPECT_EQ(counts_of(again.plan).clients, 0U);
  EXPECT_EQ(listing(), before);
}

TEST_F(Import, a_dry_run_plans_the_same_and_changes_nothing) {
  old_.sample("o2-clean");
  ASSERT_TRUE(open());
  const auto files_of = [&] {
    size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "store"))
      if (entry.is_regular_file()) ++count;
    return count;
  };
  const size_t before = files_of();
  const ImportResult dry = must_import(true);
  EXPECT_TRUE(listing().empty());
  EXPECT_EQ(files_of(), before);
  EXPECT_EQ(json_of(dry)["files"][0]["outcome"], "would be imported");
  EXPECT_NE(text_of(dry).find("nothing was changed"), std::string::npos);
  const ImportResult real = must_import();
  report::Json planned = json_of(dry);
  report::Json done = json_of(real);
  EXPECT_EQ(planned["counts"], done["counts"]);
}

TEST_F(Import, a_client_s_versions_come_in_the_order_of_their_dates) {
  const std::string id = kAlice.hex();
  old_.file("users/" + id + "/b", "second", 2);
  old_.file("users/" + id + "/a", "third", 3);
  old_.file("users/" + id + "/c", "first", 1);
  must_import();
  std::vector<catalog::LegacyVersion> versions =
      backend_->catalog().versions(ownerless_id()).value();
  std::sort(versions.begin(), versions.end(),
            [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
  ASSERT_EQ(versions.size(), 3U);
  EXPECT_EQ(versions[0].file_name, id + "_c");
  EXPECT_EQ(versions[2].file_name, id + "_a");
  EXPECT_EQ(versions[2].created_ns, parse_source_time("2024-06-04"));
}

TEST_F(Import, a_rebuilt_catalog_has_clients_and_dates_of_the_import) {
  old_.sample("o2-clean");
  must_import();
  const auto before = names_and_dates();
  TearDown();
  registry_ = make_registry(settings_, seams_, log_);
  ASSERT_TRUE(prepare_plugins(settings_, *registry_));
  const auto rebuilt = rebuild_data_folder(settings_, *registry_, seams_, {}, {});
  ASSERT_TRUE(rebuilt) << rebuilt.error().text();
  ASSERT_TRUE(open());
  EXPECT_EQ(names_and_dates(), before);
  // So that an import that comes after it brings nothing twice.
  EXPECT_EQ(counts_of(must_import().plan).there, 3U);
}

TEST_F(Import, a_process_killed_before_any_step_leaves_what_the_next_one_completes) {
  old_.sample("o2-clean");
  keep_fresh();
  size_t steps = 0;
  step_ = [&](const std::string&) { ++steps; };
  must_import();
  step_ = nullptr;
  const auto undisturbed = listing();
  ASSERT_GT(steps, 10U);
  for (size_t last = 1; last <= steps; ++last) {
    make_fresh();
    const pid_t child = ::fork();
    if (child == 0) {
      size_t left = last;
      step_ = [&](const std::string&) {
        if (--left == 0) ::raise(SIGKILL);
      };
      const bool done = open() && import();
      ::_exit(done ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "step " << last << ": " << status;
    must_import();
    ASSERT_EQ(listing(), undisturbed) << "step " << last;
    expect_whole_store();
  }
}

TEST_F(Import, a_store_that_crashes_at_any_write_leaves_what_the_next_import_completes) {
  old_.sample("o2-clean");
  keep_fresh();
  must_import();
  const auto undisturbed = listing();
  bool crashed = true;
  int when = 0;
  for (; crashed; when += 3) {
    make_fresh();
    const std::string rule = "\"put:crash@" + std::to_string(when + 1) + "\"";
    const Status opened = open({"store.use=[\"fault\", \"fs\"]", "store.fault.rules=[" + rule + "]",
                                "store.fault.seed=" + std::to_string(when)});
    ASSERT_TRUE(opened) << opened.error().text();
    const auto broken = import();
    crashed = !broken || broken->stopped;
    if (broken && broken->stopped) {
      EXPECT_NE(broken->stopped->advice.find("run the same import again"), std::string::npos);
      EXPECT_GT(counts_of(broken->plan).left, 0U);
    }
    must_import();
    ASSERT_EQ(listing(), undisturbed) << rule;
    expect_whole_store();
  }
  EXPECT_GT(when, 10);
}

TEST_F(Import, a_file_that_changes_after_it_was_looked_at_is_not_imported) {
  old_.file("received_files/a", "a");
  old_.file("received_files/b", "b");
  int opened = 0;
  os::FailingTree changing([&](const std::string& call, const std::string& path) {
    if (call == "open_file" && path.find("received_files/a") != std::string::npos && ++opened == 2)
      std::ofstream(old_.folder() / "received_files/a") << "A";
    return 0;
  });
  ASSERT_TRUE(open());
  const auto result = import(false, changing);
  ASSERT_TRUE(result) << result.error().text();
  EXPECT_EQ(counts_of(result->plan).failed, 1U);
  EXPECT_EQ(counts_of(result->plan).files, 1U);
  const report::Json report = json_of(*result);
  EXPECT_TRUE(report["complete"]);
  EXPECT_EQ(report["files"][0]["outcome"], "unreadable");
  // The next one takes it as it is now.
  EXPECT_EQ(counts_of(must_import().plan).files, 1U);
}

TEST_F(Import, reads_that_fail_at_any_call_never_bring_half_a_file) {
  old_.file("received_files/a", std::string(300'000, 'a'));
  old_.file("received_files/b", "b");
  keep_fresh();
  must_import();
  const auto undisturbed = listing();
  bool failed = true;
  for (int last = 1; failed; ++last) {
    make_fresh();
    int calls = 0;
    os::FailingTree failing([&](const std::string& call, const std::string&) {
      return call != "open" && call != "resolve" && ++calls == last ? EIO : 0;
    });
    ASSERT_TRUE(open());
    const auto result = import(false, failing);
    failed = calls >= last;
    ASSERT_TRUE(result || failed);
    must_import();
    ASSERT_EQ(listing(), undisturbed) << "call " << last;
  }
}

TEST_F(Import, an_imported_file_keeps_no_client_from_the_next_version) {
  old_.sample("o2-clean");
  must_import();
  auto deposit = backend_->archive().begin(kAlice, "poem.txt");
  ASSERT_TRUE(deposit);
  ASSERT_TRUE((*deposit)->write(as_bytes("new")));
  ASSERT_TRUE((*deposit)->commit(v3::cksum_of(as_bytes("new"))));
  const auto versions = backend_->catalog().versions(kAlice).value();
  ASSERT_EQ(versions.size(), 2U);
  EXPECT_EQ(versions[1].version, 2U);
  EXPECT_EQ(counts_of(must_import().plan).there, 3U);
}

TEST_F(Import, the_table_cuts_long_names_and_the_report_does_not) {
  const std::string name(255, 'z');
  old_.statements(std::string(kTablesWithChecksums) + "INSERT INTO clients VALUES (x'" +
                  kAlice.hex() + "', '" + name + "', NULL, '', NULL)");
  const ImportResult result = must_import();
  EXPECT_EQ(text_of(result).find(std::string(61, 'z')), std::string::npos);
  EXPECT_EQ(json_of(result)["clients"][0]["name"], name);
}

TEST_F(Import, the_report_names_every_client_and_file_with_its_reasons) {
  old_.data("o1.sql");
  old_.file("received_files/own.txt", "own", 1);
  const report::Json report = json_of(must_import());
  EXPECT_EQ(report["dry_run"], false);
  EXPECT_EQ(report["counts"]["clients"], 2);
  EXPECT_EQ(report["counts"]["files"], 1);
  EXPECT_EQ(report["counts"]["skipped"], 3);
  EXPECT_EQ(report["clients"][0]["name"], "anna");
  EXPECT_EQ(report["clients"][0]["key"], false);
  for (const report::Json& file : report["files"]) {
    if (file["file"] != "own.txt") continue;
    EXPECT_EQ(file["outcome"], "imported");
    EXPECT_EQ(file["source"], "received_files/own.txt");
    EXPECT_EQ(file["date"], "2024-06-02T00:00:00Z");
    EXPECT_EQ(file["size"], 3);
    EXPECT_EQ(file["confirmed"], true);
    EXPECT_EQ(file["doubted"], false);
  }
  EXPECT_TRUE(log_.contains("v3.imported"));
}

}  // namespace
}  // namespace cb::server
