// SPDX-License-Identifier: Apache-2.0
#include "core/client/backup_content.h"

#include <algorithm>

namespace cb::client {
namespace {

// Reads [read.size, end); false at the end of the file or an error, which is noted.
Result<bool> read_stretch(os::TreeFile& file, uint64_t end, ByteSpan buffer,
                          const ContentSink& sink, ContentRead& read) {
  while (read.size < end) {
    const auto want = static_cast<size_t>(std::min<uint64_t>(buffer.size(), end - read.size));
    auto got = file.read_at(buffer.first(want), read.size);
    if (!got) read.error = std::move(got).error();
    if (read.error || *got == 0) return false;
    read.size += *got;
    read.bytes += *got;
    CB_TRY(sink.data(ByteView(buffer).first(*got)));
  }
  return true;
}

}  // namespace

Result<ContentRead> read_content(os::TreeFile& file, const ContentRange& range, ByteSpan buffer,
                                 const ContentSink& sink) {
  const uint64_t size = range.end;
  ContentRead read;
  read.size = range.begin;
  while (read.size < size) {
    os::DataStretch next{read.size, size};
    if (range.sparse) {
      auto found = file.next_data(read.size);
      if (!found) {
        read.error = std::move(found).error();
        return read;
      }
      next = found->value_or(os::DataStretch{size, size});
    }
    const uint64_t begin = std::clamp(next.begin, read.size, size);
    if (begin > read.size) CB_TRY(sink.hole(begin - read.size));
    read.size = begin;
    CB_ASSIGN(const bool more, read_stretch(file, std::min(next.end, size), buffer, sink, read));
    if (!more) return read;
  }
  return read;
}

}  // namespace cb::client
