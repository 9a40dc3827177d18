// SPDX-License-Identifier: Apache-2.0
//
// The bytes of a blob, which follow from its id: whoever restores needs to remember nothing else to
// compare them. Functions are pure.
#pragma once

#include "core/base/bytes.h"
#include "core/repository/ids.h"

namespace cb::bench {

// 16 to 64 KiB of random-looking bytes.
Bytes content_of(const repository::BlobId& id);

}  // namespace cb::bench
