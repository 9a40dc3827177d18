// SPDX-License-Identifier: Apache-2.0
//
// What devices said of their drills, the newest of each, and whether the lack of one has been told.
// Abstract; thread-safe; functions block and belong on a worker. Every change is durable when the
// function returns. Times are nanoseconds since 1970 UTC.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/bytes.h"

namespace cb::catalog {

struct DrillRow {
  std::array<std::byte, 16> device{};
  int64_t time_ns = 0;      // its end, by the device's clock
  int64_t received_ns = 0;  // by the server's
  bool has_failed = false;
  int64_t passed_ns = 0;  // when this device's newest drill without a problem came; 0: none did
  Bytes record;           // as it was signed
};

class Drills {
 public:
  virtual ~Drills() = default;

  // Takes the place of the device's row; its passed_ns stays when this one has failed and is this
  // one's received_ns otherwise. Code::exists when that row is as new by the device's clock, or
  // newer. `repository` is a number of the index.
  virtual Status put_drill(int64_t repository, const DrillRow& row) = 0;
  // By device.
  virtual Result<std::vector<DrillRow>> drills(int64_t repository) = 0;

  // Since when somebody knows that a drill is missing; nothing when nobody was told.
  virtual Result<std::optional<int64_t>> missing_since(int64_t repository) = 0;
  // Nothing: none is missing any more.
  virtual Status set_missing(int64_t repository, std::optional<int64_t> since_ns) = 0;
};

}  // namespace cb::catalog
