// SPDX-License-Identifier: Apache-2.0
#include "core/replication/account_copy.h"

#include <algorithm>

#include "core/identity/signing.h"
#include "core/replication/closure_copy.h"
#include "core/replication/source_fixture.h"
#include "core/repository/pack_checks.h"

namespace cb::replication {
namespace {

using repository::BlobId;
using repository::code_of;
using repository::must;
using repository::TestSnapshot;

constexpr size_t kAll = 1'000'000;

class AccountCopyTest : public repository::ReplicaFixture {
 protected:
  AccountCopyTest() { must(source_.engine().add_slot(record_.id, slot_)); }

  // One run that ends after so many blobs.
  Status run(size_t most = kAll) {
    CountedPace pace(there_, most);
    server::AccountNotes notes(copy_.catalog(), copy_.engine());
    AccountCopy::Parts parts;
    parts.members = {&copy_.catalog(), &copy_.engine(), &notes};
    parts.source = &there_;
    parts.pace = &pace;
    parts.goes_on = [this] { return left_looks_ == 0 || --left_looks_ > 0; };
    parts.source_name = "home";
    parts.keeps_removed = keeps_removed_;
    parts.most_stored = most_stored_;
    parts.most_commits = most_commits_;
    AccountCopy copy(parts, shown_.value_or(there_.account()));
    Status done = copy.run();
    counts_ = copy.counts();
    spent_ = pace.spent;
    return done;
  }
  void expect_sound() {
    const auto checked = must(copy_.engine().check(record_.id, true, {}));
    for (const std::string& finding : checked.findings) ADD_FAILURE() << finding;
  }
  // Changes a byte of it in a house's packs, and lets that notice.
  void condemn(repository::EngineHouse& house, const repository::StoredBlob& victim) {
    for (const std::string& name : house.objects("v4/" + record_.id.hex() + "/pack/")) {
      Bytes pack = house.object(name);
      const auto at =
          std::search(pack.begin(), pack.end(), victim.stored.begin(), victim.stored.end());
      if (at == pack.end()) continue;
      *at ^= std::byte{1};
      house.put_object(name, pack);
    }
    EXPECT_EQ(must(house.engine().verify(record_.id, {}, {})).newly_wanted, 1U);
  }
  // Blobs of a snapshot without its session's record.
  static size_t size_of(const TestSnapshot& snapshot) { return snapshot.blobs.size() - 1; }

  EngineSource there_{source_, record_.id};
  std::optional<SourceAccount> shown_;  // instead of what the source has
  AccountCopy::Counts counts_;
  bool keeps_removed_ = true;
  uint64_t most_stored_ = 0;
  uint64_t most_commits_ = 100;
  size_t left_looks_ = 0;  // whether it goes on; then it does not. 0: any number
  uint64_t spent_ = 0;     // bytes of the last run's pace
};

TEST_F(AccountCopyTest, brings_everything_once) {
  const TestSnapshot first = back_up(1, *owner_);
  const TestSnapshot second = back_up(2, *writer_);
  ASSERT_OK(run());
  EXPECT_EQ(counts_.commits, 2U);
  EXPECT_EQ(counts_.blobs, size_of(first) + size_of(second));
  expect_readable(first, owner_->viewer);
  expect_readable(second, writer_->viewer);
  expect_sound();
  there_.given = 0;
  ASSERT_OK(run());
  EXPECT_EQ(there_.given, 0U);
  EXPECT_EQ(counts_.commits, 0U);
}

TEST_F(AccountCopyTest, ended_after_any_blob_goes_on_there_and_is_sound_at_each_moment) {
  const TestSnapshot first = back_up(1, *owner_);
  const TestSnapshot second = back_up(2, *writer_);
  const size_t all = size_of(first) + size_of(second);
  size_t came = 0;
  int runs = 0;
  for (bool ended = false; !ended && runs < 100; ++runs) {
    const Status done = run(1);
    came += counts_.blobs;
    ended = done.has_value();
    if (!ended) {
      ASSERT_EQ(done.error().code, Code::cancelled) << done.error().text();
    }
    copy_.reopen();
    expect_sound();
  }
  EXPECT_EQ(came, all) << "nothing came twice";
  EXPECT_GT(runs, static_cast<int>(all) / 2);
  EXPECT_EQ(listed(), "1 here, 2 here");
  expect_readable(first, owner_->viewer);
  expect_readable(second, writer_->viewer);
}

TEST_F(AccountCopyTest, goes_below_what_is_here_and_not_whole) {
  const TestSnapshot first = back_up(1, *owner_);
  const auto intake = must(copy_.engine().begin(record_.id, {}, false));
  must(put_blob(*intake, first.blobs.front()));
  must(put_blob(*intake, first.blobs.back()));
  must(intake->flush());
  ASSERT_OK(run());
  EXPECT_EQ(counts_.blobs, size_of(first) - 1);
  expect_readable(first, owner_->viewer);
}

TEST_F(AccountCopyTest, takes_no_blob_that_is_not_what_the_source_has) {
  const TestSnapshot first = back_up(1, *owner_);
  const BlobId victim = first.blobs[3].head.id;
  there_.spoilt = {victim};
  EXPECT_EQ(code_of(run()), Code::corrupt);
  EXPECT_FALSE(must(copy_.engine().have(record_.id, {}, std::array{victim}))[0]);
  EXPECT_EQ(listed(), "");
  there_.spoilt.clear();
  there_.without_checksums = true;
  EXPECT_EQ(code_of(run()), Code::corrupt);
  there_.without_checksums = false;
  ASSERT_OK(run());
  expect_readable(first, owner_->viewer);
}

TEST_F(AccountCopyTest, goes_past_a_snapshot_that_the_source_lacks_and_takes_it_when_it_comes) {
  const TestSnapshot first = back_up(1, *owner_);
  const TestSnapshot second = back_up(2, *owner_);
  there_.lacks = {first.blobs[2].head.id};
  ASSERT_OK(run());
  EXPECT_EQ(counts_.lacking, 1U);
  EXPECT_EQ(listed(), "1 absent, 2 here");
  there_.lacks.clear();
  ASSERT_OK(run());
  EXPECT_EQ(counts_.lacking, 0U);
  EXPECT_EQ(counts_.blobs, 1U);
  EXPECT_EQ(listed(), "1 here, 2 here");
  expect_sound();
}

TEST_F(AccountCopyTest, does_not_look_for_what_was_removed_before_it_came) {
  const TestSnapshot first = back_up(1, *owner_);
  const TestSnapshot second = back_up(2, *owner_);
  must(source_.engine().forget(record_.id, first.request.snapshot, owner_->viewer.device));
  must(source_.engine().remove(record_.id, first.request.snapshot));
  ASSERT_OK(run());
  EXPECT_EQ(counts_.blobs, size_of(second));
  EXPECT_EQ(counts_.lacking, 0U);
  EXPECT_EQ(listed(), "2 here");
}

TEST_F(AccountCopyTest, follows_removals_from_when_it_is_told_to) {
  const TestSnapshot first = back_up(1, *owner_);
  ASSERT_OK(run());
  must(source_.engine().forget(record_.id, first.request.snapshot, owner_->viewer.device));
  must(source_.engine().remove(record_.id, first.request.snapshot));
  ASSERT_OK(run());
  EXPECT_EQ(listed(), "1 kept in trash");
  keeps_removed_ = false;
  ASSERT_OK(run());
  EXPECT_EQ(counts_.dropped, 1U);
  EXPECT_EQ(listed(), "");
}

TEST_F(AccountCopyTest, fetches_what_a_collection_took_from_under_a_run_that_was_ended) {
  const TestSnapshot first = back_up(1, *owner_);
  EXPECT_EQ(code_of(run(4)), Code::cancelled);
  repository::Engine::CollectOptions options;
  options.wait = {};
  options.keep_uncommitted = {};
  for (int i = 0; i < 3; ++i) {
    copy_.clock().advance(std::chrono::hours(48));
    must(copy_.engine().collect(record_.id, options, {}));
  }
  ASSERT_OK(run());
  expect_readable(first, owner_->viewer);
  expect_sound();
}

TEST_F(AccountCopyTest, lets_a_source_that_changes_its_chain_do_no_harm) {
  const TestSnapshot first = back_up(1, *owner_);
  ASSERT_OK(run());
  back_up(2, *owner_);
  there_.change_commit = [](Bytes& commit) { commit[commit.size() - 70] ^= std::byte{1}; };
  EXPECT_EQ(code_of(run()), Code::denied) << "that which is here is another one there";
  there_.change_commit = {};
  shown_ = there_.account();
  shown_->head = 7;
  EXPECT_EQ(code_of(run()), Code::corrupt) << "it shows a head that it has not";
  shown_->head = 0;
  EXPECT_EQ(code_of(run()), Code::denied) << "it went back";
  shown_ = there_.account();
  shown_->chain_key = root_.public_key();
  EXPECT_EQ(code_of(run()), Code::auth) << "another server signs";
  shown_ = there_.account();
  shown_->root = source_.server_key();
  EXPECT_EQ(code_of(run()), Code::auth) << "another owner's";
  shown_.reset();
  EXPECT_GE(must(copy_.engine().head(record_.id)).sequence, 1U);
  expect_readable(first, owner_->viewer);
  ASSERT_OK(run());
  EXPECT_EQ(listed(), "1 here, 2 here");
}

// Removals that nobody signed, one after the other, for as long as somebody asks.
TEST_F(AccountCopyTest, remembers_nothing_of_a_chain_that_the_source_has_not_signed) {
  constexpr uint64_t kNoEnd = uint64_t{1} << 62;
  shown_ = there_.account();
  shown_->head = kNoEnd;
  repository::CommitHash previous;
  there_.made_up_chain = [&](uint64_t sequence) {
    repository::ChainPage page;
    if (there_.pages > 1000) return page;
    repository::CommitRecord removal;
    removal.type = repository::CommitType::removal;
    removal.sequence = sequence;
    removal.previous = previous;
    page.commits.push_back(encode(removal));
    previous.bytes = identity::sha256(page.commits[0]);
    return page;
  };
  most_commits_ = kNoEnd;
  EXPECT_EQ(code_of(run()), Code::auth);
  EXPECT_EQ(there_.pages, 1U);
}

TEST_F(AccountCopyTest, takes_so_many_commits_at_once_and_the_rest_the_next_time) {
  back_up(1, *owner_);
  back_up(2, *owner_);
  back_up(3, *owner_);
  most_commits_ = 2;
  ASSERT_OK(run());
  EXPECT_EQ(counts_.commits, 2U);
  EXPECT_EQ(counts_.left, 1U);
  ASSERT_OK(run());
  EXPECT_EQ(counts_.left, 0U);
  EXPECT_EQ(listed(), "1 here, 2 here, 3 here");
}

TEST_F(AccountCopyTest, asks_before_each_page_whether_to_go_on_and_lets_it_wait_its_turn) {
  const TestSnapshot first = back_up(1, *owner_);
  ASSERT_OK(run());
  for (int i = 0; i < 3; ++i) {
    must(source_.engine().forget(record_.id, first.request.snapshot, owner_->viewer.device));
    must(source_.engine().undelete(record_.id, first.request.snapshot, owner_->viewer.device));
  }
  left_looks_ = 2;
  there_.pages = 0;
  EXPECT_EQ(code_of(run()), Code::cancelled);
  EXPECT_EQ(there_.pages, 2U) << "one to compare, one that is new";
  left_looks_ = 0;
  ASSERT_OK(run());
  EXPECT_EQ(counts_.commits, 6U);
  EXPECT_EQ(counts_.bytes, 0U);
  EXPECT_GT(spent_, 6 * record_of(2).size());
}

TEST_F(AccountCopyTest, stores_no_more_of_an_account_than_it_may) {
  const TestSnapshot first = back_up(1, *owner_);
  most_stored_ = 3000;
  EXPECT_EQ(code_of(run()), Code::limit);
  EXPECT_LE(counts_.bytes, most_stored_);
  EXPECT_EQ(code_of(run()), Code::limit) << "what came before counts";
  EXPECT_EQ(counts_.blobs, 0U);
  EXPECT_EQ(listed(), "");
  most_stored_ = 1'000'000;
  ASSERT_OK(run());
  expect_readable(first, owner_->viewer);
}

TEST_F(AccountCopyTest, goes_down_no_tree_that_has_no_end) {
  const TestSnapshot first = back_up(1, *owner_);
  CountedPace pace(there_, kAll);
  ArrivingBlobs blobs({&copy_.catalog(), &copy_.engine(), &there_, &pace, [] { return true; }},
                      record_.id);
  ClosureCopy closure(copies(), blobs, record_.id, owner_->viewer);
  const std::array<BlobId, 2> from = {first.request.snapshot, first.request.root};
  closure.set_bounds({1, kAll});
  EXPECT_EQ(code_of(closure.bring(from)), Code::limit) << "too many nodes";
  ClosureCopy other(copies(), blobs, record_.id, owner_->viewer);
  other.set_bounds({kAll, 1});
  EXPECT_EQ(code_of(other.bring(from)), Code::limit) << "too many ids";
}

TEST_F(AccountCopyTest, lets_nobody_be_locked_out_by_the_sources_word) {
  catalog::Accounts& there = source_.catalog().accounts();
  catalog::Accounts& here = copy_.catalog().accounts();
  const int64_t account = must(there.account_by_name("alice"))->number;
  must(there.set_password_hash(account, "good"));
  back_up(1, *owner_);
  ASSERT_OK(run());
  must(there.set_password_hash(account, ""));
  must(there.set_account_disabled(account, true));
  const auto device = writer_->viewer.device.bytes;
  there_.change_device = [](repository::DeviceEntry& entry) { entry.state = 2; };  // revoked
  ASSERT_OK(run());
  EXPECT_EQ(must(here.account_by_name("alice"))->password_hash, "good");
  EXPECT_FALSE(must(here.account_by_name("alice"))->disabled);
  EXPECT_EQ(must(here.device_by_id(device))->state, catalog::DeviceState::disabled);
  there_.change_device = {};
  ASSERT_OK(run());
  EXPECT_EQ(must(here.device_by_id(device))->state, catalog::DeviceState::active);
  repository::Revocation revoked;
  revoked.id.bytes = device;
  revoked.since = 2;
  must(source_.engine().put_record(next_record({revoked}), std::nullopt));
  ASSERT_OK(run());
  EXPECT_EQ(must(here.device_by_id(device))->state, catalog::DeviceState::revoked);
}

TEST_F(AccountCopyTest, takes_states_of_devices_and_no_device_that_no_owner_certified) {
  back_up(1, *owner_);
  must(source_.catalog().accounts().set_device_state(writer_->viewer.device.bytes,
                                                     catalog::DeviceState::disabled));
  ASSERT_OK(run());
  const auto state = [&] {
    return must(copy_.catalog().accounts().device_by_id(writer_->viewer.device.bytes))->state;
  };
  EXPECT_EQ(state(), catalog::DeviceState::disabled);
  must(source_.catalog().accounts().set_device_state(writer_->viewer.device.bytes,
                                                     catalog::DeviceState::active));
  ASSERT_OK(run());
  EXPECT_EQ(state(), catalog::DeviceState::active);
  repository::Certificate forged;
  forged.device = must(identity::SigningKey::make(os::system_random())).public_key();
  must(sign_certificate(forged, record_.id, writer_->key));
  add_to(source_, forged);
  EXPECT_EQ(code_of(run()), Code::auth);
  EXPECT_FALSE(
      must(copy_.catalog().accounts().device_by_id(repository::device_of(forged.device).bytes)));
}

TEST_F(AccountCopyTest, takes_the_records_of_sessions_that_rotation_made_anew) {
  const TestSnapshot first = back_up(1, *owner_);
  ASSERT_OK(run());
  repository::RepositoryRecord next = record_;
  next.revision = 2;
  next.epochs.push_back({2, Bytes(32, std::byte{2})});
  must(sign_record(next, root_));
  must(source_.engine().put_record(next, std::nullopt));
  repository::SessionRecord renewed = must(repository::decode_session(first.blobs[0].stored));
  renewed.epoch = 2;
  renewed.wrapped = Bytes(48, std::byte{3});
  renewed.signature = must(root_.sign(signed_part(renewed, record_.id, repository::session_of(1))));
  const repository::SessionEntry entry{repository::session_of(1), encode(renewed)};
  must(source_.engine().put_sessions(record_.id, std::span(&entry, 1)));
  ASSERT_OK(run());
  EXPECT_EQ(must(copy_.engine().record(record_.id)).revision, 2U);
  EXPECT_TRUE(must(copy_.engine().sessions(record_.id, 2, {}, 10)).empty());
  const auto found = must(read_all(copy_.engine(), record_.id,
                                   std::array{repository::blob_of(repository::session_of(1))}));
  EXPECT_EQ(found.begin()->second.stored, entry.record);
}

TEST_F(AccountCopyTest, takes_sessions_of_an_epoch_that_rotation_left_behind) {
  const TestSnapshot first = back_up(1, *owner_);
  repository::RepositoryRecord next = record_;
  next.revision = 2;
  next.epochs.push_back({2, Bytes(32, std::byte{2})});
  must(sign_record(next, root_));
  must(source_.engine().put_record(next, std::nullopt));
  ASSERT_OK(run());
  expect_readable(first, owner_->viewer);
}

TEST_F(AccountCopyTest, heals_what_was_condemned_here) {
  const TestSnapshot first = back_up(1, *owner_);
  ASSERT_OK(run());
  condemn(copy_, first.blobs[2]);
  ASSERT_OK(run());
  EXPECT_EQ(counts_.healed, 1U);
  EXPECT_EQ(must(copy_.engine().count_wanted(record_.id, {})), 0U);
  expect_readable(first, owner_->viewer);
}

// What it sent would be wanted no more, and the owner's device would not send it again.
TEST_F(AccountCopyTest, takes_nothing_of_another_shape_to_heal_what_is_no_copy_of_it) {
  const TestSnapshot first = back_up(1, *owner_);
  ASSERT_OK(run());
  condemn(source_, first.blobs[2]);
  EngineSource back(copy_, record_.id);
  const auto heal = [&] {
    CountedPace pace(back, kAll);
    server::AccountNotes notes(source_.catalog(), source_.engine());
    AccountCopy::Parts parts;
    parts.members = {&source_.catalog(), &source_.engine(), &notes};
    parts.source = &back;
    parts.pace = &pace;
    parts.goes_on = [] { return true; };
    AccountCopy copy(parts, back.account());
    must(copy.heal());
    return must(source_.engine().count_wanted(record_.id, {}));
  };
  back.change_blob = [](repository::StoredBlob& blob) {
    blob.stored.pop_back();
    blob.head.stored_size = static_cast<uint32_t>(blob.stored.size());
    repository::Checksum checksum;
    checksum.update(blob.stored);
    blob.head.checksum = checksum.value();
  };
  EXPECT_EQ(heal(), 1U);
  back.change_blob = [](repository::StoredBlob& blob) { blob.head.session = {}; };
  EXPECT_EQ(heal(), 1U);
  back.change_blob = {};
  EXPECT_EQ(heal(), 0U);
}

}  // namespace
}  // namespace cb::replication
