// SPDX-License-Identifier: Apache-2.0
#include "core/server/maintenance.h"

#include <algorithm>

#include "core/base/units.h"
#include "core/report/utc_text.h"

namespace cb::server {

using std::chrono::nanoseconds;

namespace {

constexpr uint64_t kLongestTold = 4096;
constexpr nanoseconds kLongestDrain = std::chrono::hours(7 * 24);  // as in the configuration

}  // namespace

Maintenance::Maintenance(Parts parts, const StoreSettings& settings)
    : parts_(std::move(parts)), settings_(settings) {
  read_told();
  mode_ = std::max(told_.mode, settings_.mode);
  if (mode_ != StoreMode::normal)
    parts_.log->warn("store.mode", {{"mode", name_of(mode_)}, {"by", told_.told_by}});
}

void Maintenance::read_told() {
  const auto text = os::read_file(*parts_.files, parts_.file, kLongestTold);
  if (!text && text.error().code == Code::not_found) return;
  auto told = text ? parse_told_mode(as_text(*text)) : Result<ToldMode>(failed(text.error()));
  if (told) {
    told_ = std::move(*told);
    return;
  }
  told_ = {StoreMode::read_only, parts_.clock->wall().count(), ""};
  parts_.log->error("store.mode-unread",
                    {{"file", parts_.file.string()},
                     {"error", told.error().text()},
                     {"advice", "the store is read-only until: cyberbackupd store mode normal"}});
}

Status Maintenance::tell(const ToldMode& told, nanoseconds drain) {
  if (drain < nanoseconds::zero() || drain > kLongestDrain)
    return failed(Code::invalid, "--drain", "must be from nothing to 7 days", "as --drain 10m");
  CB_TRY(open_before(std::max(told.mode, wanted().second)));
  CB_TRY(os::write_file_atomically(*parts_.files, parts_.file, as_bytes(text_of(told))));
  bool is_other = false;
  {
    const std::lock_guard lock(mutex_);
    told_ = told;
    is_other = take_force(drain, true);
  }
  parts_.log->info("store.mode", {{"mode", name_of(mode_)},
                                  {"told", name_of(told.mode)},
                                  {"by", told.told_by},
                                  {"drain", format_duration(drain)}});
  if (is_other && parts_.changed) parts_.changed();
  return {};
}

Status Maintenance::open_before(StoreMode mode) const {
  const bool opens = mode == StoreMode::normal && mode_ != StoreMode::normal;
  return opens && parts_.opens ? parts_.opens() : Status();
}

std::pair<StoreMode, StoreMode> Maintenance::wanted() const {
  const std::lock_guard lock(mutex_);
  return {told_.mode, settings_.mode};
}

void Maintenance::reconfigure(const StoreSettings& given) {
  StoreSettings settings = given;
  const auto [told, configured] = wanted();
  if (const Status opened = open_before(std::max(told, given.mode)); !opened) {
    parts_.log->error("store.mode-kept",
                      {{"mode", name_of(mode_)}, {"error", opened.error().text()}});
    settings.mode = configured;
  }
  bool is_other = false;
  {
    const std::lock_guard lock(mutex_);
    settings_ = settings;
    is_other = take_force(settings.drain, false);
  }
  if (!is_other) return;
  parts_.log->info("store.mode", {{"mode", name_of(mode_)}, {"by", "the configuration"}});
  if (parts_.changed) parts_.changed();
}

// An operator who tells the same mode again sets another end of the time (`anew`). A configuration
// that says what is in force already changes nothing.
bool Maintenance::take_force(nanoseconds drain, bool anew) {
  const StoreMode fresh = std::max(told_.mode, settings_.mode);
  const bool is_again = anew && told_.mode == fresh && fresh != StoreMode::normal;
  if (fresh == mode_ && !is_again) return false;
  mode_ = fresh;
  drained_by_ = parts_.clock->monotonic() + drain;
  until_ns_ = fresh == StoreMode::normal ? 0 : (parts_.clock->wall() + drain).count();
  return true;
}

nanoseconds Maintenance::usual_drain() const {
  const std::lock_guard lock(mutex_);
  return settings_.drain;
}

// A blob that is refused with Code::busy would be sent again over another connection at once.
Error Maintenance::refusal() const {
  ++refused_;
  Error error = fail(Code::state, "store",
                     mode_ == StoreMode::offline
                         ? "is offline for maintenance"
                         : "is read-only for maintenance: backups wait, restores go on",
                     "try again later, or ask the operator how long it takes");
  error.retry = Retry::yes;
  return error;
}

Status Maintenance::may_read() const {
  if (mode_ == StoreMode::offline) return failed(refusal());
  return {};
}

Status Maintenance::may_write() const {
  if (mode_ != StoreMode::normal) return failed(refusal());
  return {};
}

bool Maintenance::is_time_left() const { return parts_.clock->monotonic() < drained_by_; }

Status Maintenance::may_go_on() const {
  if (mode_ == StoreMode::normal) return {};
  const std::lock_guard lock(mutex_);
  if (is_time_left()) return {};
  return failed(refusal());
}

std::string Maintenance::refusal_of_job(bool writes) const {
  const StoreMode now = mode_;
  const bool may = now == StoreMode::normal || (now == StoreMode::read_only && !writes);
  return may ? std::string() : std::string("the store is ") + name_of(now);
}

Result<Maintenance::Ticket> Maintenance::begin(Work work, std::function<void()> end) {
  const std::lock_guard lock(mutex_);
  CB_TRY(work == Work::backup ? may_write() : may_read());
  const uint64_t id = next_id_++;
  entries_.emplace(id, Entry{work, std::move(end)});
  return Ticket(this, id);
}

void Maintenance::leave(uint64_t id) {
  bool is_last = false;
  {
    const std::lock_guard lock(mutex_);
    const bool was_at_odds = is_at_odds(entries_.at(id));
    entries_.erase(id);
    is_last = was_at_odds && std::none_of(entries_.begin(), entries_.end(),
                                          [&](const auto& one) { return is_at_odds(one.second); });
  }
  if (is_last) parts_.log->info("store.drained", {{"mode", name_of(mode_)}});
}

bool Maintenance::is_at_odds(const Entry& entry) const {
  return mode_ == StoreMode::offline ||
         (mode_ == StoreMode::read_only && entry.work == Work::backup);
}

bool Maintenance::is_draining() const {
  if (mode_ == StoreMode::normal) return false;
  const std::lock_guard lock(mutex_);
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const auto& one) { return is_at_odds(one.second); });
}

size_t Maintenance::end_overdue() {
  const std::lock_guard lock(mutex_);
  if (mode_ == StoreMode::normal || is_time_left()) return 0;
  size_t ended = 0;
  for (auto& [id, entry] : entries_) {
    if (!is_at_odds(entry) || !entry.end) continue;
    std::exchange(entry.end, nullptr)();
    ++ended;
  }
  if (ended > 0) parts_.log->warn("store.drain-over", {{"ended", ended}});
  return ended;
}

Maintenance::Shown Maintenance::shown() const {
  const std::lock_guard lock(mutex_);
  Shown shown;
  shown.mode = mode_;
  shown.configured = settings_.mode;
  shown.told = told_;
  for (const auto& [id, entry] : entries_)
    ++(entry.work == Work::backup ? shown.backups : shown.readings);
  shown.until_ns = until_ns_;
  shown.refused = refused_;
  return shown;
}

}  // namespace cb::server
