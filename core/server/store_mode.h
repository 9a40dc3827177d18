// SPDX-License-Identifier: Apache-2.0
//
// How much of the store is served, and what an operator told about that, as it is kept over a
// restart. Plain values; functions are pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace cb::server {

// The greater one is the stricter one.
enum class StoreMode : uint8_t { normal, read_only, offline };

// "normal", "read-only", "offline".
const char* name_of(StoreMode mode);
std::optional<StoreMode> store_mode_named(std::string_view name);

// What [store] says.
struct StoreSettings {
  StoreMode mode = StoreMode::normal;
  // How long backups under way may go on when the mode changes and nothing else is said.
  std::chrono::nanoseconds drain = std::chrono::minutes(10);
};

// What an operator told with `cyberbackupd store mode`.
struct ToldMode {
  StoreMode mode = StoreMode::normal;
  int64_t told_ns = 0;       // when, since 1970 UTC
  std::string told_by = {};  // a Unix user

  friend bool operator==(const ToldMode&, const ToldMode&) = default;
};

std::string text_of(const ToldMode& told);
// Code::corrupt for what text_of does not write.
Result<ToldMode> parse_told_mode(std::string_view text);

}  // namespace cb::server
