// SPDX-License-Identifier: Apache-2.0
#include "core/server/limit_book.h"

#include <algorithm>
#include <set>

#include "core/base/units.h"
#include "core/report/utc_text.h"

namespace cb::server {
namespace {

using repository::DeviceId;

constexpr std::array<std::string_view, kRefusals> kRefusalNames = {"stored", "soft", "sessions",
                                                                   "upload", "snapshot"};
constexpr const char* kWhatHelps =
    "what was acknowledged is kept; forget snapshots that are not needed, or ask the operator of "
    "the server for more";

Error full(std::string object, std::string cause) {
  Error error = fail(Code::limit, std::move(object), std::move(cause), kWhatHelps);
  error.retry = Retry::no;
  return error;
}

}  // namespace

std::string_view name_of(Refusal kind) { return kRefusalNames.at(static_cast<size_t>(kind)); }

std::optional<uint64_t> QuotaUse::room() const {
  if (is_over) return 0;
  if (limit == 0) return std::nullopt;
  return limit > stored ? limit - stored : 0;
}

// Sums of the catalog, and what is on its way there.
struct LimitBook::Use {
  uint64_t stored = 0;  // never less than the catalog says: what goes there is noticed by reading
  uint64_t aside = 0;   // by open packs
  uint64_t growth = 0;
  int64_t since_ns = 0;  // above the soft limit; 0: it is not
};

struct LimitBook::Kept {
  int64_t number = 0;
  std::string name;
  std::vector<catalog::LimitRow> rows;
  Use account;
  std::map<DeviceId, Use> devices;  // the server itself is the zero device
};

LimitBook::LimitBook(const Parts& parts, const LimitDefaults& defaults)
    : parts_(parts), defaults_(defaults) {}
LimitBook::~LimitBook() = default;

LimitSet LimitBook::limits_for(const Kept& kept, const DeviceId& device) const {
  return device.is_zero() ? limits_of_account(defaults_, kept.rows)
                          : limits_of_device(defaults_, kept.rows, device.bytes);
}

Result<int64_t> LimitBook::account_of(int64_t repository) {
  if (const auto at = account_of_.find(repository); at != account_of_.end()) return at->second;
  CB_ASSIGN(const auto rows, parts_.catalog->index().repositories());
  for (const catalog::RepositoryRow& row : rows) account_of_[row.number] = row.account;
  if (const auto at = account_of_.find(repository); at != account_of_.end()) return at->second;
  return failed(Code::not_found, "repository " + std::to_string(repository),
                "is not in the catalog");
}

Result<LimitBook::Kept*> LimitBook::kept(int64_t account) {
  if (const auto at = accounts_.find(account); at != accounts_.end()) return at->second.get();
  CB_ASSIGN(const auto row, parts_.catalog->accounts().account_by_number(account));
  if (!row)
    return failed(Code::not_found, "account " + std::to_string(account), "is not in the catalog");
  auto fresh = std::make_unique<Kept>();
  fresh->number = account;
  fresh->name = row->name;
  CB_TRY(read(*fresh));
  return accounts_.emplace(account, std::move(fresh)).first->second.get();
}

// What packs have set aside stays: their rows may or may not be there yet.
Status LimitBook::read(Kept& kept) {
  catalog::Limits& limits = parts_.catalog->limits();
  CB_ASSIGN(kept.rows, limits.limits(kept.number));
  CB_ASSIGN(const auto usage, limits.usage(kept.number));
  CB_ASSIGN(const auto over, limits.over_soft(kept.number));
  kept.account.stored = 0;
  kept.account.since_ns = 0;
  for (auto& [id, use] : kept.devices) use.stored = 0, use.since_ns = 0;
  for (const catalog::UsageRow& row : usage) {
    Use& use = kept.devices[DeviceId{row.device}];
    use.stored = row.pack_bytes + row.record_bytes;
    use.growth = row.growth;
    kept.account.stored += use.stored;
  }
  for (const catalog::OverSoftRow& row : over) {
    const DeviceId device{row.device};
    (device.is_zero() ? kept.account : kept.devices[device]).since_ns = row.since_ns;
  }
  note_soft(kept, DeviceId{}, kept.account);
  for (auto& [id, use] : kept.devices)
    if (!id.is_zero()) note_soft(kept, id, use);
  return {};
}

// Remembers when a soft limit was first exceeded, and forgets it when it is not any more.
void LimitBook::note_soft(Kept& kept, const DeviceId& device, Use& use) {
  const uint64_t soft = limits_for(kept, device).soft;
  const bool is_above = soft != 0 && use.stored > soft;
  if (is_above == (use.since_ns != 0)) return;
  use.since_ns = is_above ? now() : 0;
  const Status noted =
      parts_.catalog->limits().set_over_soft(kept.number, {device.bytes, use.since_ns});
  parts_.log->write(is_above ? log::Level::warn : log::Level::info,
                    is_above ? "limits.soft.exceeded" : "limits.soft.kept",
                    {{"account", kept.name},
                     {"device", device.is_zero() ? std::string() : device.hex()},
                     {"stored", use.stored},
                     {"soft", soft},
                     {"noted", noted ? "yes" : noted.error().text()}});
}

QuotaUse LimitBook::use_of(const Kept& kept, const DeviceId& device, const Use& use) const {
  const LimitSet limits = limits_for(kept, device);
  QuotaUse told;
  told.stored = use.stored + use.aside;
  told.limit = limits.stored;
  told.soft = limits.soft;
  told.growth = use.growth;
  if (use.since_ns != 0)
    told.until_ns = std::min(use.since_ns, now()) + static_cast<int64_t>(limits.grace_ns);
  told.is_over = is_late_now(told) || (told.limit != 0 && told.stored >= told.limit);
  return told;
}

Status LimitBook::admits(const Kept& kept, const DeviceId& device, const Use& use,
                         uint64_t bytes) const {
  const QuotaUse now_used = use_of(kept, device, use);
  const std::string object = device.is_zero() ? "account " + kept.name : "device " + device.hex();
  if (is_late_now(now_used))
    return failed(full(object, "stores " + format_size(now_used.stored) +
                                   ", more than its soft limit of " + format_size(now_used.soft) +
                                   ", which was tolerated until " +
                                   report::utc_text(now_used.until_ns)));
  if (now_used.limit == 0 || now_used.stored + bytes <= now_used.limit) return {};
  return failed(full(
      object, "stores " + format_size(now_used.stored) + " of the " + format_size(now_used.limit) +
                  " that it may, which leaves no room for " + format_size(bytes) + " more"));
}

// The account first: what it lacks no device can make up for.
Status LimitBook::admits(Kept& kept, const DeviceId& device, uint64_t bytes) const {
  CB_TRY(admits(kept, DeviceId{}, kept.account, bytes));
  if (device.is_zero()) return {};
  return admits(kept, device, kept.devices[device], bytes);
}

Status LimitBook::take(const repository::QuotaKey& whose, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  CB_ASSIGN(const int64_t number, account_of(whose.repository));
  CB_ASSIGN(Kept* const kept, this->kept(number));
  Status admitted = admits(*kept, whose.device, bytes);
  if (!admitted) {
    // Collection may have made room since.
    CB_TRY(read(*kept));
    admitted = admits(*kept, whose.device, bytes);
  }
  if (!admitted) {
    const bool is_late = is_late_now(use_of(*kept, DeviceId{}, kept->account)) ||
                         is_late_now(use_of(*kept, whose.device, kept->devices[whose.device]));
    count(is_late ? Refusal::soft : Refusal::stored);
    return admitted;
  }
  kept->account.aside += bytes;
  kept->devices[whose.device].aside += bytes;
  return {};
}

void LimitBook::settle(const repository::QuotaKey& whose, uint64_t taken, uint64_t stored) {
  const std::lock_guard lock(mutex_);
  const auto number = account_of(whose.repository);
  const auto kept = number ? this->kept(*number) : Result<Kept*>(failed(number.error()));
  if (!kept) return;
  Use& device = (*kept)->devices[whose.device];
  for (Use* use : {&(*kept)->account, &device}) use->aside -= std::min(use->aside, taken);
  // Somebody may have read the rows of this pack before it was settled.
  if (stored == 0 || read(**kept)) return;
  for (Use* use : {&(*kept)->account, &device}) use->stored += stored;
  note_soft(**kept, DeviceId{}, (*kept)->account);
  if (!whose.device.is_zero()) note_soft(**kept, whose.device, device);
}

Result<Allowance> LimitBook::allowance(int64_t account, const DeviceId& device) {
  const std::lock_guard lock(mutex_);
  CB_ASSIGN(Kept* const kept, this->kept(account));
  CB_TRY(read(*kept));
  Allowance allowance;
  allowance.account = use_of(*kept, DeviceId{}, kept->account);
  allowance.account_sessions = limits_for(*kept, DeviceId{}).sessions;
  allowance.of_session = limits_for(*kept, device);
  if (!device.is_zero()) allowance.device = use_of(*kept, device, kept->devices[device]);
  return allowance;
}

uint64_t LimitBook::usual_requests() {
  const std::lock_guard lock(mutex_);
  return defaults_.account.requests;
}

Result<LimitAccount> LimitBook::describe(int64_t account) {
  const std::lock_guard lock(mutex_);
  CB_ASSIGN(Kept* const kept, this->kept(account));
  CB_TRY(read(*kept));
  LimitAccount told;
  told.limits = limits_for(*kept, DeviceId{});
  told.rows = kept->rows;
  told.use = use_of(*kept, DeviceId{}, kept->account);
  told.unassigned = kept->devices[DeviceId{}].stored;
  std::set<DeviceId> shown;
  for (const auto& [id, use] : kept->devices)
    if (use.stored + use.aside > 0) shown.insert(id);
  for (const catalog::LimitRow& row : kept->rows) shown.insert(DeviceId{row.device});
  for (const DeviceId& id : shown)
    if (!id.is_zero())
      told.devices.push_back({id, limits_for(*kept, id), use_of(*kept, id, kept->devices[id])});
  return told;
}

Status LimitBook::set(int64_t account, const DeviceId& device, const Changes& changes,
                      const std::string& who) {
  const std::lock_guard lock(mutex_);
  CB_ASSIGN(Kept* const kept, this->kept(account));
  CB_TRY(read(*kept));
  std::vector<catalog::LimitRow> set;
  std::vector<std::string> removed;
  Kept after;
  after.rows = kept->rows;
  for (const auto& change : changes) {
    if (limit_kind(change.first) == nullptr)
      return failed(Code::invalid, "limit " + change.first, "is not known");
    std::erase_if(after.rows, [&](const catalog::LimitRow& row) {
      return row.device == device.bytes && row.name == change.first;
    });
    if (change.second) set.push_back({device.bytes, change.first, *change.second, now(), who});
    if (!change.second) removed.push_back(change.first);
  }
  after.rows.insert(after.rows.end(), set.begin(), set.end());
  CB_TRY(check_limits(limits_for(after, device)));
  CB_TRY(parts_.catalog->limits().set_limits(account, set));
  CB_TRY(parts_.catalog->limits().remove_limits(account, device.bytes, removed));
  return read(*kept);
}

void LimitBook::reconfigure(const LimitDefaults& defaults) {
  const std::lock_guard lock(mutex_);
  defaults_ = defaults;
  for (auto& [number, kept] : accounts_)
    if (const Status done = read(*kept); !done)
      parts_.log->error("limits.unread", {{"account", kept->name}, {"error", done.error().text()}});
}

}  // namespace cb::server
