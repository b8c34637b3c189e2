// Reading a topic without decoding it. bench/kafka_bench.py starts a broker, fills a topic and runs
// this; alone it says so and ends. The limit on paper: a record costs librdkafka an allocation, a
// queue entry and its part of decompression, some 300 ns on its threads and ours.

#include "playhead/log/kafka_reader.h"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace playhead::log {
namespace {

constexpr int64_t kReadBytes = 4 << 20;

void ReadTopic(benchmark::State& state) {
  const char* servers = std::getenv("PLAYHEAD_BENCH_KAFKA");
  const char* topic = std::getenv("PLAYHEAD_BENCH_TOPIC");
  if (servers == nullptr || topic == nullptr) {
    return state.SkipWithError("no broker: run bench/kafka_bench.py");
  }
  const auto reader = *OpenKafkaReader({{"bootstrap.servers", servers}}, topic);
  const std::vector<LogPartition> partitions = *reader->Partitions();
  int64_t records = 0;
  int64_t bytes = 0;
  for (auto _ : state) {
    int64_t left = 0;
    for (const LogPartition& partition : partitions) {
      const OffsetRange bounds = *reader->Bounds(partition);
      left += bounds.end - bounds.begin;
      if (!reader->Seek(partition, bounds.begin).ok()) return state.SkipWithError("seek");
    }
    while (left > 0) {
      const Result<const LogBatch*> batch = reader->Read(1000, kReadBytes);
      if (!batch.ok()) return state.SkipWithError(batch.error().ToString().c_str());
      if (*batch == nullptr) continue;
      left -= (*batch)->next_offset - (*batch)->begin;
      records += static_cast<int64_t>((*batch)->records.size());
      for (const LogRecord& record : (*batch)->records) {
        bytes += static_cast<int64_t>(record.bytes.size());
      }
    }
  }
  state.SetItemsProcessed(records);
  state.SetBytesProcessed(bytes);
}
// Five runs after a warm-up, all shown.
BENCHMARK(ReadTopic)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(1)->Repetitions(6);

}  // namespace
}  // namespace playhead::log
