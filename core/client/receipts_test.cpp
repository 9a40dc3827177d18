// SPDX-License-Identifier: Apache-2.0
#include "core/client/receipts.h"

#include "core/client/chain_fixture.h"
#include "core/client/failing_file_system.h"
#include "core/client/followed_remote.h"

namespace cb::client {
namespace {

using repository::BlobId;
using repository::CommitType;
using repository::must;

// What it is refused with; empty when it is not.
std::string refusal(const Status& done) {
  if (done) return {};
  EXPECT_EQ(done.error().code, Code::denied) << done.error().text();
  EXPECT_NE(done.error().advice.find("--accept-rollback"), std::string::npos);
  return done.error().text();
}

void expect_refused(const Status& done, const std::string& why) {
  EXPECT_NE(refusal(done).find(why), std::string::npos) << refusal(done);
}

using ReceiptsTest = ChainFixture;

TEST_F(ReceiptsTest, follow_the_chain_and_ask_only_for_what_is_new) {
  for (int i = 0; i < 7; ++i) server_.commit(i % 2 == 0 ? owner_ : writer_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  EXPECT_EQ(*server_.asked, 3u);
  EXPECT_EQ(must(receipts_->head()), server_.head());
  restart();
  ASSERT_TRUE(receipts_->follow(server_.view()));
  EXPECT_EQ(*server_.asked, 3u) << "asks although nothing is new";
  server_.commit(owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  EXPECT_EQ(*server_.asked, 4u);
  EXPECT_TRUE(receipts_->judge(server_.list(false), false));
  for (uint64_t i = 1; i <= 8; ++i)
    EXPECT_EQ(must(receipts_->hash_at(i))->bytes, identity::sha256(server_.commits[i - 1]));
  EXPECT_FALSE(must(receipts_->hash_at(9)));
}

TEST_F(ReceiptsTest, refuse_a_server_that_was_set_back) {
  server_.commit(owner_);
  const ChainServer before = server_;
  server_.commit(owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  restart();
  expect_refused(receipts_->follow(before.view()), "set back to an older state");
  ServerView silent = before.view();
  silent.head.reset();
  EXPECT_TRUE(receipts_->follow(silent)) << "shows nothing new, and says nothing either";
  EXPECT_TRUE(receipts_->follow(server_.view()));
}

TEST_F(ReceiptsTest, refuse_a_server_that_lacks_a_commit_that_it_gave_a_receipt_for) {
  server_.commit(owner_);
  const ChainServer before = server_;
  ASSERT_TRUE(receipts_->follow(server_.view()));
  server_.commit(owner_);
  ASSERT_TRUE(receipts_->keep(server_.commits.back()));
  EXPECT_EQ(must(receipts_->newest()), server_.head());
  restart();
  EXPECT_EQ(must(receipts_->newest()), server_.head());
  expect_refused(receipts_->follow(before.view()), "set back");
  // It cannot say another head than it shows records for, either.
  ServerView lying = before.view();
  lying.head = server_.head();
  expect_refused(receipts_->follow(lying), "set back to an older state, or hides");
  ChainServer other = before;
  other.commit(owner_, 9);
  expect_refused(receipts_->follow(other.view()), "another commit 2");
  other.commit(owner_, 9);
  expect_refused(receipts_->follow(other.view()), "another commit 2");
  EXPECT_TRUE(receipts_->follow(server_.view()));
}

TEST_F(ReceiptsTest, refuse_another_history_that_is_as_long_or_longer) {
  server_.commit(owner_);
  ChainServer other = server_;
  server_.commit(owner_);
  other.commit(owner_, 1);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  expect_refused(receipts_->follow(other.view()), "another commit 2");
  other.commit(owner_, 1);
  expect_refused(receipts_->follow(other.view()), "follows another history");
  EXPECT_EQ(must(receipts_->head()), server_.head());
}

TEST_F(ReceiptsTest, refuse_a_receipt_that_is_of_another_history) {
  server_.commit(owner_);
  ChainServer other = server_;
  server_.commit(owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  other.commit(owner_, 1);
  expect_refused(receipts_->keep(other.commits.back()), "another commit 2");
  other.commit(owner_, 1);
  expect_refused(receipts_->keep(other.commits.back()), "another commit 2");
  EXPECT_TRUE(receipts_->keep(server_.commits.front())) << "of a commit that was repeated";
}

TEST_F(ReceiptsTest, refuse_a_server_with_another_key) {
  server_.commit(owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  ChainServer other = server_;
  other.key = fresh_key();
  expect_refused(receipts_->follow(other.view()), "another key");
  // Nor may it keep its key and sign the next commit with another one.
  other.commit(owner_);
  ServerView view = other.view();
  view.key = server_.key->public_key();
  expect_refused(receipts_->follow(view), "not signed by the server");
}

TEST_F(ReceiptsTest, remember_the_key_of_the_enrolment_before_there_is_any_commit) {
  ASSERT_TRUE(receipts_->begin(fresh_key()->public_key()));
  restart();
  server_.commit(owner_);
  expect_refused(receipts_->follow(server_.view()), "another key");
  expect_refused(receipts_->begin(server_.key->public_key()), "another key");
}

TEST_F(ReceiptsTest, forget_nothing_when_the_enrolment_is_run_again) {
  ASSERT_TRUE(receipts_->begin(server_.key->public_key()));
  server_.commit(owner_);
  const ChainServer before = server_;
  server_.commit(owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  restart();
  ASSERT_TRUE(receipts_->begin(server_.key->public_key()));
  restart();
  expect_refused(receipts_->follow(before.view()), "set back");
}

TEST_F(ReceiptsTest, refuse_snapshots_that_no_device_of_the_owner_signed) {
  const auto forged_by = [&](const identity::SigningKey& signer,
                             const identity::SigningKey& named) {
    ChainServer other = server_;
    const BlobId id = other.commit(signer);
    repository::CommitRecord commit = other.snapshots[id].commit;
    commit.device = repository::device_of(named.public_key());
    other.commits.pop_back();
    other.add(commit);
    return receipts_->follow(other.view());
  };
  const auto stranger = fresh_key();
  EXPECT_TRUE(receipts_->follow(server_.view()));
  expect_refused(forged_by(*stranger, *stranger), "which no owner has certified");
  expect_refused(forged_by(*stranger, writer_), "did not sign");
  expect_refused(forged_by(owner_, writer_), "did not sign");
  const auto reader = fresh_key();
  certify(*reader, repository::Role::reader);
  expect_refused(forged_by(*reader, *reader), "may only read");
  // A certificate that the server made itself certifies nobody.
  repository::Certificate own;
  own.device = stranger->public_key();
  ASSERT_TRUE(repository::sign_certificate(own, made_.record.id, *stranger));
  server_.certificates.push_back(own);
  expect_refused(forged_by(*stranger, *stranger), "which no owner has certified");
  EXPECT_TRUE(forged_by(writer_, writer_));
}

TEST_F(ReceiptsTest, take_what_a_device_did_before_it_was_revoked_and_nothing_after) {
  server_.commit(writer_);
  server_.commit(owner_);
  revoke(writer_, 3);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  server_.commit(writer_);
  expect_refused(receipts_->follow(server_.view()), "which was revoked before");
}

TEST_F(ReceiptsTest, know_which_snapshots_live) {
  const BlobId kept = server_.commit(owner_);
  const BlobId binned = server_.commit(writer_);
  const BlobId back = server_.commit(owner_);
  const BlobId gone = server_.commit(owner_);
  server_.act(CommitType::forget, binned, &owner_);
  server_.act(CommitType::forget, back, &owner_);
  server_.act(CommitType::undelete, back, &owner_);
  server_.act(CommitType::forget, gone, nullptr);
  server_.act(CommitType::removal, gone, nullptr);
  server_.act(CommitType::forget, kept, &writer_, false);  // only a wish
  ASSERT_TRUE(receipts_->follow(server_.view()));
  EXPECT_TRUE(receipts_->judge(server_.list(false), false));
  EXPECT_TRUE(receipts_->judge(server_.list(true), true));
  EXPECT_EQ(server_.list(false).size(), 2u);
  EXPECT_EQ(server_.list(true).size(), 3u);
  restart();
  EXPECT_TRUE(receipts_->judge(server_.list(true), true));
}

TEST_F(ReceiptsTest, refuse_a_list_that_lacks_one_or_has_one_too_many_or_another_one) {
  const BlobId first = server_.commit(owner_);
  server_.commit(writer_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  auto list = server_.list(true);
  list.pop_back();
  expect_refused(receipts_->judge(list, true), "is not in the server's list any more");
  expect_refused(receipts_->judge({}, false), "is not in the server's list any more");
  list = server_.list(true);
  list.front().in_trash = true;
  expect_refused(receipts_->judge(list, true), "in the trash");
  list = server_.list(true);
  list.front().commit.root.bytes[0] ^= std::byte{1};
  expect_refused(receipts_->judge(list, true), "another record");
  list = server_.list(true);
  list.push_back(list.front());
  list.back().commit.snapshot.bytes[5] ^= std::byte{1};
  expect_refused(receipts_->judge(list, true), "no such snapshot");
  server_.act(CommitType::forget, first, &owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  expect_refused(receipts_->judge({}, true), "is not in the server's list any more");
  EXPECT_TRUE(receipts_->judge(server_.list(false), false));
}

TEST_F(ReceiptsTest, refuse_a_list_that_ends_with_an_older_snapshot) {
  server_.commit(owner_);
  server_.commit(writer_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  auto list = server_.list(false);
  EXPECT_TRUE(receipts_->judge(list, false));
  std::swap(list[0], list[1]);
  expect_refused(receipts_->judge(list, false), "out of order");
  std::swap(list[0], list[1]);
  list.push_back(list.front());
  expect_refused(receipts_->judge(list, false), "out of order");
}

TEST_F(ReceiptsTest, refuse_a_snapshot_that_is_made_once_more) {
  const BlobId old = server_.commit(owner_);
  server_.commit(owner_);
  const auto made_again = [&] {
    ChainServer other = server_;
    repository::CommitRecord again = other.snapshots.at(old).commit;
    again.sequence = other.head().sequence + 1;
    again.previous = other.head().hash;
    other.add(again);
    return receipts_->follow(other.view());
  };
  expect_refused(made_again(), "was made before");
  server_.act(CommitType::forget, old, &owner_);
  expect_refused(made_again(), "was made before");
  EXPECT_TRUE(receipts_->follow(server_.view()));
}

TEST_F(ReceiptsTest, accept_a_restored_server_on_demand_and_say_what_was_lost) {
  server_.commit(owner_);
  const BlobId gone = server_.commit(owner_);
  server_.act(CommitType::removal, gone, nullptr);
  ChainServer restored = server_;
  const BlobId lost = server_.commit(writer_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  ASSERT_TRUE(receipts_->keep(server_.commits.back()));
  restored.key = fresh_key();
  expect_refused(receipts_->follow(restored.view()), "another key");
  const auto takeover = must(receipts_->accept(restored.view()));
  EXPECT_EQ(takeover.before, server_.head());
  EXPECT_EQ(takeover.after, restored.head());
  EXPECT_TRUE(takeover.other_server);
  EXPECT_EQ(takeover.lost, std::vector<BlobId>{lost});
  restart();
  EXPECT_EQ(must(receipts_->newest()), restored.head());
  restored.commit(writer_, 3);
  ASSERT_TRUE(receipts_->follow(restored.view()));
  EXPECT_TRUE(receipts_->judge(restored.list(false), false));
  // The old one is the one that is refused now.
  EXPECT_FALSE(receipts_->follow(server_.view()));
}

TEST_F(ReceiptsTest, accept_no_server_whose_chain_does_not_hold) {
  server_.commit(owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  ChainServer other = server_;
  other.commits.clear();
  const auto stranger = fresh_key();
  other.commit(*stranger);
  EXPECT_FALSE(receipts_->accept(other.view()));
  other = server_;
  other.commits.clear();
  other.commit(owner_, 1);
  ServerView lying = other.view();
  lying.head->sequence = 2;
  EXPECT_FALSE(receipts_->accept(lying));
  EXPECT_TRUE(receipts_->follow(server_.view())) << "was changed by what was not accepted";
}

TEST_F(ReceiptsTest, take_an_accepted_server_for_true_though_the_disk_does_not_take_it) {
  server_.commit(owner_);
  ChainServer restored = server_;
  server_.commit(owner_);
  server_.commit(owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  ASSERT_TRUE(receipts_->keep((server_.commit(owner_), server_.commits.back())));
  FailingFileSystem full(0);
  Receipts unsaved(full, folder_, made_.record.id);
  EXPECT_EQ(must(unsaved.accept(restored.view())).after, restored.head());
  EXPECT_EQ(must(unsaved.newest()), restored.head());
  restored.commit(owner_, 1);
  ASSERT_TRUE(unsaved.follow(restored.view()));
  restored.commit(owner_, 1);
  ASSERT_TRUE(unsaved.keep(restored.commits.back()));
  ASSERT_TRUE(unsaved.follow(restored.view()));
  restart();
  expect_refused(receipts_->follow(restored.view()), "set back");
  full.mend();
  restored.commit(owner_, 1);
  ASSERT_TRUE(unsaved.follow(restored.view()));
  restart();
  EXPECT_EQ(must(receipts_->newest()), restored.head());
  EXPECT_TRUE(receipts_->judge(restored.list(false), false));
}

TEST_F(ReceiptsTest, are_not_replaced_because_a_connection_broke_or_a_disk_failed) {
  for (const Code code : {Code::denied, Code::corrupt, Code::unsupported})
    EXPECT_TRUE(calls_for_acceptance(fail(code, "server", "went back"))) << name_of(code);
  for (const Code code : {Code::closed, Code::timeout, Code::io, Code::limit, Code::cancelled,
                          Code::no_memory, Code::busy, Code::not_found})
    EXPECT_FALSE(calls_for_acceptance(fail(code, "server", "is gone"))) << name_of(code);
  EXPECT_FALSE(calls_for_acceptance(fail_errno(EACCES, "chain", "opening")));
  server_.commit(owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  std::filesystem::rename(folder_ / "chain", folder_ / "away");
  std::filesystem::create_directory(folder_ / "chain");
  restart();
  const auto taken = receipts_->accept(server_.view());
  ASSERT_FALSE(taken);
  EXPECT_FALSE(calls_for_acceptance(taken.error())) << taken.error().text();
  std::filesystem::remove(folder_ / "chain");
  std::filesystem::rename(folder_ / "away", folder_ / "chain");
  restart();
  EXPECT_EQ(must(receipts_->head()), server_.head());
}

TEST_F(ReceiptsTest, refuse_a_history_without_end) {
  for (int i = 0; i < 4; ++i) server_.commit(owner_);
  Receipts some(os::real_file_system(), folder_, made_.record.id, {{}, 4});
  ASSERT_TRUE(some.follow(server_.view()));
  server_.commit(owner_);
  const uint64_t asked = *server_.asked;
  const Status claimed = some.follow(server_.view());
  ASSERT_FALSE(claimed);
  EXPECT_EQ(claimed.error().code, Code::limit);
  EXPECT_EQ(*server_.asked, asked) << "asks for what it is not going to take";
  ServerView silent = server_.view();
  silent.head.reset();
  EXPECT_EQ(repository::code_of(some.follow(silent)), Code::limit);
  EXPECT_EQ(repository::code_of(some.accept(silent)), Code::limit);
  EXPECT_EQ(must(some.head()).sequence, 4u);
}

TEST_F(ReceiptsTest, compare_the_heads_that_other_devices_knew) {
  server_.commit(owner_);
  server_.commit(owner_);
  const BlobId made = server_.commit(writer_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  const repository::CommitRecord& commit = server_.snapshots.at(made).commit;
  repository::SnapshotRecord snapshot;
  EXPECT_TRUE(receipts_->judge_head(snapshot, commit)) << "of an older program";
  snapshot.head_sequence = 2;
  snapshot.head_hash = repository::CommitHash{identity::sha256(server_.commits[1])};
  EXPECT_TRUE(receipts_->judge_head(snapshot, commit));
  snapshot.head_hash.bytes[0] ^= std::byte{1};
  expect_refused(receipts_->judge_head(snapshot, commit), "different histories");
  snapshot.head_sequence = 3;
  expect_refused(receipts_->judge_head(snapshot, commit), "different histories");
}

TEST_F(ReceiptsTest, read_the_chain_again_when_their_history_is_damaged) {
  for (int i = 0; i < 5; ++i) server_.commit(owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  const ChainServer before = server_;
  for (const auto& damage : std::vector<std::function<void()>>{
           [&] { std::filesystem::remove(folder_ / "history"); },
           [&] { std::filesystem::resize_file(folder_ / "history", 100); }}) {
    damage();
    restart();
    ChainServer other = server_;
    other.commits.resize(4);
    expect_refused(receipts_->follow(other.view()), "set back");
    ASSERT_TRUE(receipts_->follow(server_.view()));
    EXPECT_EQ(must(receipts_->hash_at(1))->bytes, identity::sha256(server_.commits[0]));
    restart();
    const uint64_t asked = *server_.asked;
    ASSERT_TRUE(receipts_->follow(server_.view()));
    EXPECT_EQ(*server_.asked, asked);
  }
}

TEST_F(ReceiptsTest, name_a_file_that_is_damaged) {
  server_.commit(owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  ASSERT_TRUE(receipts_->keep(server_.commits.back()));
  server_.commit(owner_);
  ASSERT_TRUE(receipts_->keep(server_.commits.back()));
  for (const char* name : {"chain", "receipt"}) {
    const Bytes good = content(folder_ / name);
    overwrite(folder_ / name, ByteView(good).first(good.size() - 1));
    restart();
    const Status done = receipts_->follow(server_.view());
    ASSERT_FALSE(done) << name;
    EXPECT_EQ(done.error().code, Code::corrupt);
    EXPECT_EQ(done.error().object, (folder_ / name).string());
    overwrite(folder_ / name, good);
  }
  restart();
  EXPECT_TRUE(receipts_->follow(server_.view()));
}

TEST_F(ReceiptsTest, are_whole_after_a_failure_at_any_moment) {
  for (int i = 0; i < 3; ++i) server_.commit(owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  server_.commit(writer_);
  bool done = false;
  for (size_t good = 0; !done; ++good) {
    ASSERT_LT(good, 100u);
    FailingFileSystem files(good);
    done = true;
    Receipts failing(files, folder_, made_.record.id, {[&](const Error&) { done = false; }});
    ASSERT_TRUE(failing.follow(server_.view()));
    restart();
    const ChainPlace head = must(receipts_->head());
    EXPECT_TRUE(head.sequence == 3 || head == server_.head());
    EXPECT_EQ(must(receipts_->hash_at(head.sequence)), head.hash);
  }
  EXPECT_TRUE(receipts_->follow(server_.view()));
}

TEST_F(ReceiptsTest, go_on_with_what_the_disk_does_not_take) {
  server_.commit(owner_);
  const ChainServer before = server_;
  ASSERT_TRUE(receipts_->follow(server_.view()));
  FailingFileSystem full(0);
  int told = 0;
  Receipts unsaved(full, folder_, made_.record.id, {[&](const Error&) { ++told; }});
  for (int i = 0; i < 5; ++i) {
    server_.commit(writer_);
    ASSERT_TRUE(unsaved.follow(server_.view()));
    EXPECT_EQ(told, i + 1);
  }
  EXPECT_EQ(must(unsaved.head()), server_.head());
  for (uint64_t i = 1; i <= 6; ++i)
    EXPECT_EQ(must(unsaved.hash_at(i))->bytes, identity::sha256(server_.commits[i - 1])) << i;
  EXPECT_TRUE(unsaved.judge(server_.list(false), false));
  expect_refused(unsaved.follow(before.view()), "set back");
  restart();
  EXPECT_EQ(must(receipts_->head()), before.head());
  full.mend();
  server_.commit(owner_);
  ASSERT_TRUE(unsaved.follow(server_.view()));
  EXPECT_EQ(told, 5);
  restart();
  EXPECT_EQ(must(receipts_->head()), server_.head());
  EXPECT_TRUE(receipts_->judge(server_.list(false), false));
}

TEST_F(ReceiptsTest, remember_a_receipt_that_the_disk_does_not_take) {
  server_.commit(owner_);
  const ChainServer before = server_;
  ASSERT_TRUE(receipts_->follow(server_.view()));
  FailingFileSystem full(0);
  int told = 0;
  Receipts unsaved(full, folder_, made_.record.id, {[&](const Error&) { ++told; }});
  server_.commit(owner_);
  ASSERT_TRUE(unsaved.keep(server_.commits.back()));
  EXPECT_EQ(told, 1);
  EXPECT_EQ(must(unsaved.newest()), server_.head());
  expect_refused(unsaved.follow(before.view()), "set back");
  EXPECT_TRUE(unsaved.follow(server_.view()));
}

TEST_F(ReceiptsTest, notice_two_stories_though_the_disk_takes_nothing) {
  server_.commit(owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  FailingFileSystem full(0);
  Receipts unsaved(full, folder_, made_.record.id);
  ASSERT_TRUE(unsaved.head());
  ChainServer other = server_;
  server_.commit(owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  other.commit(owner_, 1);
  expect_refused(unsaved.follow(other.view()), "another commit 2");
  expect_refused(unsaved.keep(other.commits.back()), "another commit 2");
  EXPECT_TRUE(unsaved.follow(server_.view()));
}

TEST_F(ReceiptsTest, of_two_processes_go_on_from_the_newest) {
  server_.commit(owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  Receipts slow(os::real_file_system(), folder_, made_.record.id);
  server_.commit(owner_);
  const ChainServer seen_by_slow = server_;
  ASSERT_TRUE(slow.head());
  server_.commit(owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  ASSERT_TRUE(slow.follow(seen_by_slow.view()));
  restart();
  EXPECT_EQ(must(receipts_->head()), server_.head());
}

TEST_F(ReceiptsTest, of_two_processes_notice_that_they_were_told_two_stories) {
  server_.commit(owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  ChainServer other = server_;
  server_.commit(owner_);
  other.commit(owner_, 1);
  const ChainServer as_long = other;
  other.commit(owner_, 1);
  const auto slow = [&] {
    auto made = std::make_unique<Receipts>(os::real_file_system(), folder_, made_.record.id);
    EXPECT_TRUE(made->head());
    return made;
  };
  const auto first = slow(), second = slow(), third = slow();
  ASSERT_TRUE(receipts_->follow(server_.view()));
  expect_refused(first->follow(as_long.view()), "another commit 2");
  expect_refused(second->follow(other.view()), "another commit 2");
  expect_refused(third->keep(as_long.commits.back()), "another commit 2");
  const auto fourth = slow();
  ASSERT_TRUE(receipts_->keep((server_.commit(owner_), server_.commits.back())));
  ChainServer longer = server_;
  longer.commits.pop_back();
  longer.commit(owner_, 2);
  expect_refused(fourth->follow(longer.view()), "another commit 3");
  restart();
  EXPECT_TRUE(receipts_->follow(server_.view()));
}

// A list and a chain that others change meanwhile.
class ListingRemote final : public repository::Remote {
 public:
  explicit ListingRemote(ChainServer& server) : server_(server) {}
  std::function<void()> before_list;

  Result<std::vector<repository::SnapshotInfo>> snapshots(bool with_trash) override {
    if (before_list) before_list();
    return server_.list(with_trash);
  }
  Result<std::vector<bool>> have(std::span<const BlobId>) override { return none(); }
  Result<uint64_t> put(repository::StoredBlob) override { return none(); }
  [[nodiscard]] uint64_t durable_puts() const override { return 0; }
  Status flush() override { return none(); }
  Result<repository::CommitAnswer> commit(const repository::CommitRequest&) override {
    return none();
  }
  Status get(std::span<const BlobId>, const repository::CopyChoice&, const BlobSink&) override {
    return none();
  }
  Result<repository::CommitRecord> forget(const BlobId&) override { return none(); }
  Result<repository::CommitRecord> undelete(const BlobId&) override { return none(); }
  Result<repository::RepositoryRecord> record() override { return none(); }
  Result<std::vector<repository::KeySlot>> slots() override { return none(); }
  Status add_slot(const repository::KeySlot&) override { return none(); }
  Status remove_slot(const repository::SlotId&) override { return none(); }
  Result<repository::RemoteCounts> counts() override { return none(); }
  Result<repository::ChainPage> chain(uint64_t sequence) override {
    return server_.chain(sequence);
  }

 private:
  static tl::unexpected<Error> none() { return failed(Code::unsupported, "test", "has none"); }
  ChainServer& server_;
};

TEST_F(ReceiptsTest, believe_a_list_that_is_newer_than_the_chain_once_the_chain_leads_to_it) {
  const auto inner = std::make_shared<ListingRemote>(server_);
  const auto remote =
      make_followed_remote(inner, *receipts_, [&] { return receipts_->follow(server_.view()); });
  server_.commit(owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  int others = 3;
  inner->before_list = [&] {
    if (others-- > 0) server_.commit(writer_);
  };
  const auto list = remote->snapshots(false);
  ASSERT_TRUE(list) << list.error().text();
  EXPECT_EQ(list->size(), 4u);
  server_.snapshots.erase(server_.snapshots.begin());
  const auto lacking = remote->snapshots(false);
  ASSERT_FALSE(lacking);
  EXPECT_EQ(lacking.error().code, Code::denied);
}

TEST_F(ReceiptsTest, believe_a_copy_that_kept_what_was_removed_and_nothing_that_never_was) {
  const BlobId removed = server_.commit(owner_);
  const BlobId forgotten = server_.commit(owner_);
  const BlobId stays = server_.commit(owner_);
  std::vector<repository::SnapshotInfo> list = server_.list(true);
  server_.act(repository::CommitType::forget, removed, &owner_);
  server_.act(repository::CommitType::removal, removed, nullptr);
  server_.act(repository::CommitType::forget, forgotten, &owner_);
  ASSERT_TRUE(receipts_->follow(server_.view()));
  for (repository::SnapshotInfo& info : list)
    if (info.commit.snapshot != stays) info.presence = repository::Presence::kept;
  EXPECT_TRUE(receipts_->judge(list, true));
  list[2].presence = repository::Presence::kept;
  expect_refused(receipts_->judge(list, true), "its chain of commits says otherwise");
  list[2].presence = repository::Presence::here;
  list[0].commit.files += 1;
  expect_refused(receipts_->judge(list, true), "no such record");
}

}  // namespace
}  // namespace cb::client
