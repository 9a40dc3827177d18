// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as the content of a cache's block: what was read is written and read again as it was.
// The first byte chooses between entries and the summary.
#include <cstdlib>

#include "core/client/cache_records.h"

using namespace cb;
using namespace cb::client;

namespace {

void entries(ByteView input) {
  repository::RecordReader in(input, "block");
  CachedEntry read, written_after, read_again;
  repository::BlobId read_blob, written_blob, again_blob;
  for (;;) {
    read_cached(in, read, read_blob);
    if (!in.ok()) return;
    repository::RecordWriter out;
    write_cached(out, read, written_after, written_blob);
    const Bytes bytes = out.take();
    repository::RecordReader again(bytes, "block");
    read_cached(again, read_again, again_blob);
    if (!again.done() || !(read_again == read)) std::abort();
    if (in.done()) return;
  }
}

void summary(ByteView input) {
  repository::RecordReader in(input, "block");
  const CacheSummary summary = read_summary(in);
  if (!in.done()) return;
  repository::RecordWriter out;
  write_summary(out, summary);
  const Bytes bytes = out.take();
  repository::RecordReader again(bytes, "block");
  if (!(read_summary(again) == summary) || !again.done()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView input(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  data[0] == '0' ? entries(input) : summary(input);
  return 0;
}
