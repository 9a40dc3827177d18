// SPDX-License-Identifier: Apache-2.0
//
// The log that a program writes: lines with time and level, to stderr or a file. Thread-safe.
#pragma once

#include <memory>

#include "core/base/result.h"
#include "core/log/line_log.h"

namespace cb::log {

enum class Format { text, json };

struct OutputSettings {
  Level level = Level::info;
  std::string file;  // empty: stderr
  Format format = Format::text;
};

class Output : public LineLog {
 public:
  // From any thread, at any time.
  virtual void set_level(Level level) = 0;
  // Closes and opens the file again, for log rotation; nothing happens on stderr.
  virtual Status reopen() = 0;
};

// Opens the log; a file is made if need be (0600) and added to.
Result<std::unique_ptr<Output>> open_log(const OutputSettings& settings);

}  // namespace cb::log
