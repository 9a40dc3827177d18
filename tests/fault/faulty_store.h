// SPDX-License-Identifier: Apache-2.0
//
// A store below store-fault, opened through the real loader, with its log. Throws where a test
// cannot go on. Used by one thread; its store by many.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/log/capture.h"
#include "core/plugin/instance.h"
#include "core/plugin/registry.h"
#include "core/plugin/store.h"
#include "core/repository/results_fixture.h"
#include "tests/suites/store_subject.h"

namespace cb::test {

// Options of store-fault as they would be written: {"seed", "7"}. `rules` are separated by commas.
using FaultOptions = std::map<std::string, std::string>;

class FaultyStore {
 public:
  // `below` is store-fs or store-sqlite; the store lies in `folder`, which may hold one already.
  FaultyStore(std::string below, os::Path folder);

  // Opens it anew: a simulated crash is over, rules count from 1.
  Result<plugin::Store> open(const FaultOptions& options);
  // Opens the store below alone.
  Result<plugin::Store> open_below();

  // Rules of the control file, which every open() names; replaced in one step.
  void control(const std::string& text);
  [[nodiscard]] const log::Capture& log() const { return log_; }
  [[nodiscard]] plugin::Registry& registry() { return *registry_; }

 private:
  std::string below_;
  os::Path folder_;
  log::Capture log_;
  std::unique_ptr<plugin::Registry> registry_;
};

}  // namespace cb::test
