// SPDX-License-Identifier: Apache-2.0
//
// A quick checksum for files that this program writes for itself. Finds accidents, not malice.
// Pure.
#pragma once

#include "core/base/bytes.h"

namespace cb::repository {

// XXH3-64 of `bytes`.
uint64_t block_sum(ByteView bytes);

}  // namespace cb::repository
