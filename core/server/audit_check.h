// SPDX-License-Identifier: Apache-2.0
//
// Whether a chain of audit records is whole: looked at record by record, so of any length. Used by
// one thread at a time.
#pragma once

#include <map>
#include <vector>

#include "core/server/audit_record.h"

namespace cb::server {

class AuditCheck {
 public:
  // The chain must have these, as they were told or exported once.
  void expect(const AuditHead& head) { expected_[head.sequence] = head.hash; }

  // The next record, in the order in which they lie.
  void take(const catalog::AuditRow& row);
  // A line that tells of no record.
  void take_unreadable(const std::string& why) { find(why); }
  // After the last one.
  void finish();

  [[nodiscard]] uint64_t records() const { return records_; }
  [[nodiscard]] const AuditHead& head() const { return head_; }
  // A sentence for each record that was changed, is missing or stands in another place; at most
  // kMostFindings.
  [[nodiscard]] const std::vector<std::string>& findings() const { return findings_; }

  static constexpr size_t kMostFindings = 1000;

 private:
  void find(std::string what) {
    if (findings_.size() < kMostFindings) findings_.push_back(std::move(what));
  }
  bool check_place(const catalog::AuditRow& row);
  void check_content(const catalog::AuditRow& row, bool follows);

  AuditHead head_;
  uint64_t records_ = 0;
  std::map<uint64_t, AuditHash> expected_;  // those that were not met yet
  std::vector<std::string> findings_;
};

}  // namespace cb::server
