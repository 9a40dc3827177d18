// SPDX-License-Identifier: Apache-2.0
//
// Sizes and durations as people write them, and numbers as people read them. Functions are pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace cb {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;
constexpr uint64_t kGiB = 1024 * kMiB;

// "64MiB", "512 KiB", "10GB", "4096" -> bytes. KiB, MiB, GiB, TiB are powers of 1024; kB, MB, GB,
// TB of 1000. Code::invalid for anything else, Code::limit past 2^63 - 1.
Result<int64_t> parse_size(std::string_view text);

// "30s", "1h30m", "250ms", "7d" -> nanoseconds. Units: ns us ms s m h d w. Errors as above.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);

// 1536 -> "1.5 KiB".
std::string format_size(uint64_t bytes);

// 5400 s -> "1h30m"; below a minute with one decimal, "2.5s".
std::string format_duration(std::chrono::nanoseconds duration);

}  // namespace cb
