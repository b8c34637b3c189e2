#include "playhead/log/kafka_journal.h"

#include "playhead/log/kafka_reader.h"
#include "playhead/log/kafka_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace playhead::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class KafkaJournalTest : public testing::Test {
 protected:
  void Open(std::map<std::string, std::string> properties = {}) {
    properties.emplace("bootstrap.servers", broker_.servers());
    journal_ = *OpenKafkaJournal(properties);
  }

  Result<JournalReceipt> Append(std::vector<std::string_view> records, std::string key = {}) {
    return journal_->Append({.topic = MockBroker::kTopic,
                             .records = std::move(records),
                             .idempotency_key = std::move(key),
                             .note = "note"});
  }

  /// What a reader finds, by partition.
  std::map<int32_t, std::vector<std::string>> Stored(size_t count) {
    const auto reader =
        *OpenKafkaReader({{"bootstrap.servers", broker_.servers()}}, MockBroker::kTopic);
    const std::vector<LogPartition> partitions = *reader->Partitions();
    for (const LogPartition& partition : partitions) {
      EXPECT_TRUE(reader->Seek(partition, 0).ok());
    }
    std::map<int32_t, std::vector<std::string>> stored;
    size_t have = 0;
    for (int tries = 0; have < count && tries < 100; ++tries) {
      const Result<const LogBatch*> batch = reader->Read(100, int64_t{1} << 40);
      if (!batch.ok() || *batch == nullptr) continue;
      for (const LogRecord& record : (*batch)->records) {
        stored[(*batch)->from.partition].emplace_back(record.bytes);
        ++have;
      }
    }
    return stored;
  }

  MockBroker broker_;
  std::unique_ptr<Journal> journal_;
};

TEST_F(KafkaJournalTest, AcknowledgesWhatIsStored) {
  Open();
  const JournalReceipt first = *Append({"a", "", "c"});
  const JournalReceipt second = *Append({"d"});
  EXPECT_EQ(first.count, 3);
  EXPECT_EQ(first.first_offset, 0);
  EXPECT_EQ(first.note, "note");
  EXPECT_THAT(first.log_id, HasSubstr("/"));
  // Appends take turns over the partitions; the records of one stay together.
  EXPECT_NE(first.partition, second.partition);
  auto stored = Stored(4);
  EXPECT_THAT(stored[first.partition], ElementsAre("a", "", "c"));
  EXPECT_THAT(stored[second.partition], ElementsAre("d"));
  EXPECT_TRUE(journal_->Health().ok());
}

TEST_F(KafkaJournalTest, HeadersTravelWithEveryRecord) {
  Open();
  const std::string headers = R"({"user-agent":"player/4","x-request-id":"r1"})";
  const JournalReceipt receipt = *journal_->Append(
      {.topic = MockBroker::kTopic, .records = {"a", ""}, .headers_json = headers});
  const auto reader =
      *OpenKafkaReader({{"bootstrap.servers", broker_.servers()}}, MockBroker::kTopic);
  const std::vector<LogPartition> partitions = *reader->Partitions();
  for (const LogPartition& partition : partitions) {
    if (partition.partition != receipt.partition) continue;
    ASSERT_TRUE(reader->Seek(partition, receipt.first_offset).ok());
  }
  std::vector<std::string> found;
  for (int tries = 0; found.size() < 2 && tries < 100; ++tries) {
    const Result<const LogBatch*> batch = reader->Read(100, int64_t{1} << 40);
    if (!batch.ok() || *batch == nullptr) continue;
    for (const LogRecord& record : (*batch)->records) found.emplace_back(record.headers_json);
  }
  EXPECT_THAT(found, ElementsAre(headers, headers));
}

TEST_F(KafkaJournalTest, AnswersEveryAppendWhenClosed) {
  Open();
  std::vector<std::promise<Result<JournalReceipt>>> promises(50);
  std::vector<std::future<Result<JournalReceipt>>> receipts;
  for (auto& promise : promises) {
    receipts.push_back(promise.get_future());
    journal_->AppendAsync(
        {.topic = MockBroker::kTopic, .records = {"x", "y"}},
        [&promise](Result<JournalReceipt> receipt) { promise.set_value(std::move(receipt)); });
  }
  journal_->Close();
  size_t stored = 0;
  for (auto& receipt : receipts) stored += receipt.get().ok() ? 2 : 0;
  auto found = Stored(stored);
  EXPECT_EQ(found[0].size() + found[1].size(), stored);
  EXPECT_EQ(Append({"z"}).status().code(), StatusCode::kCancelled);
}

TEST_F(KafkaJournalTest, RemembersAnIdempotencyKey) {
  Open();
  const JournalReceipt first = *Append({"a"}, "key");
  const JournalReceipt again = *Append({"a"}, "key");
  EXPECT_TRUE(again.is_repeat);
  EXPECT_EQ(again.partition, first.partition);
  EXPECT_EQ(again.first_offset, first.first_offset);
  EXPECT_EQ(again.note, "note");
  EXPECT_EQ(Append({"b"}, "key").status().code(), StatusCode::kConflict);
  auto stored = Stored(1);
  EXPECT_EQ(stored[0].size() + stored[1].size(), 1U);
}

TEST_F(KafkaJournalTest, RefusesAnEmptyAppend) {
  Open();
  EXPECT_EQ(Append({}).status().code(), StatusCode::kInvalidArgument);
}

TEST(KafkaJournalAway, IsUnavailable) {
  const auto journal = *OpenKafkaJournal({{"bootstrap.servers", "127.0.0.1:1"}});
  const Status status = journal->Append({.topic = "plays", .records = {"a"}}).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("127.0.0.1:1"));
  EXPECT_EQ(journal->Health().code(), StatusCode::kUnavailable);
}

TEST(KafkaJournalProperties, RefusesThoseOfExactlyOnce) {
  for (const char* name : {"acks", "enable.idempotence", "transactional.id"}) {
    const Status status =
        OpenKafkaJournal({{"bootstrap.servers", "127.0.0.1:1"}, {name, "0"}}).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr(name));
  }
}

}  // namespace
}  // namespace playhead::log
