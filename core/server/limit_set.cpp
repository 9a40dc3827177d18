// SPDX-License-Identifier: Apache-2.0
#include "core/server/limit_set.h"

#include <algorithm>

#include "core/base/units.h"

namespace cb::server {
namespace {

constexpr uint64_t kMostBytes = uint64_t{1} << 60;
constexpr uint64_t kMostCount = 1'000'000;
constexpr uint64_t kMostGrace = 3650 * 86400 * uint64_t{1'000'000'000};

const catalog::Bytes16 kAccountRow{};

void apply(LimitSet& limits, std::span<const catalog::LimitRow> rows,
           const catalog::Bytes16& device) {
  for (const catalog::LimitRow& row : rows) {
    if (row.device != device) continue;
    const LimitKind* kind = limit_kind(row.name);
    if (kind != nullptr) limits.*kind->value = row.value;
  }
}

Status check_size(std::string_view name, uint64_t value) {
  const std::string object = "limit " + std::string(name) + " of " + format_size(value);
  if (value > kMostBytes) return failed(Code::invalid, object, "is more than any store has");
  if (value != 0 && value < kLeastLimit)
    return failed(Code::invalid, object, "is less than the packs of one backup may need",
                  "give at least " + format_size(kLeastLimit) + ", or none");
  return {};
}

}  // namespace

const std::array<LimitKind, 7> kLimitKinds = {{{"stored", &LimitSet::stored, true, true},
                                               {"soft", &LimitSet::soft, true, true},
                                               {"grace", &LimitSet::grace_ns, false, false},
                                               {"sessions", &LimitSet::sessions, false, true},
                                               {"requests", &LimitSet::requests, false, false},
                                               {"upload", &LimitSet::upload, true, false},
                                               {"snapshot", &LimitSet::snapshot, true, false}}};

const LimitKind* limit_kind(std::string_view name) {
  const auto* const at = std::find_if(kLimitKinds.begin(), kLimitKinds.end(),
                                      [&](const LimitKind& kind) { return kind.name == name; });
  return at == kLimitKinds.end() ? nullptr : at;
}

LimitSet limits_of_account(const LimitDefaults& defaults, std::span<const catalog::LimitRow> rows) {
  LimitSet limits = defaults.account;
  apply(limits, rows, kAccountRow);
  return limits;
}

LimitSet limits_of_device(const LimitDefaults& defaults, std::span<const catalog::LimitRow> rows,
                          const catalog::Bytes16& device) {
  LimitSet limits = limits_of_account(defaults, rows);
  for (const LimitKind& kind : kLimitKinds)
    if (kind.is_shared) limits.*kind.value = defaults.device.*kind.value;
  apply(limits, rows, device);
  return limits;
}

Status check_limits(const LimitSet& limits) {
  for (const LimitKind& kind : kLimitKinds)
    if (kind.is_size) CB_TRY(check_size(kind.name, limits.*kind.value));
  if (limits.soft != 0 && limits.stored != 0 && limits.soft >= limits.stored)
    return failed(Code::invalid, "limit soft of " + format_size(limits.soft),
                  "is not below the hard one of " + format_size(limits.stored),
                  "give a smaller one, or none");
  if (limits.grace_ns > kMostGrace)
    return failed(Code::invalid, "limit grace", "is longer than ten years");
  if (limits.sessions > kMostCount || limits.requests > kMostCount)
    return failed(Code::invalid, limits.sessions > kMostCount ? "limit sessions" : "limit requests",
                  "is more than a million", "take it away with none");
  return {};
}

}  // namespace cb::server
