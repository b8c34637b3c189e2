#include "playhead/ingest/log_ingest.h"

#include "playhead/catalog/scan.h"
#include "playhead/ingest/status_board.h"
#include "playhead/storage/faulty_store.h"
#include "playhead/table/progress.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace playhead::ingest {
namespace {

constexpr int64_t kRecords = 120;
constexpr int64_t kDeadEvery = 10;

/// Two partitions of JSON records, one in kDeadEvery of them none.
class FakeLog final : public log::LogReader {
 public:
  FakeLog() {
    for (int32_t partition = 0; partition < 2; ++partition) {
      partitions_.push_back({.log_id = "log-1", .topic = "plays", .partition = partition});
      for (int64_t offset = 0; offset < kRecords; ++offset) {
        records_[partition].push_back(offset % kDeadEvery == 0
                                          ? "{broken"
                                          : fmt::format(R"({{"id":"{}-{}"}})", partition, offset));
      }
    }
  }

  Result<std::vector<LogPartition>> Partitions() override { return partitions_; }
  Result<OffsetRange> Bounds(const LogPartition&) override {
    return OffsetRange{.begin = 0, .end = kRecords};
  }
  Status Seek(const LogPartition& partition, int64_t offset) override {
    next_[partition.partition] = offset;
    return {};
  }
  /// Seven records of the partition that is behind.
  Result<const log::LogBatch*> Read(int, int64_t) override {
    const auto behind =
        std::ranges::min_element(next_, {}, [](const auto& entry) { return entry.second; });
    if (behind == next_.end() || behind->second == kRecords) return nullptr;
    auto& [partition, next] = *behind;
    batch_ = {.from = partitions_[static_cast<size_t>(partition)], .begin = next, .records = {}};
    for (int i = 0; i < 7 && next < kRecords; ++i, ++next) {
      batch_.records.push_back(
          {.offset = next, .bytes = records_[partition][static_cast<size_t>(next)]});
    }
    batch_.next_offset = next;
    return &batch_;
  }

 private:
  std::vector<LogPartition> partitions_;
  std::map<int32_t, std::vector<std::string>> records_;
  std::map<int32_t, int64_t> next_;
  log::LogBatch batch_;
};

/// A warehouse with the tables of one stream, behind a store that can fail.
class StreamLake {
 public:
  StreamLake() {
    // In memory where there is such a folder: each run waits for hundreds of files.
    const std::filesystem::path memory = "/dev/shm";
    const auto parent =
        std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    std::string folder = (parent / "playhead_XXXXXX").string();
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    root_ = folder;
    declaration_.name = declaration_.identifier = declaration_.topic = "plays";
    declaration_.table_namespace = declaration_.source_name = "bronze";
    declaration_.columns = {
        {.name = "id", .data_type = "VARCHAR", .type = arrow::utf8(), .not_null = true}};
    stream_ = MakeIngestStream(declaration_);
    local_ = storage::MakeLocalStore();
    store_ = std::make_unique<storage::FaultyStore>(*local_);
    catalog_ = *catalog::OpenSqliteCatalog(root_ + "/catalog.db", *store_);
    const Status made = EnsureStreamTables(*catalog_, *store_, uri(), stream_, clock_).status();
    EXPECT_TRUE(made.ok()) << made.ToString();
  }
  ~StreamLake() {
    catalog_.reset();
    std::filesystem::remove_all(root_);
  }

  StreamLake(const StreamLake&) = delete;
  StreamLake& operator=(const StreamLake&) = delete;

  storage::FaultyStore& store() { return *store_; }
  StreamState state() const { return board_.States().front(); }

  Status Run() {
    FakeLog log;
    LogIngestOptions options{.limits = {.rows_max = 20}, .once = true};
    LogIngest ingest({*catalog_, *store_, uri(), clock_, board_}, stream_, log, options);
    return ingest.Run({});
  }

  int64_t LiveRows(const table::TableSpec& spec) {
    int64_t rows = 0;
    const auto files = catalog::LiveFiles(*store_, *catalog_->Load(spec.id)->metadata);
    EXPECT_TRUE(files.ok()) << files.error().ToString();
    for (const catalog::LiveFile& file : *files) rows += file.file.record_count;
    return rows;
  }

  void CheckAll() {
    constexpr int64_t kDead = 2 * kRecords / kDeadEvery;
    EXPECT_EQ(LiveRows(stream_.main), 2 * kRecords - kDead);
    EXPECT_EQ(LiveRows(stream_.dead), kDead);
    const auto progress = table::ReadProgress(*catalog_->Load(stream_.main.id)->metadata);
    ASSERT_TRUE(progress.ok());
    for (const int32_t partition : {0, 1}) {
      EXPECT_EQ(progress->offsets.at("log-1").at(partition), kRecords);
    }
  }

 private:
  std::string uri() const { return "file://" + root_; }

  std::string root_;
  const Clock& clock_ = SystemClock();
  StatusBoard board_;
  project::Stream declaration_;
  IngestStream stream_;
  std::unique_ptr<storage::ObjectStore> local_;
  std::unique_ptr<storage::FaultyStore> store_;
  std::unique_ptr<catalog::Catalog> catalog_;
};

TEST(LogIngest, TakesEveryRecordInManyEpochs) {
  StreamLake lake;
  ASSERT_TRUE(lake.Run().ok());
  lake.CheckAll();
  const StreamSummary summary = lake.state().summary;
  EXPECT_EQ(summary.read, 2 * kRecords);
  EXPECT_EQ(summary.dead, 2 * kRecords / kDeadEvery);
  EXPECT_EQ(summary.dead_by_reason.at("not_json"), summary.dead);
  EXPECT_GT(summary.commits, 5);
  EXPECT_EQ(lake.state().held_by, "");
}

TEST(LogIngest, TakesNothingTwice) {
  StreamLake lake;
  ASSERT_TRUE(lake.Run().ok());
  ASSERT_TRUE(lake.Run().ok());
  lake.CheckAll();
  EXPECT_EQ(lake.state().summary.read, 2 * kRecords);
}

// Epochs are decoded while the one before is written: a failure there drops all that are not
// committed, and they are read again.
TEST(LogIngest, GoesOnFromTheTableWhenTheStoreFails) {
  constexpr int64_t kPlaces = 9;
  int64_t calls = 0;
  {
    StreamLake lake;
    lake.store().Set({});
    ASSERT_TRUE(lake.Run().ok());
    calls = lake.store().calls();
  }
  ASSERT_GT(calls, kPlaces * 10);
  for (int64_t place = 0; place < kPlaces; ++place) {
    const int64_t at_call = 1 + (place * 2 + 1) * calls / (kPlaces * 2);
    SCOPED_TRACE(fmt::format("store call {} of {} fails", at_call, calls));
    StreamLake lake;
    lake.store().Set({.at_call = at_call});
    ASSERT_TRUE(lake.Run().ok());
    EXPECT_GE(lake.store().calls(), at_call);
    lake.CheckAll();
    EXPECT_EQ(lake.state().held_by, "");
  }
}

}  // namespace
}  // namespace playhead::ingest
