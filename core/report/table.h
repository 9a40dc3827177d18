// SPDX-License-Identifier: Apache-2.0
//
// Tables for the terminal: a heading and rows in aligned columns. A plain value.
#pragma once

#include <string>
#include <vector>

namespace cb::report {

struct Column {
  std::string heading;
  bool numeric = false;  // aligned to the right
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // Cells in the order of the columns; missing ones are empty. Cleaned as shown_text does.
  void add(std::vector<std::string> cells);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  // Heading and rows, each ended by a newline.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// How many columns of a terminal UTF-8 text takes, counting each character as one.
size_t width_of(const std::string& text);

}  // namespace cb::report
