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
  uint64_t size = 0;           // bytes that came, holes among them
  uint64_t bytes = 0;          // that were read
  std::optional<Error> error;  // of the file; what came before it is good
};

// Reads the first `size` bytes, or what there is of them, with `buffer` in between. `sparse`: look
// for holes. Fails only when the sink does.
Result<ContentRead> read_content(os::TreeFile& file, uint64_t size, bool sparse, ByteSpan buffer,
                                 const ContentSink& sink);

}  // namespace cb::client
