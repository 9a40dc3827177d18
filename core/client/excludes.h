// SPDX-License-Identifier: Apache-2.0
//
// Exclude patterns in gitignore syntax, compiled once. A pattern that is anchored (a slash at the
// start or in the middle) counts from the root of the file system, as the paths of a snapshot do,
// so that it means the same whatever the sources are: "/home/a/tmp", "home/a/tmp" and "**/a/tmp"
// match /home/a/tmp; "tmp" matches it everywhere. Immutable and so thread-safe.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace cb::client {

class Excludes {
 public:
  Excludes() = default;

  // Each pattern is a line of a gitignore file: comments and empty lines are allowed and do
  // nothing. Code::invalid for a pattern that can match no path.
  static Result<Excludes> compile(const std::vector<std::string>& patterns);

  // Is this path left out? A snapshot path ("home/a/tmp"). The last pattern that matches decides.
  // Who walks does not go below a folder that is excluded, so nothing below it can be taken back.
  [[nodiscard]] bool match(std::string_view path, bool is_folder) const;
  [[nodiscard]] bool empty() const { return rules_.empty(); }

  // The patterns that can match nothing in or above these sources (snapshot paths), as they were
  // given: most likely somebody wrote them as seen from a source.
  [[nodiscard]] std::vector<std::string> beside(const std::vector<std::string>& sources) const;

 private:
  struct Token {
    enum Kind : uint8_t { literal, any, star, one_of } kind = literal;
    char byte = 0;
    uint16_t set = 0;  // of one_of: index into sets_
  };
  struct Segment {
    bool any_depth = false;  // "**"
    std::vector<Token> tokens;
  };
  struct Rule {
    bool negated = false;
    bool folders_only = false;
    bool base_name = false;  // matched against the last component only
    bool plain = false;      // no wildcards: the text below is the whole of it
    std::string text;        // plain: the name or path; otherwise what it must end with
    std::string given;
    std::vector<Segment> segments;
  };
  struct Compiler;

  [[nodiscard]] bool matches(const Rule& rule, std::string_view path, std::string_view name) const;
  [[nodiscard]] bool may_meet(const Rule& rule, std::string_view source) const;
  [[nodiscard]] bool match_path(const Rule& rule, std::string_view path) const;
  [[nodiscard]] bool match_name(const Segment& segment, std::string_view name) const;
  [[nodiscard]] bool match_byte(const Token& token, char byte) const;

  std::vector<Rule> rules_;
  std::vector<std::bitset<256>> sets_;
};

}  // namespace cb::client
