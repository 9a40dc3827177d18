// SPDX-License-Identifier: Apache-2.0
//
// The log that a program writes: lines with time and level, to stderr or a file. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/log/line_log.h"

namespace cb::log {

enum class Format { text, json };

// Levels of modules: what an event's name begins with, up to the first dot ("v4", "plugin").
using ModuleLevels = std::map<std::string, Level, std::less<>>;

struct OutputSettings {
  Level level = Level::info;
  std::string file;  // empty: stderr
  Format format = Format::text;
  ModuleLevels levels{};  // of modules that have one of their own
};

class Output : public LineLog {
 public:
  // From any thread, at any time.
  virtual void set_levels(Level level, ModuleLevels levels) = 0;
  // Closes and opens the file again, for log rotation; nothing happens on stderr.
  virtual Status reopen() = 0;
};

// Opens the log; a file is made if need be (0600) and added to.
Result<std::unique_ptr<Output>> open_log(const OutputSettings& settings);

}  // namespace cb::log
