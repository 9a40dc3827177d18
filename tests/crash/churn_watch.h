// SPDX-License-Identifier: Apache-2.0
//
// Watches a churning store_driver: what it told may be in the store, and whether that is so after
// its end. Used by one thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/crash/child.h"
#include "tests/crash/churn.h"
#include "tests/suites/store_subject.h"

namespace cb::test {

// What may be under each name, as far as the child told.
class Expected {
 public:
  void learn(const ChurnEvent& event);
  // From now on only `found` is there.
  void settle(const std::string& name, const ChurnObject& found) { possible_[name] = {found}; }
  // The objects that may be under `name`; seed 0 stands for none.
  [[nodiscard]] std::vector<ChurnObject> allowed(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> known_names() const;

 private:
  // A first entry was acknowledged or found; later ones were under way when it ended.
  std::map<std::string, std::vector<ChurnObject>> possible_;
};

class ChurnWatch {
 public:
  // Hears `lines` lines; false when the child ended before.
  bool hear(Child& child, uint64_t lines);
  // Hears what the dead child had still written.
  void hear_rest(Child& child);

  // Compares the store with what was told and takes what is found as the new beginning. Returns a
  // line for each object that is not as it must be: "" when all is well.
  std::string look(plugin::Store& store);

  [[nodiscard]] uint64_t acknowledged() const { return acknowledged_; }

 private:
  void take(const std::string& line);
  std::string look_at(plugin::Store& store, const std::string& name);

  Expected expected_;
  uint64_t acknowledged_ = 0;
};

// A number from the environment.
uint64_t number_of(const char* variable, uint64_t otherwise);

}  // namespace cb::test
