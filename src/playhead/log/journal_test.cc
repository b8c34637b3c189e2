#include "playhead/log/journal.h"

#include "playhead/base/faulty_vfs.h"
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
#include <map>
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
  int64_t TicksMicros() const override { return ticks_us_; }
  void Advance(int64_t us) {
    now_us_ += us;
    ticks_us_ += us;
  }
  /// Somebody sets the machine's clock; no time passes.
  void Jump(int64_t us) { now_us_ += us; }

 private:
  std::atomic<int64_t> now_us_ = 1'700'000'000'000'000;
  std::atomic<int64_t> ticks_us_ = 5'000'000;
};

class JournalTest : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(root_); }

  std::unique_ptr<Journal> Open(JournalOptions options = {}) {
    auto journal = Journal::Open(folder_, clock_, std::move(options));
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

  /// What a reader that accepts every gap gets: records by offset, and the gaps.
  struct Readable {
    std::map<int64_t, std::string> records;
    std::vector<OffsetRange> gaps;
    std::vector<std::string> damage;
  };
  Readable ReadAround(const std::string& topic, int64_t from = 0) {
    Readable readable;
    auto reader = ReaderAt(topic, from);
    const LogPartition partition = reader->Partitions()->at(0);
    while (true) {
      const auto batch = reader->Read(0, 1 << 20);
      EXPECT_TRUE(batch.ok()) << batch.status().ToString();
      if (!batch.ok() || *batch == nullptr) return readable;
      EXPECT_EQ((*batch)->begin, from);
      EXPECT_GT((*batch)->next_offset, from);
      from = (*batch)->next_offset;
      for (const LogRecord& record : (*batch)->records) {
        readable.records.emplace(record.offset, record.bytes);
      }
      if ((*batch)->damage.empty()) continue;
      EXPECT_TRUE((*batch)->records.empty());
      readable.gaps.push_back({(*batch)->begin, from});
      readable.damage.push_back((*batch)->damage);
      EXPECT_EQ(*reader->Read(0, 100), nullptr) << "not before it is sought again";
      const Status sought = reader->Seek(partition, from);
      EXPECT_TRUE(sought.ok()) << sought.ToString();
    }
  }

  static CommittedOffsets Committed(TopicOffsets offsets) {
    return [offsets = std::move(offsets)](const std::string&) { return offsets; };
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
    log_id = journal->id() + "/plays";
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
  EXPECT_EQ(journal->id() + "/plays", log_id);
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
  Open({.committed = Committed({{"plays", 2}, {"views", 1}})})->Close();
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

TEST_F(JournalTest, WhatAStreamHasNotCommittedStays) {
  const auto append_hourly = [&](Journal& journal, int hours) {
    for (int hour = 0; hour < hours; ++hour) {
      Append(journal, "plays", {"p"});
      Append(journal, "views", {"v"});
      clock_.Advance(kHour + 1);
    }
  };
  {
    auto journal = Open();
    append_hourly(*journal, 28);
  }
  ASSERT_EQ(Segments().size(), 28U);
  clock_.Advance(100 * kHour);
  const auto kept = [&](CommittedOffsets committed) {
    Open({.committed = std::move(committed)})->Close();
    return Segments().size();
  };
  // Nobody says what is committed; nobody can say it; nothing is; one of two streams is behind.
  EXPECT_EQ(kept(nullptr), 28U);
  EXPECT_EQ(kept([](const std::string&) -> Result<TopicOffsets> {
              return Status(StatusCode::kUnavailable, "the catalog is locked");
            }),
            28U);
  EXPECT_EQ(kept(Committed({{"plays", 0}, {"views", 0}})), 28U);
  EXPECT_EQ(kept(Committed({{"plays", 28}, {"views", 0}})), 28U);
  EXPECT_EQ(All("plays").size(), 28U);
  EXPECT_EQ(kept(Committed({{"plays", 28}, {"views", 5}})), 23U);
  EXPECT_EQ(All("views", 5).size(), 23U);
  // No stream reads the views any more.
  EXPECT_EQ(kept(Committed({{"plays", 28}})), 1U);
}

TEST_F(JournalTest, AClockThatJumpsDropsNothingThatIsNotCommittedAndClosesNoSegment) {
  const CommittedOffsets committed = Committed({{"plays", 1}});
  {
    auto journal = Open({.committed = committed});
    Append(*journal, "plays", {"a"});
    clock_.Advance(kHour + 1);
    Append(*journal, "plays", {"b"});
    clock_.Advance(kHour + 1);
    Append(*journal, "plays", {"c"});
    clock_.Jump(1000 * kHour);
    Append(*journal, "plays", {"d"});
  }
  Open({.committed = committed})->Close();
  EXPECT_THAT(Segments(), ElementsAre("segment-0000000002.db", "segment-0000000003.db"));
  EXPECT_THAT(All("plays", 1), ElementsAre("b", "c", "d"));

  auto journal = Open({.committed = committed});
  clock_.Jump(-2000 * kHour);
  clock_.Advance(kHour + 1);
  Append(*journal, "plays", {"e"});
  EXPECT_THAT(Segments(), testing::SizeIs(3)) << "an hour passed, whatever the clock says";
}

TEST_F(JournalTest, LostAndForeignSegmentsAreGapsWithANameAndAppendsGoOn) {
  {
    auto journal = Open({.segment_bytes = 1});
    for (const char* record : {"a", "b", "c"}) Append(*journal, "plays", {record});
  }
  // The first one closed without a record.
  const std::string second = SegmentPath(folder_, 3);
  const auto expect_a_gap = [&](std::string_view why) {
    Metrics metrics;
    {
      auto journal = Open({.metrics = &metrics});
      ASSERT_NE(journal, nullptr);
      EXPECT_EQ(*journal->EndOffset("plays"), 3);
      EXPECT_THAT(metrics.Text(), HasSubstr("playhead_log_damaged_segments 1\n"));
    }
    const Readable readable = ReadAround("plays");
    EXPECT_THAT(readable.records, ElementsAre(testing::Pair(0, "a"), testing::Pair(2, "c")));
    EXPECT_THAT(readable.gaps, ElementsAre(OffsetRange{1, 2}));
    EXPECT_THAT(readable.damage.at(0), testing::AllOf(HasSubstr(why), HasSubstr(second)));
    // Also when reading begins in it.
    EXPECT_THAT(ReadAround("plays", 1).gaps, ElementsAre(OffsetRange{1, 2}));
  };
  const std::string kept = (root_ / "kept.db").string();
  fs::rename(second, kept);
  expect_a_gap("journal segment is lost");
  fs::copy_file(SegmentPath(folder_, 1), second);
  expect_a_gap("under another's name");
  std::ofstream(second, std::ios::trunc) << std::string(20'000, 'x');
  expect_a_gap("not a database");
  fs::remove(second);
  fs::rename(kept, second);
  EXPECT_THAT(All("plays"), ElementsAre("a", "b", "c"));
}

TEST_F(JournalTest, LostAndOldJournalDbAreRefused) {
  {
    auto journal = Open({.segment_bytes = 1});
    for (const char* record : {"a", "b"}) Append(*journal, "plays", {record});
  }
  // Not named by journal.db, but with records in it.
  fs::copy_file(SegmentPath(folder_, 3), SegmentPath(folder_, 99));
  Status status = OpenError();
  EXPECT_EQ(status.code(), StatusCode::kDataCorrupt);
  EXPECT_THAT(status.message(), HasSubstr(SegmentPath(folder_, 99)));
  fs::remove(SegmentPath(folder_, 99));

  fs::remove(JournalDbPath(folder_));
  status = OpenError();
  EXPECT_EQ(status.code(), StatusCode::kDataCorrupt);
  EXPECT_THAT(status.message(), HasSubstr("journal.db is lost"));
}

TEST_F(JournalTest, TheEndNeverGoesBackWhenTheNewestSegmentIsDamaged) {
  const std::string path = SegmentPath(folder_, 1);
  const auto fill = [&] {
    auto journal = Open();
    Append(*journal, "plays", {"a", "b"});
    Append(*journal, "plays", {"c"});
    // As a kill leaves it: the records are in the WAL alone.
    for (const char* suffix : {"", "-wal"}) fs::copy_file(path + suffix, path + suffix + ".kept");
    journal->Close();
    for (const char* suffix : {"", "-wal"}) {
      fs::remove(path + suffix);
      fs::rename(path + suffix + ".kept", path + suffix);
    }
  };
  const auto damage_all = [&] {
    fs::remove(path + "-wal");
    std::ofstream(path, std::ios::trunc) << std::string(20'000, 'x');
  };
  const auto lose_wal = [&] { fs::resize_file(path + "-wal", fs::file_size(path + "-wal") / 4); };
  for (const auto& damage : std::vector<std::function<void()>>{damage_all, lose_wal}) {
    fs::remove_all(folder_);
    fill();
    damage();
    // Also before a writer has looked at it.
    EXPECT_EQ(ReadAround("plays").gaps.back().end, 3);
    auto journal = Open();
    ASSERT_NE(journal, nullptr);
    EXPECT_EQ(*journal->EndOffset("plays"), 3);
    EXPECT_EQ(Append(*journal, "plays", {"d"}).first_offset, 3);
    const Readable readable = ReadAround("plays");
    EXPECT_EQ(readable.records.at(3), "d");
    EXPECT_EQ(readable.gaps.back().end, 3);
    EXPECT_EQ(static_cast<int64_t>(readable.records.size()) + readable.gaps.back().end -
                  readable.gaps.back().begin,
              4);
  }
}

TEST_F(JournalTest, BytesOverwrittenAnywhereAreGapsAndNeverRecords) {
  constexpr int64_t kBytes = 8192;
  std::map<int64_t, std::string> written;
  {
    auto journal = Open({.segment_bytes = 500'000});
    for (int i = 0; written.size() < 3'000; ++i) {
      std::vector<std::string> records;
      for (int k = 0; k <= i % 7; ++k) {
        records.push_back(fmt::format(R"({{"id":"{}.{}","text":"{}"}})", i, k,
                                      std::string(static_cast<size_t>(i * 37 % 900), 't')));
      }
      const JournalReceipt receipt =
          Append(*journal, "plays", {records.begin(), records.end()}, fmt::format("key{}", i));
      for (size_t k = 0; k < records.size(); ++k) {
        written[receipt.first_offset + static_cast<int64_t>(k)] = records[k];
      }
      Append(*journal, "views", {"v"});
    }
  }
  ASSERT_GE(Segments().size(), 3U);
  const auto total = static_cast<int64_t>(written.size());
  const fs::path sound = root_ / "sound";
  fs::copy(folder_, sound);
  uint64_t random = 12345;
  const auto next_random = [&] {
    return random = random * 6364136223846793005ULL + 1442695040888963407ULL;
  };
  int64_t places = 0;
  int64_t lost = 0;
  for (const std::string& name : Segments()) {
    const auto size = static_cast<int64_t>(fs::file_size(sound / name));
    for (int64_t at = 0; at < size; at += 5 * kBytes - 1'000) {
      SCOPED_TRACE(fmt::format("{} at {}", name, at));
      fs::copy_file(sound / name, fs::path(folder_) / name, fs::copy_options::overwrite_existing);
      std::string noise(static_cast<size_t>(std::min(kBytes, size - at)), ' ');
      for (char& c : noise) c = static_cast<char>(next_random() >> 56);
      {
        std::fstream file(fs::path(folder_) / name,
                          std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(at);
        file << noise;
      }
      ++places;
      {
        auto journal = Open({.segment_bytes = 500'000});
        ASSERT_NE(journal, nullptr);
        ASSERT_EQ(*journal->EndOffset("plays"), total);
      }
      const Readable readable = ReadAround("plays");
      int64_t missing = 0;
      for (const OffsetRange& gap : readable.gaps) missing += gap.end - gap.begin;
      EXPECT_EQ(static_cast<int64_t>(readable.records.size()) + missing, total);
      for (const auto& [offset, bytes] : readable.records) ASSERT_EQ(bytes, written.at(offset));
      lost += missing;
    }
    // A writer may have begun a segment behind a damaged one.
    fs::remove_all(folder_);
    fs::copy(sound, folder_);
  }
  EXPECT_GT(places, 30);
  // 8 KiB of records are about twenty; only a schema page takes a whole segment with it.
  EXPECT_LT(lost, places * total / 20);
}

TEST_F(JournalTest, SegmentsOfFormatOneAreReadAndNotWritten) {
  {
    Append(*Open(), "plays", {"a", "b"}, "key");
  }
  {
    sqlite::Database db = *sqlite::Database::Open(SegmentPath(folder_, 1));
    ASSERT_TRUE(db.Execute("alter table entry_1 drop column checksum;"
                           "update segment set format = 1")
                    .ok());
    ASSERT_TRUE(
        sqlite::Database::Open(JournalDbPath(folder_))->Execute("drop table topic_bounds").ok());
  }
  EXPECT_THAT(All("plays"), ElementsAre("a", "b"));
  auto journal = Open();
  EXPECT_EQ(Append(*journal, "plays", {"c"}).first_offset, 2);
  EXPECT_TRUE(Append(*journal, "plays", {"a", "b"}, "key").is_repeat);
  EXPECT_THAT(Segments(), testing::SizeIs(2));
  EXPECT_THAT(All("plays"), ElementsAre("a", "b", "c"));
}

class JournalCommitTest : public JournalTest {
 protected:
  /// The folder as a kill leaves it: all files of one moment, though the journal's own threads go
  /// on.
  std::string CopyOfFolder() {
    while (true) {
      const fs::path copy = root_ / NewUuid() / "journal";
      fs::create_directories(copy);
      const auto before = FilesOfFolder();
      bool is_whole = true;
      for (const auto& [name, state] : before) {
        std::error_code error;
        fs::copy_file(fs::path(folder_) / name, copy / name, error);
        is_whole = is_whole && !error;
      }
      if (is_whole && FilesOfFolder() == before) return copy.string();
    }
  }
  /// Size and time of every file but the lock and the shared memory, which is made anew from WALs.
  std::map<std::string, std::pair<uintmax_t, fs::file_time_type>> FilesOfFolder() {
    std::map<std::string, std::pair<uintmax_t, fs::file_time_type>> files;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with("-shm") || name == "journal.lock") continue;
      std::error_code error;
      const auto size = entry.file_size(error);
      const auto time = entry.last_write_time(error);
      if (!error) files[name] = {size, time};
    }
    return files;
  }
  static void WaitUntilHealthy(const Journal& journal) {
    while (!journal.Health().ok()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  sqlite::FaultyVfs vfs_;
};

TEST_F(JournalCommitTest, AFailedSyncOfAnAppendIsAnUnknownOutcome) {
  auto journal = Open();
  Append(*journal, "plays", {"a"}, "key-a");
  vfs_.Set({.path_suffix = "segment-0000000001.db-wal", .calls = 1'000});
  const auto failed =
      journal->Append({.topic = "plays", .records = {"b"}, .idempotency_key = "key-b"});
  EXPECT_EQ(failed.status().code(), StatusCode::kUnavailable);
  ASSERT_GE(vfs_.failures(), 1);
  {
    // Killed here, it had been written; its key says so.
    auto again = *Journal::Open(CopyOfFolder(), clock_);
    EXPECT_EQ(*again->EndOffset("plays"), 2);
    EXPECT_TRUE(
        again->Append({.topic = "plays", .records = {"b"}, .idempotency_key = "key-b"})->is_repeat);
  }
  vfs_.Clear();
  WaitUntilHealthy(*journal);
  // Not killed: what became of it is settled before the next record gets an offset, and stays so.
  const JournalReceipt other = Append(*journal, "plays", {"c"}, "key-c");
  const JournalReceipt repeat = Append(*journal, "plays", {"b"}, "key-b");
  EXPECT_NE(other.first_offset, repeat.first_offset);
  const std::vector<std::string> records = All("plays");
  EXPECT_THAT(records, testing::UnorderedElementsAre("a", "b", "c"));
  auto killed = *Journal::Open(CopyOfFolder(), clock_);
  EXPECT_EQ(*killed->EndOffset("plays"), 3);
}

TEST_F(JournalCommitTest, EveryCallThatFailsLosesAndDoublesNothing) {
  using sqlite::VfsCall;
  for (const char* suffix : {"-wal", "journal.db-wal"}) {
    for (const VfsCall call : {VfsCall::kSync, VfsCall::kWrite}) {
      for (int64_t at = 1; at < 40; at += 5) {
        SCOPED_TRACE(fmt::format("{} call {} at {}", suffix, static_cast<int>(call), at));
        fs::remove_all(root_);
        auto journal = Open({.segment_bytes = 60'000});
        vfs_.Set({.path_suffix = suffix, .call = call, .at_call = at});
        std::map<std::string, int64_t> acknowledged;
        for (int i = 0; i < 30; ++i) {
          const std::string record = fmt::format("{}{}", i, std::string(6'000, 'r'));
          for (bool is_done = false; !is_done;) {
            const auto receipt = journal->Append({.topic = "plays",
                                                  .records = {record},
                                                  .idempotency_key = fmt::format("key{}", i)});
            is_done = receipt.ok();
            if (is_done) acknowledged[record] = receipt->first_offset;
            if (!is_done) {
              ASSERT_EQ(receipt.status().code(), StatusCode::kUnavailable);
            }
          }
          if (i % 7 == 3) {
            const std::string copy = CopyOfFolder();
            auto killed = Journal::Open(copy, clock_);
            ASSERT_TRUE(killed.ok()) << killed.status().ToString();
            ASSERT_GE(*(*killed)->EndOffset("plays"), static_cast<int64_t>(acknowledged.size()));
            auto reader = *OpenJournalReader(copy, "plays");
            ASSERT_TRUE(reader->Seek(reader->Partitions()->at(0), 0).ok());
            const std::vector<std::string> records = ReadAll(*reader);
            for (const auto& [bytes, offset] : acknowledged) {
              ASSERT_EQ(records.at(static_cast<size_t>(offset)), bytes);
            }
          }
        }
        vfs_.Clear();
        EXPECT_EQ(All("plays").size(), 30U);
      }
    }
  }
}

TEST_F(JournalCommitTest, ASegmentThatMayHaveBegunTakesAllThatFollows) {
  auto journal = Open({.segment_bytes = 1});
  Append(*journal, "plays", {"a"});
  vfs_.Set({.path_suffix = "journal.db-wal", .calls = 1'000});
  // The roll's COMMIT fails: whether journal.db names the second segment is not known, so nothing
  // more may be added to the first.
  EXPECT_EQ(journal->Append({.topic = "plays", .records = {"b"}}).status().code(),
            StatusCode::kUnavailable);
  ASSERT_GE(vfs_.failures(), 1);
  const std::string copy = CopyOfFolder();
  vfs_.Clear();
  WaitUntilHealthy(*journal);
  EXPECT_EQ(Append(*journal, "plays", {"c"}).first_offset, 1);
  {
    auto killed = *Journal::Open(copy, clock_);
    EXPECT_EQ(*killed->EndOffset("plays"), 1);
    EXPECT_EQ(killed->Append({.topic = "plays", .records = {"d"}})->first_offset, 1);
  }
  EXPECT_THAT(All("plays"), ElementsAre("a", "c"));
  auto killed = *Journal::Open(CopyOfFolder(), clock_);
  EXPECT_EQ(*killed->EndOffset("plays"), 2);
}

TEST_F(JournalTest, ReaderWaitsForTheJournalToAppear) {
  auto reader = *OpenJournalReader(folder_, "plays");
  EXPECT_THAT(*reader->Partitions(), testing::IsEmpty());
  auto journal = Open();
  ASSERT_EQ(reader->Partitions()->size(), 1U);
  const LogPartition partition = reader->Partitions()->at(0);
  EXPECT_EQ(partition.log_id, journal->id() + "/plays");
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
  EXPECT_EQ(reader->Partitions()->at(0).log_id, journal->id() + "/plays");
}

}  // namespace
}  // namespace playhead::log
