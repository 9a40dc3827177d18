// SPDX-License-Identifier: Apache-2.0
//
// The client's check: it finds all damage that is made here, and names snapshot and path.
#include "core/client/snapshot_check.h"

#include "core/client/snapshot_fixture.h"

namespace cb::client {
namespace {

using repository::BlobId;

class Check : public SnapshotFixture {
 protected:
  Check() {
    std::vector<Entry> entries{folder("d")};
    for (int i = 0; i < 3000; ++i) {
      contents_.push_back(data(text(static_cast<size_t>(100 + i))));
      entries.push_back(file("d/f" + std::to_string(10'000 + i), {contents_.back()}));
    }
    std::vector<Extent> many;
    for (uint32_t i = 0; i < 300; ++i) {
      many.push_back(data(random_bytes(500, i)));
      contents_.push_back(many.back());
    }
    entries.push_back(file("large", many));
    snapshot(tree(entries));
    entries.pop_back();
    entries[1].mode = 0;
    new_session();
    snapshot(tree(entries));
    forget_keys();
  }

  SnapshotCheckResult check(bool read_data) {
    SnapshotCheck::Parts parts;
    parts.remote = remote_.get();
    parts.fetcher = fetcher_.get();
    parts.repository = repository_.record.id;
    parts.key_of =
        [this](const repository::DeviceId& of) -> std::optional<repository::SigningPublic> {
      if (of != device_id()) return std::nullopt;
      return device_.public_key();
    };
    parts.judge = judge_;
    SnapshotCheck run(std::move(parts));
    auto result = run.run(read_data);
    EXPECT_TRUE(result) << result.error().text();
    forget_keys();
    return result ? *result : SnapshotCheckResult();
  }

  // "number of snapshot:path" of each damage.
  std::vector<std::string> named(bool read_data) {
    std::vector<std::string> names;
    for (const SnapshotDamage& damage : check(read_data).damages) {
      const bool first = damage.snapshot == remote_->list[0].commit.snapshot;
      names.push_back((first ? "0:" : "1:") + damage.path);
    }
    return names;
  }

  using Names = std::vector<std::string>;
  std::function<Status(const repository::SnapshotRecord&, const repository::CommitRecord&)> judge_;
  std::vector<Extent> contents_;
};

TEST_F(Check, finds_nothing_where_nothing_is_wrong) {
  for (const bool read_data : {false, true}) {
    const SnapshotCheckResult result = check(read_data);
    EXPECT_EQ(result.damage_count, 0U) << result.damages.at(0).error.text();
    EXPECT_EQ(result.snapshots, 2U);
    EXPECT_EQ(result.blobs, 3300U);
    EXPECT_EQ(result.unknown_signers, 0U);
  }
}

TEST_F(Check, missing_content_is_named_in_each_snapshot_that_needs_it) {
  remote_->blobs.erase(contents_[7].blob);
  remote_->blobs.erase(contents_[3100].blob);
  for (const bool read_data : {false, true})
    EXPECT_EQ(named(read_data), (Names{"0:d/f10007", "0:large", "1:d/f10007"}));
}

TEST_F(Check, damaged_content_is_found_when_it_is_read) {
  damage(contents_[2].blob);
  EXPECT_EQ(named(false), Names());
  EXPECT_EQ(named(true), (Names{"0:d/f10002", "1:d/f10002"}));
}

TEST_F(Check, a_damaged_node_names_the_stretch_that_is_lost) {
  const auto root = must(fetcher_->node(remote_->list[0].commit.root));
  ASSERT_GT(root.children.size(), 2U);
  damage(root.children[1]);
  forget_keys();
  const Names names = named(false);
  ASSERT_GE(names.size(), 1U);
  EXPECT_EQ(names[0], "0:" + root.keys[1]);
}

TEST_F(Check, a_file_list_that_cannot_be_read_is_named) {
  damage(remote_->list[1].commit.root);
  EXPECT_EQ(named(false), (Names{"1:"}));
}

TEST_F(Check, another_signature_root_device_and_other_flags_are_noticed) {
  auto& commit = remote_->list[0].commit;
  const auto good = commit;
  commit.device_signature[3] ^= std::byte{1};
  EXPECT_EQ(named(false), (Names{"0:"}));
  commit = good;
  commit.root = remote_->list[1].commit.root;
  EXPECT_EQ(named(false), (Names{"0:"}));
  commit = good;
  commit.device.bytes[0] ^= std::byte{1};
  EXPECT_EQ(named(false), (Names{"0:"}));
  for (const uint64_t flags : {repository::kSnapshotCheckpoint, repository::kSnapshotV3}) {
    commit = good;
    commit.flags = flags;
    EXPECT_EQ(named(false), (Names{"0:"})) << flags;
  }
  commit = good;
  damage(commit.snapshot);
  EXPECT_EQ(named(false), (Names{"0:"}));
}

TEST_F(Check, a_session_that_another_device_signed_is_noticed) {
  BlobId record;
  const auto& session = sealer_->session().bytes;
  std::copy(session.begin(), session.end(), record.bytes.begin());
  remote_->blobs.at(record).stored.back() ^= std::byte{1};
  const SnapshotCheckResult result = check(false);
  ASSERT_EQ(result.damage_count, 1U);
  EXPECT_TRUE(result.damages[0].snapshot.is_zero());
}

TEST_F(Check, what_the_newest_snapshot_needs_is_told_from_what_only_older_ones_need) {
  remote_->blobs.erase(contents_[7].blob);     // in both
  remote_->blobs.erase(contents_[3100].blob);  // of "large", in the older one alone
  const DamageCounts counts = check(false).counts;
  EXPECT_EQ(counts.present, 2U);
  EXPECT_EQ(counts.past, 1U);
  EXPECT_EQ(counts.records + counts.histories, 0U);
}

TEST_F(Check, checkpoints_trash_and_other_sources_are_no_newer_ones) {
  remote_->blobs.erase(contents_[3100].blob);
  remote_->list[1].commit.flags = repository::kSnapshotCheckpoint;
  EXPECT_EQ(check(false).counts.present, 1U);
  remote_->list[1].commit.flags = 0;
  remote_->list[1].in_trash = true;
  EXPECT_EQ(check(false).counts.present, 1U);
  remote_->list[1].in_trash = false;
  remote_->list[1].commit.source.bytes.fill(std::byte{9});
  EXPECT_EQ(check(false).counts.present, 1U);
}

TEST_F(Check, a_snapshot_that_cannot_be_read_is_damage_of_a_record) {
  damage(remote_->list[0].commit.snapshot);
  const SnapshotCheckResult result = check(false);
  EXPECT_EQ(result.counts.records, 1U);
  EXPECT_EQ(result.damages.at(0).kind, DamageKind::record);
}

TEST_F(Check, a_snapshot_that_tells_another_history_is_told_apart) {
  judge_ = [](const repository::SnapshotRecord&, const repository::CommitRecord&) -> Status {
    return failed(Code::denied, "snapshot", "tells another history");
  };
  const SnapshotCheckResult result = check(false);
  EXPECT_EQ(result.counts.histories, 2U);
  EXPECT_EQ(result.counts.records, 0U);
  EXPECT_EQ(result.damages.at(0).kind, DamageKind::history);
}

TEST_F(Check, snapshots_of_devices_whose_key_is_unknown_are_counted) {
  SnapshotCheck::Parts parts;
  parts.remote = remote_.get();
  parts.fetcher = fetcher_.get();
  parts.repository = repository_.record.id;
  parts.key_of = [](const repository::DeviceId&) { return std::nullopt; };
  SnapshotCheck run(std::move(parts));
  const SnapshotCheckResult result = must(run.run(false));
  EXPECT_EQ(result.unknown_signers, 2U);
  EXPECT_EQ(result.damage_count, 0U);
}

}  // namespace
}  // namespace cb::client
