// SPDX-License-Identifier: Apache-2.0
//
// The language of faults: one rule says which calls fail, how, and when. README.md has the grammar.
// Plain values; the functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cyberbackup/base.h"

namespace store_fault {

// The functions of a store that can be made to fail; a Rule's `functions` has bit 1 << value.
enum class Function : uint8_t {
  stat,
  put_begin,
  put_write,
  put_commit,
  get_open,
  get_read,
  remove,
  list_open,
  list_next,
  space
};

std::string_view name_of(Function function);

enum class Kind : uint8_t {
  // Of a call.
  fail,    // returns `status` and does nothing
  delay,   // waits `value` nanoseconds, then goes on
  torn,    // part of the bytes is taken, then an error; at put_commit that part becomes visible
  unsaid,  // does its work and reports an error
  lose,    // reports success and keeps nothing
  flip,    // delivers one wrong bit
  cut,     // delivers less than there is, and a clean end
  crash,   // the store is down from here on; `value` newest committed objects are lost
  // Of the store as a whole, as long as the rule is in force.
  down,      // as crash, at once
  budget,    // at most `value` bytes more
  lag,       // listings are behind by `value` listings
  lag_time,  // the same, by `value` nanoseconds
  recover    // ends a crash
};

// Which of the calls that a rule names fail.
struct When {
  enum class Kind : uint8_t { always, range, every, chance };
  Kind kind = Kind::always;
  uint64_t first = 0;  // range: counted from 1; every: each n-th
  uint64_t last = 0;
  uint64_t chance = 0;  // of 2^32
};

struct Rule {
  std::string text;        // as written, for the log
  uint32_t functions = 0;  // 0: the rule is of the store as a whole
  std::string name_part;   // what the object's name (or the listing's prefix) must hold
  Kind kind = Kind::fail;
  cb_status status = 0;  // of fail
  int64_t value = 0;
  When when;
};

// Reads one rule; throws sdk::Failure (CB_E_INVALID) that quotes it and says what is wrong.
Rule parse_rule(std::string_view text);

// Reads a rule a line; empty lines and lines that begin with # are passed over. The failure names
// the line.
std::vector<Rule> parse_lines(std::string_view text);

}  // namespace store_fault
