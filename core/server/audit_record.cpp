// SPDX-License-Identifier: Apache-2.0
#include "core/server/audit_record.h"

#include <charconv>

#include "core/base/utf8.h"
#include "core/identity/signing.h"
#include "core/report/shown_text.h"
#include "core/report/utc_text.h"
#include "core/repository/record_reader.h"
#include "core/repository/record_writer.h"

namespace cb::server {
namespace {

using report::Json;

// Bytes of each field at most.
constexpr size_t kLongestField = 300;
constexpr size_t kLongestDetail = 1000;

// What is longer ends where a character does.
std::string fit(const std::string& text, size_t most) {
  const std::string shown = report::shown_text(text.substr(0, most));
  size_t size = 0;
  while (size < shown.size()) {
    const size_t next = first_character(std::string_view(shown).substr(size)).size;
    if (next == 0 || size + next > most) break;
    size += next;
  }
  return shown.substr(0, size);
}

void write_fields(const AuditEvent& event, repository::RecordWriter& out) {
  for (const std::string* field :
       {&event.actor, &event.address, &event.action, &event.object, &event.outcome})
    out.text(fit(*field, kLongestField));
  out.text(fit(event.detail, kLongestDetail));
}

Json fields_of(const AuditRecord& record) {
  return {{"time", report::utc_text(record.time_ns)},
          {"time_ns", record.time_ns},
          {"actor", record.event.actor},
          {"address", record.event.address},
          {"action", record.event.action},
          {"object", record.event.object},
          {"outcome", record.event.outcome},
          {"detail", record.event.detail}};
}

Error no_head(const std::string& line) {
  return fail(Code::corrupt, "line '" + report::shown_text(line.substr(0, 80)) + "'",
              "tells no sequence and hash of an audit record",
              "cyberbackupd audit export writes such lines, audit verify prints one");
}

}  // namespace

Bytes encode(const AuditRecord& record) {
  repository::RecordWriter out;
  out.uint(1);
  out.uint(record.sequence);
  out.sint(record.time_ns);
  write_fields(record.event, out);
  return out.take();
}

Result<AuditRecord> decode_audit_record(ByteView bytes) {
  repository::RecordReader in(bytes, "audit record");
  (void)in.version();
  AuditRecord record;
  record.sequence = in.uint();
  record.time_ns = in.sint();
  for (std::string* field : {&record.event.actor, &record.event.address, &record.event.action,
                             &record.event.object, &record.event.outcome, &record.event.detail})
    *field = in.text();
  CB_TRY(in.done());
  if (encode(record) != to_bytes(bytes))
    return failed(Code::corrupt, "audit record", "is not as this program writes it");
  return record;
}

AuditHash audit_hash(const AuditHash& previous, ByteView record) {
  Bytes all = to_bytes(previous.view());
  all.insert(all.end(), record.begin(), record.end());
  return AuditHash{identity::sha256(all)};
}

catalog::AuditRow audit_row_after(const AuditHead& last, int64_t time_ns, const AuditEvent& event) {
  catalog::AuditRow row;
  row.sequence = static_cast<int64_t>(last.sequence) + 1;
  row.record = encode(AuditRecord{last.sequence + 1, time_ns, event});
  row.hash = audit_hash(last.hash, row.record).bytes;
  return row;
}

AuditHead head_of(const catalog::AuditRow& row) {
  return {static_cast<uint64_t>(row.sequence), AuditHash{row.hash}};
}

Json json_of(const catalog::AuditRow& row) {
  Json line = {{"sequence", row.sequence}};
  if (const auto record = decode_audit_record(row.record)) line.update(fields_of(*record));
  line["record"] = to_hex(row.record);
  line["hash"] = to_hex(row.hash);
  return line;
}

Result<catalog::AuditRow> audit_row_of(const Json& line) {
  catalog::AuditRow row;
  row.sequence = report::number_of(line, "sequence", 0);
  if (row.sequence <= 0) return failed(Code::corrupt, "line", "is no audit record");
  const std::string object = "audit record " + std::to_string(row.sequence);
  CB_ASSIGN(row.record, from_hex(report::text_of(line, "record")));
  CB_ASSIGN(const auto hash, AuditHash::from_hex_text(report::text_of(line, "hash")));
  row.hash = hash.bytes;
  if (json_of(row) != line)
    return failed(Code::corrupt, object, "has other fields than its record");
  return row;
}

std::string text_of(const AuditHead& head) {
  return std::to_string(head.sequence) + " " + head.hash.hex();
}

Result<AuditHead> audit_head_of(const std::string& line) {
  AuditHead head;
  std::string hash;
  if (line.starts_with('{')) {
    CB_ASSIGN(const Json json, report::parse_json(line));
    head.sequence = static_cast<uint64_t>(report::number_of(json, "sequence", 0));
    hash = report::text_of(json, "hash");
  } else {
    const char* stop = line.data() + line.size();
    const auto [end, problem] = std::from_chars(line.data(), stop, head.sequence);
    if (problem != std::errc() || end == stop || *end != ' ') return failed(no_head(line));
    hash = std::string(end + 1, stop);
  }
  const auto read = AuditHash::from_hex_text(hash);
  if (!read || head.sequence == 0) return failed(no_head(line));
  head.hash = *read;
  return head;
}

}  // namespace cb::server
