// SPDX-License-Identifier: Apache-2.0
//
// A server that watches, over a real engine and a clock that stands, and a source of some files
// that is backed up to it, for tests. One thread.
#pragma once

#include "core/server/retention_fixture.h"
#include "core/server/watch_job.h"

namespace cb::server {

class EventList final : public EventSink {
 public:
  void post(Event event) override {
    if (on_post) on_post(event);
    all.push_back(std::move(event));
  }
  [[nodiscard]] size_t count(const std::string& kind) const {
    size_t many = 0;
    for (const Event& one : all) many += one.kind == kind;
    return many;
  }
  std::vector<Event> all;
  std::function<void(const Event&)> on_post;  // may be empty
};

class WatchHouse : public RetentionHouse {
 protected:
  static constexpr size_t kFiles = 64;
  static constexpr size_t kPlain = 400;  // stored bytes of a file that compresses
  static constexpr size_t kHard = 1000;  // of one that does not

  WatchHouse() {
    for (size_t i = 0; i < kFiles; ++i) files_.push_back({++content_, kPlain});
    begin();
  }

  // What a start of the daemon makes.
  void begin() {
    open_book();
    watch_ = std::make_unique<WatchBook>(WatchBook::Parts{&house_.catalog(), &house_.clock()},
                                         settings_);
    alarms_ = std::make_unique<Alarms>(
        Alarms::Parts{&house_.catalog().sources(), &events_, &house_.clock(), &log_});
  }
  void restart() {
    alarms_.reset();
    watch_.reset();
    book_.reset();
    house_.reopen();
    begin();
  }

  JobParts job_parts() {
    JobParts parts;
    parts.catalog = &house_.catalog();
    parts.engine = &engine();
    parts.clock = &house_.clock();
    parts.random = &os::system_random();
    parts.log = &log_;
    parts.retention = book_.get();
    parts.watch = watch_.get();
    parts.alarms = alarms_.get();
    parts.upkeep = [] { return UpkeepSettings(); };
    return parts;
  }
  Result<JobResult> try_watch() {
    JobCall call;
    call.asked_by = "schedule";
    return watch_job(job_parts()).run(call);
  }
  JobResult watch() { return must(try_watch()); }
  // Other content in some files, of the same kind.
  void change(size_t many) {
    for (size_t i = 0; i < many; ++i) files_[i].number = ++content_;
  }
  void encrypt(size_t many) {
    for (size_t i = 0; i < many; ++i) files_[i] = {++content_, kHard};
  }
  // A backup now, as this device's; its report as the client gives it.
  repository::BlobId back_up(std::optional<repository::ChangeReport> report = {},
                             uint8_t source = 1, uint64_t flags = 0) {
    const auto intake = must(engine().begin(repository_, owner_, false));
    must(repository::put_blob(*intake, repository::session_record(1)));
    const repository::BlobId root = put_tree(*intake);
    const repository::StoredBlob snapshot =
        put(*intake, repository::BlobKind::snapshot, kOwn + ++backups_, 100, {root});
    repository::CommitRequest request;
    store_le(request.commit_id.bytes.data(), kOwn + backups_);
    request.snapshot = snapshot.head.id;
    request.root = root;
    request.source.bytes.fill(std::byte{source});
    request.flags = flags;
    const auto answer = must(intake->commit(request));
    EXPECT_TRUE(answer.missing.empty());
    if (report)
      must(watch_->take_report(repository_, must(repository::decode_commit(answer.receipt)),
                               *report));
    return request.snapshot;
  }
  // One a day at three, with a file or two changed, from this day until before that.
  void back_up_days(int from, int until) {
    for (int day = from; day < until; ++day) {
      set_day(day, 3);
      change(day % 5 == 0 ? 2 : 1);
      last_normal_ = back_up(honest(1));
      watch();
    }
  }
  // What an honest client says when so many files changed.
  static repository::ChangeReport honest(uint64_t changed, double ratio = 0.4) {
    const uint64_t plain = changed * 2'000'000;
    return {kFiles - changed,
            changed,
            0,
            0,
            0,
            plain,
            static_cast<uint64_t>(static_cast<double>(plain) * ratio)};
  }

  catalog::SourceState state(uint8_t source = 1) {
    return must(house_.catalog().sources().state(number(), key(owner_, source))).value();
  }
  catalog::SourceBackup newest(uint8_t source = 1) {
    return must(house_.catalog().sources().backups(number(), key(owner_, source), 1)).front();
  }
  int64_t number() { return must(house_.catalog().index().repository(repository_.bytes))->number; }
  bool is_pinned(const repository::BlobId& snapshot) {
    for (const catalog::PinRow& pin : must(book_->pins(repository_)))
      if (pin.snapshot == snapshot.bytes) return true;
    return false;
  }

  EventList events_;
  WatchSettings settings_;
  std::unique_ptr<WatchBook> watch_;
  std::unique_ptr<Alarms> alarms_;
  repository::BlobId last_normal_;

 private:
  // Numbers that RetentionHouse::commit does not draw.
  static constexpr uint64_t kOwn = uint64_t{1} << 40;

  struct File {
    uint64_t number = 0;
    size_t size = 0;
  };

  static repository::StoredBlob put(repository::Intake& intake, repository::BlobKind kind,
                                    uint64_t number, size_t size,
                                    std::vector<repository::BlobId> children) {
    auto blob = repository::make_blob(kind, number, size, std::move(children));
    must(repository::put_blob(intake, blob));
    return blob;
  }
  // Equal children make an equal node, as a client's would be.
  repository::BlobId put_node(repository::Intake& intake,
                              const std::vector<repository::BlobId>& children) {
    const uint64_t number = nodes_.try_emplace(children, kOwn + nodes_.size()).first->second;
    return put(intake, repository::BlobKind::node, number, 300, children).head.id;
  }
  repository::BlobId put_tree(repository::Intake& intake) {
    constexpr size_t kOfNode = 8;
    std::vector<repository::BlobId> nodes, content;
    for (size_t i = 0; i < files_.size(); ++i) {
      content.push_back(
          put(intake, repository::BlobKind::data, files_[i].number, files_[i].size, {}).head.id);
      if (content.size() < kOfNode && i + 1 < files_.size()) continue;
      nodes.push_back(put_node(intake, content));
      content.clear();
    }
    return put_node(intake, nodes);
  }

  std::vector<File> files_;
  std::map<std::vector<repository::BlobId>, uint64_t> nodes_;
  uint64_t content_ = 0;
  uint64_t backups_ = 0;
};

}  // namespace cb::server
