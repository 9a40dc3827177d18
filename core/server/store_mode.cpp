// SPDX-License-Identifier: Apache-2.0
#include "core/server/store_mode.h"

#include <array>

#include "core/report/json.h"

namespace cb::server {
namespace {

constexpr std::array<StoreMode, 3> kModes = {StoreMode::normal, StoreMode::read_only,
                                             StoreMode::offline};

}  // namespace

const char* name_of(StoreMode mode) {
  switch (mode) {
    case StoreMode::normal:
      return "normal";
    case StoreMode::read_only:
      return "read-only";
    case StoreMode::offline:
      break;
  }
  return "offline";
}

std::optional<StoreMode> store_mode_named(std::string_view name) {
  for (const StoreMode mode : kModes)
    if (name == name_of(mode)) return mode;
  return std::nullopt;
}

std::string text_of(const ToldMode& told) {
  return report::json_line(
             {{"mode", name_of(told.mode)}, {"told_ns", told.told_ns}, {"told_by", told.told_by}}) +
         "\n";
}

Result<ToldMode> parse_told_mode(std::string_view text) {
  CB_ASSIGN(const report::Json json, report::parse_json(text));
  const auto mode = store_mode_named(report::text_of(json, "mode"));
  if (!mode) return failed(Code::corrupt, "mode of the store", "is not what was written there");
  return ToldMode{*mode, report::number_of(json, "told_ns", 0), report::text_of(json, "told_by")};
}

}  // namespace cb::server
