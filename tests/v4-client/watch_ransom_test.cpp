// SPDX-License-Identifier: Apache-2.0
//
// A folder of real files, the client's real backup engine and the server's real repository: what
// the watch says of ransomware, and of what only looks a little like it.
#include <gmock/gmock.h>

#include "core/client/backup_fixture.h"
#include "core/repository/engine_fixture.h"
#include "core/repository/local_remote.h"
#include "core/server/watch_look.h"

namespace cb::server {
namespace {

using repository::BlobId;
using repository::ChangeReport;
using repository::CommitRequest;
using repository::must;

// A connection that hands on what the client reports.
class ReportingRemote final : public repository::Remote {
 public:
  using Commit =
      std::function<Result<repository::CommitAnswer>(repository::Remote&, const CommitRequest&)>;
  ReportingRemote(std::unique_ptr<repository::Remote> inner, Commit commit)
      : inner_(std::move(inner)), commit_(std::move(commit)) {}

  Result<std::vector<bool>> have(std::span<const BlobId> ids) override { return inner_->have(ids); }
  Result<uint64_t> put(repository::StoredBlob blob) override {
    return inner_->put(std::move(blob));
  }
  [[nodiscard]] uint64_t durable_puts() const override { return inner_->durable_puts(); }
  Status flush() override { return inner_->flush(); }
  Result<repository::CommitAnswer> commit(const CommitRequest& request) override {
    return commit_(*inner_, request);
  }
  Status get(std::span<const BlobId> ids, const repository::CopyChoice& copy,
             const BlobSink& sink) override {
    return inner_->get(ids, copy, sink);
  }
  Result<std::vector<repository::SnapshotInfo>> snapshots(bool with_trash) override {
    return inner_->snapshots(with_trash);
  }
  Result<repository::CommitRecord> forget(const BlobId& id) override { return inner_->forget(id); }
  Result<repository::CommitRecord> undelete(const BlobId& id) override {
    return inner_->undelete(id);
  }
  Result<repository::RepositoryRecord> record() override { return inner_->record(); }
  Result<std::vector<repository::KeySlot>> slots() override { return inner_->slots(); }
  Status add_slot(const repository::KeySlot& slot) override { return inner_->add_slot(slot); }
  Status remove_slot(const repository::SlotId& slot) override { return inner_->remove_slot(slot); }
  Result<repository::RemoteCounts> counts() override { return inner_->counts(); }
  Result<repository::ChainPage> chain(uint64_t sequence) override {
    return inner_->chain(sequence);
  }

 private:
  std::unique_ptr<repository::Remote> inner_;
  Commit commit_;
};

class WatchedFolder : public client::BackupFixture {
 protected:
  static constexpr unsigned kDocuments = 120;
  static constexpr size_t kDocument = 20'000;

  void SetUp() override {
    account_.name = "account";
    must(house_.catalog().accounts().add_account(account_));
    account_ = must(house_.catalog().accounts().account_by_name("account")).value();
    must(house_.engine().create(fresh_.record, account_.name));
    connect_ = [this]() -> Result<std::shared_ptr<repository::Remote>> {
      CB_ASSIGN(auto local,
                repository::make_local_remote(house_.engine(), fresh_.record.id, parts().device));
      return std::make_shared<ReportingRemote>(
          std::move(local), [this](repository::Remote& inner, const CommitRequest& request) {
            return commit(inner, request);
          });
    };
    for (unsigned i = 0; i < kDocuments; ++i) write(name(i), prose(i));
    live(8);
  }

  // So many ordinary days.
  void live(unsigned days) {
    for (; days > 0; --days) {
      write(name(day_ % kDocuments), prose(1000 + day_));
      ++day_;
      back_up_and_look();
    }
  }
  // Content that is there to be rewritten.
  void stage(Bytes (*make)(unsigned)) {
    for (unsigned i = 0; i < kDocuments; ++i) write("staged/" + std::to_string(i), make(++staged_));
    pause_ = watch::kHour;
  }

  static std::string name(unsigned number) {
    return "documents/" + std::to_string(100 + number) + ".doc";
  }
  // Words, other ones for another seed: text that compresses.
  static Bytes prose(unsigned seed) {
    std::string text;
    uint64_t state = seed * 7919 + 1;
    while (text.size() < kDocument) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      text += "word" + std::to_string((state >> 33) % 5000) + (state % 11 == 0 ? ".\n" : " ");
    }
    return to_bytes(as_bytes(text));
  }
  static Bytes noise(unsigned seed) {
    Bytes bytes(kDocument);
    uint64_t state = seed * 104'729 + 3;
    for (std::byte& byte : bytes) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      byte = static_cast<std::byte>(state >> 56);
    }
    return bytes;
  }
  void encrypt(unsigned many) {
    for (unsigned i = 0; i < many; ++i) {
      std::filesystem::remove(source_ / name(i));
      write(name(i) + ".locked", noise(i));
    }
  }

  Result<repository::CommitAnswer> commit(repository::Remote& inner, const CommitRequest& request) {
    CB_ASSIGN(auto answer, inner.commit(request));
    if (!request.report || !answer.missing.empty()) return answer;
    reported_ = *request.report;
    const ChangeReport told = lies_ ? ChangeReport{kDocuments, 0, 0, 0, 0, 0, 0} : *request.report;
    CB_ASSIGN(const auto commit, repository::decode_commit(answer.receipt));
    CB_TRY(book_.take_report(fresh_.record.id, commit, told));
    return answer;
  }
  catalog::SourceBackup back_up_and_look() {
    now_ += pause_;
    house_.clock().set_wall(std::chrono::nanoseconds(now_));
    const auto made = backup();
    const WatchParts parts{&house_.catalog(), &house_.engine(), &house_.clock(), &log_,
                           &retention_,       &book_,           &alarms_};
    must(WatchLook(parts, {}).account(account_));
    const int64_t number =
        must(house_.catalog().index().repository(fresh_.record.id.bytes))->number;
    return must(house_.catalog().sources().backups(number, source_of(made.commit), 1)).front();
  }

  repository::EngineHouse house_;
  log::Capture log_;
  catalog::Account account_;
  WatchBook book_{{&house_.catalog(), &house_.clock()}, WatchSettings()};
  RetentionBook retention_{{&house_.catalog(), &house_.engine(), &house_.clock()}};
  Alarms alarms_{{&house_.catalog().sources(), nullptr, &house_.clock(), &log_}};
  ChangeReport reported_;
  bool lies_ = false;
  int64_t pause_ = watch::kDay;
  unsigned day_ = 0;
  unsigned staged_ = 100'000;
  int64_t now_ = 2'000'000'000'000'000'000;
};

TEST_F(WatchedFolder, ransomware_is_seen_through_an_honest_client) {
  encrypt(kDocuments);
  const auto seen = back_up_and_look();
  EXPECT_TRUE(seen.is_odd) << seen.score << ": " << seen.reasons;
  EXPECT_EQ(reported_.renamed, kDocuments);
  EXPECT_EQ(reported_.removed, kDocuments);
  EXPECT_GE(reported_.stored_bytes, reported_.plain_bytes);
}

TEST_F(WatchedFolder, ransomware_is_seen_through_a_client_that_lies) {
  lies_ = true;
  encrypt(kDocuments);
  const auto seen = back_up_and_look();
  EXPECT_TRUE(seen.is_odd) << seen.score << ": " << seen.reasons;
}

TEST_F(WatchedFolder, ransomware_on_a_third_of_it_is_seen_through_a_client_that_lies) {
  lies_ = true;
  encrypt(kDocuments / 3);
  const auto seen = back_up_and_look();
  EXPECT_TRUE(seen.is_odd) << seen.score << ": " << seen.reasons;
}

// Nine backups of an afternoon by a client that says that nothing changed: each would make the next
// one usual, so that the last may encrypt all that is real.
class StagedCourse : public WatchedFolder, public testing::WithParamInterface<unsigned> {};

TEST_P(StagedCourse, makes_no_ransomware_usual) {
  live(GetParam());
  lies_ = true;
  stage(prose);
  EXPECT_EQ(back_up_and_look().score, 0u) << "growth";
  for (int time = 0; time < 3; ++time) {
    stage(prose);
    const auto seen = back_up_and_look();
    EXPECT_GT(seen.score, 10u) << "not usual: " << time;
    EXPECT_FALSE(seen.is_odd) << "nor an alarm by itself: " << seen.reasons;
  }
  for (int time = 0; time < 2; ++time) {
    stage(noise);
    (void)back_up_and_look();
    stage(prose);
    (void)back_up_and_look();
  }
  for (unsigned i = 0; i < kDocuments; ++i) write(name(i), noise(++staged_));
  const auto seen = back_up_and_look();
  EXPECT_TRUE(seen.is_odd) << seen.score << ": " << seen.reasons;
}
// Days before it that are more than the source begins with: a young one, and one that is known.
INSTANTIATE_TEST_SUITE_P(Days, StagedCourse, testing::Values(0U, 20U));

TEST_F(WatchedFolder, an_upgrade_of_half_of_it_is_none) {
  for (unsigned i = 0; i < kDocuments / 2; ++i) write(name(i), prose(5000 + i));
  const auto seen = back_up_and_look();
  EXPECT_FALSE(seen.is_odd) << seen.score << ": " << seen.reasons;
  EXPECT_EQ(reported_.changed, kDocuments / 2);
  EXPECT_EQ(reported_.renamed, 0u);
  EXPECT_LT(reported_.stored_bytes, reported_.plain_bytes);
}

TEST_F(WatchedFolder, a_folder_that_moved_is_none) {
  std::filesystem::rename(source_ / "documents", source_ / "papers");
  const auto seen = back_up_and_look();
  EXPECT_FALSE(seen.is_odd) << seen.score << ": " << seen.reasons;
  EXPECT_EQ(seen.figures.new_blobs, 0u);
  EXPECT_EQ(reported_.added, kDocuments);
}

TEST_F(WatchedFolder, growth_is_none) {
  for (unsigned i = 0; i < 3 * kDocuments; ++i) write("films/" + std::to_string(i), noise(900 + i));
  const auto seen = back_up_and_look();
  EXPECT_FALSE(seen.is_odd) << seen.score << ": " << seen.reasons;
  EXPECT_EQ(reported_.added, 3u * kDocuments);
  EXPECT_EQ(reported_.removed, 0u);
}

}  // namespace
}  // namespace cb::server
