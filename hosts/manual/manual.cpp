// SPDX-License-Identifier: Apache-2.0
#include "hosts/manual/manual.h"

#include <algorithm>
#include <cctype>
#include <iostream>
#include <sstream>

#include "core/report/exit_code.h"

namespace cb {
namespace {

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// As running text, in which nothing is a request.
std::string escaped(const std::string& line) {
  std::string out;
  for (const char c : line) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '\'')
      out += "\\(aq";
    else if (c == '`')
      out += "\\(ga";
    else if (c == '^')
      out += "\\(ha";
    else if (c == '~')
      out += "\\(ti";
    else
      out += c;
  }
  return out.starts_with('.') ? "\\&" + out : out;
}

// Lines that begin with spaces stay as they are, the others flow.
std::string prose(const std::string& text) {
  std::istringstream lines(text);
  std::string out;
  bool fixed = false;
  bool parted = true;  // a paragraph has just begun
  for (std::string line; std::getline(lines, line);) {
    const bool indented = line.starts_with("  ");
    if (fixed && !indented) out += ".fi\n";
    if (!fixed && indented) out += ".nf\n";
    if (line.empty() && !parted) out += ".PP\n";
    parted = line.empty();
    fixed = indented;
    if (!line.empty()) out += escaped(line) + "\n";
  }
  while (out.ends_with(".PP\n")) out.resize(out.size() - 4);
  return fixed ? out + ".fi\n" : out;
}

std::string option_names(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name();
  std::string names = option.get_name(false, true);
  for (size_t at = 0; (at = names.find(',', at)) != std::string::npos; at += 2)
    names.replace(at, 1, ", ");
  return names;
}

void write_options(std::ostream& out, const CLI::App& app) {
  const CLI::Formatter formatter;
  for (const bool positional : {true, false})
    for (const CLI::Option* const option : app.get_options()) {
      if (option->get_group().empty() || option->get_positional() != positional) continue;
      out << ".TP\n\\fB" << escaped(option_names(*option)) << "\\fR"
          << escaped(formatter.make_option_opts(option)) << "\n"
          << prose(option->get_description());
    }
}

std::string path_of(const CLI::App& command) {
  const CLI::App* const parent = command.get_parent();
  return parent == nullptr ? command.get_name() : path_of(*parent) + " " + command.get_name();
}

std::string synopsis(const CLI::App& command) {
  std::string line = ".B " + escaped(path_of(command)) + "\n[\\fIOPTIONS\\fR]\n";
  for (const CLI::Option* const option : command.get_options()) {
    if (!option->get_positional() || option->get_group().empty()) continue;
    const std::string name = "\\fI" + escaped(option->get_name()) + "\\fR";
    const std::string more = option->get_expected_max() > 1 ? "..." : "";
    line += (option->get_required() ? name + more : "[" + name + more + "]") + "\n";
  }
  return line;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

void write_command(std::ostream& out, const CLI::App& command) {
  const auto below = commands_of(command);
  if (below.empty()) {
    out << ".SS " << escaped(path_of(command)) << "\n"
        << synopsis(command) << ".PP\n"
        << prose(command.get_description() + ".");
    write_options(out, command);
    if (!command.get_footer().empty()) out << ".PP\n" << prose(command.get_footer());
  }
  for (const CLI::App* const one : below) write_command(out, *one);
}

}  // namespace

std::string manual_of(const CLI::App& app, const ManualText& text) {
  std::ostringstream out;
  const std::string name = app.get_name();
  out << ".TH " << upper(name) << " " << text.section << " \"\" \"" << name << " " << text.version
      << "\" \"CyberBackup\"\n.SH NAME\n"
      << name << " \\- " << escaped(app.get_description()) << "\n.SH SYNOPSIS\n.B " << name
      << "\n[\\fIOPTIONS\\fR]\n\\fICOMMAND\\fR\n[\\fIARGUMENTS\\fR]\n"
      << ".SH OPTIONS\n";
  write_options(out, app);
  out << ".SH COMMANDS\n";
  for (const CLI::App* const command : commands_of(app)) write_command(out, *command);
  out << ".SH EXIT STATUS\n" << prose(report::exit_codes_text());
  for (const auto& [title, body] : text.more) out << ".SH " << title << "\n" << prose(body);
  return out.str();
}

void add_manual(CLI::App& app, ManualText text) {
  app.add_flag_callback(
         "--man",
         [&app, text = std::move(text)] { throw CLI::CallForVersion(manual_of(app, text), 0); },
         "Print this program's manual page")
      ->group("");
}

int finish_parsing(const CLI::App& app, const CLI::ParseError& error) {
  // The command is wrong, so none is there: the library only tells the latter.
  const CLI::App* chosen = &app;
  while (!chosen->get_subcommands().empty()) chosen = chosen->get_subcommands().front();
  const std::vector<std::string> rest = app.remaining(true);
  const bool wanting = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  if (wanting && !rest.empty() && !commands_of(*chosen).empty()) {
    const std::string path = path_of(*chosen);
    std::cerr << path << ": \"" << rest.front() << "\" is no command (see \"" << path
              << " --help\")\n";
    return static_cast<int>(report::ExitCode::usage);
  }
  // --help, --version and --man end here with 0; everything else is wrong usage.
  return app.exit(error) == 0 ? 0 : static_cast<int>(report::ExitCode::usage);
}

}  // namespace cb
