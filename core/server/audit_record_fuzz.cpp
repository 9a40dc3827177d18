// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes what `audit verify` reads of a file: a record's bytes, which are written again byte for
// byte when they are taken, and lines of exports and heads. The first byte chooses.
#include <algorithm>
#include <cstdlib>

#include "core/server/audit_check.h"

using namespace cb;
using namespace cb::server;

namespace {

void check_record(ByteView input) {
  const auto record = decode_audit_record(input);
  if (!record) return;
  const Bytes again = encode(*record);
  if (!std::equal(input.begin(), input.end(), again.begin(), again.end())) std::abort();
}

// A line that is taken is written again as it means, and its row is checked without harm.
void check_line(const std::string& line) {
  const auto json = report::parse_json(line);
  if (!json) return;
  const auto row = audit_row_of(*json);
  if (!row) return;
  if (json_of(*row) != *json) std::abort();
  AuditCheck check;
  check.take(*row);
  check.take(*row);
  check.finish();
  if (check.findings().empty()) std::abort();  // it cannot follow itself
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView input(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  const std::string text(as_text(input));
  if (data[0] == 'r') check_record(input);
  if (data[0] == 'l') check_line(text);
  if (data[0] == 'h') {
    const auto head = audit_head_of(text);
    if (head && audit_head_of(text_of(*head)) != *head) std::abort();
  }
  return 0;
}
