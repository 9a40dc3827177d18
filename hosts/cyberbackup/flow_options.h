// SPDX-License-Identifier: Apache-2.0
//
// --limit-upload and --limit-download: how many bytes a second this program moves at most.
// Functions are pure but for the clock that limits run by.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/stream/throttle.h"

namespace cb {

// "5MiB" or "5MiB/s" as bytes a second; 0 for "none". Code::invalid with the bounds of a rate.
Result<uint64_t> parse_rate(const std::string& flag, const std::string& text);

// A limit of this rate and of a burst of one second; nothing for an empty text and for "none".
Result<std::shared_ptr<stream::Throttle>> throttle_of(const std::string& flag,
                                                      const std::string& text);

}  // namespace cb
