// SPDX-License-Identifier: Apache-2.0
//
// What an engine notices when packs, rows or commit records are not what they were, and what it
// does after a crash.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>
#include <random>
#include <set>

#include "core/repository/engine_chain.h"
#include "core/repository/engine_fixture.h"
#include "core/repository/pack_scanner.h"

namespace cb::repository {
namespace {

namespace fs = std::filesystem;

// All rows of a table, a column each, as SQL literals.
struct Column {
  std::string key;    // of the row
  std::string name;   // of the column
  std::string value;  // a literal
};

std::string altered(const Column& column, std::mt19937& random) {
  const std::string& value = column.value;
  if (value.front() == 'X') {
    std::string other = value;
    const size_t digits = other.size() - 3;
    if (digits == 0) return {};
    char& digit = other[2 + random() % digits];
    const unsigned was =
        static_cast<unsigned>(std::strtoul(std::string(1, digit).c_str(), nullptr, 16));
    digit = "0123456789ABCDEF"[was ^ (1u << (random() % 4))];
    return other;
  }
  const long long number = std::strtoll(value.c_str(), nullptr, 10);
  for (const char* flag : {"condemned", "closed", "in_trash"})
    if (column.name == flag) return std::to_string(1 - number);
  if (column.name == "class") return std::to_string(3 - number);
  if (column.name == "kind") return std::to_string(number % 6 + 1);
  if (column.name == "type") return std::to_string(number % 4 + 1);
  return std::to_string(number ^ (1LL << (10 + random() % 10)));
}

class EngineDamage : public testing::Test {
 protected:
  EngineDamage() : repository_(house_.create()), prefix_("v4/" + repository_.hex() + "/") {}

  Engine& engine() { return house_.engine(); }

  CommitRecord commit(const TestSnapshot& snapshot) {
    const auto intake = must(engine().begin(repository_, {device_of(1)}, false));
    for (const StoredBlob& blob : snapshot.blobs) must(put_blob(*intake, blob));
    return must(decode_commit(must(intake->commit(snapshot.request)).receipt));
  }

  std::vector<std::string> findings(bool read_data) {
    return must(engine().check(repository_, read_data, {})).findings;
  }

  // Runs SQL on the catalog behind the engine's back.
  void sql(const std::string& text) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(house_.catalog_file().c_str(), &handle), SQLITE_OK);
    sqlite3_busy_timeout(handle, 10'000);
    char* why = nullptr;
    EXPECT_EQ(sqlite3_exec(handle, text.c_str(), nullptr, nullptr, &why), SQLITE_OK) << why;
    sqlite3_free(why);
    sqlite3_close(handle);
  }

  std::vector<Column> columns(const std::string& table, const std::string& key) {
    sqlite3* handle = nullptr;
    sqlite3_stmt* rows = nullptr;
    EXPECT_EQ(sqlite3_open(house_.catalog_file().c_str(), &handle), SQLITE_OK);
    const std::string names = "SELECT name FROM pragma_table_info('" + table + "')";
    std::vector<std::string> all;
    const auto text = [&](int column) {
      return std::string(reinterpret_cast<const char*>(sqlite3_column_text(rows, column)));
    };
    EXPECT_EQ(sqlite3_prepare_v2(handle, names.c_str(), -1, &rows, nullptr), SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW) all.push_back(text(0));
    sqlite3_finalize(rows);
    std::vector<Column> found;
    for (const std::string& name : all) {
      const std::string values = "SELECT quote(" + key + "), quote(\"" + name + "\") FROM " + table;
      EXPECT_EQ(sqlite3_prepare_v2(handle, values.c_str(), -1, &rows, nullptr), SQLITE_OK);
      while (sqlite3_step(rows) == SQLITE_ROW) found.push_back({text(0), name, text(1)});
      sqlite3_finalize(rows);
    }
    sqlite3_close(handle);
    return found;
  }

  // The pack of this class; there is one.
  std::string pack(char pack_class) {
    for (const std::string& name : house_.objects(prefix_ + "pack/"))
      if (house_.object(name)[8] == static_cast<std::byte>(pack_class)) return name;
    throw std::runtime_error("no such pack");
  }

  void expect_corrupt(const Status& status, const std::string& named) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Code::corrupt) << status.error().text();
    EXPECT_NE(status.error().text().find(named), std::string::npos) << status.error().text();
  }

  Status read(const BlobId& id) {
    CB_TRY(read_all(engine(), repository_, std::array<BlobId, 1>{id}));
    return {};
  }

  // Copies the catalog as a crash would leave it now.
  void keep_catalog() { copy_catalog(house_.catalog_file(), kept()); }
  // Closes the house, brings the copy back and opens again.
  void bring_back_catalog() {
    house_.close();
    copy_catalog(kept(), house_.catalog_file());
    must(house_.open());
  }
  [[nodiscard]] std::string kept() const { return (house_.folder() / "kept.db").string(); }
  static void copy_catalog(const std::string& from, const std::string& to) {
    fs::remove(to + "-shm");
    for (const char* suffix : {"", "-wal"}) {
      fs::remove(to + suffix);
      if (fs::exists(from + suffix)) fs::copy_file(from + suffix, to + suffix);
    }
  }

  EngineHouse house_;
  RepositoryId repository_;
  std::string prefix_;
};

TEST_F(EngineDamage, flipped_bytes_in_packs_are_found_by_read_and_by_check) {
  const TestSnapshot snapshot = make_snapshot(1, 5, 2000);
  commit(snapshot);
  ASSERT_TRUE(findings(true).empty());
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const char pack_class : {'\1', '\2'}) {
    const std::string name = pack(pack_class);
    const Bytes whole = house_.object(name);
    for (int round = 0; round < 40; ++round) {
      const size_t at = random() % whole.size();
      SCOPED_TRACE("byte " + std::to_string(at));
      Bytes damaged = whole;
      damaged[at] ^= static_cast<std::byte>(1 << (random() % 8));
      house_.put_object(name, damaged);
      const auto found = findings(true);
      ASSERT_FALSE(found.empty());
      EXPECT_NE(found.front().find(name), std::string::npos) << found.front();
      for (const auto& row : must(house_.catalog().index().packs(1, 0, 10))) {
        if (name != pack_object(repository_, PackName{row.name})) continue;
        for (const auto& place : must(house_.catalog().index().blobs_of_pack(row.number))) {
          const bool hit =
              at >= place.offset && at < place.offset + packed_size(place.child_count, place.size);
          const Status status = read(BlobId{place.id});
          // Of a session's record the catalog has a copy.
          if (hit && place.kind != static_cast<uint8_t>(BlobKind::session))
            expect_corrupt(status, name);
          else
            EXPECT_TRUE(status);
        }
      }
    }
    house_.put_object(name, whole);
  }
  EXPECT_TRUE(findings(true).empty());
}

TEST_F(EngineDamage, a_pack_that_is_gone_or_cut_off_is_told_by_its_name) {
  const TestSnapshot snapshot = make_snapshot(1, 5, 2000);
  commit(snapshot);
  const std::string name = pack('\1');
  const Bytes whole = house_.object(name);
  house_.put_object(name, ByteView(whole).first(whole.size() / 2));
  expect_corrupt(read(snapshot.blobs[5].head.id), name);
  EXPECT_FALSE(findings(false).empty());
  must(house_.store().remove(name));
  expect_corrupt(read(snapshot.blobs[1].head.id), name);
  ASSERT_FALSE(findings(false).empty());
  EXPECT_NE(findings(false).front().find(name), std::string::npos);
}

TEST_F(EngineDamage, a_session_record_outlives_its_pack) {
  const TestSnapshot snapshot = make_snapshot(1, 5, 2000);
  commit(snapshot);
  const std::array<BlobId, 1> id = {snapshot.blobs[0].head.id};
  for (const std::string& name : house_.objects(prefix_ + "pack/"))
    must(house_.store().remove(name));
  const auto blobs = must(read_all(engine(), repository_, id));
  EXPECT_EQ(blobs.at(id[0]).stored, snapshot.blobs[0].stored);
  EXPECT_EQ(blobs.at(id[0]).head, snapshot.blobs[0].head);
  EXPECT_FALSE(findings(false).empty());
}

TEST_F(EngineDamage, altered_rows_of_the_index_are_noticed) {
  const TestSnapshot snapshot = make_snapshot(1, 5, 2000);
  commit(snapshot);
  const BlobId id = snapshot.blobs[2].head.id;
  const std::string row = " WHERE id = x'" + id.hex() + "'";
  const std::array<std::pair<const char*, const char*>, 5> changes = {{
      {"offset = offset + 1", "offset = offset - 1"},
      {"offset = offset + 1000000", "offset = offset - 1000000"},
      {"kind = 2", "kind = 1"},
      {"size = size + 1", "size = size - 1"},
      {"session = zeroblob(16)", nullptr},
  }};
  for (const auto& [change, back] : changes) {
    SCOPED_TRACE(change);
    sql(std::string("UPDATE blob SET ") + change + row);
    expect_corrupt(read(id), id.hex());
    EXPECT_FALSE(findings(false).empty());
    if (back != nullptr) sql(std::string("UPDATE blob SET ") + back + row);
  }
  const BlobId node = snapshot.blobs[6].head.id;
  sql("UPDATE blob SET session = x'" + snapshot.blobs[2].head.session.hex() + "'" + row);
  ASSERT_TRUE(findings(true).empty());
  sql("UPDATE blob SET children = zeroblob(length(children) * 2) WHERE id = x'" + node.hex() + "'");
  expect_corrupt(read(node), node.hex());
  sql("UPDATE blob SET children = zeroblob(length(children) / 2) WHERE id = x'" + node.hex() + "'");
  EXPECT_FALSE(findings(true).empty());
  std::string children;
  for (const BlobId& child : snapshot.blobs[6].head.children) children += child.hex();
  sql("UPDATE blob SET children = x'" + children + "' WHERE id = x'" + node.hex() + "'");
  ASSERT_TRUE(findings(true).empty());
  // One blob in the place of another.
  const BlobId other = snapshot.blobs[3].head.id;
  sql("UPDATE blob SET offset = (SELECT offset FROM blob WHERE id = x'" + other.hex() + "')" + row);
  expect_corrupt(read(id), id.hex());
  sql("DELETE FROM blob" + row);
  EXPECT_TRUE(read(id));  // is not there, and said to be so
  const auto found = findings(false);
  ASSERT_FALSE(found.empty());
  EXPECT_NE(found.front().find(id.hex()), std::string::npos) << found.front();
}

TEST_F(EngineDamage, every_column_of_every_row_is_noticed_by_check_or_harmless) {
  // What nobody relies on, and why.
  const std::set<std::string> harmless = {
      "pack.created_ns",  // for housekeeping, which looks into the packs before it acts
      "pack.garbage",     // the same
      "pack.verified_ns",  "pack.is_bad",  // for verification: looked at sooner or later
      "pack.retired_ns",                   // for collection, which looks whether rows are left
      "blob.condemned_ns",                 // the same: what is not condemned does not count
      "blob.number",                       // nothing refers to it
      "blob.closed",                       // 1 to 0: the next commit looks again. 0 to 1: below
  };
  commit(make_snapshot(1, 3, 500));
  commit(make_snapshot(2, 2, 500));
  ASSERT_TRUE(findings(true).empty());
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::array<std::pair<std::string, std::string>, 5> tables = {
      {{"pack", "number"},
       {"blob", "number"},
       {"session", "id"},
       {"snapshot", "id"},
       {"commit_record", "sequence"}}};
  size_t tried = 0;
  for (const auto& [table, key] : tables) {
    sql("CREATE TABLE kept_" + table + " AS SELECT * FROM " + table);
    for (const Column& column : columns(table, key)) {
      const std::string value = altered(column, random);
      if (value.empty()) continue;
      ++tried;
      SCOPED_TRACE(table + "." + column.name + " = " + value + " of " + column.key);
      sql("PRAGMA ignore_check_constraints = 1; UPDATE " + table + " SET \"" + column.name +
          "\" = " + value + " WHERE " + key + " = " + column.key);
      const auto checked = engine().check(repository_, true, {});
      const bool noticed = !checked || !checked->findings.empty() || !checked->notes.empty();
      EXPECT_TRUE(noticed || harmless.contains(table + "." + column.name));
      sql("DELETE FROM " + table + "; INSERT INTO " + table + " SELECT * FROM kept_" + table);
    }
    sql("DROP TABLE kept_" + table);
    const auto again = must(engine().check(repository_, true, {}));
    ASSERT_TRUE(again.findings.empty() && again.notes.empty()) << table;
  }
  EXPECT_GT(tried, 200u);
}

TEST_F(EngineDamage, a_blob_that_is_wrongly_said_to_be_whole_is_noticed) {
  const TestSnapshot snapshot = make_snapshot(1, 3, 500);
  {
    const auto intake = must(engine().begin(repository_, {device_of(1)}, false));
    for (const StoredBlob& blob : snapshot.blobs)
      if (blob.head.id != snapshot.blobs[2].head.id) must(put_blob(*intake, blob));
  }
  ASSERT_TRUE(findings(true).empty());
  for (const StoredBlob& blob : snapshot.blobs) {
    if (blob.head.children.empty()) continue;
    SCOPED_TRACE(blob.head.id.hex());
    const std::string row = " WHERE id = x'" + blob.head.id.hex() + "'";
    sql("UPDATE blob SET closed = 1" + row);
    // The half that is whole may be said to be so.
    const bool is_true = blob.head.id == snapshot.blobs[4].head.id;
    EXPECT_EQ(findings(false).empty(), is_true);
    sql("UPDATE blob SET closed = 0" + row);
  }
}

TEST_F(EngineDamage, a_pack_that_the_index_does_not_know_is_told_and_is_damage_when_it_is_needed) {
  const TestSnapshot snapshot = make_snapshot(1, 3, 500);
  commit(snapshot);
  {
    const auto intake = must(engine().begin(repository_, {device_of(1)}, false));
    must(put_blob(*intake, session_record(7)));
  }
  sql("DELETE FROM blob WHERE pack = 3; DELETE FROM pack WHERE number = 3; DELETE FROM session"
      " WHERE id = x'" +
      session_of(7).hex() + "'");
  auto checked = must(engine().check(repository_, false, {}));
  EXPECT_TRUE(checked.findings.empty()) << checked.findings.front();
  ASSERT_EQ(checked.notes.size(), 1u);
  EXPECT_NE(checked.notes[0].find("/pack/"), std::string::npos);
  sql("DELETE FROM blob WHERE pack = 1; DELETE FROM pack WHERE number = 1");
  checked = must(engine().check(repository_, false, {}));
  const auto names_it = [&](const std::string& finding) {
    return finding.find("has what a snapshot lacks") != std::string::npos;
  };
  EXPECT_EQ(std::count_if(checked.findings.begin(), checked.findings.end(), names_it), 1);
  EXPECT_EQ(checked.notes.size(), 1u);
}

TEST_F(EngineDamage, a_commit_whose_row_is_gone_is_noticed_also_when_it_was_the_last) {
  commit(make_snapshot(1, 2, 100));
  commit(make_snapshot(2, 2, 100));
  sql("DELETE FROM commit_record WHERE sequence = 2");
  const auto found = findings(false);
  ASSERT_FALSE(found.empty());
  EXPECT_NE(found[0].find(commit_object(repository_, 2)), std::string::npos) << found[0];
}

// A full disk, say. The record is in the store, and takes effect.
TEST_F(EngineDamage, a_commit_whose_row_could_not_be_written_is_taken_in_by_the_next_check) {
  commit(make_snapshot(1, 2, 100));
  // An overflow is an error, and of no constraint.
  sql("CREATE TRIGGER full BEFORE INSERT ON commit_record"
      " BEGIN SELECT abs(-9223372036854775808); END");
  const TestSnapshot second = make_snapshot(2, 2, 100);
  EXPECT_ANY_THROW(commit(second));
  ASSERT_TRUE(house_.store().stat(commit_object(repository_, 2)));
  sql("DROP TRIGGER full");
  EXPECT_TRUE(findings(false).empty());
  EXPECT_EQ(must(engine().snapshots(repository_, false)).size(), 2u);
}

TEST_F(EngineDamage, a_check_finds_what_is_wrong_with_commits) {
  commit(make_snapshot(1, 2, 100));
  commit(make_snapshot(2, 2, 100));
  const std::string first = commit_object(repository_, 1);
  const Bytes record = house_.object(first);
  Bytes other = record;
  other.back() ^= std::byte{1};
  house_.put_object(first, other);
  ASSERT_EQ(findings(false).size(), 1u);
  EXPECT_NE(findings(false)[0].find(first), std::string::npos);
  must(house_.store().remove(first));
  EXPECT_EQ(findings(false).size(), 1u);
  house_.put_object(first, record);
  EXPECT_TRUE(findings(false).empty());
  sql("UPDATE commit_record SET hash = zeroblob(32) WHERE sequence = 1");
  EXPECT_EQ(findings(false).size(), 1u);
}

TEST_F(EngineDamage, a_check_can_be_stopped_and_counts_what_it_saw) {
  const TestSnapshot snapshot = make_snapshot(1, 5, 2000);
  commit(snapshot);
  const auto stopped =
      engine().check(repository_, true, [](uint64_t done, uint64_t) { return done < 1; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::cancelled);
  const auto checked = must(engine().check(repository_, true, {}));
  EXPECT_EQ(checked.packs, 2u);
  EXPECT_EQ(checked.blobs, snapshot.blobs.size());
  EXPECT_EQ(checked.snapshots, 1u);
  EXPECT_EQ(checked.bytes, must(engine().counts(repository_)).stored_bytes);
}

TEST_F(EngineDamage, records_that_a_crash_left_without_a_row_are_brought_in_at_open) {
  const TestSnapshot first = make_snapshot(1, 3, 1000);
  const TestSnapshot second = make_snapshot(2, 3, 1000);
  for (const TestSnapshot* snapshot : {&first, &second}) {
    const auto intake = must(engine().begin(repository_, {device_of(1)}, false));
    for (const StoredBlob& blob : snapshot->blobs) must(put_blob(*intake, blob));
  }
  keep_catalog();
  const CommitRecord one = commit(first);
  const CommitRecord two = commit(second);
  must(engine().forget(repository_, one.snapshot, device_of(1)));
  bring_back_catalog();
  const auto snapshots = must(engine().snapshots(repository_, true));
  ASSERT_EQ(snapshots.size(), 2u);
  EXPECT_EQ(snapshots[0].commit, one);
  EXPECT_TRUE(snapshots[0].in_trash);
  EXPECT_EQ(snapshots[1].commit, two);
  EXPECT_EQ(commit(second), two);  // the repeated commit gets its receipt
  EXPECT_EQ(commit(make_snapshot(3, 1, 10)).sequence, 4u);
  EXPECT_TRUE(findings(true).empty());
}

TEST_F(EngineDamage, a_private_intake_s_commit_without_a_row_is_brought_in_whole) {
  const TestSnapshot snapshot = make_snapshot(1, 3, 1000);
  {
    const auto intake = must(engine().begin(repository_, {device_of(1)}, true));
    for (const StoredBlob& blob : snapshot.blobs) must(put_blob(*intake, blob));
    must(intake->flush());
    // As the commit does it, up to the crash.
    sql("UPDATE intake SET commit_id = x'" + snapshot.request.commit_id.hex() + "'");
    keep_catalog();
    must(intake->commit(snapshot.request));
  }
  bring_back_catalog();
  must(engine().remove_leftovers());
  ASSERT_EQ(must(engine().snapshots(repository_, false)).size(), 1u);
  EXPECT_EQ(must(engine().counts(repository_)).blobs, snapshot.blobs.size());
  const auto ids = ids_of(snapshot.blobs);
  EXPECT_EQ(read_all(engine(), repository_, ids)->size(), ids.size());
  EXPECT_TRUE(findings(true).empty());
}

TEST_F(EngineDamage, another_process_s_commit_is_noticed_and_followed) {
  const TestSnapshot second = make_snapshot(2, 1, 10);
  commit(make_snapshot(1, 1, 10));
  EngineHouse other("store-fs", {}, house_.folder());
  const auto intake = must(other.engine().begin(repository_, {device_of(1)}, false));
  for (const StoredBlob& blob : second.blobs) must(put_blob(*intake, blob));
  EXPECT_EQ(must(decode_commit(must(intake->commit(second.request)).receipt)).sequence, 2u);
  EXPECT_EQ(commit(make_snapshot(3, 1, 10)).sequence, 3u);
  EXPECT_EQ(must(engine().forget(repository_, second.request.snapshot, device_of(1))).sequence, 4u);
  EXPECT_TRUE(findings(true).empty());
}

TEST_F(EngineDamage, a_damaged_record_closes_its_repository_and_no_other) {
  const RepositoryId other = house_.create(2);
  keep_catalog();
  commit(make_snapshot(1, 1, 10));
  const std::string object = commit_object(repository_, 1);
  const Bytes record = house_.object(object);
  house_.put_object(object, ByteView(record).first(record.size() - 1));
  bring_back_catalog();
  expect_corrupt(engine().begin(repository_, {device_of(1)}, false).map([](const auto&) {}),
                 object);
  EXPECT_TRUE(engine().begin(other, {device_of(1)}, false));
}

TEST_F(EngineDamage, leftovers_of_a_crash_are_removed_and_nothing_else) {
  const TestSnapshot snapshot = make_snapshot(1, 3, 1000);
  commit(snapshot);
  const auto before = house_.objects();
  std::map<std::string, Bytes> left;
  {
    const auto intake = must(engine().begin(repository_, {device_of(1)}, true));
    must(put_blob(*intake, session_record(9)));
    must(intake->flush());
    keep_catalog();
    for (const std::string& name : house_.objects()) left[name] = house_.object(name);
  }
  EXPECT_GT(left.size(), before.size());
  bring_back_catalog();
  for (const auto& [name, content] : left) house_.put_object(name, content);
  house_.put_object(prefix_ + "pack/ab/ab000000000000000000000000000000", Bytes(10));
  house_.put_object("v4/" + std::string(32, 'e') + "/repository", Bytes(10));
  EXPECT_EQ(must(engine().remove_leftovers()), 3u);
  EXPECT_EQ(house_.objects(), before);
  EXPECT_EQ(must(engine().remove_leftovers()), 0u);
  EXPECT_TRUE(must(house_.catalog().index().open_intakes(1)).empty());
  EXPECT_EQ(read_all(engine(), repository_, ids_of(snapshot.blobs))->size(), snapshot.blobs.size());
  EXPECT_TRUE(findings(true).empty());
}

TEST_F(EngineDamage, an_old_catalog_removes_nothing_of_a_newer_store) {
  keep_catalog();
  commit(make_snapshot(1, 3, 1000));
  const auto objects = house_.objects();
  bring_back_catalog();
  const auto refused = engine().remove_leftovers();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::state);
  EXPECT_EQ(house_.objects(), objects);
  EXPECT_FALSE(findings(false).empty());
  EXPECT_TRUE(must(engine().unlisted()).empty());
  // A catalog that never knew the repository.
  house_.close();
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(house_.catalog_file() + suffix);
  must(house_.open());
  EXPECT_FALSE(engine().remove_leftovers());
  EXPECT_EQ(house_.objects(), objects);
  EXPECT_EQ(must(engine().unlisted()).size(), 1u);
}

// A disk that is not mounted.
TEST_F(EngineDamage, a_store_that_has_nothing_of_the_catalog_is_not_begun_with) {
  commit(make_snapshot(1, 3, 1000));
  for (const std::string& name : house_.objects()) must(house_.store().remove(name));
  const auto refused = engine().remove_leftovers();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::state);
}

}  // namespace
}  // namespace cb::repository
