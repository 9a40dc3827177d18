// SPDX-License-Identifier: Apache-2.0
//
// A program's manual page, written by the program itself from the same descriptions as its --help,
// and what both programs say about a wrong command line. Used by one thread.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace cb {

struct ManualText {
  int section = 1;
  std::string version;
  // Further sections, TITLE and text; paragraphs are parted by an empty line, and lines that begin
  // with spaces stay as they are.
  std::vector<std::pair<std::string, std::string>> more;
};

// In the language of man(7).
std::string manual_of(const CLI::App& app, const ManualText& text);

// A hidden option --man that prints the page; `app` outlives the parsing.
void add_manual(CLI::App& app, ManualText text);

// Prints what --help, --version and --man ask for, or what is wrong; returns the exit code.
int finish_parsing(const CLI::App& app, const CLI::ParseError& error);

}  // namespace cb
