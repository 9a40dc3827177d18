// SPDX-License-Identifier: Apache-2.0
//
// See rule.h.
#include "rule.h"

#include <array>
#include <charconv>
#include <limits>

#include "cyberbackup/cpp/failure.hpp"

namespace store_fault {

namespace sdk = cyberbackup::sdk;

namespace {

constexpr uint32_t bit(Function function) { return 1u << static_cast<unsigned>(function); }

struct Named {
  std::string_view name;
  uint32_t functions;
};

constexpr uint32_t kPut =
    bit(Function::put_begin) | bit(Function::put_write) | bit(Function::put_commit);
constexpr uint32_t kGet = bit(Function::get_open) | bit(Function::get_read);
constexpr uint32_t kList = bit(Function::list_open) | bit(Function::list_next);
constexpr uint32_t kAny =
    kPut | kGet | kList | bit(Function::stat) | bit(Function::remove) | bit(Function::space);

// The single functions come first, in the order of Function.
constexpr std::array<Named, 14> kFunctions = {{{"stat", bit(Function::stat)},
                                               {"put_begin", bit(Function::put_begin)},
                                               {"put_write", bit(Function::put_write)},
                                               {"put_commit", bit(Function::put_commit)},
                                               {"get_open", bit(Function::get_open)},
                                               {"get_read", bit(Function::get_read)},
                                               {"remove", bit(Function::remove)},
                                               {"list_open", bit(Function::list_open)},
                                               {"list_next", bit(Function::list_next)},
                                               {"space", bit(Function::space)},
                                               {"put", kPut},
                                               {"get", kGet},
                                               {"list", kList},
                                               {"any", kAny}}};

struct Status {
  std::string_view name;
  cb_status status;
};

constexpr std::array<Status, 18> kStatuses = {{{"invalid", CB_E_INVALID},
                                               {"not_found", CB_E_NOT_FOUND},
                                               {"exists", CB_E_EXISTS},
                                               {"denied", CB_E_DENIED},
                                               {"io", CB_E_IO},
                                               {"no_space", CB_E_NO_SPACE},
                                               {"corrupt", CB_E_CORRUPT},
                                               {"auth", CB_E_AUTH},
                                               {"unsupported", CB_E_UNSUPPORTED},
                                               {"timeout", CB_E_TIMEOUT},
                                               {"cancelled", CB_E_CANCELLED},
                                               {"no_memory", CB_E_NO_MEMORY},
                                               {"busy", CB_E_BUSY},
                                               {"limit", CB_E_LIMIT},
                                               {"too_small", CB_E_TOO_SMALL},
                                               {"closed", CB_E_CLOSED},
                                               {"state", CB_E_STATE},
                                               {"internal", CB_E_INTERNAL}}};

enum class Takes : uint8_t { nothing, duration, maybe_count };

struct Effect {
  std::string_view name;
  Kind kind;
  uint32_t functions;  // where it makes sense
  Takes takes;
};

constexpr std::array<Effect, 7> kEffects = {
    {{"delay", Kind::delay, kAny, Takes::duration},
     {"torn", Kind::torn, bit(Function::put_write) | bit(Function::put_commit), Takes::nothing},
     {"unsaid", Kind::unsaid, bit(Function::put_commit) | bit(Function::remove), Takes::nothing},
     {"lose", Kind::lose, bit(Function::put_commit), Takes::nothing},
     {"flip", Kind::flip, bit(Function::get_read), Takes::nothing},
     {"cut", Kind::cut, bit(Function::get_read), Takes::nothing},
     {"crash", Kind::crash, kAny, Takes::maybe_count}}};

// What is being read, for messages.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), rest_(text) {}

  [[noreturn]] void refuse(const std::string& why) const {
    throw sdk::Failure(CB_E_INVALID, "fault rule \"" + std::string(text_) + "\": " + why, 0,
                       CB_ERROR_PERMANENT);
  }

  // The text up to the first of `ends`, which stays.
  std::string_view until(std::string_view ends) {
    const std::string_view found = rest_.substr(0, rest_.find_first_of(ends));
    rest_.remove_prefix(found.size());
    return found;
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  [[nodiscard]] bool done() const { return rest_.empty(); }
  [[nodiscard]] std::string_view text() const { return text_; }

  // A number that begins `text`, and what follows it.
  int64_t number(std::string_view text, std::string_view& unit) const {
    int64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec != std::errc{} || value < 0)
      refuse("\"" + std::string(text) + "\" is no number of 0 or more");
    unit = text.substr(static_cast<size_t>(read.ptr - text.data()));
    return value;
  }
  int64_t plain(std::string_view text) const {
    std::string_view unit;
    const int64_t value = number(text, unit);
    if (!unit.empty()) refuse("\"" + std::string(text) + "\" is no plain number");
    return value;
  }
  int64_t scaled(int64_t value, int64_t by) const {
    if (value > std::numeric_limits<int64_t>::max() / by) refuse("a number is too large");
    return value * by;
  }

 private:
  std::string_view text_;
  std::string_view rest_;
};

struct Unit {
  std::string_view name;
  int64_t factor;
};

constexpr std::array<Unit, 5> kDurations = {{{"us", 1'000},
                                             {"ms", 1'000'000},
                                             {"s", 1'000'000'000},
                                             {"min", 60'000'000'000},
                                             {"h", 3'600'000'000'000}}};
constexpr std::array<Unit, 4> kSizes = {
    {{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}};

template <size_t N>
int64_t with_unit(const Reader& reader, std::string_view text, const std::array<Unit, N>& units,
                  const char* example) {
  std::string_view name;
  const int64_t value = reader.number(text, name);
  for (const Unit& unit : units)
    if (unit.name == name) return reader.scaled(value, unit.factor);
  reader.refuse("\"" + std::string(text) + "\" is not written as " + example);
}

int64_t duration(const Reader& reader, std::string_view text) {
  return with_unit(reader, text, kDurations, "50ms or 2s");
}

uint32_t functions_of(const Reader& reader, std::string_view name) {
  for (const Named& named : kFunctions)
    if (named.name == name) return named.functions;
  reader.refuse("there is no function \"" + std::string(name) + "\"");
}

void set_effect(const Reader& reader, Rule& rule, std::string_view name, std::string_view value,
                bool has_value) {
  for (const Status& status : kStatuses)
    if (status.name == name) {
      if (has_value) reader.refuse("a status takes no value");
      rule.status = status.status;
      return;
    }
  for (const Effect& effect : kEffects) {
    if (effect.name != name) continue;
    rule.kind = effect.kind;
    if ((rule.functions & ~effect.functions) != 0)
      reader.refuse("\"" + std::string(name) + "\" is not for this function");
    if (effect.takes == Takes::nothing && has_value) reader.refuse("this fault takes no value");
    if (effect.takes == Takes::duration) rule.value = duration(reader, value);
    if (effect.takes == Takes::maybe_count && has_value) rule.value = reader.plain(value);
    return;
  }
  reader.refuse("there is no fault \"" + std::string(name) + "\"");
}

// "2.5%" as parts of 2^32.
uint64_t chance_of(const Reader& reader, std::string_view text) {
  std::string_view rest;
  int64_t millionths = reader.scaled(reader.number(text, rest), 10'000);
  if (!rest.empty() && rest.front() == '.') {
    rest.remove_prefix(1);
    int64_t unit = 1'000;
    for (; !rest.empty() && rest.front() >= '0' && rest.front() <= '9'; unit /= 10) {
      millionths += (rest.front() - '0') * unit;
      rest.remove_prefix(1);
    }
  }
  if (!rest.empty() || millionths > 1'000'000) reader.refuse("a chance is 0% to 100%");
  return (static_cast<uint64_t>(millionths) << 32) / 1'000'000;
}

When when_of(const Reader& reader, std::string_view text) {
  When when;
  if (text.ends_with('%')) {
    when.kind = When::Kind::chance;
    when.chance = chance_of(reader, text.substr(0, text.size() - 1));
    return when;
  }
  if (text.starts_with('/')) {
    when.kind = When::Kind::every;
    when.first = static_cast<uint64_t>(reader.plain(text.substr(1)));
  } else {
    std::string_view rest;
    when.kind = When::Kind::range;
    when.first = static_cast<uint64_t>(reader.number(text, rest));
    when.last = when.first;
    if (rest == "-")
      when.last = std::numeric_limits<uint64_t>::max();
    else if (rest.starts_with('-'))
      when.last = static_cast<uint64_t>(reader.plain(rest.substr(1)));
    else if (!rest.empty())
      reader.refuse("\"@" + std::string(text) + "\" is not one of @7, @7-9, @7-, @/10, @5%");
  }
  if (when.first == 0) reader.refuse("calls are counted from 1");
  return when;
}

// The rules without a function: crash, crash=8, recover, budget=1MiB, lag=3, lag=2s.
Rule whole_store_rule(const Reader& reader) {
  constexpr const char* kExpected =
      "expected FUNCTION:FAULT, crash, recover, budget=SIZE or lag=COUNT";
  Reader parts(reader.text());
  const std::string_view name = parts.until("=");
  const bool has_value = parts.take('=');
  const std::string_view value = parts.until("");
  Rule rule;
  rule.text = reader.text();
  if (name == "recover" && !has_value) {
    rule.kind = Kind::recover;
  } else if (name == "crash") {
    rule.kind = Kind::down;
    if (has_value) rule.value = reader.plain(value);
  } else if (name == "budget") {
    rule.kind = Kind::budget;
    rule.value = with_unit(reader, value, kSizes, "4096 or 64MiB");
  } else if (name == "lag") {
    std::string_view unit;
    rule.value = reader.number(value, unit);
    rule.kind = unit.empty() ? Kind::lag : Kind::lag_time;
    if (!unit.empty()) rule.value = duration(reader, value);
  } else {
    reader.refuse(kExpected);
  }
  return rule;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

std::string_view name_of(Function function) {
  return kFunctions[static_cast<size_t>(function)].name;
}

Rule parse_rule(std::string_view text) {
  Reader reader(trimmed(text));
  const std::string_view name = reader.until("(:=");
  Rule rule;
  rule.text = reader.text();
  if (reader.take('(')) {
    rule.name_part = reader.until(")");
    if (!reader.take(')')) reader.refuse("\"(\" is not closed");
  } else if (reader.done() || reader.take('=')) {
    return whole_store_rule(reader);
  }
  rule.functions = functions_of(reader, name);
  if (!reader.take(':')) reader.refuse("a function is followed by \":\" and a fault");
  const std::string_view fault = reader.until("=@");
  const bool has_value = reader.take('=');
  const std::string_view value = has_value ? reader.until("@") : std::string_view();
  set_effect(reader, rule, fault, value, has_value);
  if (reader.take('@')) rule.when = when_of(reader, reader.until(""));
  return rule;
}

std::vector<Rule> parse_lines(std::string_view text) {
  std::vector<Rule> rules;
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t end = text.find('\n');
    const std::string_view one = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (one.empty() || one.front() == '#') continue;
    try {
      rules.push_back(parse_rule(one));
    } catch (const sdk::Failure& failure) {
      throw sdk::Failure(failure.status(), "line " + std::to_string(line) + ": " + failure.what());
    }
  }
  return rules;
}

}  // namespace store_fault
