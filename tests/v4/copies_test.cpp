// SPDX-License-Identifier: Apache-2.0
//
// Copies of one blob that several devices put: whose is read, and what an owner finds in them.
#include <gmock/gmock.h>

#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using repository::Role;
using testing::HasSubstr;
using v4::Request;
using v4::Response;

class V4Copies : public V4Server {
 protected:
  V4Copies() : owner_(V4Owner::make()) {
    start();
    peer_ = enrolled("alice", owner_);
  }
  // Puts a blob whose stored bytes are all one letter.
  static void put(V4Peer& peer, const V4Blobs& blobs, char letter) {
    repository::BlobHead head = blobs.all[1].head;
    peer.put(peer.next_id++, blobs.all[0].head, blobs.all[0].stored);
    const Bytes stored(head.stored_size, static_cast<std::byte>(letter));
    peer.put(peer.next_id++, head, stored);
    EXPECT_EQ(ask(peer, Request::flush, v4::pb::Flush()).code, Response::flush);
  }
  struct Got {
    char letter = 0;  // 0: it is missing
    std::string device;
  };
  static Got get(V4Peer& peer, const repository::BlobId& id, const std::string& device,
                 bool exact) {
    v4::pb::Get message;
    message.set_ids(v4::field_of(id.view()));
    message.set_device(device);
    message.set_exact(exact);
    const V4Answer answer = ask(peer, Request::get, message);
    if (answer.code == Response::get_end) return {};
    EXPECT_EQ(answer.code, Response::blob) << answer.failure();
    Got got{0, answer.as<v4::pb::Blob>().device()};
    Bytes bulk = answer.bulk;
    for (auto next = peer.answer(); next && next->code != Response::get_end; next = peer.answer())
      bulk.insert(bulk.end(), next->bulk.begin(), next->bulk.end());
    if (!bulk.empty()) got.letter = static_cast<char>(bulk.back());
    return got;
  }
  static std::string field(const repository::DeviceId& device) {
    return v4::field_of(device.view());
  }
  std::vector<std::string> unverified() {
    const auto reply = ask(*peer_, Request::copies, v4::pb::Copies()).as<v4::pb::CopiesReply>();
    EXPECT_TRUE(reply.last());
    std::vector<std::string> found;
    for (const auto& copy : reply.copies()) found.push_back(copy.id() + copy.device());
    return found;
  }

  V4Owner owner_;
  std::unique_ptr<V4Peer> peer_;
};

TEST_F(V4Copies, each_writer_has_its_own_copy_and_the_reader_says_whose_is_meant) {
  const V4Invited one = joined(*peer_, owner_, Role::writer);
  const V4Invited two = joined(*peer_, owner_, Role::writer);
  const V4Blobs blobs(2000);
  const auto id = blobs.all[1].head.id;
  put(*member(one.member(owner_)), blobs, '1');
  put(*member(two.member(owner_)), blobs, '2');
  EXPECT_EQ(get(*peer_, id, field(one.device), true).letter, '1');
  EXPECT_EQ(get(*peer_, id, field(two.device), true).letter, '2');
  EXPECT_EQ(get(*peer_, id, field(two.device), true).device, field(two.device));
  EXPECT_EQ(get(*peer_, id, field(owner_.device), true).letter, 0) << "the owner put none";
  EXPECT_NE(get(*peer_, id, {}, false).letter, 0) << "rather a foreign copy than none";
  auto own = member(two.member(owner_));
  EXPECT_EQ(get(*own, id, {}, false).letter, '2') << "without a name the asking device's own";
}

TEST_F(V4Copies, devices_that_chose_to_share_lean_on_each_other_and_others_do_not) {
  const V4Invited shares = joined(*peer_, owner_, Role::writer, repository::kDeviceSharesDedup);
  const V4Invited too = joined(*peer_, owner_, Role::writer, repository::kDeviceSharesDedup);
  const V4Invited alone = joined(*peer_, owner_, Role::writer);
  const V4Blobs blobs(2000);
  put(*member(shares.member(owner_)), blobs, 's');
  v4::pb::Have have;
  have.set_ids(v4::field_of(blobs.all[1].head.id.view()));
  const auto leans = [&](const V4Invited& device) {
    auto peer = member(device.member(owner_));
    return ask(*peer, Request::have, have).as<v4::pb::HaveReply>().present() == "\1";
  };
  EXPECT_TRUE(leans(shares));
  EXPECT_TRUE(leans(too));
  EXPECT_FALSE(leans(alone));
}

TEST_F(V4Copies, an_owner_lists_copies_and_opens_up_or_condemns_them) {
  const V4Invited one = joined(*peer_, owner_, Role::writer);
  const V4Invited two = joined(*peer_, owner_, Role::writer);
  const V4Blobs blobs(2000);
  const auto id = blobs.all[1].head.id;
  put(*member(one.member(owner_)), blobs, '1');
  put(*member(two.member(owner_)), blobs, '2');
  const std::string of_one = v4::field_of(id.view()) + field(one.device);
  const std::string of_two = v4::field_of(id.view()) + field(two.device);
  EXPECT_THAT(unverified(), testing::IsSupersetOf({of_one, of_two}));

  v4::pb::Verified found;
  found.set_device(field(two.device));
  found.set_ids(v4::field_of(id.view()));
  found.set_bad(true);
  EXPECT_EQ(tell(*peer_, Request::verified, found), "");
  EXPECT_THAT(unverified(), testing::Contains(of_one));
  EXPECT_THAT(unverified(), testing::Not(testing::Contains(of_two)));
  found.set_device(field(one.device));
  found.set_bad(false);
  EXPECT_EQ(tell(*peer_, Request::verified, found), "");
  EXPECT_THAT(unverified(), testing::Not(testing::Contains(of_one)));
  // Now everybody leans on it, the one that lied too.
  auto liar = member(two.member(owner_));
  EXPECT_EQ(get(*liar, id, {}, false).letter, '1');
  found.set_device(field(one.device));
  found.set_bad(true);
  EXPECT_EQ(tell(*peer_, Request::verified, found), "");
  EXPECT_EQ(get(*peer_, id, {}, false).letter, '1') << "condemning takes nothing back";
  EXPECT_TRUE(log_.contains("v4.copies.condemned"));
  EXPECT_TRUE(log_.contains("v4.copies.verified"));
}

TEST_F(V4Copies, what_owners_put_is_not_condemned) {
  const V4Invited second = joined(*peer_, owner_, Role::owner);
  const V4Blobs blobs(2000);
  const auto id = blobs.all[1].head.id;
  put(*peer_, blobs, 'o');
  v4::pb::Verified wrong;
  wrong.set_ids(v4::field_of(id.view()));
  wrong.set_bad(true);
  for (const auto& device : {owner_.device, second.device, repository::DeviceId{}}) {
    wrong.set_device(field(device));
    EXPECT_THAT(tell(*peer_, Request::verified, wrong), HasSubstr("vouched for already"));
  }
  EXPECT_EQ(get(*peer_, id, field(owner_.device), true).letter, 'o');
}

TEST_F(V4Copies, a_condemned_copy_is_read_when_there_is_no_other) {
  const V4Invited one = joined(*peer_, owner_, Role::writer);
  const V4Blobs blobs(2000);
  const auto id = blobs.all[1].head.id;
  put(*member(one.member(owner_)), blobs, '1');
  v4::pb::Verified wrong;
  wrong.set_device(field(one.device));
  wrong.set_ids(v4::field_of(id.view()));
  wrong.set_bad(true);
  ASSERT_EQ(tell(*peer_, Request::verified, wrong), "");
  EXPECT_EQ(get(*peer_, id, field(one.device), true).letter, 0);
  EXPECT_EQ(get(*peer_, id, field(one.device), false).letter, '1');
}

}  // namespace
}  // namespace cb::server
