// SPDX-License-Identifier: Apache-2.0
//
// See churn_watch.h.
#include "tests/crash/churn_watch.h"

#include <cstdlib>

namespace cb::test {

void Expected::learn(const ChurnEvent& event) {
  std::vector<ChurnObject>& objects = possible_[event.name];
  if (objects.empty()) objects = {ChurnObject{}};
  if (event.verb == "committing" || event.verb == "removing")
    objects.push_back(event.object);
  else
    objects = {event.object};
}

std::vector<ChurnObject> Expected::allowed(const std::string& name) const {
  const auto known = possible_.find(name);
  return known == possible_.end() ? std::vector<ChurnObject>{ChurnObject{}} : known->second;
}

std::vector<std::string> Expected::known_names() const {
  std::vector<std::string> all;
  for (const auto& [name, objects] : possible_) all.push_back(name);
  return all;
}

bool ChurnWatch::hear(Child& child, uint64_t lines) {
  std::string line;
  for (uint64_t i = 0; i < lines; ++i) {
    if (!child.read_line(line)) return false;
    take(line);
  }
  return true;
}

void ChurnWatch::hear_rest(Child& child) {
  std::string line;
  while (child.read_line(line)) take(line);
}

void ChurnWatch::take(const std::string& line) {
  ChurnEvent event;
  if (!parse_churn_line(line, event)) return;
  expected_.learn(event);
  acknowledged_ += event.verb == "committed" ? 1 : 0;
}

// Takes one of the allowed objects as found if the bytes are wholly those.
std::string ChurnWatch::look_at(plugin::Store& store, const std::string& name) {
  const Result<Bytes> bytes = read_object(store, name);
  if (!bytes && bytes.error().code != Code::not_found) return bytes.error().text() + "\n";
  std::string allowed;
  for (const ChurnObject& one : expected_.allowed(name)) {
    const bool same = one.seed == 0 ? !bytes
                                    : bytes && one.size == bytes->size() &&
                                          pattern(one.seed, 0, one.size) == *bytes;
    if (same) {
      expected_.settle(name, one);
      return {};
    }
    allowed += " " + std::to_string(one.seed) + "/" + std::to_string(one.size);
  }
  const std::string found = bytes ? std::to_string(bytes->size()) + " bytes" : "not there";
  return name + " is " + found + ", allowed are" + allowed + "\n";
}

std::string ChurnWatch::look(plugin::Store& store) {
  std::string objections;
  for (const std::string& name : expected_.known_names()) objections += look_at(store, name);
  const Result<std::vector<std::string>> listed = names(store);
  if (!listed) return objections + listed.error().text();
  for (const std::string& name : *listed)
    if (expected_.allowed(name) == std::vector<ChurnObject>{ChurnObject{}})
      objections += name + " is listed\n";
  return objections;
}

uint64_t number_of(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::stoull(text);
}

}  // namespace cb::test
