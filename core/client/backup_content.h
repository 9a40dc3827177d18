// SPDX-License-Identifier: Apache-2.0
//
// Reading a file's content, holes left out. Used by one thread at a time; blocks.
#pragma once

#include <functional>
#include <optional>

#include "core/os/tree.h"

namespace cb::client {

struct ContentSink {
  std::function<Status(ByteView)> data;
  std::function<Status(uint64_t)> hole;  // bytes
};

struct ContentRead {
  uint64_t size = 0;           // of the file up to where it was read, holes among it
  uint64_t bytes = 0;          // that were read
  std::optional<Error> error;  // of the file; what came before it is good
};

// Which bytes of a file: [begin, end).
struct ContentRange {
  uint64_t begin = 0;
  uint64_t end = 0;
  bool sparse = false;  // look for holes
};

// Reads what there is of the range, with `buffer` in between. Fails only when the sink does.
Result<ContentRead> read_content(os::TreeFile& file, const ContentRange& range, ByteSpan buffer,
                                 const ContentSink& sink);

}  // namespace cb::client
