// SPDX-License-Identifier: Apache-2.0
#include "core/report/table.h"

#include <algorithm>

#include "core/report/shown_text.h"

namespace cb::report {
namespace {

void append_row(std::string& out, const std::vector<Column>& columns,
                const std::vector<size_t>& widths, const std::vector<std::string>& cells) {
  std::string line;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string gap(widths[i] - width_of(cells[i]), ' ');
    if (i > 0) line += "  ";
    line += columns[i].numeric ? gap + cells[i] : cells[i] + gap;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + "\n";
}

}  // namespace

size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

void Table::add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (std::string& cell : cells) cell = shown_text(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<size_t> widths;
  std::vector<std::string> headings;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t width = width_of(columns_[i].heading);
    for (const auto& row : rows_) width = std::max(width, width_of(row[i]));
    widths.push_back(width);
    headings.push_back(columns_[i].heading);
  }
  std::string out;
  append_row(out, columns_, widths, headings);
  for (const auto& row : rows_) append_row(out, columns_, widths, row);
  return out;
}

}  // namespace cb::report
