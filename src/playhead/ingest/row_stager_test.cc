#include "playhead/ingest/row_stager.h"

#include "playhead/base/clock.h"
#include "playhead/catalog/catalog.h"
#include "playhead/columnar/test_parquet.h"
#include "playhead/decode/record_decoder.h"
#include "playhead/ingest/stream_tables.h"
#include "playhead/table/ensure_table.h"
#include "playhead/table/partitioned_writer.h"

#include <arrow/api.h>
#include <arrow/io/interfaces.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <optional>
#include <random>

namespace playhead::ingest {
namespace {

using ::testing::SizeIs;
using Text = std::optional<std::string>;

constexpr int64_t kNowUs = 1'767'225'600'000'000;  // 2026-01-01T00:00:00Z
constexpr int64_t kDaySeconds = 86'400;

/// What a row must say.
struct Event {
  std::string type;
  int64_t at_seconds = 0;
  Text id;    // another one in each row
  Text user;  // some thousands, which come again
  Text note;  // differs in some partitions, is the same in others
  std::optional<std::vector<Text>> tags;
  Text extra;  // a JSON object

  bool operator==(const Event&) const = default;
};

std::string Quoted(const Text& text, bool with_escape = false) {
  if (!text) return "null";
  std::string quoted = "\"" + *text + "\"";
  // The same text, that has to be made.
  if (with_escape && !text->empty()) {
    quoted.replace(1, 1, fmt::format("\\u{:04x}", static_cast<unsigned>((*text)[0])));
  }
  return quoted;
}

std::string Json(const Event& event, std::mt19937& random) {
  const auto has_escape = [&] { return random() % 100 == 0; };
  std::string json = fmt::format(
      R"({{"type":"{}","at":{},"id":{},"user":{},"note":{})", event.type, event.at_seconds,
      Quoted(event.id), Quoted(event.user, has_escape()), Quoted(event.note, has_escape()));
  if (event.tags) {
    json += R"(,"tags":[)";
    for (size_t i = 0; i < event.tags->size(); ++i) {
      json += (i == 0 ? "" : ",") + Quoted((*event.tags)[i], has_escape());
    }
    json += "]";
  }
  if (event.extra) return json + "," + event.extra->substr(1);
  return json + "}";
}

Text TextAt(const arrow::Array& texts, int64_t i) {
  if (texts.IsNull(i)) return std::nullopt;
  return static_cast<const arrow::StringArray&>(texts).GetString(i);
}

class CodedRowsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "/row-stager-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    auto schema = std::make_shared<decode::RowSchema>();
    schema->columns = {{.name = "type", .type = arrow::utf8()},
                       {.name = "at", .type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")},
                       {.name = "id", .type = arrow::utf8()},
                       {.name = "user", .type = arrow::utf8()},
                       {.name = "note", .type = arrow::utf8()},
                       {.name = "tags", .type = arrow::list(arrow::utf8())}};
    schema->partition_by = {
        {.source_column = "type", .name = "type"},
        {.source_column = "at", .transform = PartitionTransform::kDay, .name = "date"}};
    stream_.main = {.id = {"bronze", "events"},
                    .schema = decode::BatchSchema(*schema),
                    .partition_by = {{"type", PartitionTransform::kIdentity, "type"},
                                     {"at", PartitionTransform::kDay, "date"}},
                    .properties = {}};
    schema_ = std::move(schema);
    stream_.row_schema = schema_;
    store_ = storage::MakeLocalStore();
    auto catalog = *catalog::OpenSqliteCatalog(folder_ + "/catalog.db", *store_);
    const auto tables =
        table::EnsureTables(*catalog, *store_, "file://" + folder_, {stream_.main}, SystemClock());
    ASSERT_TRUE(tables.ok()) << tables.error().ToString();
    table_ = tables->front().metadata;
    decoder_ = *decode::RecordDecoder::Make(schema_);
    decoder_->SetSource({.topic = "t", .ingested_at_us = 1});
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Decodes `count` events, whose `type` is one of the first `types`, of days from `day` on.
  void Decode(int64_t count, unsigned types, int64_t day) {
    std::deque<std::string> staying;
    for (int64_t i = 0; i < count; ++i) {
      const unsigned type = random_() % types;
      Event event{.type = fmt::format("type {}", type),
                  .at_seconds = (20'000 + day + (random_() % 16 == 0 ? 1 : 0)) * kDaySeconds,
                  .id = fmt::format("{:08x}-{}", random_(), events_.size())};
      if (random_() % 9 != 0) event.user = fmt::format("user {}", random_() % 7'000);
      if (random_() % 200 != 0) {
        event.note =
            type == 1 ? fmt::format("note {}", events_.size()) : std::string(random_() % 80, 'n');
      }
      if (random_() % 5 != 0) {
        event.tags.emplace();
        for (unsigned k = random_() % 4; k > 0; --k) {
          event.tags->push_back(random_() % 9 == 0 ? Text()
                                                   : fmt::format("tag {}", random_() % 30));
        }
      }
      if (random_() % 50 == 0) event.extra = fmt::format(R"({{"more":{}}})", random_() % 20);
      // Some stay until all are settled, others go at once.
      const bool is_stable = random_() % 2 == 0;
      std::string gone = Json(event, random_);
      const std::string& json = is_stable ? staying.emplace_back(std::move(gone)) : gone;
      const decode::Verdict verdict = decoder_->Decode(
          {.bytes = json, .is_stable = is_stable, .offset = std::ssize(events_)}, kNowUs);
      ASSERT_TRUE(verdict.is_good) << verdict.detail << json;
      events_.push_back(std::move(event));
    }
    decoder_->ReleaseInput();
  }

  void BeginEpoch() { decoder_->SetSource({.topic = "t", .ingested_at_us = ++ingested_at_us_}); }

  /// Expects the files to hold each event once. Returns how many row groups they have.
  int64_t ExpectAllEvents(const std::vector<table::StagedFile>& files) {
    std::vector<int> counts(events_.size());
    int64_t row_groups = 0;
    for (const table::StagedFile& file : files) {
      const auto input = *store_->OpenForRead(file.staged_uri);
      const auto bytes = *input->ReadAt(0, *input->GetSize());
      row_groups += columnar::ReadFooter(bytes)->num_row_groups();
      const auto rows = *columnar::ReadTable(bytes)->CombineChunksToBatch();
      const auto& offsets =
          static_cast<const arrow::Int64Array&>(*rows->GetColumnByName("_offset"));
      EXPECT_EQ(file.file.record_count, rows->num_rows());
      for (int64_t i = 0; i < rows->num_rows(); ++i) {
        const auto offset = static_cast<size_t>(offsets.Value(i));
        ++counts[offset];
        if (EventAt(*rows, i) == events_[offset]) continue;
        ADD_FAILURE() << "offset " << offset << " in " << file.staged_uri;
        return 0;
      }
    }
    EXPECT_THAT(counts, ::testing::Each(1));
    return row_groups;
  }

  static Event EventAt(const arrow::RecordBatch& rows, int64_t i) {
    const auto at_us = rows.column_data(1)->GetValues<int64_t>(1)[i];
    Event event{.type = *TextAt(*rows.column(0), i),
                .at_seconds = at_us / 1'000'000,
                .id = TextAt(*rows.column(2), i),
                .user = TextAt(*rows.column(3), i),
                .note = TextAt(*rows.column(4), i)};
    const auto& lists = static_cast<const arrow::ListArray&>(*rows.column(5));
    if (lists.IsValid(i)) {
      event.tags.emplace();
      for (int32_t k = lists.value_offset(i); k < lists.value_offset(i + 1); ++k) {
        event.tags->push_back(TextAt(*lists.values(), k));
      }
    }
    event.extra = TextAt(*rows.column(10), i);
    return event;
  }

  std::string Staging(const std::string& name) const {
    return "file://" + folder_ + "/_staging/" + name;
  }

  std::mt19937 random_{5};
  std::shared_ptr<const decode::RowSchema> schema_;
  IngestStream stream_;
  std::shared_ptr<const iceberg::TableMetadata> table_;
  std::unique_ptr<storage::ObjectStore> store_;
  std::unique_ptr<decode::RecordDecoder> decoder_;
  std::vector<Event> events_;  // by offset

 private:
  std::string folder_;
  int64_t ingested_at_us_ = 1;
};

TEST_F(CodedRowsTest, AreReadBackAsTheyCameWhateverTheFiles) {
  std::vector<decode::DecodedRows> flushes;
  for (int64_t flush = 0; flush < 10; ++flush) {
    // Two partitions with many rows, others that come and go.
    ASSERT_NO_FATAL_FAILURE(Decode(1'700, 2, 0));
    ASSERT_NO_FATAL_FAILURE(Decode(200, 5, flush / 3));
    if (flush == 6) BeginEpoch();
    ASSERT_NO_FATAL_FAILURE(Decode(700, flush % 2 == 0 ? 1 : 2, 0));
    flushes.push_back(*decoder_->Flush());
  }
  struct Case {
    std::string name;
    table::PartitionedWriterOptions options;
  };
  const std::vector<Case> cases = {{"default", {}},
                                   {"row_groups", {.row_group_rows = 700}},
                                   {"files", {.file_bytes_max = 60'000}},
                                   {"open_files", {.open_files_max = 2}},
                                   {"buffered", {.buffered_bytes_max = 100'000}}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    auto writer = *table::PartitionedWriter::Open(*store_, *table_, Staging(c.name), c.options);
    for (const decode::DecodedRows& rows : flushes) {
      for (const decode::PartitionBatch& partition : rows.partitions) {
        const Status status =
            writer->Append(TableKey(*schema_, partition.key), partition.rows, partition.generation);
        ASSERT_TRUE(status.ok()) << status.ToString();
      }
    }
    const auto files = writer->Finish("t");
    ASSERT_TRUE(files.ok()) << files.error().ToString();
    const int64_t row_groups = ExpectAllEvents(*files);
    if (HasFailure()) return;
    if (c.name == "default") {
      EXPECT_EQ(row_groups, std::ssize(*files));
    } else {
      EXPECT_GT(row_groups, 20);
    }
  }
}

// The stager's thread reads dictionaries to which the decoder goes on adding.
TEST_F(CodedRowsTest, AreStagedWhileMoreAreDecoded) {
  RowStager stager({.store = store_.get(),
                    .staging_uri = Staging("p"),
                    .stream = &stream_,
                    .main = table_,
                    .dead = nullptr});
  for (int64_t flush = 0; flush < 10; ++flush) {
    ASSERT_NO_FATAL_FAILURE(Decode(1'500, 2, 0));
    const Status status = stager.Take(*decoder_->Flush());
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  ASSERT_NO_FATAL_FAILURE(Decode(100, 3, 0));
  table::Epoch epoch;
  const Status status = stager.Finish(*decoder_->Flush(), "t", &epoch);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_THAT(epoch.main_files, SizeIs(6));
  ExpectAllEvents(epoch.main_files);
}

/// Lets this thread run on one core only, for as long as it lives.
class OneCore {
 public:
  OneCore() {
    EXPECT_EQ(sched_getaffinity(0, sizeof(before_), &before_), 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    int core = 0;
    while (!CPU_ISSET(core, &before_)) ++core;
    CPU_SET(core, &one);
    EXPECT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  }
  ~OneCore() { sched_setaffinity(0, sizeof(before_), &before_); }
  OneCore(const OneCore&) = delete;
  OneCore& operator=(const OneCore&) = delete;

 private:
  cpu_set_t before_;
};

TEST_F(CodedRowsTest, AreStagedAtOnceWithOneCore) {
  RowStager stager({.store = store_.get(),
                    .staging_uri = Staging("p"),
                    .stream = &stream_,
                    .main = table_,
                    .dead = nullptr});
  for (int64_t flush = 0; flush < 4; ++flush) {
    const OneCore one_core;
    ASSERT_NO_FATAL_FAILURE(Decode(1'500, 2, 0));
    const int64_t before = stager.bytes();
    const Status status = stager.Take(*decoder_->Flush());
    ASSERT_TRUE(status.ok()) << status.ToString();
    EXPECT_GT(stager.bytes(), before);
  }
  // With more cores the thread goes on where the caller was.
  ASSERT_NO_FATAL_FAILURE(Decode(1'500, 3, 0));
  const Status taken = stager.Take(*decoder_->Flush());
  ASSERT_TRUE(taken.ok()) << taken.ToString();
  table::Epoch epoch;
  const Status status = stager.Finish({}, "t", &epoch);
  ASSERT_TRUE(status.ok()) << status.ToString();
  ExpectAllEvents(epoch.main_files);
}

}  // namespace
}  // namespace playhead::ingest
