// SPDX-License-Identifier: Apache-2.0
//
// The stages of a backup, each with a fixed input and the product's own code: what bench_micro
// times and what bench_stage counts instructions of. Used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cb::bench {

// A stage that is set up.
struct Stage {
  uint64_t bytes = 0;         // that one run goes over; 0: it is about items
  uint64_t items = 0;         // files, ids, headers; 0: it is about bytes
  std::function<void()> run;  // goes over the input once; throws when something fails
};

struct StageMaker {
  std::string name;
  std::function<Stage()> make;  // what it sets up lives as long as the Stage
};

// In the order in which a backup comes to them.
std::vector<StageMaker> all_stages();

// Those of each file, joined by all_stages.
std::vector<StageMaker> content_stages();
std::vector<StageMaker> tree_stages();
std::vector<StageMaker> server_stages();
std::vector<StageMaker> line_stages();

}  // namespace cb::bench
