#include "playhead/log/journal.h"

#include "playhead/base/sqlite.h"
#include "playhead/base/uuid.h"
#include "playhead/log/journal_folder.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace playhead::log {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kHour = 3600LL * 1'000'000;

class FakeClock final : public Clock {
 public:
  int64_t NowMicros() const override { return now_us_; }
  void Advance(int64_t us) { now_us_ += us; }

 private:
  std::atomic<int64_t> now_us_ = 1'700'000'000'000'000;
};

class JournalTest : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(root_); }

  std::unique_ptr<Journal> Open(JournalOptions options = {}) {
    auto journal = Journal::Open(folder_, clock_, options);
    EXPECT_TRUE(journal.ok()) << journal.status().ToString();
    return journal.ok() ? *std::move(journal) : nullptr;
  }

  static JournalReceipt Append(Journal& journal, std::string topic,
                               std::vector<std::string_view> records, std::string key = "",
                               std::string note = "") {
    auto receipt = journal.Append({.topic = std::move(topic),
                                   .records = std::move(records),
                                   .idempotency_key = std::move(key),
                                   .note = std::move(note)});
    EXPECT_TRUE(receipt.ok()) << receipt.status().ToString();
    return receipt.ok() ? *receipt : JournalReceipt{.first_offset = -1};
  }

  std::unique_ptr<LogReader> ReaderAt(const std::string& topic, int64_t offset) {
    auto reader = *OpenJournalReader(folder_, topic);
    const auto partitions = *reader->Partitions();
    EXPECT_EQ(partitions.size(), 1U);
    const Status status = reader->Seek(partitions.at(0), offset);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return reader;
  }

  static std::vector<std::string> ReadAll(LogReader& reader, int64_t bytes_max = 1 << 20) {
    std::vector<std::string> records;
    int64_t expected = -1;
    while (true) {
      const auto batch = reader.Read(0, bytes_max);
      EXPECT_TRUE(batch.ok()) << batch.status().ToString();
      if (!batch.ok() || *batch == nullptr) return records;
      EXPECT_TRUE(expected < 0 || (*batch)->begin == expected);
      expected = (*batch)->begin;
      for (const LogRecord& record : (*batch)->records) {
        EXPECT_EQ(record.offset, expected++);
        records.emplace_back(record.bytes);
      }
      EXPECT_EQ((*batch)->next_offset, expected);
    }
  }

  std::vector<std::string> All(const std::string& topic, int64_t from = 0) {
    return ReadAll(*ReaderAt(topic, from));
  }

  std::vector<std::string> Segments() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      const std::string name = entry.path().filename().string();
      if (SegmentNumber(name)) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  Status OpenError() { return Journal::Open(folder_, clock_).status(); }

  const fs::path root_ = fs::temp_directory_path() / NewUuid();
  const std::string folder_ = (root_ / "lake" / "journal").string();
  FakeClock clock_;
};

TEST_F(JournalTest, OffsetsGoOnPerTopicAndSurviveReopening) {
  std::string log_id;
  {
    auto journal = Open();
    log_id = journal->log_id();
    EXPECT_EQ(*journal->EndOffset("plays"), 0);
    EXPECT_EQ(Append(*journal, "plays", {"a", "b"}).first_offset, 0);
    EXPECT_EQ(Append(*journal, "views", {"v"}).first_offset, 0);
    const JournalReceipt receipt = Append(*journal, "plays", {"c"});
    EXPECT_EQ(receipt.first_offset, 2);
    EXPECT_EQ(receipt.count, 1);
    EXPECT_EQ(receipt.log_id, log_id);
    EXPECT_FALSE(receipt.is_repeat);
  }
  auto journal = Open();
  EXPECT_EQ(journal->log_id(), log_id);
  EXPECT_EQ(*journal->EndOffset("plays"), 3);
  EXPECT_EQ(Append(*journal, "plays", {"d"}).first_offset, 3);
  EXPECT_THAT(All("plays"), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(All("plays", 1), ElementsAre("b", "c", "d"));
  EXPECT_THAT(All("views"), ElementsAre("v"));
}

TEST_F(JournalTest, RecordsKeepTheirBytesTimeAndHeaders) {
  auto journal = Open();
  const std::string bytes("\0\xFF\n{", 4);
  ASSERT_TRUE(
      journal
          ->Append({.topic = "plays", .records = {bytes, "", "x"}, .headers_json = R"({"a":"b"})"})
          .ok());
  auto reader = ReaderAt("plays", 0);
  const LogBatch* batch = *reader->Read(0, 1 << 20);
  ASSERT_NE(batch, nullptr);
  ASSERT_EQ(batch->records.size(), 3U);
  EXPECT_EQ(batch->records[0].bytes, bytes);
  EXPECT_EQ(batch->records[1].bytes, "");
  for (const LogRecord& record : batch->records) {
    EXPECT_EQ(record.time_us, clock_.NowMicros());
    EXPECT_EQ(record.headers_json, R"({"a":"b"})");
    EXPECT_EQ(record.key, std::nullopt);
  }
}

TEST_F(JournalTest, RefusesWhatIsNoAppend) {
  auto journal = Open();
  EXPECT_EQ(journal->Append({.topic = "plays"}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(journal->Append({.records = {"a"}}).status().code(), StatusCode::kInvalidArgument);
  journal->Close();
  EXPECT_EQ(journal->Append({.topic = "plays", .records = {"a"}}).status().code(),
            StatusCode::kCancelled);
}

TEST_F(JournalTest, SecondWriterIsRefused) {
  auto journal = Open();
  EXPECT_EQ(OpenError().code(), StatusCode::kAlreadyExists);
  journal.reset();
  EXPECT_TRUE(OpenError().ok());
}

TEST_F(JournalTest, ManyThreadsGetDisjointOffsetsWithoutGaps) {
  auto journal = Open();
  constexpr int kThreads = 4;
  constexpr int kAppends = 50;
  std::mutex mutex;
  std::vector<std::pair<int64_t, std::string>> expected;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < kAppends; ++i) {
          const std::string first = fmt::format("{}.{}a", thread, i);
          const std::string second = fmt::format("{}.{}b", thread, i);
          const JournalReceipt receipt = Append(*journal, "plays", {first, second});
          const std::lock_guard lock(mutex);
          expected.emplace_back(receipt.first_offset, first);
          expected.emplace_back(receipt.first_offset + 1, second);
        }
      });
    }
  }
  std::sort(expected.begin(), expected.end());
  const std::vector<std::string> records = All("plays");
  ASSERT_EQ(records.size(), static_cast<size_t>(kThreads * kAppends * 2));
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(expected[i], std::make_pair(static_cast<int64_t>(i), records[i]));
  }
}

TEST_F(JournalTest, RepeatedKeyGivesTheFirstReceiptAndItsNote) {
  {
    auto journal = Open();
    Append(*journal, "plays", {"x"});
    EXPECT_EQ(Append(*journal, "plays", {"a", "b"}, "key", "note").first_offset, 1);
    Append(*journal, "plays", {"y"});
    const JournalReceipt repeat = Append(*journal, "plays", {"a", "b"}, "key", "another note");
    EXPECT_TRUE(repeat.is_repeat);
    EXPECT_EQ(repeat.first_offset, 1);
    EXPECT_EQ(repeat.count, 2);
    EXPECT_EQ(repeat.note, "note");
  }
  auto journal = Open();
  const JournalReceipt repeat = Append(*journal, "plays", {"a", "b"}, "key");
  EXPECT_TRUE(repeat.is_repeat);
  EXPECT_EQ(repeat.first_offset, 1);
  EXPECT_EQ(repeat.note, "note");
  EXPECT_THAT(All("plays"), ElementsAre("x", "a", "b", "y"));
}

TEST_F(JournalTest, KeyForAnotherBodyOrTopicIsAConflictAndWritesNothing) {
  auto journal = Open();
  Append(*journal, "plays", {"ab", "c"}, "key");
  const auto code = [&](std::string topic, std::vector<std::string_view> records) {
    return journal
        ->Append(
            {.topic = std::move(topic), .records = std::move(records), .idempotency_key = "key"})
        .status()
        .code();
  };
  EXPECT_EQ(code("plays", {"ab", "d"}), StatusCode::kConflict);
  EXPECT_EQ(code("plays", {"a", "bc"}), StatusCode::kConflict);
  EXPECT_EQ(code("views", {"ab", "c"}), StatusCode::kConflict);
  EXPECT_EQ(*journal->EndOffset("plays"), 2);
  EXPECT_EQ(*journal->EndOffset("views"), 0);
}

TEST_F(JournalTest, SameKeyAtTheSameTimeIsWrittenOnce) {
  auto journal = Open();
  std::atomic<int> repeats = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        const JournalReceipt receipt = Append(*journal, "plays", {"a"}, "key", "n");
        EXPECT_EQ(receipt.first_offset, 0);
        if (receipt.is_repeat) {
          EXPECT_EQ(receipt.note, "n");
          ++repeats;
        }
      });
    }
  }
  EXPECT_EQ(repeats, 7);
  EXPECT_THAT(All("plays"), ElementsAre("a"));
}

TEST_F(JournalTest, OldestKeysAreForgottenBeyondTheLimit) {
  auto journal = Open({.idempotency_keys_max = 2});
  for (const char* key : {"1", "2", "3"}) Append(*journal, "plays", {"a"}, key);
  EXPECT_TRUE(Append(*journal, "plays", {"a"}, "3").is_repeat);
  EXPECT_TRUE(Append(*journal, "plays", {"a"}, "2").is_repeat);
  EXPECT_FALSE(Append(*journal, "plays", {"a"}, "1").is_repeat);
}

TEST_F(JournalTest, SegmentsAreClosedBySizeAndReadAsOneLog) {
  const JournalOptions options{.segment_bytes = 60'000};
  const std::string large(5'000, 'z');
  std::vector<std::string> expected;
  {
    auto journal = Open(options);
    Append(*journal, "rare", {"r0"});
    for (int i = 0; i < 40; ++i) {
      expected.push_back(std::to_string(i) + large);
      Append(*journal, "plays", {expected.back()}, fmt::format("key{}", i));
    }
    Append(*journal, "rare", {"r1"});
    EXPECT_EQ(All("plays"), expected);
  }
  EXPECT_GE(Segments().size(), 4U);
  auto journal = Open(options);
  EXPECT_EQ(All("plays"), expected);
  EXPECT_EQ(All("plays", 37), std::vector<std::string>(expected.begin() + 37, expected.end()));
  EXPECT_THAT(All("rare"), ElementsAre("r0", "r1"));
  EXPECT_TRUE(Append(*journal, "plays", {expected[0]}, "key0").is_repeat);
  EXPECT_TRUE(Append(*journal, "plays", {expected[39]}, "key39").is_repeat);
}

TEST_F(JournalTest, OldSegmentsAreDroppedWholeAndOffsetsGoOn) {
  {
    auto journal = Open();
    Append(*journal, "plays", {"a", "b"}, "key");
    Append(*journal, "views", {"v"});
    clock_.Advance(2 * kHour);
    Append(*journal, "plays", {"c"});
    clock_.Advance(23 * kHour);
    // The first segment's newest record is 25 hours old, but it was closed only 23 hours ago.
    Append(*journal, "plays", {"d"});
  }
  EXPECT_EQ(Segments().size(), 3U);
  clock_.Advance(2 * kHour);
  Open()->Close();
  EXPECT_THAT(Segments(), ElementsAre("segment-0000000002.db", "segment-0000000003.db"));

  auto journal = Open();
  EXPECT_EQ(*journal->EndOffset("plays"), 4);
  EXPECT_EQ(*journal->EndOffset("views"), 1);
  auto reader = *OpenJournalReader(folder_, "plays");
  const LogPartition partition = reader->Partitions()->at(0);
  EXPECT_EQ(*reader->Bounds(partition), (OffsetRange{2, 4}));
  const Status before = reader->Seek(partition, 1);
  EXPECT_EQ(before.code(), StatusCode::kDataCorrupt);
  EXPECT_THAT(before.message(), HasSubstr("no longer has the position: topic=plays position=1"));
  EXPECT_THAT(All("plays", 2), ElementsAre("c", "d"));
  EXPECT_THAT(All("views", 1), ElementsAre());
  // The key went with its segment.
  EXPECT_FALSE(Append(*journal, "plays", {"a", "b"}, "key").is_repeat);
}

TEST_F(JournalTest, WalIsMovedOnWhileAppendsGoOn) {
  Metrics metrics;
  const JournalOptions options{.checkpoint_bytes = 64 << 10, .metrics = &metrics};
  auto journal = Open(options);
  const std::string record(8'000, 'x');
  const std::string path = SegmentPath(folder_, 1);
  // An append is two pages of WAL. A file that was never begun anew would be as large as all that
  // was appended; the checkpoints have a thread of their own, so how soon they come is the
  // machine's.
  size_t appended = 0;
  const auto moved_on = [&] { return fs::file_size(path + "-wal") < appended * record.size() / 2; };
  while (appended < 100 || (!moved_on() && appended < 20'000)) {
    Append(*journal, "plays", {record});
    ++appended;
  }
  EXPECT_TRUE(moved_on()) << appended;
  EXPECT_GT(fs::file_size(path), appended * record.size() / 8);
  EXPECT_THAT(metrics.Text(), HasSubstr(fmt::format(
                                  "playhead_log_records_total{{topic=\"plays\"}} {}\n", appended)));
  journal->Close();
  EXPECT_FALSE(fs::exists(path + "-wal"));
  EXPECT_EQ(All("plays").size(), appended);
}

TEST_F(JournalTest, FullQueueIsResourceExhausted) {
  auto journal = Open({.queue_bytes_max = 1});
  std::atomic<int> refused = 0;
  std::atomic<int> written = 0;
  const std::string record(100'000, 'x');
  for (int i = 0; i < 200; ++i) {
    journal->AppendAsync({.topic = "plays", .records = {record}},
                         [&](const Result<JournalReceipt>& receipt) {
                           if (receipt.ok()) {
                             ++written;
                           } else {
                             EXPECT_EQ(receipt.status().code(), StatusCode::kResourceExhausted);
                             ++refused;
                           }
                         });
  }
  journal->Close();
  EXPECT_GT(refused, 0);
  EXPECT_EQ(written + refused, 200);
  EXPECT_EQ(static_cast<int>(All("plays").size()), written);
}

TEST_F(JournalTest, LostForeignAndStraySegmentsAreNamed) {
  const auto make = [&] {
    auto journal = Open({.segment_bytes = 1});
    for (const char* record : {"a", "b", "c"}) Append(*journal, "plays", {record});
  };
  make();
  const std::string second = SegmentPath(folder_, 2);
  const std::string kept = (root_ / "kept.db").string();
  fs::rename(second, kept);
  Status status = OpenError();
  EXPECT_EQ(status.code(), StatusCode::kDataCorrupt);
  EXPECT_THAT(status.message(), HasSubstr("journal segment is lost: file=" + second));

  fs::copy_file(SegmentPath(folder_, 1), second);
  status = OpenError();
  EXPECT_EQ(status.code(), StatusCode::kDataCorrupt);
  EXPECT_THAT(status.message(), HasSubstr(second));

  fs::rename(kept, second);
  ASSERT_TRUE(OpenError().ok());
  // Not named by journal.db, but with records in it.
  fs::copy_file(second, SegmentPath(folder_, 99));
  status = OpenError();
  EXPECT_EQ(status.code(), StatusCode::kDataCorrupt);
  EXPECT_THAT(status.message(), HasSubstr(SegmentPath(folder_, 99)));
  fs::remove(SegmentPath(folder_, 99));

  fs::remove(JournalDbPath(folder_));
  status = OpenError();
  EXPECT_EQ(status.code(), StatusCode::kDataCorrupt);
  EXPECT_THAT(status.message(), HasSubstr("journal.db is lost"));
}

TEST_F(JournalTest, DamagedSegmentIsNamed) {
  {
    auto journal = Open();
    Append(*journal, "plays", {"a"});
  }
  std::ofstream(SegmentPath(folder_, 1), std::ios::trunc) << std::string(20'000, 'x');
  const Status status = OpenError();
  EXPECT_EQ(status.code(), StatusCode::kDataCorrupt);
  EXPECT_THAT(status.message(), HasSubstr(SegmentPath(folder_, 1)));
}

TEST_F(JournalTest, ReaderWaitsForTheJournalToAppear) {
  auto reader = *OpenJournalReader(folder_, "plays");
  EXPECT_THAT(*reader->Partitions(), testing::IsEmpty());
  auto journal = Open();
  ASSERT_EQ(reader->Partitions()->size(), 1U);
  const LogPartition partition = reader->Partitions()->at(0);
  EXPECT_EQ(partition.log_id, journal->log_id());
  EXPECT_EQ(*reader->Bounds(partition), (OffsetRange{0, 0}));
  ASSERT_TRUE(reader->Seek(partition, 0).ok());
  EXPECT_EQ(*reader->Read(0, 100), nullptr);
  std::jthread writer([&] { Append(*journal, "plays", {"a"}); });
  const LogBatch* batch = *reader->Read(10'000, 100);
  ASSERT_NE(batch, nullptr);
  EXPECT_EQ(batch->records.at(0).bytes, "a");
}

TEST_F(JournalTest, ReaderFollowsTheWriterThroughSegments) {
  constexpr int kRecords = 300;
  auto journal = Open({.segment_bytes = 100'000, .checkpoint_bytes = 50'000});
  Append(*journal, "plays", {"0"});
  auto reader = ReaderAt("plays", 0);
  std::jthread writer([&] {
    const std::string filler(4'000, 'f');
    for (int i = 1; i < kRecords; ++i) {
      const std::string record = std::to_string(i);
      Append(*journal, "plays", {record});
      Append(*journal, "other", {filler});
    }
  });
  int next = 0;
  while (next < kRecords) {
    const auto batch = reader->Read(10'000, 1'000);
    ASSERT_TRUE(batch.ok()) << batch.status().ToString();
    ASSERT_NE(*batch, nullptr);
    for (const LogRecord& record : (*batch)->records) {
      ASSERT_EQ(record.offset, next);
      ASSERT_EQ(record.bytes, std::to_string(next++));
    }
  }
}

TEST_F(JournalTest, ReaderGivesAtLeastOneRecordAndStopsAtItsBytes) {
  auto journal = Open();
  Append(*journal, "plays", {"aaaa", "bbbb", "cccc", "dddd"});
  Append(*journal, "plays", {"eeee"});
  auto reader = ReaderAt("plays", 1);
  EXPECT_EQ((*reader->Read(0, 0))->records.size(), 1U);
  const LogBatch* two = *reader->Read(0, 7);
  ASSERT_EQ(two->records.size(), 2U);
  EXPECT_EQ(two->begin, 2);
  EXPECT_EQ(two->next_offset, 4);
  EXPECT_EQ((*reader->Read(0, 100))->records.at(0).bytes, "eeee");
  EXPECT_THAT(ReadAll(*ReaderAt("plays", 0), 0),
              ElementsAre("aaaa", "bbbb", "cccc", "dddd", "eeee"));
}

TEST_F(JournalTest, ReaderRefusesPositionsAndLogsThatAreNotThere) {
  auto journal = Open();
  Append(*journal, "plays", {"a"});
  auto reader = *OpenJournalReader(folder_, "plays");
  LogPartition partition = reader->Partitions()->at(0);
  const Status beyond = reader->Seek(partition, 2);
  EXPECT_EQ(beyond.code(), StatusCode::kDataCorrupt);
  EXPECT_THAT(beyond.message(), HasSubstr("beyond the journal's end: topic=plays position=2"));
  EXPECT_TRUE(reader->Seek(partition, 1).ok());
  partition.log_id = "another";
  EXPECT_EQ(reader->Seek(partition, 0).code(), StatusCode::kNotFound);
  EXPECT_EQ(reader->Bounds(partition).status().code(), StatusCode::kNotFound);
}

TEST_F(JournalTest, ReaderSeesThatTheJournalWasMadeAnew) {
  auto journal = Open();
  Append(*journal, "plays", {"a"});
  auto reader = ReaderAt("plays", 0);
  EXPECT_THAT(ReadAll(*reader), ElementsAre("a"));
  journal.reset();
  fs::remove_all(folder_);
  journal = Open();
  Append(*journal, "plays", {"b", "c"});
  EXPECT_EQ(reader->Read(0, 100).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(reader->Partitions()->at(0).log_id, journal->log_id());
}

}  // namespace
}  // namespace playhead::log
