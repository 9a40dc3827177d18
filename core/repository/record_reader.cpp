// SPDX-License-Identifier: Apache-2.0
//
// Reading and refusing of fields.
#include "core/repository/record_reader.h"

#include <limits>

namespace cb::repository {

uint64_t RecordReader::long_uint() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const uint64_t bits = byte();
    if (!ok()) return 0;
    if (shift == 63 && bits > 1) break;
    value |= (bits & 0x7f) << shift;
    if (bits >= 0x80) continue;
    if (bits == 0 && shift != 0) break;
    return value;
  }
  refuse("has a number that is not in its shortest form");
  return 0;
}

uint32_t RecordReader::uint32() {
  const uint64_t value = uint();
  if (value <= std::numeric_limits<uint32_t>::max()) return static_cast<uint32_t>(value);
  refuse("has a number over 32 bits where one of at most 32 belongs");
  return 0;
}

ByteView RecordReader::raw(size_t size) {
  if (size > rest_.size()) {
    refuse("is cut off");
    return {};
  }
  const ByteView value = rest_.first(size);
  rest_ = rest_.subspan(size);
  return value;
}

ByteView RecordReader::bytes() {
  const uint64_t size = uint();
  if (size <= rest_.size()) return raw(size);
  refuse("has a field that is longer than the rest");
  return {};
}

size_t RecordReader::count(size_t least) {
  const uint64_t count = uint();
  if (count <= rest_.size() / least) return count;
  refuse("has a list that is longer than the rest");
  return 0;
}

uint64_t RecordReader::version(uint64_t most) {
  const uint64_t version = uint();
  if (ok() && (version == 0 || version > most))
    refuse(Code::unsupported, "has a version that this program does not know");
  return version;
}

void RecordReader::refuse(Code code, std::string_view cause) {
  if (!ok()) return;
  code_ = code;
  cause_ = cause;
  rest_ = {};
}

Status RecordReader::done() {
  if (!rest_.empty()) refuse("has bytes left over");
  if (ok()) return {};
  return failed(code_, std::string(object_), std::string(cause_),
                code_ == Code::unsupported ? "use the program that wrote it, or a newer one" : "");
}

}  // namespace cb::repository
