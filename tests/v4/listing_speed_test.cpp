// SPDX-License-Identifier: Apache-2.0
//
// The same as core/repository/listing_speed_test.cpp, as a client waits for it: the real daemon,
// TLS and all frames of the answer.
#include <chrono>

#include "core/identity/signing.h"
#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

#ifdef __OPTIMIZE__
constexpr double kPatience = 1;
#else
constexpr double kPatience = 5;
#endif

class V4ListingSpeed : public V4Server {
 protected:
  // A repository with so many snapshots, of which the catalog alone knows.
  std::unique_ptr<V4Peer> peer_with(uint64_t count) {
    start();
    enrolled("alice", owner_);
    stop();
    add_snapshots(count);
    start();
    return member(owner_);
  }

  // The shortest of several.
  Milliseconds time_of_list(V4Peer& peer, uint64_t expected) {
    Milliseconds shortest = std::chrono::hours(1);
    for (int times = 0; times < 5; ++times) {
      const auto begun = std::chrono::steady_clock::now();
      EXPECT_EQ(listed(peer), expected);
      shortest = std::min<Milliseconds>(shortest, std::chrono::steady_clock::now() - begun);
    }
    return shortest;
  }

 private:
  void add_snapshots(uint64_t count) {
    const auto catalog =
        catalog::open_sqlite_catalog((folder_ / "catalog.sqlite").string(), false).value();
    const int64_t number = catalog->index().repository(owner_.record.id.bytes).value()->number;
    catalog::CommitEffect effect;
    effect.waits = false;
    for (uint64_t sequence = 1; sequence <= count; ++sequence) {
      repository::CommitRecord record;
      record.sequence = sequence;
      record.snapshot = random_blob_id();
      record.device = owner_.device;
      store_le(record.commit_id.bytes.data(), sequence);
      catalog::CommitRow row;
      row.sequence = sequence;
      row.type = static_cast<uint8_t>(record.type);
      row.snapshot = record.snapshot.bytes;
      row.commit_id = record.commit_id.bytes;
      row.record = encode(record);
      row.hash = identity::sha256(row.record);
      ASSERT_TRUE(catalog->index().add_commit(number, row, effect));
    }
  }

  static uint64_t listed(V4Peer& peer) {
    uint64_t count = 0;
    EXPECT_TRUE(peer.request(v4::Request::snapshots, peer.next_id++, v4::pb::Snapshots()));
    for (;;) {
      const auto answer = peer.answer();
      if (!answer || answer->code != v4::Response::snapshots) return count;
      const auto page = answer->as<v4::pb::SnapshotsReply>();
      count += static_cast<uint64_t>(page.snapshots_size());
      if (page.last()) return count;
    }
  }

  V4Owner owner_ = V4Owner::make();
};

TEST_F(V4ListingSpeed, a_client_has_a_hundred_snapshots_in_ten_milliseconds) {
  const auto peer = peer_with(100);
  const Milliseconds took = time_of_list(*peer, 100);
  std::printf("a client has 100 snapshots in %.2f ms\n", took.count());
  EXPECT_LT(took.count(), 10.0 * kPatience);
}

TEST_F(V4ListingSpeed, a_client_has_ten_thousand_snapshots_in_a_hundred_milliseconds) {
  const auto peer = peer_with(10'000);
  const Milliseconds took = time_of_list(*peer, 10'000);
  std::printf("a client has 10,000 snapshots in %.1f ms\n", took.count());
  EXPECT_LT(took.count(), 100.0 * kPatience);
}

}  // namespace
}  // namespace cb::server
