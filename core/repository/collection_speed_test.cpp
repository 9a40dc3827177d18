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
#include <functional>
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
    }
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
  // The same while a thread does `work` again and again; it says when it has begun.
  double time_beside(const std::function<void(const std::function<bool()>& go_on)>& work) {
    std::atomic<bool> is_over = false;
    std::atomic<bool> has_begun = false;
    std::thread beside([&] {
      while (!is_over)
        work([&] {
          has_begun = true;
          return !is_over;
        });
    });
    while (!has_begun) std::this_thread::yield();
    const double took = time_of_backup();
    is_over = true;
    beside.join();
    return took;
  }
  double time_beside_collection() {
    return time_beside([this](const std::function<bool()>& go_on) {
      must(engine().collect(repository_, {}, [&](uint64_t, uint64_t) {
        (void)go_on();
        return true;
      }));
    });
  }
  // What a thread takes that needs a core and nothing else.
  double time_beside_nothing() {
    return time_beside([](const std::function<bool()>& go_on) { (void)go_on(); });
  }

  static double middle(std::vector<double> times) {
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  }

  static constexpr size_t kSentBlobs = 3000;
  uint64_t backups_ = 100;
  size_t dead_count_ = 0;
  int64_t number_ = 0;
  std::vector<BlobId> alive_, dead_;
};

INSTANTIATE_TEST_SUITE_P(Stores, CollectionSpeed, testing::Values("store-fs"), store_name);

TEST_P(CollectionSpeed, a_million_blobs_are_marked_and_swept_in_a_minute_and_64_mib) {
  fill(100'000);
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
  EXPECT_GT(done.deleted, dead_count_);
  EXPECT_EQ(done.dead, done.deleted);
  if (is_timed()) {
    EXPECT_LT(took.count() * 1'000'000, 60.0 * static_cast<double>(done.blobs));
  }
  EXPECT_LT(peak - idle, 64u * 1024);
}

// All times in one run, in turns, so that what else the machine does hits all of them. What is held
// to a limit is what collection costs beside the core that it uses: more than that would be waiting
// for its locks. How much slower a backup is than alone depends on whether a core is free; it is
// told, and docs/collection.md has it.
TEST_P(CollectionSpeed, costs_a_backup_beside_it_no_more_than_a_thread_that_only_computes) {
  fill(100'000);
  time_of_backup();  // the first one warms up
  std::vector<double> alone, busy, beside;
  for (int i = 0; i < 7; ++i) {
    alone.push_back(time_of_backup());
    busy.push_back(time_beside_nothing());
    beside.push_back(time_beside_collection());
  }
  const double ratio = middle(beside) / middle(busy);
  std::printf(
      "a backup of %zu blobs of 16 KiB: %.2f s alone, %.2f s beside a busy thread, %.2f s beside a "
      "collection: %.2f times the second, %.2f times the first\n",
      kSentBlobs, middle(alone), middle(busy), middle(beside), ratio,
      middle(beside) / middle(alone));
  if (is_timed()) {
    EXPECT_LT(ratio, 1.2);
  }
}

}  // namespace
}  // namespace cb::repository
