// SPDX-License-Identifier: Apache-2.0
//
// What an account or a device may take: the closed list of limits, which of them count, and which
// values are possible (docs/limits.md). Plain values; functions are pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/catalog/limits.h"

namespace cb::server {

// 0: no such limit, but for `grace_ns`.
struct LimitSet {
  uint64_t stored = 0;                                       // bytes, sealed
  uint64_t soft = 0;                                         // the same, tolerated for a while
  uint64_t grace_ns = 14 * 86400 * uint64_t{1'000'000'000};  // so long; 0: not at all
  uint64_t sessions = 0;                                     // at one time
  uint64_t requests = 0;                                     // a second, of one session
  uint64_t upload = 0;                                       // bytes sent in one session
  uint64_t snapshot = 0;                                     // bytes that a snapshot declares
};

// What [limits] says about accounts and devices.
struct LimitDefaults {
  LimitSet account;
  LimitSet device;  // of `stored`, `soft` and `sessions`; the rest is the account's
};

// One limit of the closed list.
struct LimitKind {
  std::string_view name;
  uint64_t LimitSet::*value;
  bool is_size;    // bytes
  bool is_shared;  // all of an account together have it: no device has it from its account
};
extern const std::array<LimitKind, 7> kLimitKinds;
// Null for another name.
const LimitKind* limit_kind(std::string_view name);

// In force for an account, of whose rows these are.
LimitSet limits_of_account(const LimitDefaults& defaults, std::span<const catalog::LimitRow> rows);
// In force for one of its devices: its own rows, then, but for what is shared, the account's, then
// the defaults.
LimitSet limits_of_device(const LimitDefaults& defaults, std::span<const catalog::LimitRow> rows,
                          const catalog::Bytes16& device);

// Code::invalid when no backup could ever be made with these, or one of them says nothing.
Status check_limits(const LimitSet& limits);

// The least that may be stored or uploaded: two packs with the largest blob in one of them.
constexpr uint64_t kLeastLimit = 16 * 1024 * 1024;

}  // namespace cb::server
