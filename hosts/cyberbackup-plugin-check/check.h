// SPDX-License-Identifier: Apache-2.0
//
// A check: one thing that a plugin must do, with a name that stays, a sentence for its author, and
// the function that tries it. Values are plain; a check runs on one thread unless it starts more.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace cb::check {

class Subject;

// In the order in which they run. Those up to `load` are of the file, the others of each plugin in
// it.
enum class Group { file, load, descriptor, life, transport, crypto, store, compress };

enum class Outcome { passed, failed, warning, skipped, crashed, timed_out };

// What came of a check. `text` says why, on one line; it may be empty when it passed.
struct Verdict {
  Outcome outcome = Outcome::passed;
  std::string text;
};

inline Verdict passed(std::string text = {}) { return {Outcome::passed, std::move(text)}; }
// Works, but not as well as it should.
inline Verdict warned(std::string text) { return {Outcome::warning, std::move(text)}; }
// Could not be tried here; says what is missing.
inline Verdict skipped(std::string text) { return {Outcome::skipped, std::move(text)}; }

// Which plugins a check is for. All three must hold.
struct Applies {
  std::string_view interface_id = {};  // empty: any
  uint64_t with = 0;                   // capabilities that it must declare
  uint64_t without = 0;                // capabilities that it must not declare
};

struct Check {
  std::string_view name;      // kebab-case, unique, never renamed
  std::string_view sentence;  // what the plugin must do
  Group group;
  // Tries it. An Error fails the check with its text; so most of a check is CB_TRY and CB_ASSIGN.
  Result<Verdict> (*run)(Subject& subject);
  Applies applies = {};
  std::chrono::seconds timeout = std::chrono::seconds(20);
  // Name of a check without which this one makes no sense: skipped unless that one passed. Empty
  // means create-from-defaults for the groups of interfaces.
  std::string_view after = {};
  // Goes on for as long as --fuzz says (Subject::fuzz_until); its timeout grows by that.
  bool fuzzes = false;
};

// An Error with this text unless `holds`: CB_TRY(expect(got == 7, "gave 5 bytes of 7")).
Status expect(bool holds, std::string_view otherwise);

// An Error with this text.
tl::unexpected<Error> found_wrong(std::string text);

// "store", "timed-out".
std::string_view name_of(Group group);
std::string_view name_of(Outcome outcome);

// Is this a check of the file as a whole?
inline bool is_of_file(Group group) { return group <= Group::load; }

}  // namespace cb::check
