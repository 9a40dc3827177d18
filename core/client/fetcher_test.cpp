// SPDX-License-Identifier: Apache-2.0
//
// Fetching with really sealed blobs: keys are learnt on demand, damage spoils only what is damaged,
// and few requests are made.
#include "core/client/snapshot_fixture.h"

namespace cb::client {
namespace {

using repository::BlobId;
using repository::PlainBlob;

class Fetcher : public SnapshotFixture {
 protected:
  // Several blobs, a session for every three.
  std::vector<BlobId> several(size_t count) {
    std::vector<BlobId> ids;
    for (size_t i = 0; i < count; ++i) {
      if (i % 3 == 0) new_session();
      ids.push_back(data(text(1000 + i)).blob);
    }
    return ids;
  }

  // How each id was answered: "" or the cause.
  std::map<BlobId, std::string> fetch_all(const std::vector<BlobId>& ids) {
    std::map<BlobId, std::string> answers;
    std::mutex mutex;
    const Status done =
        fetcher_->fetch(ids, 4, [&](const BlobId& id, Result<PlainBlob> blob) -> Status {
          const std::lock_guard lock(mutex);
          EXPECT_FALSE(answers.contains(id));
          answers[id] = blob ? "" : blob.error().text();
          if (blob) {
            EXPECT_EQ(blob->id, id);
          }
          return {};
        });
    EXPECT_TRUE(done) << done.error().text();
    return answers;
  }
};

TEST_F(Fetcher, opens_blobs_of_sessions_that_it_has_never_seen) {
  const std::vector<BlobId> ids = several(50);
  const auto answers = fetch_all(ids);
  ASSERT_EQ(answers.size(), ids.size());
  for (const auto& [id, cause] : answers) EXPECT_EQ(cause, "");
  EXPECT_GT(fetcher_->bytes_fetched(), 0U);
}

TEST_F(Fetcher, a_damaged_a_missing_and_an_unreadable_blob_spoil_no_others) {
  const std::vector<BlobId> ids = several(40);
  damage(ids[5]);
  remote_->blobs.erase(ids[11]);
  remote_->unreadable.insert(ids[23]);
  const auto answers = fetch_all(ids);
  ASSERT_EQ(answers.size(), ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    const bool bad = i == 5 || i == 11 || i == 23;
    EXPECT_EQ(answers.at(ids[i]) != "", bad) << i << ": " << answers.at(ids[i]);
  }
}

TEST_F(Fetcher, a_blob_in_the_place_of_another_is_noticed) {
  const std::vector<BlobId> ids = several(2);
  const BlobId node = tree({folder("a")});
  auto& blobs = remote_->blobs;
  blobs.at(ids[0]).stored = blobs.at(ids[1]).stored;  // under its name
  EXPECT_EQ(repository::code_of(fetcher_->blob(ids[0])), Code::corrupt);
  blobs.at(ids[0]) = blobs.at(ids[1]);  // as itself
  EXPECT_EQ(repository::code_of(fetcher_->blob(ids[0])), Code::corrupt);
  blobs.at(ids[0]) = blobs.at(node);
  EXPECT_EQ(repository::code_of(fetcher_->blob(ids[0])), Code::corrupt);
  EXPECT_EQ(repository::code_of(fetcher_->node(ids[1])), Code::corrupt) << "content is no node";
}

TEST_F(Fetcher, each_flipped_bit_of_a_blob_is_noticed) {
  const BlobId id = data(text(300)).blob;
  const BlobId record = BlobId::from_bytes([&] {
                          Bytes bytes(32);
                          const auto& session = sealer_->session().bytes;
                          std::copy(session.begin(), session.end(), bytes.begin());
                          return bytes;
                        }())
                            .value();
  for (const BlobId& which : {id, record})
    for (size_t at = 0; at < remote_->blobs.at(which).stored.size(); ++at) {
      // The device's signature is no part of what gives the key.
      if (which == record && at + 64 + 16 >= remote_->blobs.at(which).stored.size()) break;
      forget_keys();
      std::byte& one = remote_->blobs.at(which).stored[at];
      one ^= std::byte{0x10};
      EXPECT_FALSE(fetcher_->blob(id)) << at;
      one ^= std::byte{0x10};
    }
  forget_keys();
  EXPECT_TRUE(fetcher_->blob(id));
}

TEST_F(Fetcher, goes_on_over_another_connection_when_one_is_lost) {
  const std::vector<BlobId> ids = several(60);
  unsigned connections = 0;
  std::mutex mutex;
  forget_keys([&]() -> Result<std::shared_ptr<repository::Remote>> {
    const std::lock_guard lock(mutex);
    ++connections;
    auto next = std::make_shared<MapRemote>();
    next->blobs = remote_->blobs;
    if (connections < 2) next->gets_until_closed = 9;
    return next;
  });
  remote_->gets_until_closed = 7;
  const auto answers = fetch_all(ids);
  ASSERT_EQ(answers.size(), ids.size());
  for (const auto& [id, cause] : answers) EXPECT_EQ(cause, "");
  EXPECT_EQ(connections, 2U);
}

TEST_F(Fetcher, a_lost_connection_that_cannot_be_made_again_is_the_callers_error) {
  const std::vector<BlobId> ids = several(5);
  remote_->gets_until_closed = 3;
  const Status done = fetcher_->blobs(ids, [](const PlainBlob&) -> Status { return {}; });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::closed);
}

TEST_F(Fetcher, what_the_sink_fails_with_ends_the_fetch) {
  const std::vector<BlobId> ids = several(30);
  const Status done = fetcher_->blobs(
      ids, [](const PlainBlob&) { return Status(failed(Code::no_space, "disk", "is full")); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::no_space);
  EXPECT_LT(remote_->asked.size(), 30U);
}

TEST_F(Fetcher, walking_asks_ahead_and_looking_up_does_not) {
  std::vector<Entry> entries;
  for (int i = 0; i < 60'000; ++i)
    entries.push_back(file("folder/file" + std::to_string(100'000 + i), ""));
  const BlobId root = tree(entries);
  forget_keys();
  repository::TreeWalker walker(fetcher_->walking_source(), root);
  size_t count = 0;
  while (must(walker.next())) ++count;
  EXPECT_EQ(count, 60'000U);
  const uint64_t nodes = fetcher_->nodes_fetched();
  EXPECT_GT(nodes, 30U);
  EXPECT_LT(remote_->requests, nodes / 4);
  forget_keys();
  EXPECT_TRUE(must(repository::find_entry(fetcher_->source(), root, "folder/file107000")));
  EXPECT_LE(fetcher_->nodes_fetched(), 3U);
  // What was fetched is kept.
  EXPECT_TRUE(must(repository::find_entry(fetcher_->source(), root, "folder/file107001")));
  EXPECT_LE(fetcher_->nodes_fetched(), 3U);
}

class Copies : public Fetcher {
 protected:
  static repository::DeviceId device(uint8_t number) {
    repository::DeviceId id;
    id.bytes[0] = static_cast<std::byte>(number);
    return id;
  }
  void forget() {
    forget_keys({}, [this] {
      return std::vector<repository::DeviceId>{device(1), device(2), device(3), device_id()};
    });
  }
};

TEST_F(Copies, that_others_poisoned_do_not_disturb_who_reads_as_the_device) {
  const std::vector<BlobId> ids = several(5);
  for (const BlobId& id : ids) {
    put_copy(device(1), id, false);
    put_copy(device(2), id, true);
    remote_->blobs.erase(id);
  }
  forget();
  fetcher_->read_as(device(1));
  remote_->requests = 0;
  for (const auto& [id, cause] : fetch_all(ids)) EXPECT_EQ(cause, "");
  // Two batches and two session records, one of which both threads may ask for.
  EXPECT_LE(remote_->requests, 5u) << "asked for more than blobs and session records";
}

TEST_F(Copies, are_tried_in_turn_until_one_opens) {
  const std::vector<BlobId> ids = several(7);
  for (const BlobId& id : ids) {
    put_copy(device(1), id, true);
    put_copy(device(2), id, true);
    put_copy(device(3), id, false);
    remote_->blobs.erase(id);
  }
  remote_->copies[device(3)].erase(ids[4]);
  forget();
  fetcher_->read_as(device(1));
  const auto answers = fetch_all(ids);
  ASSERT_EQ(answers.size(), ids.size());
  for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(answers.at(ids[i]).empty(), i != 4) << i;
  EXPECT_NE(answers.at(ids[4]).find("device " + device(1).hex()), std::string::npos)
      << answers.at(ids[4]);
}

TEST_F(Copies, of_a_session_record_count_only_for_blobs_of_their_device) {
  const BlobId id = data(text(3000)).blob;
  BlobId record;
  std::copy_n(sealer_->session().bytes.begin(), 16, record.bytes.begin());
  put_copy(device(1), id, false);
  put_copy(device(1), record, false);
  // Another device puts a record of the same session with a key of its own.
  const auto other = repository::must(
      repository::SessionSealer::begin(suite(), repository_.record, sealer_->session(), device_id(),
                                       [this](ByteView bytes) { return device_.sign(bytes); }));
  put_copy(device(2), id, true);
  remote_->copies[device(2)][record] = other->record();
  remote_->blobs.erase(id);
  remote_->blobs.erase(record);
  forget();
  fetcher_->read_as(device(2));
  EXPECT_TRUE(fetcher_->blob(id)) << "device 1's copy is good";
  fetcher_->read_as(device(1));
  EXPECT_TRUE(fetcher_->blob(id));
}

TEST_F(Copies, are_tried_when_the_server_cannot_read_one) {
  const BlobId id = data(text(3000)).blob;
  put_copy(device(3), id, false);
  forget();
  remote_->unreadable_once.insert(id);
  EXPECT_TRUE(fetcher_->blob(id));
}

}  // namespace
}  // namespace cb::client
