// SPDX-License-Identifier: Apache-2.0
//
// How a stateful fuzz target says that something does not hold, and its log. Thread-safe.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/log/line_log.h"

namespace cb::conversation {

// Ends the program with a line on stderr: an invariant does not hold.
[[noreturn]] void broken(const std::string& what);
inline void require(bool holds, const char* what) {
  if (!holds) broken(what);
}
template <typename T>
T must(Result<T> result) {
  if (!result) broken(result.error().text());
  return std::move(*result);
}
inline void must(const Status& status) {
  if (!status) broken(status.error().text());
}

// The log of a fuzzed server: silent, or stderr when CYBERBACKUP_FUZZ_SHOW is set.
class FuzzLog final : public log::LineLog {
 public:
  FuzzLog();
  void write_fields(log::Level level, std::string_view event,
                    std::span<const log::Field> fields) override;
  [[nodiscard]] bool shows() const { return shows_; }
  void show(const std::string& line) const;

 private:
  const bool shows_;
};

// Where plugins are: of this build, or where CYBERBACKUP_FUZZ_PLUGINS says.
std::string plugin_folder();
// A folder of this process for files that nobody needs, in memory where the system has such a
// place. It is empty, and goes at the end of the process.
std::string scratch_folder(const std::string& name);

}  // namespace cb::conversation
