// SPDX-License-Identifier: Apache-2.0
//
// What a person is to be told, as it goes through core/notify. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cb::notify {

enum class Severity : uint8_t { info, warning, alarm };
const char* name_of(Severity severity);  // "warning"

struct Notice {
  std::string kind;     // dotted: "source.overdue"
  std::string account;  // may be empty, as the next two
  std::string source;
  std::string device;
  std::string subject;  // one line
  std::string text;     // lines
  Severity severity = Severity::warning;
  int64_t when_ns = 0;  // since 1970 UTC
};

// Names come from the wire: control characters become '?', but for line breaks of the text, and
// texts are cut to what a message can bear. Whatever is passed on went through here.
Notice cleaned(const Notice& notice);

// Notices of one kind that were not passed on by themselves.
struct HeldBack {
  uint64_t count = 0;
  // The first five, and one of each further account, so that none hides another's: 50 at most.
  std::vector<std::string> subjects = {};
  Severity severity = Severity::info;  // the highest
  int64_t newest_ns = 0;
  std::vector<std::string> accounts = {};  // whose each of the subjects is

  void add(const Notice& notice);
  void add(const HeldBack& more);

 private:
  void name(const std::string& account, const std::string& subject);
};

// What placeholders of templates stand for.
using Values = std::vector<std::pair<std::string, std::string>>;

// A notice on its way to one target, the same at every try.
struct Parcel {
  Notice notice;
  HeldBack held;   // before it
  std::string id;  // to tell a second try from a second notice
  std::string server;

  [[nodiscard]] Values values() const;
  // The text, and what was held back.
  [[nodiscard]] std::string whole_text() const;
};

// The names in Values, in their order.
const std::vector<std::string>& placeholder_names();

}  // namespace cb::notify
