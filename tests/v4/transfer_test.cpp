// SPDX-License-Identifier: Apache-2.0
//
// What a logged-in client does: blobs in and out, commits, snapshots, slots, over real TLS.
#include <gmock/gmock.h>

#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using testing::HasSubstr;
using v4::Request;
using v4::Response;

class V4Transfer : public V4Server {
 protected:
  // Puts all blobs; the ids of the requests begin at 100.
  static void put_all(V4Peer& peer, const V4Blobs& blobs) {
    uint32_t id = 100;
    for (const repository::StoredBlob& blob : blobs.all)
      ASSERT_TRUE(peer.put(id++, blob.head, blob.stored));
  }
  static std::string have(V4Peer& peer, std::span<const repository::BlobId> ids) {
    v4::pb::Have have;
    have.set_ids(v4::join_ids(ids));
    peer.request(Request::have, peer.next_id++, have);
    const auto answer = peer.answer();
    if (!answer || answer->code != Response::have) return answer ? answer->failure() : "none";
    std::string text;
    const auto reply = answer->as<v4::pb::HaveReply>();
    for (const char one : reply.present()) text += one == 0 ? '0' : '1';
    return text;
  }
  static repository::CommitAnswer commit(V4Peer& peer, const v4::pb::Commit& message) {
    peer.request(Request::commit, peer.next_id++, message);
    const auto answer = peer.answer();
    EXPECT_TRUE(answer && answer->code == Response::commit)
        << (answer ? answer->failure() : "no answer");
    if (!answer || answer->code != Response::commit) return {};
    return v4::answer_of(answer->as<v4::pb::CommitReply>()).value();
  }
  struct Got {
    std::map<repository::BlobId, repository::StoredBlob> blobs;
    std::vector<repository::BlobId> missing;
  };
  static Got get(V4Peer& peer, std::span<const repository::BlobId> ids) {
    v4::pb::Get get;
    get.set_ids(v4::join_ids(ids));
    peer.request(Request::get, peer.next_id++, get);
    Got got;
    repository::StoredBlob* open = nullptr;
    while (const auto answer = peer.answer()) {
      EXPECT_EQ(answer->failure(), "");
      if (answer->code == Response::get_end) {
        got.missing = v4::split_ids(answer->as<v4::pb::GetEnd>().missing(), v4::kIdsMax).value();
        break;
      }
      if (answer->code == Response::blob) {
        const auto head = v4::head_of(answer->as<v4::pb::Blob>()).value();
        open = &got.blobs[head.id];
        open->head = head;
      }
      if (open == nullptr) break;
      open->stored.insert(open->stored.end(), answer->bulk.begin(), answer->bulk.end());
    }
    return got;
  }
};

TEST_F(V4Transfer, blobs_go_in_are_committed_and_come_out) {
  start();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  const V4Blobs blobs(5000, 3);
  put_all(*peer, blobs);
  const auto committed = commit(*peer, blobs.commit(owner));
  ASSERT_TRUE(committed.missing.empty());
  const auto record = repository::decode_commit(committed.receipt).value();
  EXPECT_EQ(record.sequence, 1U);
  EXPECT_EQ(record.snapshot, blobs.snapshot);
  EXPECT_EQ(peer->taken.durable(), blobs.all.size());

  std::vector<repository::BlobId> ids = {random_blob_id()};
  for (const auto& blob : blobs.all) ids.push_back(blob.head.id);
  auto reader = member(owner);
  const Got got = get(*reader, ids);
  EXPECT_EQ(got.missing, std::vector{ids[0]});
  ASSERT_EQ(got.blobs.size(), blobs.all.size());
  for (const auto& blob : blobs.all) {
    EXPECT_EQ(got.blobs.at(blob.head.id).stored, blob.stored);
    EXPECT_EQ(got.blobs.at(blob.head.id).head, blob.head);
  }
}

TEST_F(V4Transfer, the_receipt_is_signed_by_the_key_of_the_hello) {
  start();
  V4Owner owner = V4Owner::make();
  enrolled("alice", owner);
  auto peer = std::make_unique<V4Peer>(port(), pin_);
  peer->login(owner);
  const auto hello = v4::parse<v4::pb::HelloReply>(peer->reply_bytes).value();
  const V4Blobs blobs;
  put_all(*peer, blobs);
  const auto committed = commit(*peer, blobs.commit(owner));
  const auto record = repository::decode_commit(committed.receipt).value();
  const auto key = v4::array_of<32>(hello.server_key()).value();
  EXPECT_TRUE(
      identity::verify(key, repository::signed_part(record, owner.record.id), record.signature));
  auto again = std::make_unique<V4Peer>(port(), pin_);
  const auto login = again->login(owner)->as<v4::pb::LoginReply>();
  EXPECT_EQ(login.head().sequence(), 1U);
  EXPECT_EQ(login.head().hash(), v4::field_of(identity::sha256(committed.receipt)));
}

TEST_F(V4Transfer, large_blobs_travel_in_many_frames_both_ways) {
  start();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  const V4Blobs blobs(7 * 1024 * 1024 + 13, 2);
  uint64_t total = 0;
  for (const auto& blob : blobs.all) total += blob.stored.size();
  put_all(*peer, blobs);
  ASSERT_TRUE(commit(*peer, blobs.commit(owner)).missing.empty());
  EXPECT_EQ(peer->taken.bytes(), total);
  const std::vector ids = {blobs.all[1].head.id, blobs.all[2].head.id};
  const Got got = get(*peer, ids);
  for (size_t i = 1; i <= 2; ++i)
    EXPECT_TRUE(got.blobs.at(blobs.all[i].head.id).stored == blobs.all[i].stored);
}

TEST_F(V4Transfer, a_blob_with_the_most_children_fits) {
  start();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  const V4Blobs blobs;
  ASSERT_TRUE(peer->put(50, blobs.all[0].head, blobs.all[0].stored));
  repository::StoredBlob wide = blobs.all[2];
  wide.head.children.clear();
  while (wide.head.children.size() < repository::kMaxChildren)
    wide.head.children.push_back(random_blob_id());
  ASSERT_TRUE(peer->put(51, wide.head, wide.stored));
  peer->request(Request::flush, 52);
  const auto flushed = peer->answer();
  ASSERT_TRUE(flushed);
  EXPECT_EQ(flushed->as<v4::pb::FlushReply>().durable(), 2U) << flushed->failure();
  const Got got = get(*peer, std::vector{wide.head.id});
  EXPECT_EQ(got.blobs.at(wide.head.id).head, wide.head);
}

TEST_F(V4Transfer, have_knows_what_is_under_way_and_what_is_durable) {
  start();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  const V4Blobs blobs;
  std::vector<repository::BlobId> ids = {random_blob_id()};
  for (const auto& blob : blobs.all) ids.push_back(blob.head.id);
  EXPECT_EQ(have(*peer, ids), "00000");
  put_all(*peer, blobs);
  EXPECT_EQ(have(*peer, ids), "01111");
  EXPECT_EQ(have(*member(owner), ids), "00000");
  peer->request(Request::flush, 90);
  ASSERT_EQ(peer->answer()->code, Response::flush);
  EXPECT_EQ(have(*peer, ids), "01111");
  EXPECT_EQ(have(*member(owner), ids), "01111");
}

TEST_F(V4Transfer, packs_are_closed_by_age_and_the_client_is_told) {
  start({"v4.pack_age=200ms"});
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  const V4Blobs blobs;
  put_all(*peer, blobs);
  while (peer->taken.durable() < blobs.all.size()) {
    const auto pushed = peer->frame();
    ASSERT_TRUE(pushed);
    ASSERT_EQ(pushed->code, Response::taken);
    EXPECT_EQ(pushed->request_id, v4::kPushedId);
    peer->taken = pushed->as<v4::pb::Taken>();
  }
}

TEST_F(V4Transfer, a_put_that_is_cut_off_loses_that_blob_alone) {
  start();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  const V4Blobs blobs(900'000, 2);
  peer->put(1, blobs.all[0].head, blobs.all[0].stored);
  peer->put(2, blobs.all[1].head, blobs.all[1].stored);
  ASSERT_TRUE(peer->request(Request::counts, 9));
  ASSERT_EQ(peer->answer()->code, Response::counts);  // all of it has arrived
  const Bytes message = v4::encode(v4::put_of(blobs.all[2].head));
  const size_t take = v4::bulk_in_frame(message.size(), 900'000);
  peer->send(v4::request_front({}, Request::put, 3, message, take));
  peer->send(ByteView(blobs.all[2].stored).first(take / 2));
  peer->cut();
  wait_until_idle();
  auto next = member(owner);
  std::vector<repository::BlobId> ids;
  for (const auto& blob : blobs.all) ids.push_back(blob.head.id);
  EXPECT_EQ(have(*next, ids), "11000");
  const auto checked = admin({{"command", "check"}, {"read_data", true}});
  ASSERT_TRUE(checked) << checked.error().text();
  EXPECT_TRUE((*checked)["findings"].empty()) << report::json_line(*checked);
  EXPECT_EQ((*checked)["blobs"], 2);
}

TEST_F(V4Transfer, a_commit_without_its_blobs_is_answered_with_what_is_missing) {
  start();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  V4Blobs blobs;
  const repository::StoredBlob data = blobs.all[1];
  blobs.all.erase(blobs.all.begin() + 1);
  put_all(*peer, blobs);
  const v4::pb::Commit message = blobs.commit(owner);
  EXPECT_EQ(commit(*peer, message).missing, std::vector{data.head.id});
  peer->put(80, data.head, data.stored);
  const auto good = commit(*peer, message);
  EXPECT_TRUE(good.missing.empty());
  EXPECT_EQ(commit(*peer, message).receipt, good.receipt);
}

TEST_F(V4Transfer, a_commit_that_the_device_did_not_sign_is_refused_and_the_session_goes_on) {
  start();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  const V4Blobs blobs;
  put_all(*peer, blobs);
  v4::pb::Commit message = blobs.commit(owner);
  (*message.mutable_device_signature())[5] ^= 1;
  peer->request(Request::commit, 70, message);
  const auto answer = peer->answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, Response::failure);
  EXPECT_FALSE(answer->as<v4::pb::Failure>().fatal());
  EXPECT_TRUE(commit(*peer, blobs.commit(owner)).missing.empty());
}

TEST_F(V4Transfer, two_sessions_send_the_same_blobs_and_they_are_stored_once) {
  start();
  V4Owner owner = V4Owner::make();
  auto one = enrolled("alice", owner);
  auto two = member(owner);
  const V4Blobs blobs(100'000, 4);
  put_all(*one, blobs);
  put_all(*two, blobs);
  EXPECT_TRUE(commit(*one, blobs.commit(owner)).missing.empty());
  EXPECT_TRUE(commit(*two, blobs.commit(owner)).missing.empty());
  one->request(Request::counts, 60);
  const auto counts = v4::counts_of(one->answer()->as<v4::pb::CountsReply>());
  EXPECT_EQ(counts.blobs, blobs.all.size());
}

TEST_F(V4Transfer, who_commits_first_has_the_blobs_that_another_session_is_bringing) {
  start();
  V4Owner owner = V4Owner::make();
  auto one = enrolled("alice", owner);
  auto two = member(owner);
  const V4Blobs blobs(100'000, 4);
  std::vector<repository::BlobId> ids;
  for (const auto& blob : blobs.all) ids.push_back(blob.head.id);
  put_all(*one, blobs);
  EXPECT_EQ(have(*one, ids), std::string(ids.size(), '1'));
  EXPECT_EQ(have(*two, ids), std::string(ids.size(), '0'));  // durable alone
  two->put(80, blobs.all.front().head, blobs.all.front().stored);
  EXPECT_EQ(have(*two, ids), std::string(ids.size(), '1'));
  EXPECT_TRUE(commit(*two, blobs.commit(owner)).missing.empty());
  EXPECT_TRUE(commit(*one, blobs.commit(owner)).missing.empty());
  two->request(Request::counts, 60);
  const auto counts = v4::counts_of(two->answer()->as<v4::pb::CountsReply>());
  EXPECT_EQ(counts.blobs, blobs.all.size());
  EXPECT_EQ(counts.packs, 3u);  // that of the second has its session record
}

TEST_F(V4Transfer, one_account_sees_nothing_of_another) {
  start();
  V4Owner alice = V4Owner::make();
  V4Owner bob = V4Owner::make();
  auto a = enrolled("alice", alice);
  auto b = enrolled("bob", bob);
  const V4Blobs blobs;
  put_all(*a, blobs);
  ASSERT_TRUE(commit(*a, blobs.commit(alice)).missing.empty());
  const std::vector ids = {blobs.snapshot};
  EXPECT_EQ(have(*b, ids), "0");
  EXPECT_EQ(get(*b, ids).missing, ids);
  const auto answer = commit(*b, blobs.commit(bob));
  EXPECT_FALSE(answer.missing.empty()) << "what is not bob's is no part of a snapshot of his";
  EXPECT_TRUE(answer.receipt.empty());
  v4::pb::Forget forget;
  forget.set_snapshot(v4::field_of(blobs.snapshot.view()));
  EXPECT_EQ(ask(*b, Request::forget, forget).code, Response::failure);
  const auto listed = [](V4Peer& peer) {
    return ask(peer, Request::snapshots, v4::pb::Snapshots())
        .as<v4::pb::SnapshotsReply>()
        .snapshots_size();
  };
  EXPECT_EQ(listed(*b), 0);
  EXPECT_EQ(listed(*a), 1);
}

TEST_F(V4Transfer, snapshots_are_listed_forgotten_and_brought_back) {
  start();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  const V4Blobs blobs;
  put_all(*peer, blobs);
  commit(*peer, blobs.commit(owner));
  const auto listed = [&](bool with_trash) {
    v4::pb::Snapshots message;
    message.set_with_trash(with_trash);
    peer->request(Request::snapshots, peer->next_id++, message);
    return peer->answer()->as<v4::pb::SnapshotsReply>();
  };
  ASSERT_EQ(listed(false).snapshots_size(), 1);
  EXPECT_TRUE(listed(false).last());
  EXPECT_EQ(v4::info_of(listed(false).snapshots(0))->commit.snapshot, blobs.snapshot);
  v4::pb::Forget forget;
  forget.set_snapshot(v4::field_of(blobs.snapshot.view()));
  peer->request(Request::forget, 40, forget);
  auto answer = peer->answer();
  ASSERT_EQ(answer->code, Response::forget) << answer->failure();
  EXPECT_EQ(listed(false).snapshots_size(), 0);
  EXPECT_TRUE(listed(true).snapshots(0).in_trash());
  peer->request(Request::undelete, 41, forget);
  answer = peer->answer();
  ASSERT_EQ(answer->code, Response::forget) << answer->failure();
  EXPECT_EQ(listed(false).snapshots_size(), 1);
}

TEST_F(V4Transfer, requests_are_pipelined_and_answered_in_their_order) {
  start();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  for (uint32_t id = 200; id < 300; ++id)
    ASSERT_TRUE(peer->request(id % 2 == 0 ? Request::counts : Request::slots, id));
  for (uint32_t id = 200; id < 300; ++id) {
    const auto answer = peer->answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->request_id, id);
    EXPECT_EQ(answer->code, id % 2 == 0 ? Response::counts : Response::slots);
  }
}

TEST_F(V4Transfer, a_restarted_daemon_has_everything_that_was_acknowledged) {
  start();
  V4Owner owner = V4Owner::make();
  const V4Blobs blobs(200'000, 5);
  auto peer = enrolled("alice", owner);
  put_all(*peer, blobs);
  peer->request(Request::flush, 30);
  ASSERT_EQ(peer->answer()->code, Response::flush);
  stop();
  start();
  auto again = member(owner);
  EXPECT_TRUE(commit(*again, blobs.commit(owner)).missing.empty());
}

}  // namespace
}  // namespace cb::server
