// SPDX-License-Identifier: Apache-2.0
#include "tests/damage/street.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <stdexcept>

namespace cb::damage {
namespace {

namespace fs = std::filesystem;

constexpr size_t kAtOnce = 2;
constexpr char kPart = '\x1d';

const char* name_of(Store store) { return store == Store::files ? "fs" : "sqlite"; }

// In a process of its own, which sees the folder as the house; what it returns, or throws after a
// "!", is in the file then.
pid_t begin(const Ground& ground, const std::string& folder, const std::string& result,
            const std::function<std::string(Estate&)>& act) {
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("cannot fork");
  if (pid > 0) return pid;
  std::string text;
  try {
    ground.move_in(folder);
    Estate estate(ground.house(), Ground::sources());
    text = act(estate);
  } catch (const std::exception& thrown) {
    text = std::string("!") + thrown.what();
  }
  write_file(result, text);
  std::_Exit(0);
}

std::string end(pid_t pid, const std::string& result) {
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid || status != 0)
    throw std::runtime_error("a process of the test ended with " + std::to_string(status));
  return content_of(result);
}

std::string try_cell(Estate& estate, const Trial& trial) {
  if (trial.place == Place::catalog_log) {
    for (const char* part : {"daemon", "owner"}) {
      fs::remove_all(estate.in_house(part));
      fs::rename(estate.in_house(std::string("crashed/") + part), estate.in_house(part));
    }
  }
  const Target target = find(trial.place, estate);
  const Observed observed = look(estate, trial.place, target, trial.kind);
  return target.name + kPart + target.blob + kPart + observed.text();
}

Outcome outcome_of(const std::string& text) {
  Outcome outcome;
  if (text.starts_with("!")) {
    outcome.trouble = text.substr(1);
    outcome.cannot_be = outcome.trouble == "there is no such damage";
    return outcome;
  }
  const size_t first = text.find(kPart);
  const size_t second = text.find(kPart, first + 1);
  outcome.was_tried = true;
  outcome.target = text.substr(0, first);
  outcome.blob = text.substr(first + 1, second - first - 1);
  outcome.observed = Observed::of(text.substr(second + 1));
  return outcome;
}

}  // namespace

Street::Street() {
  ground_.write_sources(false);
  begin_houses(false);
  ground_.write_sources(true);
  begin_houses(true);
}

void Street::begin_houses(bool later) {
  std::vector<std::pair<pid_t, std::string>> made;
  for (const Store store : {Store::files, Store::sqlite}) {
    const std::string folder = ground_.place(name_of(store));
    fs::create_directories(folder);
    const std::string result = folder + ".made";
    made.emplace_back(begin(ground_, folder, result,
                            [&](Estate& estate) {
                              later ? estate.go_on() : estate.begin(name_of(store));
                              return std::string();
                            }),
                      result);
  }
  std::string trouble;
  for (const auto& [pid, result] : made) trouble += end(pid, result);
  if (!trouble.empty()) throw std::runtime_error(trouble);
}

void Street::run(const std::vector<Trial>& trials,
                 const std::function<void(const Trial&, const Outcome&)>& told) {
  struct Going {
    Trial trial;
    std::string name;
  };
  std::map<pid_t, Going> going;
  const auto end_one = [&] {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, 0);
    const auto found = going.find(pid);
    if (found == going.end()) throw std::runtime_error("a strange process ended");
    const std::string result = ground_.place(found->second.name + ".seen");
    const Trial trial = found->second.trial;
    const Outcome outcome =
        outcome_of(status == 0 ? content_of(result) : "!its process was ended by a signal");
    fs::remove_all(ground_.place(found->second.name));
    fs::remove(result);
    going.erase(found);
    told(trial, outcome);
  };
  size_t number = 0;
  for (const Trial& trial : trials) {
    if (going.size() == kAtOnce) end_one();
    const std::string name = "cell-" + std::to_string(++number);
    ground_.copy(name_of(trial.store), name);
    const pid_t pid = begin(ground_, ground_.place(name), ground_.place(name + ".seen"),
                            [&](Estate& estate) { return try_cell(estate, trial); });
    going.emplace(pid, Going{trial, name});
  }
  while (!going.empty()) end_one();
}

Observed Street::whole(Store store) {
  const std::string name = std::string("whole-") + name_of(store);
  ground_.copy(name_of(store), name);
  const std::string result = ground_.place(name + ".seen");
  const std::string text = end(begin(ground_, ground_.place(name), result,
                                     [](Estate& estate) { return look_at_whole(estate).text(); }),
                               result);
  if (text.starts_with("!")) throw std::runtime_error(text);
  return Observed::of(text);
}

}  // namespace cb::damage
