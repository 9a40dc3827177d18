// SPDX-License-Identifier: Apache-2.0
//
// A Log whose fields come as a span, so that logs can be stacked; and how an event is written on
// one line. Implementations are thread-safe; the functions are pure.
#pragma once

#include <optional>
#include <span>

#include "core/log/log.h"

namespace cb::log {

class LineLog : public Log {
 public:
  void write(Level level, std::string_view event, std::initializer_list<Field> fields) final {
    write_fields(level, event, {fields.begin(), fields.size()});
  }
  virtual void write_fields(Level level, std::string_view event, std::span<const Field> fields) = 0;
};

// "trace" ... "error".
std::string_view name_of(Level level);
std::optional<Level> level_named(std::string_view name);

// "event=upload.done client=alice note=\"two words\"": values are quoted when they need it; control
// characters and bytes that are not UTF-8 are escaped, very long values cut.
std::string text_line(std::string_view event, std::span<const Field> fields);

// The members of a JSON object without its braces:
// "\"event\":\"upload.done\",\"client\":\"alice\"".
std::string json_members(std::string_view event, std::span<const Field> fields);

}  // namespace cb::log
