// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/runner.h"

#include <algorithm>

#include "core/config/check.h"
#include "hosts/cyberbackup-plugin-check/catalogue.h"
#include "hosts/cyberbackup-plugin-check/child.h"

namespace cb::check {
namespace {

constexpr std::string_view kDescriptorsCanBeRead = "descriptors-can-be-read";
constexpr std::string_view kCreateFromDefaults = "create-from-defaults";

bool names(const std::vector<std::string>& words, const Check& check) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return word == check.name || word == name_of(check.group);
  });
}

}  // namespace

bool Selection::includes(const Check& check) const {
  return (only.empty() || names(only, check)) && !names(skip, check);
}

Status Selection::check_names() const {
  std::vector<std::string> known;
  for (const Check& check : catalogue()) {
    known.emplace_back(check.name);
    known.emplace_back(name_of(check.group));
  }
  for (const auto* words : {&only, &skip}) {
    for (const std::string& word : *words) {
      if (std::find(known.begin(), known.end(), word) != known.end()) continue;
      const std::string near = config::nearest(word, known);
      return failed(Code::invalid, "'" + word + "'", "is neither a check nor a group of checks",
                    near.empty() ? "--list shows all" : "did you mean " + near + "?");
    }
  }
  return {};
}

void Runner::run() {
  run_on_file();
  const auto chosen = std::any_of(catalogue().begin(), catalogue().end(), [&](const Check& check) {
    return !is_of_file(check.group) && selection_.includes(check);
  });
  if (!chosen) return;
  const auto read = of_file_.find(kDescriptorsCanBeRead);
  if (read != of_file_.end() && read->second != Outcome::passed)
    return report_.cannot_read_plugins("see the checks above");
  const auto plugins = in_process_ ? survey_here(settings_) : survey_in_child(settings_);
  if (!plugins) return report_.cannot_read_plugins(plugins.error().text());
  for (const Surveyed& plugin : *plugins) run_on(plugin);
}

void Runner::run_on_file() {
  report_.begin(nullptr);
  for (const Check& check : catalogue())
    if (is_of_file(check.group) && selection_.includes(check)) try_one(check, 0);
}

void Runner::run_on(const Surveyed& plugin) {
  report_.begin(&plugin);
  of_plugin_.clear();
  for (const Check& check : catalogue()) {
    if (is_of_file(check.group) || !selection_.includes(check)) continue;
    const auto why = why_left_out(check, plugin.interface_id, plugin.capabilities);
    if (why) {
      report_.leave_out(check, *why);
    } else {
      try_one(check, plugin.index);
    }
  }
}

std::string Runner::what_is_missing(const Check& check) const {
  // No interface can be tried without an instance.
  const std::string_view after =
      check.after.empty() && check.group > Group::life ? kCreateFromDefaults : check.after;
  const auto own = of_plugin_.find(after);
  const auto file = of_file_.find(after);
  if (own == of_plugin_.end() && file == of_file_.end()) return {};  // not chosen
  const Outcome came = own != of_plugin_.end() ? own->second : file->second;
  if (came == Outcome::passed || came == Outcome::warning) return {};
  return "needs " + std::string(after) + ", which did not pass";
}

void Runner::try_one(const Check& check, uint32_t index) {
  const auto begun = std::chrono::steady_clock::now();
  Verdict verdict;
  if (const std::string missing = what_is_missing(check); !missing.empty()) {
    verdict = skipped(missing);
  } else if (in_process_) {
    verdict = try_here(settings_, check, index);
  } else {
    verdict = try_in_child(settings_, check, index);
  }
  (is_of_file(check.group) ? of_file_ : of_plugin_)[check.name] = verdict.outcome;
  report_.add(check, verdict, std::chrono::steady_clock::now() - begun);
}

}  // namespace cb::check
