// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/report.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "core/base/units.h"
#include "core/report/json.h"
#include "core/report/table.h"
#include "hosts/cyberbackup-plugin-check/catalogue.h"

namespace cb::check {
namespace {

constexpr std::array kOutcomes = {Outcome::passed,  Outcome::failed,  Outcome::warning,
                                  Outcome::skipped, Outcome::crashed, Outcome::timed_out};

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

bool is_bad(Outcome outcome) {
  return outcome == Outcome::failed || outcome == Outcome::crashed || outcome == Outcome::timed_out;
}

int64_t milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::round<std::chrono::milliseconds>(time).count();
}

std::string whom(const Check& check) {
  const std::string_view interface_id = check.applies.interface_id;
  if (interface_id.empty()) return is_of_file(check.group) ? "the file" : "every plugin";
  std::string text(interface_id);
  if (check.applies.with != 0)
    text += " with " + capability_names(interface_id, check.applies.with);
  if (check.applies.without != 0)
    text += " without " + capability_names(interface_id, check.applies.without);
  return text;
}

// "transport (12 checks)" for all of a group, else the names.
std::string names_of(Group group, const std::vector<std::string>& names) {
  const auto size = std::count_if(catalogue().begin(), catalogue().end(),
                                  [&](const Check& check) { return check.group == group; });
  if (names.size() > 1 && names.size() == static_cast<size_t>(size))
    return std::string(name_of(group)) + " (" + std::to_string(size) + " checks)";
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

Report::Report(Form form, bool strict, const Settings& settings)
    : form_(form), strict_(strict), settings_(settings) {}

void Report::begin(const Surveyed* plugin) {
  plugin_ = plugin == nullptr ? std::string() : plugin->id;
  if (plugin != nullptr) plugins_.push_back(*plugin);
  if (form_ != Form::text) return;
  if (plugin == nullptr) {
    print(settings_.file.string() + "\n");
  } else {
    const std::string has = capability_names(plugin->interface_id, plugin->capabilities);
    print("plugin " + plugin->id + ", " + plugin->interface_id + (has.empty() ? "" : ": ") + has +
          "\n");
  }
}

void Report::add(const Check& check, const Verdict& verdict, std::chrono::nanoseconds took) {
  entries_.push_back({&check, plugin_, verdict, took});
  if (form_ != Form::text) return;
  std::string outcome(name_of(verdict.outcome));
  if (is_bad(verdict.outcome))
    std::transform(outcome.begin(), outcome.end(), outcome.begin(),
                   [](char c) { return static_cast<char>(std::toupper(c)); });
  outcome.resize(11, ' ');
  print("  " + outcome + std::string(check.name) + (verdict.text.empty() ? "" : ": ") +
        verdict.text + "\n");
  if (is_bad(verdict.outcome)) print("             " + std::string(check.sentence) + "\n");
}

void Report::leave_out(const Check& check, const std::string& why) {
  left_out_.push_back({&check, plugin_, why});
}

void Report::cannot_read_plugins(const std::string& why) {
  unreadable_ = why;
  if (form_ == Form::text) print("the plugins in it cannot be read: " + why + "\n");
}

size_t Report::count(Outcome outcome) const {
  return static_cast<size_t>(
      std::count_if(entries_.begin(), entries_.end(),
                    [&](const Entry& entry) { return entry.verdict.outcome == outcome; }));
}

bool Report::ok() const {
  if (!unreadable_.empty()) return false;
  if (strict_ && entries_.empty()) return false;  // an --only that fits nothing
  return std::none_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return is_bad(entry.verdict.outcome) || (strict_ && entry.verdict.outcome == Outcome::warning);
  });
}

// One line for each plugin and reason, with the checks or whole groups that it is about.
std::string Report::left_out_text() const {
  std::map<std::pair<std::string, std::string>, std::map<Group, std::vector<std::string>>> lines;
  for (const LeftOut& one : left_out_)
    lines[{one.plugin, one.why}][one.check->group].emplace_back(one.check->name);
  std::string text;
  for (const auto& [about, groups] : lines) {
    text += "left out for " + about.first + " because " + about.second + ":";
    std::string_view comma = " ";
    for (const auto& [group, names] : groups) {
      text += comma;
      text += names_of(group, names);
      comma = ", ";
    }
    text += "\n";
  }
  return text;
}

std::string Report::summary() const {
  std::string text = settings_.file.filename().string() + ": ";
  text += ok() ? "ok" : "NOT OK";
  if (entries_.empty()) text += ", nothing was checked";
  for (const Outcome outcome : kOutcomes) {
    const size_t some = count(outcome);
    if (some != 0 || outcome == Outcome::passed || outcome == Outcome::failed)
      text += ", " + std::to_string(some) + " " + std::string(name_of(outcome));
  }
  if (!left_out_.empty()) text += ", " + std::to_string(left_out_.size()) + " left out";
  return text + " (" + format_duration(std::chrono::steady_clock::now() - began_) + ", --seed " +
         std::to_string(settings_.seed) + ")\n";
}

std::string Report::json() const {
  report::Json all;
  all["file"] = settings_.file.string();
  all["seed"] = settings_.seed;
  all["ok"] = ok();
  if (!unreadable_.empty()) all["unreadable"] = unreadable_;
  for (const Surveyed& plugin : plugins_)
    all["plugins"].push_back({{"id", plugin.id},
                              {"interface", plugin.interface_id},
                              {"capabilities", plugin.capabilities}});
  for (const Outcome outcome : kOutcomes)
    all["summary"][std::string(name_of(outcome))] = count(outcome);
  all["summary"]["left-out"] = left_out_.size();
  all["checks"] = report::Json::array();
  for (const Entry& entry : entries_)
    all["checks"].push_back({{"name", entry.check->name},
                             {"group", name_of(entry.check->group)},
                             {"plugin", entry.plugin},
                             {"outcome", name_of(entry.verdict.outcome)},
                             {"text", entry.verdict.text},
                             {"ms", milliseconds(entry.took)}});
  all["left-out"] = report::Json::array();
  for (const LeftOut& one : left_out_)
    all["left-out"].push_back(
        {{"name", one.check->name}, {"plugin", one.plugin}, {"why", one.why}});
  return report::json_text(all) + "\n";
}

void Report::finish() { print(form_ == Form::json ? json() : left_out_text() + summary()); }

std::string catalogue_text(Report::Form form) {
  report::Table table({{"group"}, {"check"}, {"for"}, {"what the plugin must do"}});
  report::Json list = report::Json::array();
  for (const Check& check : catalogue()) {
    table.add({std::string(name_of(check.group)), std::string(check.name), whom(check),
               std::string(check.sentence)});
    list.push_back({{"name", check.name},
                    {"group", name_of(check.group)},
                    {"for", whom(check)},
                    {"sentence", check.sentence},
                    {"seconds", check.timeout.count()},
                    {"fuzzes", check.fuzzes}});
  }
  return form == Report::Form::json ? report::json_text(list) + "\n" : table.text();
}

}  // namespace cb::check
