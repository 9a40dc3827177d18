// SPDX-License-Identifier: Apache-2.0
//
// Reads the fields of a record (docs/repository-format.md) and takes nothing but what RecordWriter
// writes. After the first flaw every field reads as zero and done() tells of it, so decoders need
// not ask after each field. Used by one thread at a time; the bytes outlive it.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "core/base/id.h"

namespace cb::repository {

class RecordReader {
 public:
  // `object` (a literal) names the record in errors.
  RecordReader(ByteView bytes, std::string_view object) : rest_(bytes), object_(object) {}

  uint8_t byte() {
    if (rest_.empty()) return refuse("is cut off"), uint8_t{0};
    const auto value = std::to_integer<uint8_t>(rest_.front());
    rest_ = rest_.subspan(1);
    return value;
  }

  uint64_t uint() {
    if (!rest_.empty() && std::to_integer<uint8_t>(rest_.front()) < 0x80) return byte();
    return long_uint();
  }
  uint32_t uint32();
  int64_t sint() {
    const uint64_t value = uint();
    return static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1));
  }

  // `size` bytes without a length; views into the record.
  ByteView raw(size_t size);
  // A length and that many bytes.
  ByteView bytes();
  std::string text() { return std::string(as_text(bytes())); }

  template <size_t Size>
  std::array<std::byte, Size> fixed() {
    std::array<std::byte, Size> value{};
    const ByteView from = raw(Size);
    std::copy(from.begin(), from.end(), value.begin());
    return value;
  }
  template <typename Id>
  Id id() {
    return Id{fixed<Id::kSize>()};
  }

  // The count of a list whose items take `least` bytes or more each; so a caller may reserve that
  // many.
  size_t count(size_t least);
  // The version a record begins with, 1 to `most`; another is Code::unsupported.
  uint64_t version(uint64_t most = 1);

  // Notes a flaw (a literal); the first one counts.
  void refuse(std::string_view cause) { refuse(Code::corrupt, cause); }
  void refuse(Code code, std::string_view cause);

  [[nodiscard]] bool ok() const { return cause_.empty(); }
  // The flaw, if there was one; bytes that are left over are one.
  Status done();

 private:
  uint64_t long_uint();

  ByteView rest_;
  std::string_view object_;
  std::string_view cause_;
  Code code_ = Code::corrupt;
};

}  // namespace cb::repository
