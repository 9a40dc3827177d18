// SPDX-License-Identifier: Apache-2.0
//
// Signatures over the protocol: who is told of which, page by page, and who is told nothing.
#include <gmock/gmock.h>

#include <set>

#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using repository::BlobId;
using repository::BlobKind;
using repository::Role;
using repository::StoredBlob;
using v4::Request;
using v4::Response;

StoredBlob signature_of(const BlobId& data) {
  StoredBlob blob;
  blob.head.id = random_blob_id();
  blob.head.kind = BlobKind::signature;
  blob.head.children = {data};
  blob.stored = random_bytes(100);
  blob.head.stored_size = static_cast<uint32_t>(blob.stored.size());
  return blob;
}

class V4Signatures : public V4Server {
 protected:
  V4Signatures() : owner_(V4Owner::make()) {
    start();
    peer_ = enrolled("alice", owner_);
  }
  // Puts what a snapshot is made of, and for its data so many signatures; their ids.
  static std::vector<BlobId> put(V4Peer& peer, size_t count) {
    const V4Blobs blobs;
    for (const StoredBlob& blob : blobs.all) peer.put(peer.next_id++, blob.head, blob.stored);
    std::vector<BlobId> ids;
    for (size_t i = 0; i < count; ++i) {
      const StoredBlob blob = signature_of(blobs.all[1].head.id);
      EXPECT_TRUE(peer.put(peer.next_id++, blob.head, blob.stored));
      ids.push_back(blob.head.id);
    }
    EXPECT_EQ(ask(peer, Request::flush, v4::pb::Flush()).code, Response::flush);
    return ids;
  }
  struct Told {
    std::vector<BlobId> ids;
    size_t pages = 0;
  };
  static Told told(V4Peer& peer) {
    Told all;
    v4::pb::SignaturesReply reply;
    do {
      v4::pb::Signatures message;
      message.set_before(reply.next());
      const V4Answer answer = ask(peer, Request::signatures, message);
      EXPECT_EQ(answer.code, Response::signatures) << answer.failure();
      if (answer.code != Response::signatures) break;
      reply = answer.as<v4::pb::SignaturesReply>();
      const auto ids = v4::split_ids(reply.ids(), v4::kIdsMax).value();
      all.ids.insert(all.ids.end(), ids.begin(), ids.end());
      ++all.pages;
    } while (!reply.last());
    return all;
  }
  std::unique_ptr<V4Peer> joined_member(Role role, uint64_t flags = 0) {
    return member(joined(*peer_, owner_, role, flags).member(owner_));
  }

  V4Owner owner_;
  std::unique_ptr<V4Peer> peer_;
};

TEST_F(V4Signatures, ten_thousand_are_told_in_pages_the_newest_first) {
  EXPECT_TRUE(told(*peer_).ids.empty());
  std::vector<BlobId> ids = put(*peer_, 10'000);
  std::reverse(ids.begin(), ids.end());
  const auto again = member(owner_);
  const Told all = told(*again);
  EXPECT_EQ(all.ids, ids);
  EXPECT_EQ(all.pages, 3u);
  v4::pb::Signatures far;
  far.set_before(UINT64_MAX);
  const auto page = ask(*again, Request::signatures, far).as<v4::pb::SignaturesReply>();
  EXPECT_EQ(page.ids().size(), v4::kIdsMax * BlobId::kSize);
  far.set_before(1);
  EXPECT_TRUE(ask(*again, Request::signatures, far).as<v4::pb::SignaturesReply>().last());
}

TEST_F(V4Signatures, are_given_with_what_they_describe) {
  const StoredBlob blob = signature_of(random_blob_id());
  peer_->put(peer_->next_id++, blob.head, blob.stored);
  ASSERT_EQ(ask(*peer_, Request::flush, v4::pb::Flush()).code, Response::flush);
  v4::pb::Get get;
  get.set_ids(v4::field_of(blob.head.id.view()));
  const V4Answer answer = ask(*peer_, Request::get, get);
  ASSERT_EQ(answer.code, Response::blob) << answer.failure();
  EXPECT_EQ(v4::head_of(answer.as<v4::pb::Blob>()).value(), blob.head);
  Bytes stored = answer.bulk;
  for (auto next = peer_->answer(); next && next->code != Response::get_end; next = peer_->answer())
    stored.insert(stored.end(), next->bulk.begin(), next->bulk.end());
  EXPECT_EQ(stored, blob.stored);
}

TEST_F(V4Signatures, a_device_is_told_its_own_and_those_of_owners) {
  const auto writer = joined_member(Role::writer);
  const auto other = joined_member(Role::writer);
  const auto sharer = joined_member(Role::writer, repository::kDeviceSharesDedup);
  const auto fellow = joined_member(Role::writer, repository::kDeviceSharesDedup);
  const BlobId owners = put(*peer_, 1)[0];
  const BlobId writers = put(*writer, 1)[0];
  const BlobId sharers = put(*sharer, 1)[0];
  EXPECT_EQ(told(*peer_).ids, std::vector{owners});
  EXPECT_EQ(told(*writer).ids, (std::vector{writers, owners}));
  EXPECT_EQ(told(*other).ids, std::vector{owners});
  // It cannot be told apart from that of another that shares.
  EXPECT_EQ(told(*sharer).ids, std::vector{owners});
  EXPECT_EQ(told(*fellow).ids, std::vector{owners});
  EXPECT_NE(sharers, owners);
}

TEST_F(V4Signatures, who_backs_nothing_up_is_denied_and_goes_on) {
  const auto reader = joined_member(Role::reader);
  put(*peer_, 1);
  EXPECT_EQ(ask(*reader, Request::signatures, v4::pb::Signatures()).as<v4::pb::Failure>().code(),
            static_cast<int>(Code::denied));
  EXPECT_EQ(ask(*reader, Request::counts, v4::pb::Heartbeat()).code, Response::counts);
}

TEST_F(V4Signatures, what_is_no_signature_is_refused) {
  const auto refused = [&](const auto& spoil) {
    const auto peer = member(owner_);
    StoredBlob blob = signature_of(random_blob_id());
    spoil(blob.head);
    peer->put(peer->next_id++, blob.head, blob.stored);
    const auto answer = peer->answer();
    return answer && answer->code == Response::failure;
  };
  EXPECT_TRUE(refused([](auto& head) { head.children.clear(); }));
  EXPECT_TRUE(refused([](auto& head) { head.children.push_back(random_blob_id()); }));
  EXPECT_TRUE(refused([](auto& head) { head.session.bytes.fill(std::byte{1}); }));
  EXPECT_TRUE(refused([](auto& head) {
    head.kind = BlobKind::recipe;
    head.children.clear();
  }));
  const auto peer = member(owner_);
  StoredBlob recipe = signature_of(random_blob_id());
  recipe.head.kind = BlobKind::recipe;
  recipe.head.children.resize(repository::kMaxChildren, random_blob_id());
  peer->put(peer->next_id++, recipe.head, recipe.stored);
  EXPECT_EQ(ask(*peer, Request::flush, v4::pb::Flush()).code, Response::flush);
  EXPECT_EQ(told(*peer).ids, std::vector{recipe.head.id});
}

}  // namespace
}  // namespace cb::server
