// SPDX-License-Identifier: Apache-2.0
//
// Structured logging: one line per event, "event=upload.done client=alice bytes=17". Thread-safe.
// Values are quoted when they need it; types that hold secrets have no Field.
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace cb::log {

enum class Level { trace, debug, info, warn, error };

struct Field {
  std::string_view key;
  std::string value;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  template <std::integral T>
  Field(std::string_view k, T v) : key(k), value(std::to_string(v)) {}
};

// Where events go.
class Log {
 public:
  virtual ~Log() = default;

  // Writes one event. `event` is dotted lower case: "session.refused".
  virtual void write(Level level, std::string_view event, std::initializer_list<Field> fields) = 0;

  void debug(std::string_view event, std::initializer_list<Field> f = {}) {
    write(Level::debug, event, f);
  }
  void info(std::string_view event, std::initializer_list<Field> f = {}) {
    write(Level::info, event, f);
  }
  void warn(std::string_view event, std::initializer_list<Field> f = {}) {
    write(Level::warn, event, f);
  }
  void error(std::string_view event, std::initializer_list<Field> f = {}) {
    write(Level::error, event, f);
  }
};

}  // namespace cb::log
