// SPDX-License-Identifier: Apache-2.0
//
// What the operator lets accounts and devices take, and what each of them stores. Abstract;
// thread-safe; functions block and belong on a worker. Every change is durable when the function
// returns.
#pragma once

#include <string>
#include <vector>

#include "core/catalog/accounts.h"

namespace cb::catalog {

// One limit that was set for an account, or for one of its devices.
struct LimitRow {
  Bytes16 device{};    // zero: the account
  std::string name;    // of a closed list that the server knows
  uint64_t value = 0;  // bytes, nanoseconds or a count; 0: no such limit, whatever the settings say
  int64_t set_ns = 0;
  std::string set_by;
};

// What a device has stored, deduplicated and sealed, in all repositories of its account. A pack
// counts for whoever put it until it is retired; a compaction hands on what its sources counted.
struct UsageRow {
  Bytes16 device{};           // zero: the server, and what was there before this was counted
  uint64_t pack_bytes = 0;    // packs, with all that is dead in them
  uint64_t record_bytes = 0;  // commit records, which stay for good
  uint64_t growth = 0;        // what the session of its newest commit had stored by then
};

// Since when an account or a device stores more than its soft limit.
struct OverSoftRow {
  Bytes16 device{};  // zero: the account
  int64_t since_ns = 0;
};

class Limits {
 public:
  virtual ~Limits() = default;

  // Of an account and its devices, by device, then name; none for an unknown account.
  virtual Result<std::vector<LimitRow>> limits(int64_t account) = 0;
  // Adds or replaces them, all or none. Code::not_found without the account.
  virtual Status set_limits(int64_t account, const std::vector<LimitRow>& rows) = 0;
  // Takes limits of these names away, so that the settings count again.
  virtual Status remove_limits(int64_t account, const Bytes16& device,
                               const std::vector<std::string>& names) = 0;

  // By device; a row for each that ever stored something. Costs as much as there are devices.
  virtual Result<std::vector<UsageRow>> usage(int64_t account) = 0;

  // By device.
  virtual Result<std::vector<OverSoftRow>> over_soft(int64_t account) = 0;
  // `since_ns` 0: it is not, any more. Code::not_found without the account.
  virtual Status set_over_soft(int64_t account, const OverSoftRow& row) = 0;
};

}  // namespace cb::catalog
