// SPDX-License-Identifier: Apache-2.0
//
// Random courses of several clients whose backups go on while a collection or a compaction runs,
// and at each of its steps: commits, forgets, removals, undeletes, verdicts, restarts, and now and
// then a stop in the middle. The model is the list of snapshots that were acknowledged: none may
// ever lack a byte, nor a signature that was there with it, and in the end no signature is there
// without its data. CB_MODEL_SEED sets the course, CB_MODEL_ROUNDS how many.
#include <cstdlib>
#include <limits>
#include <random>

#include "core/repository/collection_fixture.h"

namespace cb::repository {
namespace {

constexpr uint64_t kPieces = 40;
constexpr size_t kMostOpen = 4;

class CollectionCourse {
 public:
  CollectionCourse(const char* plugin, uint64_t seed) : random_(seed), house_(plugin, limits()) {
    repository_ = house_.create();
    house_.clock().set_wall(now_);
    viewers_ = {house_.add_device(1, Role::owner), house_.add_device(2, Role::writer, true),
                house_.add_device(3, Role::writer), house_.add_device(4, Role::writer)};
  }

  void step(bool is_nested = false) {
    switch (random_() % (is_nested ? 16 : 22)) {
      case 0:
        return advance();
      case 1:
        return forget_one();
      case 2:
        return undelete_one();
      case 3:
        return remove_one();
      case 5:
        return open_up();
      case 6:
        return end_one();
      case 7:
      case 8:
        return begin_one();
      case 16:
      case 17:
        return collect();
      case 18:
        return compact();
      case 19:
        return restart();
      default:
        return go_on();
    }
  }

  // Is every snapshot that was acknowledged whole?
  void look() {
    for (const Kept& one : kept_) {
      const auto& blobs = one.snapshot.blobs;
      const auto found = must(read_all(house_.engine(), repository_, ids_of(blobs), one.whose));
      std::set<BlobId> records;  // of the sessions that sealed what was found
      for (const StoredBlob& blob : blobs) {
        ASSERT_TRUE(found.contains(blob.head.id)) << "lost " << blob.head.id.hex();
        ASSERT_EQ(found.at(blob.head.id).stored, blob.stored);
        const SessionId session = found.at(blob.head.id).head.session;
        if (!session.is_zero()) records.insert(blob_of(session));
      }
      const std::vector<BlobId> wanted(records.begin(), records.end());
      ASSERT_EQ(must(read_all(house_.engine(), repository_, wanted, one.whose)).size(),
                wanted.size());
    }
    ASSERT_EQ(must(house_.engine().snapshots(repository_, true)).size(), kept_.size());
    for (const Kept& one : kept_)
      for (const bool there : must(house_.engine().have(repository_, one.whose, one.weak)))
        ASSERT_TRUE(there) << "lost a signature whose data lives";
  }

  // Does everything that weak rows describe live, where they see it?
  void look_at_weak() {
    catalog::Collection& rows = house_.catalog().collection();
    const int64_t number = must(house_.catalog().index().repository(repository_.bytes))->number;
    for (const catalog::HeldPack& pack : must(rows.packs(number, 0, 9999)))
      for (const catalog::HeldBlob& row : must(rows.rows_in(pack.number))) {
        if (!is_weak(static_cast<BlobKind>(row.kind))) continue;
        ASSERT_FALSE(row.condemned);
        std::vector<catalog::Bytes32> children;
        must(rows.children_of(std::array{row.number}, [&](ByteView ids) {
          for (size_t at = 0; at < ids.size(); at += BlobId::kSize)
            std::copy_n(ids.data() + at, BlobId::kSize, children.emplace_back().data());
        }));
        for (const bool there : must(house_.catalog().index().have(number, {row.domain}, children)))
          ASSERT_TRUE(there) << "a signature outlived its data";
        ++weak_left;
      }
  }

  void check() {
    const auto checked = must(house_.engine().check(repository_, true, {}));
    ASSERT_TRUE(checked.findings.empty()) << checked.findings.front();
  }

  // Then nothing dead is left but what is young.
  void end() {
    open_.clear();
    look();
    house_.clock().set_wall(now_ += 2 * kDay);
    run_collection({}, false);
    const auto rest = run_collection({}, false);
    EXPECT_EQ(rest.dead, 0u);
    must(house_.engine().compact(repository_, {}, {}));
    house_.clock().set_wall(now_ += 2 * kDay);
    run_collection({}, false);
    look();
    look_at_weak();
    check();
    EXPECT_EQ(must(house_.engine().remove_leftovers()), 0u);
    // What it wrote may be joined with what was left; it comes to an end.
    uint64_t sources = 1;
    for (int again = 0; again < 4 && sources > 0; ++again)
      sources = must(house_.engine().compact(repository_, {}, {})).sources;
    EXPECT_EQ(sources, 0u);
  }

  uint64_t commits = 0, resent = 0, deleted = 0, moved = 0, weak_left = 0;

 private:
  struct Kept {
    TestSnapshot snapshot;
    Viewer whose;
    std::set<uint64_t> pieces;
    std::vector<BlobId> weak;  // that were there when it was committed
    bool in_trash = false;
  };
  struct Open {
    Kept backup;
    bool is_private = false;
    std::unique_ptr<Intake> intake;
    std::vector<StoredBlob> blobs;  // of the snapshot, and weak ones among them
    size_t next = 0;
  };

  static EngineLimits limits() {
    EngineLimits limits;
    limits.data_pack = 20'000;
    limits.node_pack = 6'000;
    return limits;
  }

  void advance() {
    const std::chrono::nanoseconds by = std::chrono::minutes(random_() % 600);
    house_.clock().set_wall(now_ += by);
    house_.clock().advance(by);
  }

  // Often much like one that there is.
  std::set<uint64_t> draw_pieces() {
    std::set<uint64_t> pieces;
    if (!kept_.empty() && random_() % 2 == 0) pieces = kept_[random_() % kept_.size()].pieces;
    for (uint64_t i = 1 + random_() % 8; i > 0; --i) {
      const uint64_t piece = random_() % kPieces;
      if (random_() % 3 != 0 || pieces.size() < 2)
        pieces.insert(piece);
      else
        pieces.erase(pieces.begin());
    }
    return pieces;
  }

  void begin_one() {
    if (open_.size() >= kMostOpen) return;
    Open& one = open_.emplace_back();
    one.backup.whose = viewers_[random_() % viewers_.size()];
    one.is_private = one.backup.whose.role == Role::owner && random_() % 4 == 0;
    one.backup.pieces = draw_pieces();
    one.backup.snapshot = make_tree(one.backup.pieces, ++sessions_);
    one.intake = must(house_.engine().begin(repository_, one.backup.whose, one.is_private));
    one.blobs = one.backup.snapshot.blobs;
    add_weak(one);
  }

  // Signatures of some pieces, now and then of one that is another's or nobody's, and a recipe.
  void add_weak(Open& one) {
    std::vector<StoredBlob> weak;
    for (const uint64_t piece : one.backup.pieces)
      if (random_() % 2 == 0) weak.push_back(signature_of(piece, random_() % 2));
    weak.push_back(signature_of(random_() % (kPieces + 5)));
    const std::vector<uint64_t> pieces(one.backup.pieces.begin(), one.backup.pieces.end());
    uint64_t number = 0;
    for (const uint64_t piece : pieces) number = number * 1009 + piece + 1;
    if (random_() % 3 == 0) weak.push_back(recipe_of(pieces, number));
    for (StoredBlob& blob : weak) {
      const auto at = static_cast<ptrdiff_t>(1 + random_() % (one.blobs.size() - 1));
      one.blobs.insert(one.blobs.begin() + at, std::move(blob));
    }
  }

  // Which of them there are beside data that the snapshot keeps. One that is open needs it there: a
  // device's own does not count for it.
  void keep_weak(Kept& kept) {
    std::vector<BlobId> stay;
    for (const uint64_t piece : kept.pieces)
      for (const uint64_t number : {0, 1}) {
        const std::array ids = {signature_of(piece, number).head.id, data_id(piece)};
        const auto mine = must(house_.engine().have(repository_, kept.whose, ids));
        const auto open = must(house_.engine().have(repository_, viewers_[0], ids));
        if (mine[0] && (!open[0] || open[1])) stay.push_back(ids[0]);
      }
    kept.weak = std::move(stay);
  }

  static void send(Intake& intake, const StoredBlob& blob) {
    const bool is_record = blob.head.kind == BlobKind::session;
    const bool there = must(intake.have(std::array<BlobId, 1>{blob.head.id}))[0];
    if (!there || is_record) must(put_blob(intake, blob));
  }

  void go_on() {
    if (open_.empty()) return;
    const size_t which = random_() % open_.size();
    Open& one = open_[which];
    const auto& blobs = one.blobs;
    for (uint64_t i = 1 + random_() % 12; i > 0 && one.next < blobs.size(); --i)
      send(*one.intake, blobs[one.next++]);
    if (random_() % 6 == 0) must(one.intake->flush());
    if (one.next == blobs.size()) commit(which);
  }

  void commit(size_t which) {
    Open one = std::move(open_[which]);
    open_.erase(open_.begin() + static_cast<ptrdiff_t>(which));
    for (int again = 0;; ++again) {
      one.intake->settle({});
      const CommitAnswer answer = must(one.intake->commit(one.backup.snapshot.request));
      if (answer.missing.empty()) break;
      ASSERT_FALSE(one.is_private) << "an upload that cannot send again lacks something";
      ASSERT_LT(again, 4) << "what is missing stays missing";
      ++resent;
      for (const StoredBlob& blob : one.blobs) send(*one.intake, blob);
    }
    ++commits;
    keep_weak(one.backup);
    kept_.push_back(std::move(one.backup));
  }

  // Broken off: what came whole is durable, unless it is private.
  void end_one() {
    if (open_.empty() || random_() % 3 != 0) return;
    open_.erase(open_.begin() + static_cast<ptrdiff_t>(random_() % open_.size()));
  }

  Kept* draw(bool in_trash) {
    std::vector<Kept*> all;
    for (Kept& one : kept_)
      if (one.in_trash == in_trash) all.push_back(&one);
    return all.empty() ? nullptr : all[random_() % all.size()];
  }

  void forget_one() {
    Kept* one = draw(false);
    if (one == nullptr) return;
    must(house_.engine().forget(repository_, one->snapshot.request.snapshot, {}));
    one->in_trash = true;
  }

  void undelete_one() {
    Kept* one = draw(true);
    if (one == nullptr || random_() % 3 != 0) return;
    must(house_.engine().undelete(repository_, one->snapshot.request.snapshot, {}));
    one->in_trash = false;
  }

  void remove_one() {
    const Kept* one = draw(true);
    if (one == nullptr) return forget_one();
    take_from_trash(house_, repository_, one->snapshot);
    kept_.erase(kept_.begin() + (one - kept_.data()));
  }

  // An owner found a device's copies good: of a snapshot that is kept, or of any that could be.
  void open_up() {
    const Viewer& whose = viewers_[1 + random_() % (viewers_.size() - 1)];
    const TestSnapshot any = make_tree(draw_pieces(), 1);
    const TestSnapshot& some = kept_.empty() ? any : kept_[random_() % kept_.size()].snapshot;
    std::vector<BlobId> ids;
    for (const StoredBlob& blob : some.blobs)
      if (random_() % 5 != 0) ids.push_back(blob.head.id);
    must(house_.engine().verified(repository_, whose, ids, false));
  }

  // Then as others do at its steps; one run in four is stopped at one.
  void prepare_run() {
    left_ = random_() % 4 == 0 ? random_() % 120 : std::numeric_limits<uint64_t>::max();
    if (random_() % 3 == 0) open_.clear();
  }
  bool at_step() {
    if (random_() % 4 == 0) step(true);
    return left_-- > 0;
  }

  Engine::Collected run_collection(std::chrono::nanoseconds wait, bool beside_others) {
    Engine::CollectOptions options;
    options.wait = wait;
    options.keep_uncommitted = std::chrono::hours(2);
    const auto done = house_.engine().collect(
        repository_, options, [&](uint64_t, uint64_t) { return !beside_others || at_step(); });
    if (!done && done.error().code != Code::cancelled) must(done);
    return done ? *done : Engine::Collected();
  }

  void collect() {
    prepare_run();
    const auto done = run_collection(std::chrono::hours(random_() % 3), true);
    deleted += done.deleted;
    look();
  }

  void compact() {
    prepare_run();
    Engine::CompactOptions options;
    options.most_bytes = random_() % 3 == 0 ? 1 + random_() % 40'000 : 0;
    const auto done = house_.engine().compact(repository_, options,
                                              [&](uint64_t, uint64_t) { return at_step(); });
    if (!done && done.error().code != Code::cancelled) must(done);
    if (done) moved += done->blobs;
    look();
  }

  void restart() {
    open_.clear();
    house_.reopen();
    must(house_.engine().remove_leftovers());
    if (random_() % 3 == 0) check();
  }

  std::mt19937_64 random_;
  EngineHouse house_;
  RepositoryId repository_;
  std::vector<Viewer> viewers_;
  std::vector<Open> open_;
  std::vector<Kept> kept_;
  uint64_t sessions_ = 10;
  uint64_t left_ = 0;  // steps until the run is stopped
  std::chrono::nanoseconds now_ = std::chrono::hours(24 * 365 * 57);
};

class CollectionModel : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Stores, CollectionModel, testing::Values("store-fs", "store-sqlite"),
                         store_name);

uint64_t number_of(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST_P(CollectionModel, no_acknowledged_snapshot_ever_lacks_a_byte) {
  const uint64_t seed = number_of("CB_MODEL_SEED", 20'261'129);
  const uint64_t rounds = number_of("CB_MODEL_ROUNDS", 5);
  uint64_t commits = 0;
  uint64_t resent = 0;
  uint64_t deleted = 0;
  uint64_t moved = 0;
  uint64_t weak = 0;
  for (uint64_t round = 0; round < rounds; ++round) {
    SCOPED_TRACE("CB_MODEL_SEED=" + std::to_string(seed + round));
    CollectionCourse course(GetParam(), seed + round);
    for (int i = 0; i < 250 && !HasFatalFailure(); ++i) course.step();
    if (!HasFatalFailure()) course.end();
    if (HasFailure()) return;
    commits += course.commits;
    resent += course.resent;
    deleted += course.deleted;
    moved += course.moved;
    weak += course.weak_left;
  }
  std::printf(
      "%s: %llu commits, %llu of them sent again, %llu blobs deleted, %llu moved, %llu weak\n",
      GetParam(), static_cast<unsigned long long>(commits), static_cast<unsigned long long>(resent),
      static_cast<unsigned long long>(deleted), static_cast<unsigned long long>(moved),
      static_cast<unsigned long long>(weak));
  EXPECT_GT(weak, 0u);
  EXPECT_GT(commits, rounds * 10);
  EXPECT_GT(deleted, rounds * 10);
  EXPECT_GT(moved, rounds * 10);
}

}  // namespace
}  // namespace cb::repository
