// SPDX-License-Identifier: Apache-2.0
//
// Kills a process that backs up and commits in a loop, at random moments, opens the repository
// again and looks: what was acknowledged is there, and everything fits together. One thread.
//
// CB_KILL_ROUNDS (default 15) and CB_KILL_SEED set length and course.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <random>

#include "core/repository/engine_fixture.h"

namespace cb::repository {
namespace {

uint64_t number_of(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

struct Told {
  // 'd' durable up to `count` blobs of snapshot `number`, 'c' committed, 'r' the repository's
  // record has revision `count`.
  char what = 0;
  uint64_t number = 0;
  uint64_t count = 0;
};

void tell(int out, const Told& told) {
  if (::write(out, &told, sizeof told) != sizeof told) ::_exit(4);
}

// As a rotation: a record with other slots, and the session's record under another epoch.
uint64_t replace_records(Engine& engine, const RepositoryId& repository, uint64_t number) {
  RepositoryRecord record = must(engine.record(repository));
  ++record.revision;
  std::vector<KeySlot> slots(2);
  for (KeySlot& slot : slots) {
    slot.id.bytes.fill(static_cast<std::byte>(number + (&slot - slots.data())));
    slot.kind = SlotKind::recovery_code;
    slot.sealed = Bytes(40, static_cast<std::byte>(number));
  }
  must(engine.put_record(record, slots));
  SessionRecord session = must(decode_session(session_record(number).stored));
  session.epoch = 2;
  session.wrapped = Bytes(40);
  must(engine.put_sessions(repository,
                           std::array<SessionEntry, 1>{{{session_of(number), encode(session)}}}));
  return record.revision;
}

// The child: a snapshot after the other, each third one private, each fifth one forgotten; after
// every second one records are replaced.
[[noreturn]] void back_up_until_killed(const char* plugin, const std::filesystem::path& folder,
                                       uint64_t first, int out) {
  try {
    EngineLimits limits;
    limits.data_pack = 60'000;
    EngineHouse house(plugin, limits, folder);
    const RepositoryId repository = house.create();
    must(house.engine().remove_leftovers());
    for (uint64_t number = first;; ++number) {
      const TestSnapshot snapshot = make_snapshot(number, 6, 20'000);
      const bool is_private = number % 3 == 0;
      auto intake = must(house.engine().begin(repository, {device_of(1)}, is_private));
      for (const StoredBlob& blob : snapshot.blobs) {
        must(put_blob(*intake, blob));
        if (!is_private) tell(out, {'d', number, intake->durable()});
      }
      must(intake->commit(snapshot.request));
      tell(out, {'c', number, 0});
      if (number % 5 == 0)
        must(house.engine().forget(repository, snapshot.request.snapshot, device_of(1)));
      if (number % 2 == 0)
        tell(out, {'r', number, replace_records(house.engine(), repository, number)});
    }
  } catch (const std::exception& error) {
    static_cast<void>(::write(2, error.what(), std::strlen(error.what())));
  }
  ::_exit(3);
}

class EngineKill : public testing::TestWithParam<const char*> {
 protected:
  EngineKill() {
    std::string name = (std::filesystem::temp_directory_path() / "cb-kill-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~EngineKill() override { std::filesystem::remove_all(folder_); }

  // Runs a child until it told `lines` things and some microseconds more.
  void back_up_and_kill(uint64_t lines, std::chrono::microseconds then) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe[0]);
      back_up_until_killed(GetParam(), folder_, next_, pipe[1]);
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
    if (told.what == 'c')
      committed_.push_back(told.number);
    else if (told.what == 'r')
      revision_ = told.count;
    else
      durable_[told.number] = told.count;
    next_ = std::max(next_, told.number + 1);
  }

  void look() {
    EngineHouse house(GetParam(), {}, folder_);
    const RepositoryId repository = house.create();
    must(house.engine().remove_leftovers());
    EXPECT_EQ(must(house.engine().remove_leftovers()), 0u);
    const auto checked = must(house.engine().check(repository, true, {}));
    for (const std::string& finding : checked.findings) ADD_FAILURE() << finding;
    EXPECT_GE(must(house.engine().record(repository)).revision, revision_);
    const std::string prefix = "v4/" + repository.hex() + "/";
    EXPECT_EQ(house.objects(prefix + "slot/").size(),
              must(house.engine().slots(repository)).size());
    EXPECT_TRUE(house.objects(prefix + "change").empty());
    std::set<BlobId> listed;
    for (const SnapshotInfo& info : must(house.engine().snapshots(repository, true)))
      listed.insert(info.commit.snapshot);
    for (const uint64_t number : committed_)
      EXPECT_TRUE(listed.contains(make_snapshot(number, 6, 20'000).request.snapshot)) << number;
    for (const auto& [number, count] : durable_) {
      auto ids = ids_of(make_snapshot(number, 6, 20'000).blobs);
      ids.resize(count);
      const auto there = must(house.engine().have(repository, {}, ids));
      EXPECT_EQ(there, std::vector<bool>(count, true)) << number;
    }
  }

  std::filesystem::path folder_;
  uint64_t next_ = 1;
  uint64_t revision_ = 1;
  std::vector<uint64_t> committed_;
  std::map<uint64_t, uint64_t> durable_;
};

INSTANTIATE_TEST_SUITE_P(Stores, EngineKill, testing::Values("store-fs", "store-sqlite"),
                         [](const auto& one) {
                           return std::string(one.param) == "store-fs" ? "fs" : "sqlite";
                         });

TEST_P(EngineKill, what_was_acknowledged_is_there_after_a_kill_at_any_moment) {
  const uint64_t rounds = number_of("CB_KILL_ROUNDS", 15);
  const uint64_t seed = number_of("CB_KILL_SEED", std::random_device{}());
  SCOPED_TRACE("CB_KILL_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (uint64_t round = 0; round < rounds && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    back_up_and_kill(1 + random() % 60, std::chrono::microseconds(random() % 20'000));
    if (!HasFatalFailure()) look();
    ++next_;  // what was begun may lie there in part
  }
  std::printf("%s: %zu acknowledged commits, seed %llu\n", GetParam(), committed_.size(),
              static_cast<unsigned long long>(seed));
  EXPECT_GT(committed_.size(), rounds / 2);
}

}  // namespace
}  // namespace cb::repository
