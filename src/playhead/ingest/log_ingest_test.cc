#include "playhead/ingest/log_ingest.h"

#include "playhead/catalog/scan.h"
#include "playhead/ingest/status_board.h"
#include "playhead/storage/faulty_store.h"
#include "playhead/table/progress.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace playhead::ingest {
namespace {

constexpr int64_t kRecords = 120;
constexpr int64_t kDeadEvery = 10;

/// Two partitions of JSON records, one in kDeadEvery of them none.
class FakeLog final : public log::LogReader {
 public:
  explicit FakeLog(const LogId& log_id = "log-1") {
    for (int32_t partition = 0; partition < 2; ++partition) {
      partitions_.push_back({.log_id = log_id, .topic = "plays", .partition = partition});
      for (int64_t offset = 0; offset < kRecords; ++offset) {
        records_[partition].push_back(offset % kDeadEvery == 0
                                          ? "{broken"
                                          : fmt::format(R"({{"id":"{}-{}"}})", partition, offset));
      }
    }
  }

  Result<std::vector<LogPartition>> Partitions() override { return partitions_; }
  Result<OffsetRange> Bounds(const LogPartition&) override {
    return OffsetRange{.begin = begin, .end = kRecords};
  }
  Result<std::optional<log::OtherTopic>> Other(const LogId& log_id) override {
    const auto found = others.find(log_id);
    if (found == others.end()) return std::optional<log::OtherTopic>();
    return std::optional(found->second);
  }
  Status Seek(const LogPartition& partition, int64_t offset) override {
    next_[partition.partition] = offset;
    return {};
  }
  /// Seven records of the partition that is behind.
  Result<const log::LogBatch*> Read(int, int64_t) override {
    if (on_read) on_read();
    const auto behind =
        std::ranges::min_element(next_, {}, [](const auto& entry) { return entry.second; });
    if (behind == next_.end() || behind->second == kRecords) return nullptr;
    auto& [partition, next] = *behind;
    if (partition == 0 && next == damaged.begin && damaged.end > next) {
      batch_ = {.from = partitions_[0],
                .begin = next,
                .next_offset = damaged.end,
                .records = {},
                .damage = "segment-7 is damaged"};
      next_.erase(behind);
      return &batch_;
    }
    batch_ = {.from = partitions_[static_cast<size_t>(partition)], .begin = next, .records = {}};
    for (int i = 0; i < 7 && next < kRecords; ++i, ++next) {
      if (partition == 0 && next == damaged.begin && i > 0) break;
      batch_.records.push_back(
          {.offset = next, .bytes = records_[partition][static_cast<size_t>(next)]});
    }
    batch_.next_offset = next;
    return &batch_;
  }

  std::function<void()> on_read;
  int64_t begin = 0;    ///< of both partitions
  OffsetRange damaged;  ///< of partition 0
  std::map<LogId, log::OtherTopic> others;

 private:
  std::vector<LogPartition> partitions_;
  std::map<int32_t, std::vector<std::string>> records_;
  std::map<int32_t, int64_t> next_;
  log::LogBatch batch_;
};

/// A warehouse with the tables of one stream, behind a store that can fail.
class StreamLake {
 public:
  explicit StreamLake(const Clock& clock = SystemClock()) : clock_(clock) {
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

  Lake lake() { return {*catalog_, *store_, uri(), clock_, board_}; }
  const IngestStream& stream() const { return stream_; }
  storage::FaultyStore& store() { return *store_; }
  StreamState state() const { return board_.States().front(); }

  /// What a start does first.
  void Recover() {
    const auto recovered = table::Committer(*catalog_, *store_, uri(), clock_).Recover();
    EXPECT_TRUE(recovered.ok());
  }

  Status Run() {
    FakeLog log;
    return Run(log);
  }
  Status Run(FakeLog& log, bool accept_gap = false, std::set<std::string> topics = {"plays"}) {
    LogIngestOptions options{.limits = {.rows_max = 20},
                             .once = true,
                             .accept_gap = accept_gap,
                             .declared_topics = std::move(topics)};
    LogIngest ingest(lake(), stream_, log, options);
    return ingest.Run({});
  }

  int64_t LiveRows(const table::TableSpec& spec) {
    int64_t rows = 0;
    const auto files = catalog::LiveFiles(*store_, *catalog_->Load(spec.id)->metadata);
    EXPECT_TRUE(files.ok()) << files.error().ToString();
    for (const catalog::LiveFile& file : *files) rows += file.file.record_count;
    return rows;
  }

  table::TableProgress Progress() {
    return *table::ReadProgress(*catalog_->Load(stream_.main.id)->metadata);
  }
  int64_t Rows() { return LiveRows(stream_.main) + LiveRows(stream_.dead); }
  /// `playhead.gaps` of all snapshots, one after the other.
  std::string Gaps() {
    std::string gaps;
    for (const auto& snapshot : catalog_->Load(stream_.main.id)->metadata->snapshots) {
      const auto found = snapshot.summary.find(std::string(table::kGapsKey));
      if (found != snapshot.summary.end()) gaps += found->second;
    }
    return gaps;
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
  const Clock& clock_;
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

// Without `once` it waits for room instead.
TEST(LogIngest, OnceEndsAtAFullDiskAndSaysSo) {
  for (const int64_t at_call : {3, 30, 90}) {
    SCOPED_TRACE(at_call);
    StreamLake lake;
    lake.store().Set(
        {.at_call = at_call, .code = StatusCode::kResourceExhausted, .calls = 1'000'000});
    const Status full = lake.Run();
    EXPECT_EQ(full.code(), StatusCode::kResourceExhausted) << full.ToString();
    EXPECT_NE(full.message().find("the disk is full"), std::string::npos) << full.message();
    lake.store().Set({});
    lake.Recover();
    ASSERT_TRUE(lake.Run().ok());
    lake.CheckAll();
  }
}

TEST(LogIngest, OffsetsThatWereGoneBeforeTheFirstReadAreAGap) {
  StreamLake lake;
  FakeLog log;
  log.begin = 30;
  const Status refused = lake.Run(log);
  EXPECT_EQ(refused.code(), StatusCode::kDataCorrupt);
  for (const char* word : {"offsets 0 to 29 are gone", "stream=plays", "--accept-gap"}) {
    EXPECT_NE(refused.message().find(word), std::string::npos) << refused.message();
  }
  EXPECT_EQ(lake.Rows(), 0);
  ASSERT_TRUE(lake.Run(log, /*accept_gap=*/true).ok());
  EXPECT_EQ(lake.Rows(), 2 * (kRecords - 30));
  const table::RecordCounts counts = lake.Progress().counts.at("log-1").at(0);
  EXPECT_EQ(counts.read, kRecords);
  EXPECT_EQ(counts.skipped, 30);
  EXPECT_NE(lake.Gaps().find(R"("begin":0,"end":30)"), std::string::npos) << lake.Gaps();
  ASSERT_TRUE(lake.Run(log).ok());
}

TEST(LogIngest, ADamagedStretchStopsItsPartitionOrIsPassedAsAGap) {
  StreamLake lake;
  FakeLog log;
  log.damaged = {.begin = 50, .end = 67};
  const Status refused = lake.Run(log);
  EXPECT_EQ(refused.code(), StatusCode::kDataCorrupt);
  for (const char* word : {"offsets 50 to 66 cannot be read", "segment-7", "--accept-gap"}) {
    EXPECT_NE(refused.message().find(word), std::string::npos) << refused.message();
  }
  // What is before it is committed, and the other partition goes on.
  EXPECT_EQ(lake.Progress().offsets.at("log-1").at(0), 50);
  EXPECT_EQ(lake.Progress().offsets.at("log-1").at(1), kRecords);
  EXPECT_EQ(lake.Rows(), 50 + kRecords);

  FakeLog again;
  again.damaged = log.damaged;
  ASSERT_TRUE(lake.Run(again, /*accept_gap=*/true).ok());
  EXPECT_EQ(lake.Rows(), 2 * kRecords - 17);
  const table::RecordCounts counts = lake.Progress().counts.at("log-1").at(0);
  EXPECT_EQ(counts.read, kRecords);
  EXPECT_EQ(counts.skipped, 17);
  EXPECT_NE(lake.Gaps().find(R"("begin":50,"end":67)"), std::string::npos) << lake.Gaps();
  EXPECT_EQ(lake.state().held_by, "");
}

TEST(LogIngest, ATopicThatTheStreamReadBeforeMustBeReadToItsEnd) {
  constexpr const char* kOld = "uuid/old";
  constexpr const char* kNew = "uuid/plays";
  StreamLake lake;
  FakeLog old(kOld);
  ASSERT_TRUE(lake.Run(old).ok());

  FakeLog renamed(kNew);
  const auto old_end = [&](int64_t end) {
    renamed.others[kOld] = {.topic = "old", .bounds = {.begin = 0, .end = end}};
  };
  old_end(kRecords + 20);
  const Status refused = lake.Run(renamed);
  EXPECT_EQ(refused.code(), StatusCode::kDataCorrupt);
  for (const char* word : {"offsets 120 to 139 of topic old", "`topic: old`", "--accept-gap"}) {
    EXPECT_NE(refused.message().find(word), std::string::npos) << refused.message();
  }
  EXPECT_EQ(lake.Rows(), 2 * kRecords);

  // Nothing is left of it, or another stream reads it now: the new topic from its beginning.
  old_end(kRecords);
  ASSERT_TRUE(lake.Run(renamed).ok());
  EXPECT_EQ(lake.Rows(), 4 * kRecords);
  EXPECT_EQ(lake.Progress().offsets.at(kNew).at(0), kRecords);
  old_end(kRecords + 20);
  ASSERT_TRUE(lake.Run(renamed, false, {"plays", "old"}).ok());

  // Somebody added to the old topic all the same.
  EXPECT_EQ(lake.Run(renamed).code(), StatusCode::kDataCorrupt);
  ASSERT_TRUE(lake.Run(renamed, /*accept_gap=*/true).ok());
  EXPECT_EQ(lake.Progress().offsets.at(kOld).at(0), kRecords + 20);
  EXPECT_EQ(lake.Progress().counts.at(kOld).at(0).skipped, 20);
  EXPECT_NE(lake.Gaps().find(R"("begin":120,"end":140)"), std::string::npos) << lake.Gaps();
  ASSERT_TRUE(lake.Run(renamed).ok());
  EXPECT_EQ(lake.Rows(), 4 * kRecords);
}

TEST(LogIngest, ALogThatWasMadeAnewIsRefusedAlsoWhenItsOffsetsWereKeptWithoutTheTopic) {
  for (const char* known : {"another/plays", "uuid"}) {
    StreamLake lake;
    FakeLog before(known);
    ASSERT_TRUE(lake.Run(before).ok());
    FakeLog log("uuid/plays");
    const Status refused = lake.Run(log);
    EXPECT_EQ(refused.code(), StatusCode::kDataCorrupt);
    EXPECT_NE(refused.message().find("made anew"), std::string::npos) << refused.message();
    EXPECT_EQ(lake.Rows(), 2 * kRecords);
    ASSERT_TRUE(lake.Run(log, /*accept_gap=*/true).ok());
    EXPECT_EQ(lake.Rows(), 4 * kRecords);
  }
}

/// A machine's, which somebody sets back.
class AdjustableClock final : public Clock {
 public:
  int64_t NowMicros() const override { return SystemClock().NowMicros() - back_us_; }
  int64_t TicksMicros() const override { return SystemClock().TicksMicros(); }
  void SetBack(int64_t us) { back_us_ += us; }

 private:
  std::atomic<int64_t> back_us_ = 0;
};

TEST(LogIngest, EpochsEndInTimeWhenTheClockIsSetBack) {
  AdjustableClock clock;
  StreamLake lake(clock);
  FakeLog log;
  // In the middle of the first epoch.
  log.on_read = [&, reads = 0]() mutable {
    if (++reads == 3) clock.SetBack(3'600'000'000);
  };
  std::stop_source stop;
  LogIngest ingest(lake.lake(), lake.stream(), log, {.limits = {.interval_us = 200'000}});
  std::jthread runs([&] { EXPECT_TRUE(ingest.Run(stop.get_token()).ok()); });
  // By the clock it would take an hour.
  while (lake.Rows() < 2 * kRecords) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  stop.request_stop();
  runs.join();
  lake.CheckAll();
}

}  // namespace
}  // namespace playhead::ingest
