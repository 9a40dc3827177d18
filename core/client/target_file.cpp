// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>

#include "core/base/trial.h"
#include "core/client/target_folder.h"

namespace cb::client {
namespace {

using repository::Entry;

constexpr uint64_t kLargeFile = 16 * 1024 * 1024;  // bytes
constexpr size_t kMostOnTheirWay = 16;             // stretches; some MiB

class GrowingFile final : public TargetFile {
 public:
  GrowingFile(TargetFolder& target, const Entry& entry, Place place)
      : target_(target),
        entry_(entry),
        place_(std::move(place)),
        temporary_(target, entry, place_) {
    entry_.extents.clear();
  }
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;
  ~GrowingFile() override {
    if (file_ != nullptr && !keep_) (void)place_.folder->remove(temporary_.name());
  }

  Status begin() {
    if (target_.options().resume && take_up()) return {};
    const auto create = [&]() -> Status {
      CB_ASSIGN(file_, place_.folder->create_file(temporary_.name(), 0600));
      return {};
    };
    CB_TRY(target_.make_temporary(place_, temporary_.name(), create));
    trial::passed("restore.created");
    const uint32_t early = entry_.attributes & os::kEarlyAttributes;
    if (early != 0)
      if (const auto now = file_->attributes()) (void)file_->set_attributes(*now | early);
    return {};
  }

  Status write_at(uint64_t offset, ByteView bytes) override {
    if (offset > entry_.size || bytes.size() > entry_.size - offset)
      return failed(Code::invalid, entry_.path, "has more content than its size says");
    CB_TRY(file_->write_at(bytes, offset));
    if (entry_.size >= kLargeFile) CB_TRY(push_on(offset, bytes.size()));
    const uint64_t end = offset + bytes.size();
    uint64_t known = end_.load();
    while (known < end && !end_.compare_exchange_weak(known, end)) {
    }
    return {};
  }

  Result<size_t> read_at(ByteSpan into, uint64_t offset) override {
    return file_->read_at(into, offset);
  }
  [[nodiscard]] bool resumed() const override { return resumed_; }
  Status sync() override { return file_->sync(); }
  void keep() override {
    keep_ = true;
    target_.spare(temporary_.path());
  }

  Status finish() override {
    if (end_ != entry_.size) CB_TRY(file_->set_size(entry_.size));
    target_.writer().apply(*file_, entry_, target_.problem(entry_.path));
    trial::passed("restore.written");
    CB_TRY(target_.put(place_, temporary_.name()));
    trial::passed("restore.named");
    keep_ = true;  // nothing has the temporary name any more
    target_.set_attributes(*file_, entry_);
    return {};
  }

 private:
  // Has what was written go to the disk, and what is there leave the page cache: whoever restores
  // much does not need it there, and pages that are used again cost a fraction of new ones.
  Status push_on(uint64_t offset, uint64_t length) {
    file_->write_back(offset, length);
    std::pair<uint64_t, uint64_t> oldest{};
    {
      const std::lock_guard lock(mutex_);
      on_its_way_.emplace_back(offset, length);
      if (on_its_way_.size() <= kMostOnTheirWay) return {};
      oldest = on_its_way_.front();
      on_its_way_.pop_front();
    }
    return file_->drop_written(oldest.first, oldest.second);
  }

  // Opens what an interrupted restore left of this entry, if it is ours alone.
  bool take_up() {
    auto found = place_.folder->reopen_file(temporary_.name());
    if (!found) return false;
    const auto stat = (*found)->stat();
    if (!stat || stat->links != 1 || stat->uid != os::effective_uid() || stat->size > entry_.size)
      return false;
    file_ = std::move(*found);
    end_ = stat->size;
    resumed_ = true;
    return true;
  }

  TargetFolder& target_;
  Entry entry_;
  Place place_;
  TemporaryName temporary_;
  std::unique_ptr<os::TreeFile> file_;
  std::atomic<uint64_t> end_{0};  // of what was written
  bool resumed_ = false;
  bool keep_ = false;
  std::mutex mutex_;
  std::deque<std::pair<uint64_t, uint64_t>> on_its_way_;  // to the disk; guarded by mutex_
};

}  // namespace

Result<std::unique_ptr<TargetFile>> begin_target_file(TargetFolder& target, const Entry& entry) {
  CB_ASSIGN(Place place, target.place(entry.path, true));
  auto file = std::make_unique<GrowingFile>(target, entry, std::move(place));
  CB_TRY(file->begin());
  return file;
}

}  // namespace cb::client
