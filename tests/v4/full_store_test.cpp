// SPDX-License-Identifier: Apache-2.0
//
// A store that takes no more: the session says so once, drops what is still under way, and goes on
// with all that needs no room.
#include <gmock/gmock.h>
#include <sys/mount.h>

#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using v4::Request;
using v4::Response;

class V4FullStore : public V4Server {
 protected:
  ~V4FullStore() override {
    stop();
    if (mounted_) ::umount2((folder_ / "store").c_str(), MNT_DETACH);
  }
  // A store of so many bytes; false when this user may not have one.
  bool make_small_store(const std::string& size) {
    const os::Path store = folder_ / "store";
    std::filesystem::create_directories(store);
    const std::string options = "mode=700,size=" + size;
    mounted_ = ::mount("tmpfs", store.c_str(), "tmpfs", 0, options.c_str()) == 0;
    return mounted_;
  }

  // The next answer is a failure that does not end the session, of this code.
  static void expect_refused(V4Peer& peer, uint32_t id, Code code = Code::no_space) {
    const auto answer = peer.answer();
    ASSERT_TRUE(answer) << "ended, and request " << id << " was not answered";
    ASSERT_EQ(answer->code, Response::failure);
    EXPECT_EQ(answer->request_id, id);
    EXPECT_FALSE(answer->as<v4::pb::Failure>().fatal());
    EXPECT_EQ(v4::error_of(answer->as<v4::pb::Failure>()).code, code);
  }
  static std::string have(V4Peer& peer, const V4Blobs& blobs) {
    std::vector<repository::BlobId> ids;
    for (const auto& blob : blobs.all) ids.push_back(blob.head.id);
    v4::pb::Have have;
    have.set_ids(v4::join_ids(ids));
    peer.request(Request::have, peer.next_id++, have);
    const auto answer = peer.answer();
    if (!answer || answer->code != Response::have) return answer ? answer->failure() : "no answer";
    const auto reply = answer->as<v4::pb::HaveReply>();
    std::string text;
    for (const char one : reply.present()) text += one == 0 ? '0' : '1';
    return text;
  }
  static uint64_t stored_size(const V4Blobs& blobs) {
    uint64_t sum = 0;
    for (const auto& blob : blobs.all) sum += blob.stored.size();
    return sum;
  }
  // Puts all blobs, of which one is refused, then asks for more; the session refuses what needs
  // room and does the rest.
  void put_into_full(V4Peer& peer, const V4Blobs& blobs, const V4Owner& owner) {
    for (uint32_t i = 0; i < blobs.all.size(); ++i)
      ASSERT_TRUE(peer.put(100 + i, blobs.all[i].head, blobs.all[i].stored));
    peer.request(Request::flush, 90);
    peer.request(Request::commit, 91, blobs.commit(owner));
    peer.request(Request::counts, 92);
    const auto refused = peer.answer();
    ASSERT_TRUE(refused);
    ASSERT_EQ(refused->code, Response::failure);
    EXPECT_GE(refused->request_id, 100U);
    EXPECT_LT(refused->request_id, 100 + blobs.all.size());
    EXPECT_FALSE(refused->as<v4::pb::Failure>().fatal()) << refused->failure();
    EXPECT_EQ(v4::error_of(refused->as<v4::pb::Failure>()).code, Code::no_space);
    expect_refused(peer, 90);
    expect_refused(peer, 91);
    const auto counts = peer.answer();
    ASSERT_TRUE(counts);
    EXPECT_EQ(counts->code, Response::counts);
    EXPECT_EQ(peer.taken.bytes(), stored_size(blobs)) << "credit is given back for what is dropped";
  }

 private:
  bool mounted_ = false;
};

TEST_F(V4FullStore, a_refused_put_is_told_once_and_all_but_storing_goes_on) {
  start({"limits.reserve=1000000GiB"});
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  const V4Blobs blobs(3'000'000, 7);
  put_into_full(*peer, blobs, owner);
  EXPECT_EQ(peer->taken.durable(), 0U);
  EXPECT_EQ(have(*peer, blobs), std::string(blobs.all.size(), '0'));
  ASSERT_TRUE(peer->put(80, blobs.all[0].head, blobs.all[0].stored));
  peer->request(Request::slots, 81);
  const auto slots = peer->answer();
  ASSERT_TRUE(slots);
  EXPECT_EQ(slots->code, Response::slots) << "no second failure for a put that is dropped";
  EXPECT_EQ(peer->taken.bytes(), stored_size(blobs) + blobs.all[0].stored.size());
}

TEST_F(V4FullStore, a_broken_rule_still_ends_the_session_that_drops_blobs) {
  start({"limits.reserve=1000000GiB"});
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  const V4Blobs blobs(700'000);
  ASSERT_TRUE(peer->put(100, blobs.all[0].head, blobs.all[0].stored));
  expect_refused(*peer, 100);
  const Bytes message = v4::encode(v4::put_of(blobs.all[1].head));
  const size_t full = v4::bulk_in_frame(message.size(), blobs.all[1].stored.size());
  peer->request(Request::put, 101, message, ByteView(blobs.all[1].stored).first(full));
  peer->request(Request::put_more, 102, {}, ByteView(blobs.all[1].stored).first(full));
  const auto last = peer->answer();
  ASSERT_TRUE(last);
  EXPECT_TRUE(last->as<v4::pb::Failure>().fatal());
  EXPECT_TRUE(peer->ended());
}

TEST_F(V4FullStore, what_came_whole_before_the_reserve_was_touched_is_durable) {
  if (!make_small_store("40m")) GTEST_SKIP() << "may not mount a small store";
  start({"limits.reserve=8MiB"});
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  const V4Blobs blobs(3'000'000, 20);
  put_into_full(*peer, blobs, owner);
  const size_t kept = peer->taken.durable();
  EXPECT_GE(kept, 8U) << "32 MiB minus what the store needs for itself";
  ASSERT_LT(kept, blobs.all.size());
  const std::string expected = std::string(kept, '1') + std::string(blobs.all.size() - kept, '0');
  EXPECT_EQ(have(*peer, blobs), expected);
  EXPECT_EQ(have(*member(owner), blobs), expected);
}

TEST_F(V4FullStore, a_disk_that_is_full_before_its_reserve_claims_nothing_that_is_lost) {
  if (!make_small_store("40m")) GTEST_SKIP() << "may not mount a small store";
  start({"limits.reserve=0B"});
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  const V4Blobs blobs(3'000'000, 20);
  put_into_full(*peer, blobs, owner);
  const size_t kept = peer->taken.durable();
  ASSERT_LT(kept, blobs.all.size());
  EXPECT_EQ(have(*member(owner), blobs),
            std::string(kept, '1') + std::string(blobs.all.size() - kept, '0'));
  const auto checked = admin({{"command", "check"}, {"read_data", true}});
  ASSERT_TRUE(checked) << checked.error().text();
  EXPECT_TRUE((*checked)["findings"].empty()) << report::json_line(*checked);
}

}  // namespace
}  // namespace cb::server
