// SPDX-License-Identifier: Apache-2.0
//
// For tests of collection and compaction: a repository with several devices whose clock stands, and
// snapshots that share pieces as those of real clients do. Used by one thread.
#pragma once

#include <gtest/gtest.h>

#include <set>

#include "core/repository/engine_fixture.h"

namespace cb::repository {

constexpr std::chrono::hours kDay{24};

// A snapshot of these pieces, in nodes of at most four below a root. Ids follow from what is below,
// so equal parts are equal blobs. The session record comes first, the snapshot last.
inline TestSnapshot make_tree(const std::set<uint64_t>& pieces, uint64_t session) {
  const auto node_of = [session](const std::vector<BlobId>& children, size_t size) {
    uint64_t number = 0xcbf29ce484222325;
    for (const BlobId& child : children)
      number = (number ^ load_le<uint64_t>(child.bytes.data())) * 0x100000001b3;
    return make_blob(BlobKind::node, number, size, children, session);
  };
  TestSnapshot made;
  made.blobs.push_back(session_record(session));
  std::vector<StoredBlob> nodes;
  std::vector<BlobId> below;
  for (const uint64_t piece : pieces) {
    made.blobs.push_back(
        make_blob(BlobKind::data, 1'000'000 + piece, 700 + piece * 37 % 900, {}, session));
    below.push_back(made.blobs.back().head.id);
    if (below.size() < 4 && piece != *pieces.rbegin()) continue;
    nodes.push_back(node_of(below, 300));
    below.clear();
  }
  std::vector<BlobId> tops;
  for (StoredBlob& node : nodes) {
    tops.push_back(node.head.id);
    made.blobs.push_back(std::move(node));
  }
  made.blobs.push_back(node_of(tops, 200));
  made.request.root = made.blobs.back().head.id;
  made.blobs.push_back(
      make_blob(BlobKind::snapshot, 5'000'000 + session, 150, {made.request.root}, session));
  made.request.snapshot = made.blobs.back().head.id;
  std::copy_n(made.request.snapshot.bytes.begin(), CommitId::kSize,
              made.request.commit_id.bytes.begin());
  return made;
}

// The data that make_tree makes of a piece.
inline BlobId data_id(uint64_t piece) {
  return make_blob(BlobKind::data, 1'000'000 + piece, 1).head.id;
}

// One of several signatures of a piece.
inline StoredBlob signature_of(uint64_t piece, uint64_t number = 0) {
  return make_blob(BlobKind::signature, 3'000'000 + piece * 10 + number, 40 + piece % 50,
                   {data_id(piece)});
}

inline StoredBlob recipe_of(const std::vector<uint64_t>& pieces, uint64_t number = 0) {
  std::vector<BlobId> children;
  for (const uint64_t piece : pieces) children.push_back(data_id(piece));
  return make_blob(BlobKind::recipe, 4'000'000 + number, 60, std::move(children));
}

// Ends a snapshot's time in the trash.
inline void take_from_trash(EngineHouse& house, const RepositoryId& repository,
                            const TestSnapshot& snapshot) {
  must(house.engine().remove(repository, snapshot.request.snapshot));
}

class Collecting : public testing::TestWithParam<const char*> {
 protected:
  explicit Collecting(EngineLimits limits = {}) : house_(GetParam(), limits) {
    repository_ = house_.create();
    house_.clock().set_wall(now_);
    owner_ = house_.add_device(1, Role::owner);
    sharer_ = house_.add_device(2, Role::writer, true);
    writer_ = house_.add_device(3, Role::writer);
  }

  Engine& engine() { return house_.engine(); }

  void advance(std::chrono::nanoseconds by) {
    now_ += by;
    house_.clock().set_wall(now_);
    house_.clock().advance(by);
  }

  // As a client: sends what is lacking.
  void send(Intake& intake, const TestSnapshot& snapshot) {
    for (const StoredBlob& blob : snapshot.blobs) {
      const bool there = must(intake.have(std::array<BlobId, 1>{blob.head.id}))[0];
      const bool is_record = blob.head.kind == BlobKind::session;
      if (!there || is_record) must(put_blob(intake, blob));
    }
  }
  std::vector<BlobId> commit(Intake& intake, const TestSnapshot& snapshot) {
    return must(intake.commit(snapshot.request)).missing;
  }
  void back_up(const Viewer& viewer, const TestSnapshot& snapshot, bool is_private = false) {
    const auto intake = must(engine().begin(repository_, viewer, is_private));
    send(*intake, snapshot);
    ASSERT_TRUE(commit(*intake, snapshot).empty());
  }

  void forget(const TestSnapshot& snapshot) {
    must(engine().forget(repository_, snapshot.request.snapshot, owner_.device));
  }
  void remove(const TestSnapshot& snapshot) {
    forget(snapshot);
    take_from_trash(house_, repository_, snapshot);
  }

  Engine::Collected collect(std::chrono::nanoseconds wait = std::chrono::hours(1),
                            const Engine::CheckProgress& progress = {}) {
    Engine::CollectOptions options;
    options.wait = wait;
    return must(engine().collect(repository_, options, progress));
  }
  Engine::Compacted compact() { return must(engine().compact(repository_, {}, {})); }

  void expect_readable(const TestSnapshot& snapshot, const Viewer& whose) {
    const auto found = must(read_all(engine(), repository_, ids_of(snapshot.blobs), whose));
    for (const StoredBlob& blob : snapshot.blobs) {
      ASSERT_TRUE(found.contains(blob.head.id)) << blob.head.id.hex();
      ASSERT_EQ(found.at(blob.head.id).stored, blob.stored);
    }
  }
  void expect_clean() {
    const auto checked = must(engine().check(repository_, true, {}));
    for (const std::string& finding : checked.findings) ADD_FAILURE() << finding;
    for (const std::string& note : checked.notes) ADD_FAILURE() << note;
  }
  size_t lacking(const Viewer& viewer, const TestSnapshot& snapshot) {
    const auto there = must(engine().have(repository_, viewer, ids_of(snapshot.blobs)));
    return static_cast<size_t>(std::count(there.begin(), there.end(), false));
  }
  size_t packs() { return house_.objects("v4/" + repository_.hex() + "/pack/").size(); }

  EngineHouse house_;
  RepositoryId repository_;
  Viewer owner_, sharer_, writer_;
  std::chrono::nanoseconds now_ = std::chrono::hours(24 * 365 * 57);
};

inline std::string store_name(const testing::TestParamInfo<const char*>& one) {
  return std::string(one.param) == "store-fs" ? "fs" : "sqlite";
}

}  // namespace cb::repository
