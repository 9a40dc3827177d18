// SPDX-License-Identifier: Apache-2.0
//
// bench_stage: runs one stage of a backup, for who counts its instructions. Below callgrind with
// --instr-atstart=no only the run itself counts, not what sets it up (bench/instructions).
#include <valgrind/callgrind.h>

#include <cstdio>
#include <exception>
#include <string_view>

#include "bench/micro/stage.h"

namespace {

int list() {
  for (const auto& maker : cb::bench::all_stages()) std::printf("%s\n", maker.name.c_str());
  return 0;
}

int run(std::string_view name) {
  for (const auto& maker : cb::bench::all_stages()) {
    if (maker.name != name) continue;
    const cb::bench::Stage stage = maker.make();
    stage.run();  // what is done once, as fetching an algorithm
    CALLGRIND_START_INSTRUMENTATION;
    stage.run();
    CALLGRIND_STOP_INSTRUMENTATION;
    return 0;
  }
  std::fprintf(stderr, "bench_stage: there is no such stage (bench_stage --list)\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_stage --list | STAGE\n");
    return 2;
  }
  try {
    return argv[1] == std::string_view("--list") ? list() : run(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_stage: %s\n", error.what());
    return 1;
  }
}
