// SPDX-License-Identifier: Apache-2.0
//
// Random courses of intakes of several devices, flushes, commits, verdicts and restarts against a
// model that is a few maps, and twenty threads at once. CB_MODEL_SEED sets the course.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <set>
#include <thread>

#include "core/repository/engine_fixture.h"
#include "core/repository/pack.h"

namespace cb::repository {
namespace {

class Course {
 public:
  Course(const char* plugin, uint64_t seed) : random_(seed), house_(plugin, limits()) {
    repository_ = house_.create();
    viewers_ = {house_.add_device(1, Role::owner), house_.add_device(2, Role::writer, true),
                house_.add_device(3, Role::writer)};
    for (uint64_t i = 0; i < 3; ++i) snapshots_.push_back(make_snapshot(i + 1, 4 + i, 3'000));
    for (const TestSnapshot& snapshot : snapshots_)
      for (const StoredBlob& blob : snapshot.blobs) known_.emplace(blob.head.id, &blob);
    intakes_.resize(3);
  }

  void step() {
    Place& place = intakes_[random_() % intakes_.size()];
    check_counts();
    switch (random_() % 15) {
      case 0:
        return restart();
      case 1:
        return drop_or_end(place);
      case 2:
        return flush(place);
      case 3:
        return commit(place);
      case 4:
        return look();
      case 5:
        return settle(place);
      case 6:
        return open_up(snapshots_[random_() % snapshots_.size()]);
      case 7:
        return condemn();
      default:
        return put(place);
    }
  }

  void look() {
    std::vector<BlobId> ids;
    for (const auto& [id, blob] : known_) ids.push_back(id);
    for (size_t domain = 0; domain < kDomains; ++domain) {
      const auto there = must(house_.engine().have(repository_, viewers_[domain], ids));
      const auto any = must(read_all(house_.engine(), repository_, ids, viewers_[domain]));
      const auto own = must(read_all(house_.engine(), repository_, ids, viewers_[domain], true));
      for (size_t i = 0; i < ids.size(); ++i) {
        ASSERT_EQ(there[i], is_seen(domain, ids[i]));
        ASSERT_EQ(own.contains(ids[i]), durable_[domain].contains(ids[i]));
        // As a last resort also what was condemned, but not as a copy of the owners'.
        const bool is_anywhere = is_seen(0, ids[i]) || is_seen(1, ids[i]) || is_seen(2, ids[i]) ||
                                 condemned_[1].contains(ids[i]) || condemned_[2].contains(ids[i]);
        ASSERT_EQ(any.contains(ids[i]), is_anywhere);
        if (!is_anywhere) continue;
        ASSERT_EQ(any.at(ids[i]).stored, known_.at(ids[i])->stored);
      }
    }
    ASSERT_EQ(must(house_.engine().snapshots(repository_, false)).size(), committed_.size());
    ASSERT_EQ(must(house_.engine().head(repository_)).sequence, committed_.size());
  }

  void end() {
    for (Place& place : intakes_) finish(place);
    look();
    const auto checked = must(house_.engine().check(repository_, true, {}));
    const bool lacks = std::any_of(committed_.begin(), committed_.end(), [&](const auto& one) {
      const TestSnapshot& snapshot = snapshots_[one.first];
      return std::any_of(snapshot.blobs.begin() + 1, snapshot.blobs.end(),
                         [&](const auto& blob) { return !is_seen(one.second, blob.head.id); });
    });
    ASSERT_EQ(checked.findings.empty(), !lacks)
        << (lacks ? std::string("nothing found") : checked.findings.front());
    size_t rows = 0;
    for (size_t domain = 0; domain < kDomains; ++domain)
      rows += durable_[domain].size() + condemned_[domain].size();
    ASSERT_EQ(checked.blobs, rows);
    EXPECT_EQ(must(house_.engine().remove_leftovers()), 0u);
  }

 private:
  // The open one, the shared one, a device's own.
  static constexpr size_t kDomains = 3;
  struct Place {
    std::unique_ptr<Intake> intake;
    size_t domain = 0;
    bool is_private = false;
    std::map<BlobId, uint64_t> here;  // on their way or private, and in which pack
    std::array<uint64_t, 2> packs{};  // the open one of each class; 0: none
    std::set<uint64_t> leaned_on;     // packs of others
    bool ever_leaned = false;
    std::vector<BlobId> ended;
  };

  static EngineLimits limits() {
    EngineLimits limits;
    limits.pack_age = std::chrono::hours(1);
    return limits;
  }

  void open(Place& place) {
    if (place.intake) return;
    place = {};
    place.domain = random_() % kDomains;
    place.is_private = place.domain == 0 && random_() % 3 == 0;
    place.intake =
        must(house_.engine().begin(repository_, viewers_[place.domain], place.is_private));
  }

  [[nodiscard]] bool is_seen(size_t domain, const BlobId& id) const {
    return durable_[0].contains(id) || durable_[domain].contains(id);
  }

  void make_durable(size_t domain, const BlobId& id) {
    durable_[domain].insert(id);
    condemned_[domain].erase(id);
  }

  // An owner's check found a device's copies of a snapshot good.
  void open_up(const TestSnapshot& snapshot) {
    const size_t domain = 1 + random_() % (kDomains - 1);
    std::vector<BlobId> ids;
    for (const StoredBlob& blob : snapshot.blobs)
      if (random_() % 4 != 0) ids.push_back(blob.head.id);
    must(house_.engine().verified(repository_, viewers_[domain], ids, false));
    for (const BlobId& id : ids) {  // children come first here
      const BlobHead& head = known_.at(id)->head;
      const bool has_children =
          std::all_of(head.children.begin(), head.children.end(),
                      [&](const BlobId& child) { return durable_[0].contains(child); });
      if (!durable_[domain].contains(id) || !has_children) continue;
      move_open(domain, id);
      const BlobId record = blob_of(head.session);
      if (durable_[domain].contains(record)) move_open(domain, record);
    }
  }

  void move_open(size_t domain, const BlobId& id) {
    durable_[domain].erase(id);
    make_durable(0, id);
  }

  // It found one bad; sent again it may be good.
  void condemn() {
    if (random_() % 3 != 0) return;
    const size_t domain = random_() % kDomains;
    const TestSnapshot& snapshot = snapshots_[random_() % snapshots_.size()];
    const size_t which = 1 + random_() % (snapshot.blobs.size() - 1);
    const BlobId& id = snapshot.blobs[which].head.id;
    const std::array<BlobId, 1> ids = {id};
    must(house_.engine().verified(repository_, viewers_[domain], ids, true));
    if (durable_[domain].erase(id) == 0) return;
    condemned_[domain].insert(id);
    ever_condemned_.insert(id);
  }

  void close_pack(Place& place, size_t which) {
    const uint64_t pack = std::exchange(place.packs[which], 0);
    if (pack == 0) return;
    for (auto at = place.here.begin(); at != place.here.end();) {
      if (at->second != pack) {
        ++at;
        continue;
      }
      make_durable(place.domain, at->first);
      at = place.here.erase(at);
    }
    for (const BlobId& record : records_[pack]) make_durable(place.domain, record);
    forget(pack);
  }

  void forget(uint64_t pack) {
    std::erase_if(in_flight_, [&](const auto& one) { return one.second == pack; });
    wanted_.erase(pack);
    records_.erase(pack);
  }

  // What the intake of this place makes durable when it closes its packs.
  void publish(Place& place) {
    if (!place.is_private)
      for (size_t i = 0; i < 2; ++i) close_pack(place, i);
  }

  // The commit made it everybody's.
  void publish_private(Place& place) {
    for (const auto& [id, pack] : place.here) make_durable(0, id);
    place.here.clear();
  }

  void finish(Place& place) {
    if (!place.intake) return;
    place.intake.reset();
    publish(place);
    place = {};
  }

  void restart() {
    for (Place& place : intakes_) finish(place);
    house_.reopen();
  }

  void drop_or_end(Place& place) {
    if (!place.intake) return;
    if (random_() % 2 == 0) return finish(place);
    must(place.intake->drop());
    for (const uint64_t pack : place.packs) forget(pack);
    place = {};
  }

  void flush(Place& place) {
    if (!place.intake) return;
    must(place.intake->flush());
    const uint64_t least = place.ever_leaned ? 0 : place.ended.size();
    ASSERT_GE(place.intake->durable(), least);
    publish(place);
  }

  [[nodiscard]] bool is_open(uint64_t pack) const {
    return std::any_of(intakes_.begin(), intakes_.end(), [&](const Place& place) {
      return place.packs[0] == pack || place.packs[1] == pack;
    });
  }

  [[nodiscard]] static bool is_mine(const Place& place, uint64_t pack) {
    return pack == place.packs[0] || pack == place.packs[1];
  }

  void settle(Place& place) {
    if (!place.intake) return;
    const bool is_settled = place.intake->settle({});
    std::erase_if(place.leaned_on,
                  [&](uint64_t pack) { return !is_open(pack) || given_up_.contains(pack); });
    ASSERT_EQ(is_settled, place.leaned_on.empty());
    wanted_.insert(place.leaned_on.begin(), place.leaned_on.end());
  }

  // In the index's stead: does a counter claim more than is durable?
  void check_counts() {
    for (const Place& place : intakes_) {
      if (!place.intake) continue;
      const uint64_t durable = place.intake->durable();
      ASSERT_LE(durable, place.ended.size());
      for (size_t i = 0; i < durable && !place.is_private; ++i)
        ASSERT_TRUE(is_seen(place.domain, place.ended[i]) ||
                    ever_condemned_.contains(place.ended[i]));
    }
  }

  // Where a blob goes that is put now. True when it is brought anew.
  bool claim(Place& place, const StoredBlob& blob) {
    if (is_seen(place.domain, blob.head.id)) return false;
    uint64_t& pack = place.packs[class_of(blob.head.kind) == PackClass::data ? 0 : 1];
    if (pack == 0) pack = ++packs_;
    if (place.is_private) return place.here.emplace(blob.head.id, pack).second;
    return claim_among_others(place, blob, pack);
  }

  bool claim_among_others(Place& place, const StoredBlob& blob, uint64_t pack) {
    const BlobId& id = blob.head.id;
    const bool is_record = blob.head.kind == BlobKind::session;
    const std::optional<uint64_t> other = pack_of(place, id);
    if (other && is_mine(place, *other)) return false;
    if (!other) {
      in_flight_[{place.domain, id}] = pack;
    } else if (!is_record) {
      lean(place, *other);
      return false;
    }
    place.here.emplace(id, pack);
    // Its session's record comes before it.
    if (!is_record) records_[pack].insert(blob_of(blob.head.session));
    return true;
  }

  // The open pack that a blob lies in as this place sees it: its own, one of its domain, one that
  // all may lean on.
  [[nodiscard]] std::optional<uint64_t> pack_of(const Place& place, const BlobId& id) const {
    for (const size_t domain : {place.domain, size_t{0}}) {
      const auto at = in_flight_.find({domain, id});
      if (at == in_flight_.end()) continue;
      if (is_mine(place, at->second) || !given_up_.contains(at->second)) return at->second;
    }
    return std::nullopt;
  }

  static void lean(Place& place, uint64_t pack) {
    place.leaned_on.insert(pack);
    place.ever_leaned = true;
  }

  void cut(Place& place, const StoredBlob& blob) {
    const auto before = place.here;
    must(place.intake->begin(blob.head));
    must(place.intake->content(ByteView(blob.stored).first(random_() % blob.stored.size())));
    place.intake->cut();
    if (claim(place, blob)) {
      const auto at = in_flight_.find({place.domain, blob.head.id});
      if (at != in_flight_.end() && is_mine(place, at->second)) in_flight_.erase(at);
    }
    place.here = before;
  }

  void put(Place& place) {
    open(place);
    const TestSnapshot& snapshot = snapshots_[random_() % snapshots_.size()];
    const StoredBlob& record = snapshot.blobs.front();
    const StoredBlob& blob = snapshot.blobs[random_() % snapshot.blobs.size()];
    if (random_() % 8 == 0 && place.here.contains(record.head.id) &&
        blob.head.kind != BlobKind::session)
      return cut(place, blob);
    for (const StoredBlob* one : {&record, &blob}) {
      must(put_blob(*place.intake, *one));
      claim(place, *one);
      place.ended.push_back(one->head.id);
      for (size_t i = 0; i < 2; ++i)
        if (wanted_.contains(place.packs[i])) close_pack(place, i);
    }
    const auto there = must(place.intake->have(std::array<BlobId, 1>{blob.head.id}));
    const std::optional<uint64_t> other = pack_of(place, blob.head.id);
    if (!is_seen(place.domain, blob.head.id) && !place.is_private && other &&
        !is_mine(place, *other))
      lean(place, *other);
    ASSERT_TRUE(there[0]);
  }

  void commit(Place& place) {
    open(place);
    const size_t which = random_() % snapshots_.size();
    const TestSnapshot& snapshot = snapshots_[which];
    const CommitAnswer answer = must(place.intake->commit(snapshot.request));
    const bool committed = answer.missing.empty();
    const bool repeated = committed_.contains(which);
    ASSERT_EQ(committed, repeated || is_whole(place, snapshot));
    publish(place);
    if (!committed) {
      for (const uint64_t pack : std::exchange(place.leaned_on, {}))
        if (is_open(pack)) given_up_.insert(pack);
      return;
    }
    if (!repeated) committed_.emplace(which, place.domain);
    if (!place.is_private) return;
    // What is private and not needed, since the answer was given before, is dropped.
    if (!repeated) publish_private(place);
    place.here.clear();
    place.packs = {};
  }

  // The session record is no child of anything; every blob of the session brings it along.
  bool is_whole(const Place& place, const TestSnapshot& snapshot) {
    for (size_t i = 1; i < snapshot.blobs.size(); ++i) {
      const BlobId& id = snapshot.blobs[i].head.id;
      if (!is_seen(place.domain, id) && !place.here.contains(id)) return false;
    }
    return true;
  }

  std::mt19937_64 random_;
  EngineHouse house_;
  RepositoryId repository_;
  std::vector<TestSnapshot> snapshots_;
  std::map<BlobId, const StoredBlob*> known_;
  std::vector<Place> intakes_;
  std::array<Viewer, kDomains> viewers_;
  std::array<std::set<BlobId>, kDomains> durable_, condemned_;
  std::set<BlobId> ever_condemned_;
  uint64_t packs_ = 0;
  // In which open pack that is not private.
  std::map<std::pair<size_t, BlobId>, uint64_t> in_flight_;
  std::map<uint64_t, std::set<BlobId>> records_;  // of sessions, in each of these packs
  std::set<uint64_t> wanted_, given_up_;
  std::map<size_t, size_t> committed_;  // and in whose domain
};

class EngineModel : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Stores, EngineModel, testing::Values("store-fs", "store-sqlite"),
                         [](const auto& one) {
                           return std::string(one.param) == "store-fs" ? "fs" : "sqlite";
                         });

TEST_P(EngineModel, an_engine_does_what_a_few_maps_would) {
  const char* given = std::getenv("CB_MODEL_SEED");
  const uint64_t first =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  for (uint64_t round = 0; round < (given != nullptr ? 1 : 10); ++round) {
    SCOPED_TRACE("CB_MODEL_SEED=" + std::to_string(first + round));
    Course course(GetParam(), first + round);
    for (int i = 0; i < 120 && !HasFatalFailure(); ++i) course.step();
    if (!HasFatalFailure()) course.end();
    if (HasFatalFailure()) return;
  }
}

TEST_P(EngineModel, twenty_threads_back_up_into_one_repository_at_once) {
  EngineLimits limits;
  limits.data_pack = 200'000;
  EngineHouse house(GetParam(), limits);
  const RepositoryId repository = house.create();
  // Half of what each sends is sent by all.
  const TestSnapshot shared = make_snapshot(999, 10, 20'000);
  constexpr size_t kThreads = 20;
  std::vector<TestSnapshot> snapshots;
  for (size_t i = 0; i < kThreads; ++i) snapshots.push_back(make_snapshot(i + 1, 10, 20'000));
  std::vector<std::thread> threads;
  std::vector<std::string> failures(kThreads);
  for (size_t i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] {
      try {
        auto intake = must(
            house.engine().begin(repository, {device_of(static_cast<uint8_t>(i))}, i % 4 == 0));
        for (size_t k = 0; k < shared.blobs.size(); ++k) {
          must(put_blob(*intake, shared.blobs[k]));
          must(put_blob(*intake, snapshots[i].blobs[k]));
        }
        if (!must(intake->commit(snapshots[i].request)).missing.empty())
          throw std::runtime_error("the commit misses blobs");
        const auto ids = ids_of(snapshots[i].blobs);
        if (must(read_all(house.engine(), repository, ids)).size() != ids.size())
          throw std::runtime_error("blobs are lacking");
      } catch (const std::exception& error) {
        failures[i] = error.what();
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& failure : failures) EXPECT_EQ(failure, "");
  const auto listed = must(house.engine().snapshots(repository, false));
  ASSERT_EQ(listed.size(), kThreads);
  for (size_t i = 0; i < kThreads; ++i) EXPECT_EQ(listed[i].commit.sequence, i + 1);
  const auto checked = must(house.engine().check(repository, true, {}));
  EXPECT_TRUE(checked.findings.empty()) << checked.findings.front();
  EXPECT_EQ(checked.blobs, (kThreads + 1) * shared.blobs.size());
  EXPECT_EQ(must(house.engine().remove_leftovers()), 0u);
}

}  // namespace
}  // namespace cb::repository
