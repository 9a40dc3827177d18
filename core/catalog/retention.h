// SPDX-License-Identifier: Apache-2.0
//
// What the catalog knows of retention: rules, pinned snapshots, and what was asked of a second
// person. Abstract; thread-safe; functions block and belong on a worker. Every change is durable
// when the function returns. `repository` is a repository's number; times are nanoseconds since
// 1970 UTC.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/catalog/accounts.h"

namespace cb::catalog {

struct RetentionRow {
  Bytes source;       // device[16] and source[32]; empty: of the whole repository
  std::string rules;  // as core/retention writes them
  int64_t set_ns = 0;
  std::string set_by;

  friend bool operator==(const RetentionRow&, const RetentionRow&) = default;
};

struct PinRow {
  Bytes32 snapshot{};
  int64_t until_ns = 0;  // 0: for good
  std::string reason;
  int64_t set_ns = 0;
  std::string set_by;

  friend bool operator==(const PinRow&, const PinRow&) = default;
};

// Something that waits for a person, or did.
struct ApprovalRow {
  int64_t number = 0;  // set by ask
  std::string what;    // "retention", "rules"
  int64_t repository = 0;
  std::string detail;  // what exactly, in the words of who asks
  std::string asked_by;
  int64_t asked_ns = 0;
  std::string approved_by;  // empty: nobody did
  int64_t approved_ns = 0;
  int64_t used_ns = 0;  // done, or not asked any more

  friend bool operator==(const ApprovalRow&, const ApprovalRow&) = default;
};

class Retention {
 public:
  virtual ~Retention() = default;

  // By source, so the repository's own come first.
  virtual Result<std::vector<RetentionRow>> rules(int64_t repository) = 0;
  // Adds or replaces. Code::not_found without the repository.
  virtual Status set_rules(int64_t repository, const RetentionRow& row) = 0;
  // Code::not_found when the source has none.
  virtual Status remove_rules(int64_t repository, ByteView source) = 0;

  // By snapshot; those that ended too.
  virtual Result<std::vector<PinRow>> pins(int64_t repository) = 0;
  // Adds or replaces. Code::not_found without the repository.
  virtual Status set_pin(int64_t repository, const PinRow& pin) = 0;
  // Code::not_found when it is not pinned.
  virtual Status remove_pin(int64_t repository, const Bytes32& snapshot) = 0;

  // Asks for something that nobody approved yet, and returns its number. Those of `instead` are
  // asked no more, in the same step.
  virtual Result<int64_t> ask(const ApprovalRow& request, std::span<const int64_t> instead) = 0;
  // Nothing when there is none.
  virtual Result<std::optional<ApprovalRow>> approval(int64_t number) = 0;
  // Of a repository, or with 0 of all; by number. `open`: only those that are still of use.
  virtual Result<std::vector<ApprovalRow>> approvals(int64_t repository, bool open) = 0;
  // Code::not_found; Code::state when it was approved or used before.
  virtual Status approve(int64_t number, const std::string& by, int64_t now_ns) = 0;
  // Ends it, at most once whoever tries at the same time: Code::state when it is used, or with
  // `approved` when nobody approved it. Code::not_found.
  virtual Status use(int64_t number, bool approved, int64_t now_ns) = 0;
};

}  // namespace cb::catalog
