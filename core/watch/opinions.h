// SPDX-License-Identifier: Apache-2.0
//
// The two opinions of a score, each by itself. Used by anomaly.cpp. Pure.
#pragma once

#include "core/watch/anomaly.h"

namespace cb::watch {

struct Opinion {
  double points = 0;
  std::vector<std::string> reasons;

  // A sign that says so many points; below one it is not worth a word.
  void add(double more, const std::string& reason);
};

Opinion opinion_of_server(const Seen& seen, std::span<const Reading> history, size_t least);
Opinion opinion_of_client(const Said& said, std::span<const Reading> history, size_t least);

// Too little of the source was rewritten, lost or renamed for an opinion to rest on that: however
// often and in whatever order such backups come, they make nothing usual that would be an anomaly.
bool is_harmless(const Seen& seen);
bool is_harmless(const Said& said);

}  // namespace cb::watch
