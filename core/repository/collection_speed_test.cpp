// SPDX-License-Identifier: Apache-2.0
//
// Many blobs of 16 KiB of which 30 % are dead: time and memory of a collection, and what it costs a
// backup that runs beside it. Their rows are made directly, without data. A tenth of a million
// unless CB_SPEED_BLOBS says how many; times are promised for a machine that does nothing else, so
// they are asked for by who has one.
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <thread>

#include "core/repository/collection_fixture.h"

namespace cb::repository {
namespace {

constexpr uint64_t kPackRows = 1000;
constexpr uint32_t kBlobSize = 16 * 1024;

// A value of /proc/self/status, in KiB.
uint64_t status_value(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return std::strtoull(&line[name.size() + 1], nullptr, 10);
  return 0;
}

void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

// What is held to the figure is optimised code; other builds must not be hopeless.
#ifdef __OPTIMIZE__
constexpr double kMostSlowed = 1.2;
#else
constexpr double kMostSlowed = 1.6;
#endif

BlobId id_of(uint64_t number) { return make_blob(BlobKind::data, 10'000'000 + number, 1).head.id; }

catalog::BlobRow made_row(const BlobId& id, BlobKind kind, uint64_t offset,
                          std::span<const BlobId> children) {
  catalog::BlobRow row;
  row.id = id.bytes;
  row.kind = static_cast<uint8_t>(kind);
  row.session = session_of(1).bytes;
  row.offset = offset;
  row.size = kBlobSize;
  for (const BlobId& child : children)
    row.children.insert(row.children.end(), child.bytes.begin(), child.bytes.end());
  return row;
}

class CollectionSpeed : public Collecting {
 protected:
  void add_pack(std::span<const catalog::BlobRow> rows) {
    catalog::PackRow pack;
    must(os::system_random().fill(pack.name));
    pack.pack_class = 1;
    pack.size = rows.size() * (kBlobSize + 84);
    pack.created_ns = now_.count();
    must(house_.catalog().index().add_pack(number_, pack, rows, {}));
  }

  // One pack in five is dead altogether, of the others one blob in eight.
  static bool is_dead(uint64_t blob) { return blob / kPackRows % 5 == 0 || blob % 8 == 0; }

  void add_data(uint64_t count) {
    for (uint64_t first = 0; first < count; first += kPackRows) {
      std::vector<catalog::BlobRow> rows;
      for (uint64_t i = first; i < first + kPackRows; ++i) {
        const BlobId id = id_of(i);
        rows.push_back(made_row(id, BlobKind::data, 48 + i % kPackRows * (kBlobSize + 84), {}));
        (is_dead(i) ? dead_ : alive_).push_back(id);
      }
      add_pack(rows);
      if (has_signatures_) add_signatures(first);
    }
  }

  // One of each blob of a pack, in a pack of their own.
  void add_signatures(uint64_t first) {
    std::vector<catalog::BlobRow> rows;
    for (uint64_t i = first; i < first + kPackRows; ++i) {
      const BlobId id = make_blob(BlobKind::signature, 10'000'000 + i, 1).head.id;
      const std::array<BlobId, 1> data = {id_of(i)};
      rows.push_back(
          made_row(id, BlobKind::signature, 48 + i % kPackRows * (kBlobSize + 116), data));
      rows.back().session = {};
    }
    add_pack(rows);
  }

  // Nodes over these, and what is over them; returns the root.
  BlobId add_nodes(std::vector<BlobId> below, uint64_t number) {
    while (below.size() > 1) {
      std::vector<BlobId> nodes;
      std::vector<catalog::BlobRow> rows;
      for (size_t at = 0; at < below.size(); at += 500) {
        const auto some = std::span(below).subspan(at, std::min<size_t>(500, below.size() - at));
        nodes.push_back(make_blob(BlobKind::node, ++number, 1).head.id);
        rows.push_back(made_row(nodes.back(), BlobKind::node, 48 + at, some));
      }
      add_pack(rows);
      below = std::move(nodes);
    }
    return below.front();
  }

  // A snapshot of all that is alive, two days ago.
  static bool is_timed() { return std::getenv("CB_SPEED_BLOBS") != nullptr; }
  void fill(uint64_t otherwise) {
    const char* given = std::getenv("CB_SPEED_BLOBS");
    const uint64_t count = given != nullptr ? std::strtoull(given, nullptr, 10) : otherwise;
    number_ = must(house_.catalog().index().repository(repository_.bytes))->number;
    add_data(count);
    dead_count_ = dead_.size();
    add_nodes(std::move(dead_), 1'000'000);
    TestSnapshot snapshot;
    snapshot.blobs.push_back(session_record(1));
    snapshot.request.root = add_nodes(std::move(alive_), 2'000'000);
    snapshot.blobs.push_back(make_blob(BlobKind::snapshot, 1, 100, {snapshot.request.root}));
    snapshot.request.snapshot = snapshot.blobs.back().head.id;
    snapshot.request.commit_id.bytes.fill(std::byte{1});
    back_up(owner_, snapshot);
    alive_ = dead_ = {};
    advance(2 * kDay);
    ::malloc_trim(0);
  }

  // How long a backup takes whose blobs are all new, as a session has it: it asks and sends.
  double time_of_backup() {
    const TestSnapshot snapshot = make_snapshot(++backups_, kSentBlobs, kBlobSize);
    const auto begun = std::chrono::steady_clock::now();
    back_up(owner_, snapshot);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  }
  std::vector<double> times_of_backups(int count) {
    std::vector<double> times;
    for (int i = 0; i < count; ++i) times.push_back(time_of_backup());
    return times;
  }
  // One after the other, from the begin of a collection that deletes all that is dead to its end.
  std::vector<double> times_beside_collection() {
    std::atomic<bool> has_begun = false, is_over = false;
    Engine::Collected collected;
    std::thread collecting([&] {
      Engine::CollectOptions at_once;
      at_once.wait = {};
      collected = must(engine().collect(repository_, at_once, [&](uint64_t, uint64_t) {
        has_begun = true;
        return true;
      }));
      is_over = true;
    });
    while (!has_begun) std::this_thread::yield();
    std::vector<double> times;
    while (!is_over) times.push_back(time_of_backup());
    collecting.join();
    EXPECT_GT(collected.deleted, dead_count_);
    return times;
  }
  static double mean(const std::vector<double>& times) {
    return std::accumulate(times.begin(), times.end(), 0.0) / static_cast<double>(times.size());
  }

  void expect_fast() {
    const uint64_t idle = status_value("VmRSS");
    forget_peak();
    const auto begun = std::chrono::steady_clock::now();
    const auto done = collect({});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    const uint64_t peak = status_value("VmHWM");
    std::printf("%llu blobs, %llu deleted in %.1f s, %llu KiB above idle\n",
                static_cast<unsigned long long>(done.blobs),
                static_cast<unsigned long long>(done.deleted), took.count(),
                static_cast<unsigned long long>(peak - idle));
    EXPECT_GT(done.deleted, dead_count_ * (has_signatures_ ? 2 : 1));
    EXPECT_EQ(done.dead, done.deleted);
    if (is_timed()) {
      EXPECT_LT(took.count() * 1'000'000, 60.0 * static_cast<double>(done.blobs));
    }
    EXPECT_LT(peak - idle, 64u * 1024);
  }

  static constexpr size_t kSentBlobs = 3000;
  uint64_t backups_ = 1'000'000;  // their blobs have numbers above those of all rows
  bool has_signatures_ = false;
  size_t dead_count_ = 0;
  int64_t number_ = 0;
  std::vector<BlobId> alive_, dead_;
};

INSTANTIATE_TEST_SUITE_P(Stores, CollectionSpeed, testing::Values("store-fs"), store_name);

TEST_P(CollectionSpeed, a_million_blobs_are_marked_and_swept_in_a_minute_and_64_mib) {
  fill(100'000);
  expect_fast();
}

TEST_P(CollectionSpeed, so_are_half_a_million_with_a_signature_each) {
  has_signatures_ = true;
  fill(50'000);
  expect_fast();
}

// The mean of all backups in a collection, from its marks to its last deletion. Two cores have to
// be free: else this measures what else the machine does.
TEST_P(CollectionSpeed, a_backup_beside_it_is_slowed_by_less_than_a_fifth) {
  fill(100'000);
  time_of_backup();  // the first one warms up
  std::vector<double> alone = times_of_backups(8);
  const std::vector<double> beside = times_beside_collection();
  for (const double time : times_of_backups(8)) alone.push_back(time);
  const double ratio = mean(beside) / mean(alone);
  std::printf(
      "a backup of %zu blobs of 16 KiB: %.3f s alone, %.3f s beside a collection (%zu of them, the "
      "slowest %.3f s): %.2f times as long\n",
      kSentBlobs, mean(alone), mean(beside), beside.size(),
      *std::max_element(beside.begin(), beside.end()), ratio);
  EXPECT_GE(beside.size(), 1u);
  if (is_timed()) {
    EXPECT_GE(beside.size(), 4u) << "the collection is too short to tell";
    EXPECT_LT(ratio, kMostSlowed);
  }
}

}  // namespace
}  // namespace cb::repository
