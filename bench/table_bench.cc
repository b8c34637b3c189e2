// The table folder alone, one thread: decoded `content` events into partitioned Parquet files, the
// same with decoding, and the commit of a small epoch.
//
// Limit on paper: zstd 1 takes 250 to 400 MB/s of text, and a content event has some 180 bytes that
// no dictionary takes away (four UUIDs), so 0.5 us an event go there; 21 columns at 10 ns each are
// another 0.2 us. That is 1.4 M events/s. A commit waits for five fsyncs, 0.2 to 4 ms each.

#include "playhead/base/clock.h"
#include "playhead/catalog/catalog.h"
#include "playhead/decode/record_decoder.h"
#include "playhead/iceberg/values.h"
#include "playhead/sim/simulator.h"
#include "playhead/storage/object_store.h"
#include "playhead/table/ensure_table.h"
#include "playhead/table/epoch_commit.h"
#include "playhead/table/partitioned_writer.h"

#include <arrow/api.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace playhead::table {
namespace {

constexpr int64_t kEvents = 400'000;
constexpr int64_t kFlushRows = 65'536;
constexpr int64_t kNowUs = 4'000'000'000'000'000;  // later than any simulated event

std::shared_ptr<const decode::RowSchema> ContentSchema() {
  auto schema = std::make_shared<decode::RowSchema>();
  const auto add = [&](const char* name, std::shared_ptr<arrow::DataType> type) {
    schema->columns.push_back({.name = name, .type = std::move(type)});
  };
  add("event_id", arrow::utf8());
  add("event_type", arrow::utf8());
  add("timestamp", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"));
  for (const char* name : {"user_id", "device_id", "session_id", "ip_address", "content_id",
                           "content_type", "title"}) {
    add(name, arrow::utf8());
  }
  add("genre", arrow::list(arrow::utf8()));
  add("duration_seconds", arrow::int64());
  add("language", arrow::utf8());
  add("current_timestamp", arrow::float64());
  add("schema_version", arrow::utf8());
  add("event_source", arrow::utf8());
  schema->partition_by = {
      {.source_column = "event_type", .name = "event_type"},
      {.source_column = "timestamp", .transform = PartitionTransform::kDay, .name = "date"}};
  return schema;
}

const std::vector<std::string>& Records() {
  static const auto* records = [] {
    auto* made = new std::vector<std::string>();
    auto simulator = sim::MakeSimulator("content", {.events = kEvents, .seed = 7});
    PH_CHECK(simulator.ok());
    const auto count = (*simulator)->Generate("", kEvents, [&](auto, std::string_view record) {
      made->emplace_back(record);
      return OkStatus();
    });
    PH_CHECK(count.ok() && *count == kEvents);
    return made;
  }();
  return *records;
}

std::vector<iceberg::PartitionValue> TableKey(const decode::PartitionKey& key) {
  return {std::get<std::string>(key[0]), static_cast<int32_t>(std::get<int64_t>(key[1]))};
}

// Decodes all records and hands out the batches.
template <typename Sink>
void Decode(decode::RecordDecoder& decoder, const Sink& sink) {
  decoder.SetSource({.topic = "media-events", .ingested_at_us = kNowUs});
  int64_t offset = 0;
  const auto flush = [&] {
    auto decoded = decoder.Flush();
    PH_CHECK(decoded.ok() && decoded->dead == 0);
    for (const decode::PartitionBatch& partition : decoded->partitions) sink(partition);
  };
  for (const std::string& record : Records()) {
    decoder.Decode({.bytes = record, .offset = offset++, .log_time_us = kNowUs}, kNowUs);
    if (decoder.buffered_rows() >= kFlushRows) flush();
  }
  flush();
}

class Lake {
 public:
  Lake() {
    // Beside the sources: a real disk, where /tmp may be memory.
    root_ = (std::filesystem::current_path() / "table_bench_XXXXXX").string();
    PH_CHECK(mkdtemp(root_.data()) != nullptr);
    store_ = storage::MakeLocalStore();
    auto catalog = catalog::OpenSqliteCatalog(root_ + "/catalog.db", *store_);
    PH_CHECK(catalog.ok());
    catalog_ = *std::move(catalog);
    const TableSpec main{
        .id = Main(),
        .schema = decode::BatchSchema(*ContentSchema()),
        .partition_by = {{"event_type", PartitionTransform::kIdentity, "event_type"},
                         {"timestamp", PartitionTransform::kDay, "date"}},
        .properties = {}};
    const TableSpec dead{
        .id = Dead(), .schema = decode::DeadLetterSchema(), .partition_by = {}, .properties = {}};
    PH_CHECK(EnsureTables(*catalog_, *store_, uri(), {main, dead}, SystemClock()).ok());
  }
  ~Lake() {
    catalog_.reset();
    std::filesystem::remove_all(root_);
  }

  static catalog::TableId Main() { return {"bronze", "media_events"}; }
  static catalog::TableId Dead() { return {"bronze", "media_events_dead"}; }
  std::string uri() const { return "file://" + root_; }
  storage::ObjectStore& store() { return *store_; }
  catalog::Catalog& catalog() { return *catalog_; }

  std::unique_ptr<PartitionedWriter> OpenWriter(const catalog::TableId& id,
                                                const std::string& staging) {
    auto writer = PartitionedWriter::Open(*store_, *catalog_->Load(id)->metadata,
                                          uri() + "/_staging/" + staging);
    PH_CHECK(writer.ok());
    return *std::move(writer);
  }

 private:
  std::string root_;
  std::unique_ptr<storage::ObjectStore> store_;
  std::unique_ptr<catalog::Catalog> catalog_;
};

int64_t Bytes(const std::vector<StagedFile>& files) {
  int64_t bytes = 0;
  for (const StagedFile& file : files) bytes += file.file.file_bytes;
  return bytes;
}

void Report(benchmark::State& state, int64_t bytes, size_t files) {
  state.SetItemsProcessed(state.iterations() * kEvents);
  state.counters["bytes_per_event"] = static_cast<double>(bytes) / kEvents;
  state.counters["files"] = static_cast<double>(files);
}

void WriteContent(benchmark::State& state) {
  Lake lake;
  auto decoder = decode::RecordDecoder::Make(ContentSchema());
  PH_CHECK(decoder.ok());
  std::vector<decode::PartitionBatch> partitions;
  Decode(**decoder,
         [&](const decode::PartitionBatch& partition) { partitions.push_back(partition); });
  std::vector<StagedFile> files;
  for (auto _ : state) {
    auto writer = lake.OpenWriter(Lake::Main(), "bench");
    for (const decode::PartitionBatch& partition : partitions) {
      PH_CHECK(writer->Append(TableKey(partition.key), partition.rows).ok());
    }
    files = *writer->Finish("bench");
  }
  Report(state, Bytes(files), files.size());
}
BENCHMARK(WriteContent)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();

void DecodeAndWriteContent(benchmark::State& state) {
  Lake lake;
  auto decoder = decode::RecordDecoder::Make(ContentSchema());
  PH_CHECK(decoder.ok());
  Records();
  std::vector<StagedFile> files;
  for (auto _ : state) {
    auto writer = lake.OpenWriter(Lake::Main(), "bench");
    Decode(**decoder, [&](const decode::PartitionBatch& partition) {
      PH_CHECK(writer->Append(TableKey(partition.key), partition.rows).ok());
    });
    files = *writer->Finish("bench");
  }
  Report(state, Bytes(files), files.size());
}
BENCHMARK(DecodeAndWriteContent)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();

// The simulated events' first rows of two partitions and one dead letter.
struct SmallEpoch {
  std::vector<decode::PartitionBatch> partitions;
  std::shared_ptr<arrow::RecordBatch> dead_letters;
};

SmallEpoch MakeSmallEpoch() {
  SmallEpoch small;
  auto decoder = decode::RecordDecoder::Make(ContentSchema());
  PH_CHECK(decoder.ok());
  (*decoder)->SetSource({.topic = "media-events", .ingested_at_us = kNowUs});
  for (int64_t i = 0; i < 1'000; ++i) {
    (*decoder)->Decode({.bytes = Records()[static_cast<size_t>(i)], .offset = i}, kNowUs);
  }
  (*decoder)->Decode({.bytes = "{", .offset = 1'000}, kNowUs);
  auto decoded = (*decoder)->Flush();
  PH_CHECK(decoded.ok() && decoded->partitions.size() >= 2 && decoded->dead == 1);
  small.partitions.assign(decoded->partitions.begin(), decoded->partitions.begin() + 2);
  small.dead_letters = decoded->dead_letters;
  return small;
}

Epoch Stage(Lake& lake, const SmallEpoch& small, int64_t number) {
  const std::string plan_id = "plan-" + std::to_string(number);
  Epoch epoch{.plan_id = plan_id, .main = Lake::Main(), .dead = Lake::Dead()};
  auto main = lake.OpenWriter(Lake::Main(), plan_id + "/main");
  for (const decode::PartitionBatch& partition : small.partitions) {
    PH_CHECK(main->Append(TableKey(partition.key), partition.rows).ok());
  }
  epoch.main_files = *main->Finish(plan_id);
  auto dead = lake.OpenWriter(Lake::Dead(), plan_id + "/dead");
  PH_CHECK(dead->Append({}, small.dead_letters).ok());
  epoch.dead_files = *dead->Finish(plan_id);
  epoch.ranges = {{.partition = {"log", "media-events", 0},
                   .range = {number * 1'001, (number + 1) * 1'001},
                   .counts = {.read = 1'001, .good = 1'000, .dead = 1, .skipped = 0},
                   .accepted_gap_from = {},
                   .is_first = number == 0}};
  return epoch;
}

double Percentile(std::vector<double>& values, double share) {
  std::ranges::sort(values);
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

// Three files, two tables, a hundred snapshots; staging is `stage_*`, not part of the commit.
void CommitSmallEpoch(benchmark::State& state) {
  Lake lake;
  const SmallEpoch small = MakeSmallEpoch();
  Committer committer(lake.catalog(), lake.store(), lake.uri(), SystemClock());
  int64_t number = 0;
  for (; number < 100; ++number) {
    const auto outcome = committer.Commit(Stage(lake, small, number));
    PH_CHECK(outcome.ok());
  }
  std::vector<double> stage_ms;
  std::vector<double> commit_ms;
  using Clock = std::chrono::steady_clock;
  for (auto _ : state) {
    const auto start = Clock::now();
    const Epoch epoch = Stage(lake, small, number++);
    const auto staged = Clock::now();
    const auto outcome = committer.Commit(epoch);
    const auto committed = Clock::now();
    PH_CHECK(outcome.ok());
    stage_ms.push_back(std::chrono::duration<double, std::milli>(staged - start).count());
    commit_ms.push_back(std::chrono::duration<double, std::milli>(committed - staged).count());
    state.SetIterationTime(std::chrono::duration<double>(committed - staged).count());
  }
  state.counters["p50_ms"] = Percentile(commit_ms, 0.5);
  state.counters["p99_ms"] = Percentile(commit_ms, 0.99);
  state.counters["stage_p50_ms"] = Percentile(stage_ms, 0.5);
}
BENCHMARK(CommitSmallEpoch)->Unit(benchmark::kMillisecond)->UseManualTime()->Iterations(200);

}  // namespace
}  // namespace playhead::table
