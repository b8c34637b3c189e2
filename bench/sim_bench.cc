// Rate of the simulator into a sink that only counts bytes, so that it never is what a test of the
// collector or of ingest waits for. One thread.

#include "playhead/sim/simulator.h"

#include <benchmark/benchmark.h>

#include <memory>
#include <string_view>
#include <utility>

namespace playhead::sim {
namespace {

void GenerateEvents(benchmark::State& state, std::string_view project, double faults) {
  constexpr int64_t kEvents = 1'000'000;
  int64_t bytes = 0;
  int64_t records = 0;
  const Sink sink = [&](std::string_view, std::string_view record) {
    bytes += static_cast<int64_t>(record.size());
    benchmark::DoNotOptimize(record.data());
    return OkStatus();
  };
  for (auto _ : state) {
    auto simulator =
        std::move(MakeSimulator(project, {.events = kEvents, .faults = faults})).value();
    for (;;) {
      const int64_t made = simulator->Generate("", 10'000, sink).value();
      if (made == 0) break;
      records += made;
    }
  }
  state.SetItemsProcessed(records);
  state.SetBytesProcessed(bytes);
  state.counters["bytes_per_event"] = static_cast<double>(bytes) / static_cast<double>(records);
}

BENCHMARK_CAPTURE(GenerateEvents, content, "content", 0)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(GenerateEvents, content_5_percent_faults, "content", 0.05)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(GenerateEvents, listening, "listening", 0)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(GenerateEvents, campaigns, "campaigns", 0)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace playhead::sim
