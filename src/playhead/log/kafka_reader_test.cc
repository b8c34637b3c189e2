#include "playhead/log/kafka_reader.h"

#include "playhead/log/kafka_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace playhead::log {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

const std::string kTopic = MockBroker::kTopic;
constexpr int64_t kAllBytes = int64_t{1} << 40;

class KafkaReaderTest : public testing::Test {
 protected:
  void Produce(int32_t partition, const std::string& value) { broker_.Produce(partition, value); }

  void Open() { reader_ = *OpenKafkaReader({{"bootstrap.servers", broker_.servers()}}, kTopic); }

  /// Opens the topic and seeks each partition to its beginning.
  std::vector<LogPartition> OpenAtStart() {
    Open();
    std::vector<LogPartition> partitions = *reader_->Partitions();
    for (const LogPartition& partition : partitions) {
      EXPECT_TRUE(reader_->Seek(partition, 0).ok());
    }
    return partitions;
  }

  /// Reads until `count` records came; their values by partition.
  std::map<int32_t, std::vector<std::string>> Read(size_t count, int64_t bytes_max = kAllBytes) {
    std::map<int32_t, std::vector<std::string>> values;
    size_t have = 0;
    for (int tries = 0; have < count && tries < 200; ++tries) {
      const Result<const LogBatch*> batch = reader_->Read(100, bytes_max);
      if (!batch.ok()) {
        ADD_FAILURE() << batch.error().ToString();
        break;
      }
      if (*batch == nullptr) continue;
      largest_batch_ = std::max(largest_batch_, (*batch)->records.size());
      for (const LogRecord& record : (*batch)->records) {
        values[(*batch)->from.partition].emplace_back(record.bytes);
        ++have;
      }
    }
    return values;
  }

  /// The error that reading ends with.
  Status ReadToError() {
    for (int tries = 0; tries < 100; ++tries) {
      const Result<const LogBatch*> batch = reader_->Read(100, kAllBytes);
      if (!batch.ok()) return batch.error();
    }
    return {};
  }

  MockBroker broker_;
  std::unique_ptr<LogReader> reader_;
  size_t largest_batch_ = 0;
};

TEST_F(KafkaReaderTest, ReadsEveryPartitionInOrder) {
  Produce(0, "a");
  Produce(1, "b");
  Produce(0, "c");
  const std::vector<LogPartition> partitions = OpenAtStart();
  ASSERT_THAT(partitions, SizeIs(2));
  EXPECT_EQ(partitions[0].log_id, partitions[1].log_id);
  EXPECT_THAT(partitions[0].log_id, HasSubstr("/"));
  EXPECT_EQ(*reader_->Bounds(partitions[0]), (OffsetRange{.begin = 0, .end = 2}));
  auto values = Read(3);
  EXPECT_THAT(values[0], ElementsAre("a", "c"));
  EXPECT_THAT(values[1], ElementsAre("b"));
  Produce(1, "d");
  EXPECT_THAT(Read(1)[1], ElementsAre("d"));
}

TEST_F(KafkaReaderTest, GoesOnWhereItWasSought) {
  for (const char* value : {"a", "b", "c"}) Produce(0, value);
  const std::vector<LogPartition> partitions = OpenAtStart();
  EXPECT_THAT(Read(3)[0], ElementsAre("a", "b", "c"));
  ASSERT_TRUE(reader_->Seek(partitions[0], 1).ok());
  EXPECT_THAT(Read(2)[0], ElementsAre("b", "c"));
}

TEST_F(KafkaReaderTest, BatchesKeepTheirLimit) {
  for (int i = 0; i < 6; ++i) Produce(0, std::string(10, 'x'));
  OpenAtStart();
  // The first record counts nothing, so 25 bytes have room for two more; how the broker's answers
  // arrive may make batches smaller, never larger.
  EXPECT_THAT(Read(6, 25)[0], SizeIs(6));
  EXPECT_LE(largest_batch_, 3U);
}

TEST_F(KafkaReaderTest, RefusesPositionsOutsideTheTopic) {
  for (const char* value : {"a", "b", "c"}) Produce(0, value);
  rd_kafka_mock_partition_delete_records(broker_.cluster(), MockBroker::kTopic, 0, 1);
  Open();
  const LogPartition partition = (*reader_->Partitions())[0];
  const Status beyond = reader_->Seek(partition, 4);
  EXPECT_EQ(beyond.code(), StatusCode::kDataCorrupt);
  EXPECT_THAT(beyond.message(),
              AllOf(HasSubstr(kTopic), HasSubstr("partition=0"), HasSubstr("position=4")));
  EXPECT_TRUE(reader_->Seek(partition, 3).ok());
}

TEST_F(KafkaReaderTest, RefusesAnotherLog) {
  Open();
  LogPartition partition = (*reader_->Partitions())[0];
  partition.log_id = "elsewhere";
  EXPECT_EQ(reader_->Seek(partition, 0).code(), StatusCode::kNotFound);
  EXPECT_EQ(reader_->Bounds(partition).status().code(), StatusCode::kNotFound);
}

TEST_F(KafkaReaderTest, NamesATopicThatIsNotThere) {
  reader_ = *OpenKafkaReader({{"bootstrap.servers", broker_.servers()}}, "pauses");
  // The double makes topics that are asked for, unless told otherwise.
  rd_kafka_mock_topic_set_error(broker_.cluster(), "pauses",
                                RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  const Status status = reader_->Partitions().status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("pauses"));
  const Result<const LogBatch*> batch = reader_->Read(1, kAllBytes);
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(*batch, nullptr);
}

// librdkafka goes on in the new topic at the old offset and says nothing.
TEST_F(KafkaReaderTest, TakesNothingFromATopicMadeAnew) {
  Produce(0, "old");
  const LogPartition known = OpenAtStart()[0];
  EXPECT_THAT(Read(1)[0], ElementsAre("old"));
  broker_.DeleteTopic();
  broker_.MakeTopic();
  for (const char* value : {"new", "new", "new"}) Produce(0, value);
  const Status status = ReadToError();
  EXPECT_EQ(status.code(), StatusCode::kConflict) << status.ToString();
  EXPECT_THAT(status.message(), HasSubstr(kTopic));
  const LogPartition found = (*reader_->Partitions())[0];
  EXPECT_NE(found.log_id, known.log_id);
  EXPECT_EQ(reader_->Seek(known, 1).code(), StatusCode::kNotFound);
  ASSERT_TRUE(reader_->Seek(found, 0).ok());
  EXPECT_THAT(Read(3)[0], ElementsAre("new", "new", "new"));
}

TEST(KafkaProperties, RefusesThoseOfExactlyOnce) {
  for (const char* name : {"isolation.level", "group.id", "auto.offset.reset"}) {
    const Status status =
        OpenKafkaReader({{"bootstrap.servers", "127.0.0.1:1"}, {name, "earliest"}}, kTopic)
            .status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), AllOf(HasSubstr(name), HasSubstr("playhead")));
  }
}

TEST(KafkaProperties, NamesTheWrongOne) {
  EXPECT_THAT(OpenKafkaReader({}, kTopic).status().message(), HasSubstr("bootstrap.servers"));
  EXPECT_THAT(OpenKafkaReader({{"bootstrap.servers", "x:1"}, {"no.such.thing", "1"}}, kTopic)
                  .status()
                  .message(),
              HasSubstr("no.such.thing"));
  EXPECT_THAT(OpenKafkaReader({{"bootstrap.servers", "x:1"}, {"security.protocol", "x"}}, kTopic)
                  .status()
                  .message(),
              HasSubstr("security.protocol"));
}

TEST(KafkaProperties, TakesTlsAndSaslAsTheyAre) {
  EXPECT_TRUE(OpenKafkaReader({{"bootstrap.servers", "127.0.0.1:1"},
                               {"security.protocol", "SASL_SSL"},
                               {"sasl.mechanisms", "SCRAM-SHA-512"},
                               {"sasl.username", "reader"},
                               {"sasl.password", "invented"},
                               {"ssl.endpoint.identification.algorithm", "https"}},
                              kTopic)
                  .ok());
}

TEST(KafkaAway, IsSaidWithItsAddress) {
  auto reader = *OpenKafkaReader({{"bootstrap.servers", "127.0.0.1:1"}}, kTopic);
  const Status status = reader->Partitions().status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("bootstrap.servers=127.0.0.1:1"));
}

}  // namespace
}  // namespace playhead::log
