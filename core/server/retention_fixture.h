// SPDX-License-Identifier: Apache-2.0
//
// A server's retention over a real engine and a clock that stands, for tests. One thread.
#pragma once

#include <gtest/gtest.h>

#include "core/log/capture.h"
#include "core/repository/engine_fixture.h"
#include "core/server/retention_job.h"

namespace cb::server {

using repository::must;

// What is said of a snapshot.
struct Given {
  uint8_t source = 1;
  bool checkpoint = false;
  std::vector<uint8_t> tags = {};
};

class RetentionHouse : public ::testing::Test {
 protected:
  static constexpr int64_t kBegin = 2'000'000'000'000'000'000 / retention::kDay * retention::kDay;

  explicit RetentionHouse(const char* store = "store-sqlite")
      : house_(store), repository_(house_.create()) {
    owner_ = house_.add_device(1, repository::Role::owner);
    writer_ = house_.add_device(2, repository::Role::writer);
    other_writer_ = house_.add_device(3, repository::Role::writer);
    account_ = must(house_.catalog().accounts().accounts()).front().name;
    open_book();
    set_time(0);
  }

  void open_book() {
    book_ = std::make_unique<RetentionBook>(
        RetentionBook::Parts{&house_.catalog(), &house_.engine(), &house_.clock()});
  }
  repository::Engine& engine() { return house_.engine(); }

  // Since the begin, which is a midnight.
  void set_time(int64_t ns) {
    now_ = kBegin + ns;
    house_.clock().set_wall(std::chrono::nanoseconds(now_));
  }
  void set_day(int day, int hour = 0) { set_time(day * retention::kDay + hour * retention::kHour); }

  repository::CommitRequest request(const Given& given) {
    made_ = repository::make_snapshot(++number_, 1, 20);
    repository::CommitRequest request = made_.request;
    store_le(request.commit_id.bytes.data(), number_);
    request.source.bytes.fill(std::byte{given.source});
    request.flags = given.checkpoint ? repository::kSnapshotCheckpoint : 0;
    for (const uint8_t tag : given.tags) request.tags.emplace_back().bytes.fill(std::byte{tag});
    return request;
  }
  // A snapshot now.
  repository::BlobId commit(const Given& given, const repository::Viewer& device) {
    const repository::CommitRequest asked = request(given);
    const auto intake = must(engine().begin(repository_, device, false));
    for (const repository::StoredBlob& blob : made_.blobs)
      must(repository::put_blob(*intake, blob));
    EXPECT_TRUE(must(intake->commit(asked)).missing.empty());
    return asked.snapshot;
  }
  repository::BlobId commit(const Given& given = {}) { return commit(given, owner_); }
  // One a day, at this hour.
  std::vector<repository::BlobId> commit_days(int from, int until, const Given& given = {}) {
    std::vector<repository::BlobId> ids;
    for (int day = from; day < until; ++day) {
      set_day(day, 3);
      ids.push_back(commit(given));
    }
    return ids;
  }

  // A shorter stay is approved at once.
  void set_rules(const std::string& text, const SourceKey& source = {}) {
    const auto change = must(
        book_->set_rules(repository_, source, must(retention::parse_rules(text)), "uid 0 (root)"));
    if (change.request) must(book_->approve(*change.request, "uid 7 (eve)"));
  }
  RetentionParts parts() {
    RetentionParts parts;
    parts.catalog = &house_.catalog();
    parts.engine = &engine();
    parts.book = book_.get();
    parts.clock = &house_.clock();
    parts.log = &log_;
    parts.most_removed = [this] { return most_removed_; };
    return parts;
  }
  Result<JobResult> try_run(JobCall call = {}) {
    if (call.asked_by.empty()) call.asked_by = "schedule";
    return retention_job(parts()).run(call);
  }
  JobResult run(bool dry_run = false) {
    JobCall call;
    call.dry_run = dry_run;
    return must(try_run(call));
  }
  // Approves all that waits.
  void approve_all(const std::string& who = "uid 7 (eve)") {
    for (const catalog::ApprovalRow& one : must(book_->requests()))
      if (one.approved_ns == 0) must(book_->approve(one.number, who));
  }

  std::vector<repository::BlobId> listed(bool with_trash = false) {
    std::vector<repository::BlobId> ids;
    for (const auto& info : must(engine().snapshots(repository_, with_trash)))
      ids.push_back(info.commit.snapshot);
    return ids;
  }
  bool is_listed(const repository::BlobId& id, bool with_trash = false) {
    const auto ids = listed(with_trash);
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  }
  SourceKey key(const repository::Viewer& device, uint8_t source = 1) const {
    SourceKey key = to_bytes(device.device.view());
    key.resize(48, std::byte{source});
    return key;
  }

  repository::EngineHouse house_;
  repository::RepositoryId repository_;
  repository::Viewer owner_, writer_, other_writer_;
  std::string account_;
  log::Capture log_;
  std::unique_ptr<RetentionBook> book_;
  uint64_t most_removed_ = 50;
  int64_t now_ = 0;

  repository::TestSnapshot made_;  // of the last request

 private:
  uint64_t number_ = 0;
};

}  // namespace cb::server
