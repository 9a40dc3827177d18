// SPDX-License-Identifier: Apache-2.0
//
// Kills a process that backs up, removes, collects and compacts in a loop, at random moments, opens
// the repository again and looks: every snapshot that was acknowledged and not removed is whole,
// with the signatures of its data. One thread.
//
// CB_KILL_ROUNDS (default 15) and CB_KILL_SEED set length and course.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <random>

#include "core/repository/collection_fixture.h"

namespace cb::repository {
namespace {

uint64_t number_in(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

struct Told {
  char what = 0;  // 'c' committed, 'r' is about to be removed
  uint64_t number = 0;
};

// What follows from the number: neighbours share most pieces. Each has a signature.
TestSnapshot snapshot_of(uint64_t number) {
  std::set<uint64_t> pieces;
  for (uint64_t i = 0; i < 12; ++i) pieces.insert((number / (1 + i % 3) * 7 + i * 5) % 60);
  TestSnapshot made = make_tree(pieces, number);
  for (const uint64_t piece : pieces) made.blobs.push_back(signature_of(piece));
  return made;
}

void tell(int out, const Told& told) {
  if (::write(out, &told, sizeof told) != sizeof told) ::_exit(4);
}

EngineLimits small_packs() {
  EngineLimits limits;
  limits.data_pack = 8'000;
  limits.node_pack = 3'000;
  return limits;
}

void back_up_one(EngineHouse& house, const RepositoryId& repository, uint64_t number) {
  const TestSnapshot snapshot = snapshot_of(number);
  const auto intake = must(house.engine().begin(repository, {}, number % 4 == 0));
  for (const StoredBlob& blob : snapshot.blobs) {
    const bool is_record = blob.head.kind == BlobKind::session;
    if (is_record || !must(intake->have(std::array<BlobId, 1>{blob.head.id}))[0])
      must(put_blob(*intake, blob));
  }
  if (!must(intake->commit(snapshot.request)).missing.empty())
    throw std::runtime_error("a commit lacks something");
}

// The child: back up, remove what came four before, collect, and now and then compact.
[[noreturn]] void keep_house_until_killed(const char* plugin, const std::filesystem::path& folder,
                                          uint64_t first, int out) {
  try {
    EngineHouse house(plugin, small_packs(), folder);
    const RepositoryId repository = house.create();
    must(house.engine().remove_leftovers());
    Engine::CollectOptions now;
    now.wait = now.keep_uncommitted = {};
    for (uint64_t number = first;; ++number) {
      back_up_one(house, repository, number);
      tell(out, {'c', number});
      if (number >= first + 4) {
        const TestSnapshot old = snapshot_of(number - 4);
        must(house.engine().forget(repository, old.request.snapshot, {}));
        tell(out, {'r', number - 4});
        take_from_trash(house, repository, old);
      }
      must(house.engine().collect(repository, now, {}));
      if (number % 3 == 0) must(house.engine().compact(repository, {}, {}));
    }
  } catch (const std::exception& error) {
    static_cast<void>(::write(2, error.what(), std::strlen(error.what())));
  }
  ::_exit(3);
}

class CollectionKill : public testing::TestWithParam<const char*> {
 protected:
  CollectionKill() {
    std::string name = (std::filesystem::temp_directory_path() / "cb-kill-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~CollectionKill() override { std::filesystem::remove_all(folder_); }

  // Runs a child until it told `lines` things and some microseconds more.
  void run_and_kill(uint64_t lines, std::chrono::microseconds then) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe[0]);
      keep_house_until_killed(GetParam(), folder_, next_, pipe[1]);
    }
    ::close(pipe[1]);
    Told told;
    while (lines-- > 0 && ::read(pipe[0], &told, sizeof told) == sizeof told) hear(told);
    const auto end = std::chrono::steady_clock::now() + then;
    while (std::chrono::steady_clock::now() < end) continue;
    ::kill(child, SIGKILL);
    while (::read(pipe[0], &told, sizeof told) == sizeof told) hear(told);
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
  }

  void hear(const Told& told) {
    if (told.what == 'c') alive_.insert(told.number);
    if (told.what == 'r') alive_.erase(told.number);
    acknowledged_ += told.what == 'c' ? 1 : 0;
    next_ = std::max(next_, told.number + 1);
  }

  void look() {
    EngineHouse house(GetParam(), small_packs(), folder_);
    const RepositoryId repository = house.create();
    must(house.engine().remove_leftovers());
    EXPECT_EQ(must(house.engine().remove_leftovers()), 0u);
    const auto checked = must(house.engine().check(repository, true, {}));
    for (const std::string& finding : checked.findings) ADD_FAILURE() << finding;
    for (const uint64_t number : alive_) {
      const TestSnapshot snapshot = snapshot_of(number);
      const auto found = must(read_all(house.engine(), repository, ids_of(snapshot.blobs)));
      for (const StoredBlob& blob : snapshot.blobs) {
        ASSERT_TRUE(found.contains(blob.head.id)) << "snapshot " << number;
        ASSERT_EQ(found.at(blob.head.id).stored, blob.stored);
      }
    }
  }

  std::filesystem::path folder_;
  uint64_t next_ = 1;
  uint64_t acknowledged_ = 0;
  std::set<uint64_t> alive_;
};

INSTANTIATE_TEST_SUITE_P(Stores, CollectionKill, testing::Values("store-fs", "store-sqlite"),
                         store_name);

TEST_P(CollectionKill, every_snapshot_that_was_not_removed_is_whole_after_a_kill_at_any_moment) {
  const uint64_t rounds = number_in("CB_KILL_ROUNDS", 15);
  const uint64_t seed = number_in("CB_KILL_SEED", std::random_device{}());
  SCOPED_TRACE("CB_KILL_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (uint64_t round = 0; round < rounds && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    run_and_kill(1 + random() % 24, std::chrono::microseconds(random() % 30'000));
    if (!HasFatalFailure()) look();
    ++next_;  // it may have been committed without a word
  }
  std::printf("%s: %llu acknowledged commits, %zu alive, seed %llu\n", GetParam(),
              static_cast<unsigned long long>(acknowledged_), alive_.size(),
              static_cast<unsigned long long>(seed));
  EXPECT_GT(acknowledged_, rounds);
}

}  // namespace
}  // namespace cb::repository
