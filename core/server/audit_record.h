// SPDX-License-Identifier: Apache-2.0
//
// Records of the audit log and the hashes that chain them (docs/operations.md, "Audit log"), as
// bytes and as lines of JSON. Plain values; functions are pure.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/id.h"
#include "core/catalog/audit.h"
#include "core/report/json.h"

namespace cb::server {

using AuditHash = Id<struct AuditHashTag, 32>;

// What was done. Texts of strangers may be put in as they are: see encode.
struct AuditEvent {
  std::string actor;             // "uid 0 (root)", "alice/<device>"; empty: a stranger
  std::string address;           // where from; empty: this machine
  std::string action;            // "v4.device.revoked": the event's name in the log
  std::string object;            // what it was done to
  std::string outcome = "done";  // or the name of an error's code: "denied"
  std::string detail;

  friend bool operator==(const AuditEvent&, const AuditEvent&) = default;
};

struct AuditRecord {
  uint64_t sequence = 0;  // from 1
  int64_t time_ns = 0;    // since 1970 UTC, by the server's clock
  AuditEvent event;

  friend bool operator==(const AuditRecord&, const AuditRecord&) = default;
};

// The end of a chain: everything before it is what it was when the head was told.
struct AuditHead {
  uint64_t sequence = 0;  // 0: there is no record
  AuditHash hash;

  friend bool operator==(const AuditHead&, const AuditHead&) = default;
};

// Texts are made fit to be shown (shown_text), and cut when they are long.
Bytes encode(const AuditRecord& record);
// Code::corrupt for anything that encode does not write, Code::unsupported for another version.
Result<AuditRecord> decode_audit_record(ByteView bytes);

// SHA-256 of the hash before (32 zero bytes for the first record) and the record.
AuditHash audit_hash(const AuditHash& previous, ByteView record);
// The row that follows `last`.
catalog::AuditRow audit_row_after(const AuditHead& last, int64_t time_ns, const AuditEvent& event);
AuditHead head_of(const catalog::AuditRow& row);

// A line of an export: sequence, time, the fields, "record" and "hash" in hex. A record that cannot
// be read has no fields.
report::Json json_of(const catalog::AuditRow& row);
// The row that such a line tells of. Code::corrupt when it tells of none, or when its fields are
// not those of its record.
Result<catalog::AuditRow> audit_row_of(const report::Json& line);

// "17 89ab...", for people and for another machine to keep.
std::string text_of(const AuditHead& head);
// Reads that, or the sequence and hash of a line of JSON. Code::corrupt for anything else.
Result<AuditHead> audit_head_of(const std::string& line);

}  // namespace cb::server
