// SPDX-License-Identifier: Apache-2.0
#include "core/server/audit_check.h"

namespace cb::server {
namespace {

std::string record_name(uint64_t sequence) { return "record " + std::to_string(sequence); }

}  // namespace

// Does it come right after the one before?
bool AuditCheck::check_place(const catalog::AuditRow& row) {
  const auto sequence = static_cast<uint64_t>(row.sequence);
  const uint64_t next = head_.sequence + 1;
  if (sequence == next) return true;
  if (sequence < next)
    find(record_name(sequence) + " stands after " + record_name(head_.sequence));
  else if (sequence == next + 1)
    find(record_name(next) + " is missing");
  else
    find("records " + std::to_string(next) + " to " + std::to_string(sequence - 1) +
         " are missing");
  return false;
}

void AuditCheck::check_content(const catalog::AuditRow& row, bool follows) {
  const auto sequence = static_cast<uint64_t>(row.sequence);
  const auto record = decode_audit_record(row.record);
  if (!record) return find(record_name(sequence) + " cannot be read: it " + record.error().cause);
  if (record->sequence != sequence)
    return find(record_name(sequence) + " is in truth " + record_name(record->sequence) +
                ": they were put in another order");
  if (follows && audit_hash(head_.hash, row.record).bytes != row.hash)
    find(record_name(sequence) + " (" + record->event.action + ") was changed, or its hash was");
}

void AuditCheck::take(const catalog::AuditRow& row) {
  ++records_;
  const bool follows = check_place(row);
  check_content(row, follows);
  const AuditHead here = head_of(row);
  if (const auto met = expected_.find(here.sequence); met != expected_.end()) {
    if (met->second != here.hash)
      find(record_name(here.sequence) + " is another than the one that was told before");
    expected_.erase(met);
  }
  head_ = here;
}

void AuditCheck::finish() {
  for (const auto& [sequence, hash] : expected_)
    find(record_name(sequence) + " is missing, which was told before");
  expected_.clear();
}

}  // namespace cb::server
