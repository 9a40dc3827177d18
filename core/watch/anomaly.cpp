// SPDX-License-Identifier: Apache-2.0
#include "core/watch/anomaly.h"

#include <algorithm>
#include <cmath>

#include "core/watch/opinions.h"

namespace cb::watch {
namespace {

// The opinions of a reading that may count at once.
Reading harmless_part(const Reading& reading) {
  Reading part;
  if (reading.seen && is_harmless(*reading.seen)) part.seen = reading.seen;
  if (reading.said && is_harmless(*reading.said)) part.said = reading.said;
  return part;
}

unsigned points_of(const Opinion& opinion) {
  return static_cast<unsigned>(std::lround(std::clamp(opinion.points, 0.0, 100.0)));
}

}  // namespace

std::string Score::text() const {
  std::string text;
  for (const std::string& reason : reasons) text += (text.empty() ? "" : "; ") + reason;
  return text;
}

Score score(const Reading& reading, std::span<const Reading> history, size_t least) {
  Opinion server, client;
  if (reading.seen) server = opinion_of_server(*reading.seen, history, least);
  if (reading.said) client = opinion_of_client(*reading.said, history, least);
  Score score;
  score.of_server = points_of(server);
  score.of_client = points_of(client);
  score.points = std::max(score.of_server, score.of_client);
  const bool server_first = score.of_server >= score.of_client;
  score.reasons = std::move(server_first ? server.reasons : client.reasons);
  for (std::string& reason : server_first ? client.reasons : server.reasons)
    score.reasons.push_back(std::move(reason));
  return score;
}

std::vector<Reading> usual_of(std::span<const Past> past, size_t least, size_t most) {
  std::vector<Reading> usual;
  size_t old = 0, waiting = 0, seen = 0, said = 0;
  for (auto one = past.rbegin(); one != past.rend(); ++one) {
    Reading counts = one->is_old ? one->reading : harmless_part(one->reading);
    old += one->is_old && one->reading.seen;
    waiting += one->reading.seen && !counts.seen;
    // Each has its own bound, so that many of one kind push none of the other out.
    if (seen >= most) counts.seen.reset();
    if (said >= most) counts.said.reset();
    seen += counts.seen.has_value();
    said += counts.said.has_value();
    if (counts.seen || counts.said) usual.push_back(std::move(counts));
  }
  if (waiting > 0 && old < least) usual.clear();
  return usual;
}

}  // namespace cb::watch
