// SPDX-License-Identifier: Apache-2.0
#include "core/watch/anomaly.h"

#include <algorithm>
#include <cmath>

#include "core/watch/opinions.h"

namespace cb::watch {
namespace {

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

}  // namespace cb::watch
