// SPDX-License-Identifier: Apache-2.0
#include "core/client/backup_report.h"

namespace cb::client {
namespace {

constexpr size_t kMostListed = 1000;
constexpr std::chrono::milliseconds kPause{100};

}  // namespace

void BackupReport::restart() {
  unreadable_.clear();
  unreadable_count_ = 0;
  notes_.clear();
}

void BackupReport::phase(const std::string& name) {
  if (!show_) return;
  meter_.emplace(*clock_, name, 0);
  total_ = 0;
  shown_ = clock_->monotonic();
  report::Progress now;
  now.phase = name;
  show_(now);
}

void BackupReport::at(uint64_t done, const std::string& current) {
  if (!meter_ || clock_->monotonic() - shown_ < kPause) return;
  shown_ = clock_->monotonic();
  meter_->set_current(current);
  report::Progress now = meter_->update(done);
  now.total = total_ >= done ? total_ : 0;
  if (now.total > 0 && now.rate > 0)
    now.eta = std::chrono::nanoseconds(
        static_cast<int64_t>(static_cast<double>(now.total - done) / now.rate * 1e9));
  show_(now);
}

void BackupReport::unreadable(const std::string& path, Error error) {
  ++unreadable_count_;
  if (unreadable_.size() < kMostListed) unreadable_.push_back({path, std::move(error)});
}

void BackupReport::note(const std::string& path, const std::string& what) {
  if (notes_.size() < kMostListed) notes_.push_back(path + ": " + what);
}

void BackupReport::into(BackupResult& result) const {
  result.unreadable = unreadable_;
  result.unreadable_count = unreadable_count_;
  result.notes = notes_;
}

}  // namespace cb::client
