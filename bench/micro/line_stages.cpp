// SPDX-License-Identifier: Apache-2.0
//
// What happens to every byte on the line: TLS over TCP on the loopback, both ends.
#include "bench/micro/stage.h"
#include "bench/micro/workshop.h"
#include "core/base/units.h"
#include "tests/suites/certificates.h"
#include "tests/suites/transport_pair.h"

namespace cb::bench {
namespace {

constexpr size_t kSent = 8 * kMiB;

struct TlsLine {
  test::TemporaryFolder folder;
  test::Identity identity = test::make_identity(folder.path(), {.name = "server"});
  test::Ends ends{test::make("transport-tcp"),
                  {test::make("transport-tls", {{"pin", "[\"" + identity.pin + "\"]"}})},
                  {test::make("transport-tls",
                              {{"certificate", identity.certificate}, {"key", identity.key}})}};
  plugin::Listener listener = ends.listen();
  test::Pair pair = ends.connect(listener);
  Bytes content = random_bytes(kSent);

  TlsLine() {
    const test::Hands hands = test::shake_hands(pair);
    must(hands.client);
    must(hands.server);
  }
};

Stage tls() {
  auto line = std::make_shared<TlsLine>();
  return {
      kSent, 0, [line] {
        if (must(test::transfer(*line->pair.client, *line->pair.server, line->content)).size() !=
            kSent)
          throw std::runtime_error("bytes are missing");
      }};
}

}  // namespace

std::vector<StageMaker> line_stages() { return {{"tls", tls}}; }

}  // namespace cb::bench
