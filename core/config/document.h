// SPDX-License-Identifier: Apache-2.0
//
// A configuration document as a tree in which every key and value knows where it was written.
// Nodes are plain values; functions are pure but for load_document, which reads one file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/os/file_system.h"

namespace cb::config {

// Where something was written. Line and column count from 1; line 0 means that `file` is not a file
// but names another origin ("--set server.workers=4").
struct Place {
  std::string file;
  uint32_t line = 0;
  uint32_t column = 0;

  // "etc/d.toml:3:7", or the origin alone.
  [[nodiscard]] std::string text() const;
};

enum class Kind {
  boolean,
  integer,
  real,
  text,
  date,  // any of TOML's dates and times
  array,
  table,
  loose,  // text whose type the schema decides: defaults, environment, command line
};

// The kind with its article, for messages: "an integer".
std::string_view name_of(Kind kind);

struct Member;

struct Node {
  Kind kind = Kind::table;
  Place at;
  int64_t number = 0;           // boolean, integer
  std::string text;             // text, loose
  std::vector<Node> items;      // array
  std::vector<Member> members;  // table, in the order of writing; keys are unique

  // The member's value; null when there is none or this is no table.
  [[nodiscard]] const Node* find(std::string_view key) const;
  [[nodiscard]] Node* find(std::string_view key);
};

struct Member {
  std::string key;
  Place at;  // of the key
  Node value;
};

// The longest document that is read, in bytes.
constexpr uint64_t kMaxDocument = 1 << 20;

// Parses TOML. `file` only goes into places and messages. Code::corrupt with place and reason when
// it is not TOML, Code::limit when it is too long.
Result<Node> parse_document(std::string_view toml, const std::string& file);

// Reads and parses a file. Errors as above, and those of reading.
Result<Node> load_document(os::FileSystem& files, const os::Path& path);

// Parses one TOML value ("[1, 2]", "{ file = \"x\" }"); `at` becomes the place of all its nodes.
Result<Node> parse_value(std::string_view toml, const Place& at);

}  // namespace cb::config
