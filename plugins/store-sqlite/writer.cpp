// SPDX-License-Identifier: Apache-2.0
//
// See writer.h.
#include "writer.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>

#include "cyberbackup/cpp/failure.hpp"

namespace store_sqlite {

namespace sdk = cyberbackup::sdk;

namespace {

constexpr int64_t kCache = int64_t{4} << 20;
// Room that puts leave on the disk.
constexpr uint64_t kReserve = uint64_t{4} << 20;
// On a disk with less than that, the log is moved at this size.
constexpr uint64_t kScarceLog = uint64_t{1} << 20;
// At this many times its limit the log is moved even if readers must be waited for.
constexpr uint64_t kLongLog = 4;
constexpr int kReaderPatience = 200;  // milliseconds

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Writer::Writer(const sdk::Host& host, const Opening& opening, uint64_t log_limit)
    : host_(host),
      folder_(folder_of(opening.path)),
      log_limit_(log_limit),
      patience_(static_cast<int>(opening.patience.count())),
      connection_(open_connection(opening, kCache)) {
  // Above the usual length, so that the log's file is not cut each time the log starts anew.
  connection_->run(("PRAGMA journal_size_limit = " + std::to_string(2 * log_limit_)).c_str());
  page_size_ = static_cast<uint64_t>(connection_->number("PRAGMA page_size"));
  ::sqlite3_wal_hook(connection_->get(), &Writer::on_commit, this);
}

int Writer::on_commit(void* self, sqlite3*, const char*, int pages) {
  auto* writer = static_cast<Writer*>(self);
  writer->log_bytes_ = static_cast<uint64_t>(pages) * writer->page_size_;
  return SQLITE_OK;
}

void Writer::quick(const Body& body) { transact(false, body); }

void Writer::durable(const Body& body) { transact(true, body); }

void Writer::look(const Body& body) {
  const std::lock_guard lock(mutex_);
  set_durable(false);
  body(*connection_);
  bound_log();
}

void Writer::set_durable(bool durable) {
  if (durable == is_durable_) return;
  connection_->run(durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  is_durable_ = durable;
}

// A call that fails for want of memory may have begun the transaction all the same; what is written
// after that would be lost with it.
void Writer::roll_back() noexcept {
  constexpr int kTries = 3;
  for (int i = 0; i < kTries && ::sqlite3_get_autocommit(connection_->get()) == 0; ++i)
    ::sqlite3_exec(connection_->get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Writer::transact(bool durable, const Body& body) {
  const std::lock_guard lock(mutex_);
  set_durable(durable);
  try {
    Query(*connection_, "BEGIN IMMEDIATE").run();
    body(*connection_);
    Query(*connection_, "COMMIT").run();
  } catch (...) {
    roll_back();
    throw;
  }
  bound_log();
}

// Moves the log into the file; what could not be moved is tried again later. Returns the log's
// bytes.
uint64_t Writer::checkpoint(int mode) {
  int pages = 0;
  const int code = ::sqlite3_wal_checkpoint_v2(connection_->get(), nullptr, mode, &pages, nullptr);
  if (code != SQLITE_OK && code != SQLITE_BUSY)
    host_.log(CB_LOG_WARN, "cannot move the write-ahead log into " + connection_->path() + ": " +
                               ::sqlite3_errmsg(connection_->get()));
  return pages > 0 ? static_cast<uint64_t>(pages) * page_size_ : 0;
}

void Writer::bound_log() {
  const bool scarce = log_bytes_ >= kScarceLog && disk_space().free < kReserve;
  if (log_bytes_ < log_limit_ && !scarce) return;
  checkpoint(SQLITE_CHECKPOINT_PASSIVE);
  // The next writer starts the log anew, unless a reader still needs it.
  if (log_bytes_ < kLongLog * log_limit_) return;
  ::sqlite3_busy_timeout(connection_->get(), kReaderPatience);
  const bool long_still = checkpoint(SQLITE_CHECKPOINT_RESTART) >= kLongLog * log_limit_;
  ::sqlite3_busy_timeout(connection_->get(), patience_);
  if (long_still && !told_of_long_log_)
    host_.log(CB_LOG_WARN, "another program's long read of " + connection_->path() +
                               " keeps its write-ahead log growing");
  told_of_long_log_ = long_still;
}

DiskSpace Writer::disk_space() const {
  struct statvfs info {};
  if (::statvfs(folder_.c_str(), &info) != 0)
    throw sdk::os_failure(errno, "cannot ask for the space of " + folder_);
  return {uint64_t{info.f_blocks} * info.f_frsize, uint64_t{info.f_bavail} * info.f_frsize};
}

// Bytes go into the log first. Later they go where the file has unused pages, else make it longer.
bool Writer::has_room(uint64_t bytes) {
  const uint64_t unused =
      static_cast<uint64_t>(connection_->number("PRAGMA freelist_count")) * page_size_;
  const uint64_t to_place = log_bytes_ + bytes;
  const uint64_t growth = to_place > unused ? to_place - unused : 0;
  // Whoever fills pages that were freed leaves less behind, so that a freed store can be used.
  return disk_space().free >= bytes + growth + (growth > 0 ? kReserve : kReserve / 2);
}

void Writer::require_room(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (has_room(bytes)) return;
  checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
  log_bytes_ = 0;
  if (!has_room(bytes))
    throw sdk::Failure(CB_E_NO_SPACE, "no room for more in " + connection_->path(), ENOSPC, 0);
}

}  // namespace store_sqlite
