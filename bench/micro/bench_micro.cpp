// SPDX-License-Identifier: Apache-2.0
//
// bench_micro: times each stage of a backup, on one thread. Options are those of Google Benchmark:
// --benchmark_filter=seal, --benchmark_repetitions=5, --benchmark_format=json.
#include <benchmark/benchmark.h>

#include "bench/micro/stage.h"

namespace {

void measure(benchmark::State& state, const cb::bench::StageMaker& maker) {
  const cb::bench::Stage stage = maker.make();
  stage.run();  // warm
  for (auto step : state) {
    (void)step;
    stage.run();
  }
  const auto runs = static_cast<int64_t>(state.iterations());
  if (stage.bytes > 0) state.SetBytesProcessed(runs * static_cast<int64_t>(stage.bytes));
  if (stage.items > 0) state.SetItemsProcessed(runs * static_cast<int64_t>(stage.items));
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  for (const auto& maker : cb::bench::all_stages())
    benchmark::RegisterBenchmark(maker.name.c_str(),
                                 [maker](benchmark::State& state) { measure(state, maker); })
        ->MeasureProcessCPUTime()
        ->Unit(benchmark::kMillisecond);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
