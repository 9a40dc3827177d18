// SPDX-License-Identifier: Apache-2.0
#include "core/client/change_tally.h"

#include <algorithm>

namespace cb::client {
namespace {

// The path without the last ending of its name; the whole where it has none, or nothing else.
std::string_view without_ending(std::string_view path) {
  const size_t name = path.find_last_of('/') + 1;  // npos + 1 is 0
  const size_t dot = path.find_last_of('.');
  return dot == path.npos || dot <= name ? path : path.substr(0, dot);
}

}  // namespace

bool has_other_ending(const std::string& before, const std::string& now) {
  if (before.empty() || before == now) return false;
  if (without_ending(now) == before) return true;
  return without_ending(now).size() < now.size() && without_ending(now) == without_ending(before);
}

void ChangeTally::added(const std::string& path, const std::string& passed) {
  ++report_.added;
  if (passed == renamed_ || !has_other_ending(passed, path)) return;
  ++report_.renamed;
  renamed_ = passed;
}

repository::ChangeReport ChangeTally::report(uint64_t files_before) const {
  repository::ChangeReport report = report_;
  const uint64_t left = report.unchanged + report.changed;
  report.removed = files_before - std::min(files_before, left);
  return report;
}

}  // namespace cb::client
