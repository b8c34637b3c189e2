// Decode alone: JSON records of the `content` project into Arrow batches, one thread.
//
// Limit on paper: quotes are found at some 30 GB/s, so 0.5 kB cost 0.02 us; 16 fields at 4 ns each
// 0.06 us; 21 columns at some 5 ns each 0.1 us. That is 5.5 M events/s at best. Where the plain
// reader gives up: stage 1 of simdjson at 4 to 5 GB/s 0.12 us, 65 tokens at 2 ns each 0.13 us; 2.8
// M.

#include "playhead/base/status.h"
#include "playhead/decode/csv_splitter.h"
#include "playhead/decode/record_decoder.h"
#include "playhead/decode/record_splitter.h"

#include <arrow/api.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace playhead::decode {
namespace {

constexpr int kRecords = 100'000;
constexpr int64_t kNowUs = 1'767'225'600'000'000;  // 2026-01-01
constexpr int64_t kFlushRows = 131'072;
constexpr size_t kChunkBytes = 1 << 20;

RowSchema ContentSchema() {
  RowSchema schema;
  auto text = [&](const char* name, bool is_required = false) {
    schema.columns.push_back({.name = name, .type = arrow::utf8(), .is_required = is_required});
  };
  text("event_id", true);
  text("event_type", true);
  schema.columns.push_back({.name = "timestamp",
                            .type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                            .is_required = true});
  for (const char* name : {"user_id", "device_id", "session_id", "ip_address", "content_id",
                           "content_type", "title"}) {
    text(name);
  }
  schema.columns.push_back({.name = "genre", .type = arrow::list(arrow::utf8())});
  schema.columns.push_back({.name = "duration_seconds", .type = arrow::int64()});
  text("language");
  schema.columns.push_back({.name = "current_timestamp", .type = arrow::float64()});
  text("schema_version");
  text("event_source");
  schema.partition_by = {
      {.source_column = "event_type", .name = "event_type"},
      {.source_column = "timestamp", .transform = PartitionTransform::kDay, .name = "date"}};
  schema.event_time_column = "timestamp";
  return schema;
}

std::string Uuid(std::mt19937_64& random) {
  uint64_t a = random();
  uint64_t b = random();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, a >> 16 & 0xFFFF, a & 0xFFF,
                     (b >> 48 & 0x3FFF) | 0x8000, b & 0xFFFFFFFFFFFF);
}

/// Invented events over three dates; one in `dead_every` is truncated (0: none).
std::vector<std::string> ContentRecords(int dead_every) {
  std::mt19937_64 random(1);
  const char* types[] = {"play", "pause", "stop"};
  const char* sources[] = {"web_app", "mobile_app", "smart_tv", "streaming_device"};
  std::vector<std::string> records;
  for (int i = 0; i < kRecords; ++i) {
    records.push_back(fmt::format(
        R"({{"event_id":"{}","event_type":"{}","timestamp":"2025-11-{:02}T{:02}:{:02}:{:02}.{:03}Z",)"
        R"("user_id":"user_{:06}","device_id":"device_{:07}","session_id":"{}",)"
        R"("ip_address":"10.{}.{}.{}","content_id":"movie_{:05}","content_type":"movie",)"
        R"("title":"The Lantern Keeper {}","genre":["drama","mystery"],"duration_seconds":{},)"
        R"("language":"en","current_timestamp":{:.3f},"schema_version":"1.0",)"
        R"("event_source":"{}"}})",
        Uuid(random), types[random() % 3], 10 + random() % 3, random() % 24, random() % 60,
        random() % 60, random() % 1000, random() % 1'000'000, random() % 10'000'000, Uuid(random),
        random() % 256, random() % 256, random() % 256, random() % 5000, random() % 5000,
        600 + random() % 9000, static_cast<double>(random() % 9'000'000) / 1000,
        sources[random() % 4]));
    if (dead_every > 0 && i % dead_every == 0) records.back().resize(records.back().size() / 2);
  }
  return records;
}

void CountRecords(benchmark::State& state, const std::vector<std::string>& records) {
  int64_t bytes = 0;
  for (const std::string& record : records) bytes += static_cast<int64_t>(record.size()) + 1;
  auto count = static_cast<int64_t>(records.size());
  state.SetItemsProcessed(state.iterations() * count);
  state.SetBytesProcessed(state.iterations() * bytes);
  state.counters["bytes_per_record"] = static_cast<double>(bytes) / static_cast<double>(count);
}

/// The same with quotes in the title, so that the plain reader gives each of them up.
std::vector<std::string> Escaped(std::vector<std::string> records) {
  for (std::string& record : records) {
    record.replace(record.find("Lantern"), 7, R"(\"Lantern\")");
  }
  return records;
}

void DecodeRecords(benchmark::State& state, const std::vector<std::string>& records,
                   int dead_every) {
  auto decoder = RecordDecoder::Make(std::make_shared<const RowSchema>(ContentSchema()));
  PH_CHECK(decoder.ok());
  (*decoder)->SetSource({.topic = "media-events", .ingested_at_us = kNowUs});
  int64_t offset = 0;
  int64_t dead = 0;
  for (auto _ : state) {
    for (const std::string& record : records) {
      Verdict verdict =
          (*decoder)->Decode({.bytes = record, .offset = offset++, .log_time_us = kNowUs}, kNowUs);
      if (!verdict.is_good) ++dead;
      if ((*decoder)->buffered_rows() >= kFlushRows) {
        auto rows = (*decoder)->Flush();
        benchmark::DoNotOptimize(rows);
      }
    }
  }
  PH_CHECK((dead > 0) == (dead_every > 0));
  CountRecords(state, records);
}
void DecodeContent(benchmark::State& state, int dead_every) {
  DecodeRecords(state, ContentRecords(dead_every), dead_every);
}
BENCHMARK_CAPTURE(DecodeContent, all_good, 0)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(DecodeContent, five_percent_truncated, 20)->Unit(benchmark::kMillisecond);

void DecodeEscaped(benchmark::State& state) { DecodeRecords(state, Escaped(ContentRecords(0)), 0); }
BENCHMARK(DecodeEscaped)->Unit(benchmark::kMillisecond);

std::string Join(const std::vector<std::string>& records, std::string_view open,
                 std::string_view between, std::string_view close) {
  std::string text(open);
  for (size_t i = 0; i < records.size(); ++i) {
    if (i > 0) text += between;
    text += records[i];
  }
  text += close;
  return text;
}

template <typename Splitter>
int64_t CountRecords(Splitter& splitter, std::string_view text) {
  int64_t raws = 0;
  RawRecord raw;
  for (size_t at = 0; at < text.size(); at += kChunkBytes) {
    splitter.Push(text.substr(at, kChunkBytes), at + kChunkBytes >= text.size());
    while (splitter.Next(&raw)) ++raws;
  }
  return raws;
}

void CutLines(benchmark::State& state) {
  std::vector<std::string> records = ContentRecords(0);
  std::string text = Join(records, "", "\n", "\n");
  for (auto _ : state) {
    RecordSplitter splitter(Framing::kAuto, 1 << 20);
    PH_CHECK(CountRecords(splitter, text) == kRecords);
  }
  CountRecords(state, records);
}
BENCHMARK(CutLines)->Unit(benchmark::kMillisecond);

void CutArray(benchmark::State& state) {
  std::vector<std::string> records = ContentRecords(0);
  std::string text = Join(records, "[", ",", "]");
  for (auto _ : state) {
    RecordSplitter splitter(Framing::kAuto, 1 << 20);
    PH_CHECK(CountRecords(splitter, text) == kRecords);
  }
  CountRecords(state, records);
}
BENCHMARK(CutArray)->Unit(benchmark::kMillisecond);

/// Lines as the `streams` files of the startup project have them.
void DecodeCsv(benchmark::State& state) {
  std::mt19937_64 random(2);
  std::vector<std::string> lines;
  for (int i = 0; i < kRecords; ++i) {
    lines.push_back(fmt::format(
        "\"Harbour, Part {}\",viewer{}@example.org,{:.6f},2021-12-{:02}T19:30:19.099+0100,"
        "2021-12-{:02}T15:44:38.177+0100",
        random() % 90, random() % 5000, static_cast<double>(random() % 2'000'000) / 1000,
        1 + random() % 28, 1 + random() % 28));
  }
  std::string text = Join(lines, "movie_title,user_email,size_mb,start_at,end_at\n", "\n", "\n");
  RowSchema schema;
  auto time = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  schema.columns = {{.name = "movie_title", .type = arrow::utf8()},
                    {.name = "user_email", .type = arrow::utf8()},
                    {.name = "size_mb", .type = arrow::float64()},
                    {.name = "start_at", .type = time},
                    {.name = "end_at", .type = time}};
  auto decoder = RecordDecoder::Make(std::make_shared<const RowSchema>(std::move(schema)));
  PH_CHECK(decoder.ok());
  for (auto _ : state) {
    CsvSplitter splitter(1 << 20);
    RawRecord raw;
    bool has_header = false;
    for (size_t at = 0; at < text.size(); at += kChunkBytes) {
      splitter.Push(std::string_view(text).substr(at, kChunkBytes),
                    at + kChunkBytes >= text.size());
      while (splitter.Next(&raw)) {
        if (!has_header) PH_CHECK((*decoder)->PrepareCsvHeader(splitter.header()).ok());
        has_header = true;
        Verdict verdict = (*decoder)->DecodeFields(
            splitter.fields(), {.bytes = raw.bytes, .offset = raw.number}, kNowUs);
        PH_CHECK(verdict.is_good);
      }
    }
    auto rows = (*decoder)->Flush();
    PH_CHECK(rows->good == kRecords);
  }
  CountRecords(state, lines);
}
BENCHMARK(DecodeCsv)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace playhead::decode
