// SPDX-License-Identifier: Apache-2.0
#include "core/server/audit.h"

#include <utility>

#include "core/server/v4_guard.h"

namespace cb::server {
namespace {

// Records that wait at most while the catalog cannot be written.
constexpr size_t kMostWaiting = 4096;
// Acts of strangers that are recorded in a minute: of one address, of all.
constexpr uint32_t kOfAddress = 5;
constexpr uint32_t kOfStrangers = 30;
// How often the thread looks for what could not be written, and for the day's head.
constexpr auto kLook = std::chrono::seconds(10);
constexpr auto kDay = std::chrono::hours(24);

}  // namespace

Audit::Audit(const Parts& parts)
    : parts_(parts),
      strangers_of_address_(*parts.clock, kOfAddress),
      strangers_(*parts.clock, kOfStrangers) {
  const auto last = parts_.rows->last();
  if (last && *last) head_ = head_of(**last);
}

Audit::~Audit() { close(); }

void Audit::start() {
  tell_head();
  const std::lock_guard lock(mutex_);
  closing_ = false;
  thread_ = std::thread([this] { run(); });
}

void Audit::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    posted_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  (void)flush();
}

void Audit::run() {
  auto told = parts_.clock->monotonic();
  bool is_stuck = false;
  std::unique_lock lock(mutex_);
  while (!closing_) {
    posted_.wait_for(lock, kLook, [&] { return closing_ || (!is_stuck && !queue_.empty()); });
    lock.unlock();
    is_stuck = !flush();
    if (parts_.clock->monotonic() - told >= kDay) {
      told = parts_.clock->monotonic();
      tell_head();
    }
    lock.lock();
  }
}

void Audit::tell_head() {
  const AuditHead now = head();
  parts_.log->info("audit.head", {{"sequence", now.sequence}, {"hash", now.hash.hex()}});
}

void Audit::enqueue(AuditEvent event) {
  const int64_t now = parts_.clock->wall().count();
  const std::lock_guard lock(mutex_);
  if (queue_.size() >= kMostWaiting) {
    ++dropped_;
    return;
  }
  queue_.push_back({now, std::move(event)});
}

void Audit::post(AuditEvent event) {
  enqueue(std::move(event));
  posted_.notify_one();
}

void Audit::post_of_stranger(AuditEvent event) {
  if (!strangers_of_address_.allow(network_of(event.address)) || !strangers_.allow("all")) {
    ++unrecorded_;
    return;
  }
  if (const uint64_t others = unrecorded_.exchange(0); others > 0)
    event.detail += " (and " + std::to_string(others) + " before it that are not recorded)";
  post(std::move(event));
}

void Audit::write(AuditEvent event) {
  enqueue(std::move(event));
  (void)flush();
}

Status Audit::flush() {
  const std::lock_guard writing(writing_);
  std::deque<Posted> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(queue_);
  }
  if (all.empty()) return {};
  Status done = write_all(all);
  if (done) return {};
  parts_.log->error("audit.not-kept", {{"records", all.size()}, {"why", done.error().text()}});
  const std::lock_guard lock(mutex_);
  queue_.insert(queue_.begin(), std::make_move_iterator(all.begin()),
                std::make_move_iterator(all.end()));
  return done;
}

Status Audit::write_all(const std::deque<Posted>& all) {
  AuditHead head;
  CB_TRY(parts_.rows->append([&](const std::optional<catalog::AuditRow>& last) {
    if (last) head = head_of(*last);
    std::vector<catalog::AuditRow> rows;
    for (const Posted& one : all) {
      rows.push_back(audit_row_after(head, one.time_ns, one.event));
      head = head_of(rows.back());
    }
    return rows;
  }));
  const std::lock_guard lock(mutex_);
  head_ = head;
  return {};
}

AuditHead Audit::head() const {
  const std::lock_guard lock(mutex_);
  return head_;
}

size_t Audit::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

}  // namespace cb::server
