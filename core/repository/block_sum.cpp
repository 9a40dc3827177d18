// SPDX-License-Identifier: Apache-2.0
#include "core/repository/block_sum.h"

#include <xxhash.h>

namespace cb::repository {

uint64_t block_sum(ByteView bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace cb::repository
