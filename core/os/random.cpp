// SPDX-License-Identifier: Apache-2.0
#include "core/os/random.h"

#include <sys/random.h>

#include <cerrno>

namespace cb::os {
namespace {

class SystemRandom final : public Random {
 public:
  Status fill(ByteSpan out) override {
    while (!out.empty()) {
      const ssize_t got = getrandom(out.data(), out.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return failed(fail_errno(errno, "random source", "read"));
      out = out.subspan(static_cast<size_t>(got));
    }
    return {};
  }
};

}  // namespace

Random& system_random() {
  static SystemRandom random;
  return random;
}

}  // namespace cb::os
