#include "playhead/decode/partition_map.h"

#include "playhead/decode/decode_testing.h"

#include <gmock/gmock.h>

#include <map>

namespace playhead::decode {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kDay = 86'400;

RowSchema EventSchema() {
  RowSchema schema;
  schema.columns = {
      {.name = "type", .type = arrow::utf8(), .accepted_values = {"play", "stop"}},
      {.name = "at", .type = UtcMicrosType()},
  };
  schema.partition_by = {
      {.source_column = "type", .transform = PartitionTransform::kIdentity, .name = "type"},
      {.source_column = "at", .transform = PartitionTransform::kDay, .name = "date"},
  };
  return schema;
}

Verdict Decode(RecordDecoder& decoder, const std::string& json) {
  return decoder.Decode({.bytes = json}, kTestNowUs);
}

std::string Event(std::string_view type, int64_t seconds) {
  return fmt::format(R"({{"type":"{}","at":{}}})", type, seconds);
}

TEST(PartitionMap, SplitsRowsByKey) {
  auto decoder = MakeDecoder(EventSchema());
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(Decode(*decoder, Event("stop", 20'000 * kDay + i)).is_good);
    EXPECT_TRUE(Decode(*decoder, Event("play", 20'000 * kDay - 1)).is_good);
    EXPECT_TRUE(Decode(*decoder, Event("play", 20'001 * kDay - 1)).is_good);
  }
  EXPECT_EQ(decoder->buffered_partitions(), 3);
  DecodedRows rows = FlushChecked(*decoder);
  ASSERT_EQ(rows.partitions.size(), 3u);
  EXPECT_THAT(rows.partitions[0].key, ElementsAre(KeyValue("stop"), KeyValue(int64_t{20'000})));
  EXPECT_THAT(rows.partitions[1].key, ElementsAre(KeyValue("play"), KeyValue(int64_t{19'999})));
  EXPECT_THAT(rows.partitions[2].key, ElementsAre(KeyValue("play"), KeyValue(int64_t{20'000})));
  for (const PartitionBatch& partition : rows.partitions)
    EXPECT_EQ(partition.rows->num_rows(), 10);
  EXPECT_EQ(decoder->buffered_partitions(), 0);
}

TEST(PartitionMap, NullIsAKeyOfItsOwn) {
  auto decoder = MakeDecoder(EventSchema());
  EXPECT_TRUE(Decode(*decoder, R"({"type":"play"})").is_good);
  EXPECT_TRUE(Decode(*decoder, R"({"type":null,"at":0})").is_good);
  DecodedRows rows = FlushChecked(*decoder);
  ASSERT_EQ(rows.partitions.size(), 2u);
  EXPECT_THAT(rows.partitions[0].key, ElementsAre(KeyValue("play"), KeyValue(std::monostate())));
  EXPECT_THAT(rows.partitions[1].key,
              ElementsAre(KeyValue(std::monostate()), KeyValue(int64_t{0})));
}

TEST(PartitionMap, TimesBefore1970FallIntoTheirOwnDayAndHour) {
  RowSchema schema = EventSchema();
  schema.partition_by[0] = {
      .source_column = "at", .transform = PartitionTransform::kHour, .name = "hour"};
  auto decoder = MakeDecoder(schema);
  EXPECT_TRUE(Decode(*decoder, Event("play", -1)).is_good);
  EXPECT_TRUE(Decode(*decoder, Event("play", -3'600)).is_good);
  EXPECT_TRUE(Decode(*decoder, Event("play", -3'601)).is_good);
  EXPECT_TRUE(Decode(*decoder, Event("play", 3'599)).is_good);
  DecodedRows rows = FlushChecked(*decoder);
  ASSERT_EQ(rows.partitions.size(), 3u);
  EXPECT_THAT(rows.partitions[0].key, ElementsAre(KeyValue(int64_t{-1}), KeyValue(int64_t{-1})));
  EXPECT_EQ(rows.partitions[0].rows->num_rows(), 2);
  EXPECT_THAT(rows.partitions[1].key, ElementsAre(KeyValue(int64_t{-2}), KeyValue(int64_t{-1})));
  EXPECT_THAT(rows.partitions[2].key, ElementsAre(KeyValue(int64_t{0}), KeyValue(int64_t{0})));
}

TEST(PartitionMap, RefusesValuesThatAreNotAccepted) {
  auto decoder = MakeDecoder(EventSchema());
  Verdict verdict = Decode(*decoder, Event("rewind", 0));
  EXPECT_FALSE(verdict.is_good);
  EXPECT_EQ(verdict.reason, Reason::kPartitionValue);
  EXPECT_EQ(verdict.detail, "type: not an accepted value: rewind");
  EXPECT_TRUE(Decode(*decoder, Event("play", 0)).is_good);
  EXPECT_FALSE(Decode(*decoder, Event("rewind", 0)).is_good);
  EXPECT_EQ(FlushChecked(*decoder).dead, 2);
}

TEST(PartitionMap, EveryIdentityTypeIsAKeyAndAccepted) {
  struct Case {
    std::shared_ptr<arrow::DataType> type;
    const char* accepted;
    const char* json;
    KeyValue key;
    const char* other;
    const char* other_text;
  };
  for (const Case& c :
       {Case{arrow::boolean(), "false", "false", KeyValue(int64_t{0}), "true", "true"},
        Case{arrow::int32(), "-7", "-7.0", KeyValue(int64_t{-7}), "8", "8"},
        Case{arrow::int64(), "5000000000", "\"5e9\"", KeyValue(int64_t{5'000'000'000}), "1", "1"},
        Case{arrow::date32(), "1970-01-02", "\"1970-01-02\"", KeyValue(int64_t{1}),
             "\"1970-01-03\"", "1970-01-03"}}) {
    RowSchema schema;
    schema.columns = {{.name = "key", .type = c.type, .accepted_values = {c.accepted}}};
    schema.partition_by = {{.source_column = "key", .name = "key"}};
    auto decoder = MakeDecoder(schema);
    EXPECT_TRUE(Decode(*decoder, fmt::format(R"({{"key":{}}})", c.json)).is_good);
    EXPECT_EQ(Decode(*decoder, fmt::format(R"({{"key":{}}})", c.other)).detail,
              fmt::format("key: not an accepted value: {}", c.other_text));
    const DecodedRows rows = FlushChecked(*decoder);
    ASSERT_EQ(rows.partitions.size(), 1u);
    EXPECT_THAT(rows.partitions[0].key, ElementsAre(c.key));
  }
}

TEST(PartitionMap, LimitsIdentityValuesOfAnEpochButNotDays) {
  RowSchema schema = EventSchema();
  schema.columns[0].accepted_values.clear();
  schema.partition_keys_max = 3;
  auto decoder = MakeDecoder(schema);
  for (int day = 0; day < 1'000; ++day) {
    EXPECT_TRUE(Decode(*decoder, Event("a", day * kDay)).is_good);
  }
  EXPECT_TRUE(Decode(*decoder, Event("b", 0)).is_good);
  EXPECT_TRUE(Decode(*decoder, Event("c", 0)).is_good);
  EXPECT_EQ(Decode(*decoder, Event("d", 0)).reason, Reason::kPartitionValue);
  EXPECT_EQ(FlushChecked(*decoder).partitions.size(), 1'002u);
  // Still the same epoch.
  EXPECT_FALSE(Decode(*decoder, Event("d", 0)).is_good);
  EXPECT_TRUE(Decode(*decoder, Event("b", 7 * kDay)).is_good);
  decoder->SetSource({.topic = "events", .ingested_at_us = kTestNowUs + 1});
  EXPECT_TRUE(Decode(*decoder, Event("d", 0)).is_good);
}

TEST(PartitionMap, RefusesTextThatCouldNotBeAFolder) {
  RowSchema schema = EventSchema();
  schema.columns[0].accepted_values.clear();
  auto decoder = MakeDecoder(schema);
  EXPECT_TRUE(Decode(*decoder, Event(std::string(64, 'x'), 0)).is_good);
  EXPECT_EQ(Decode(*decoder, Event(std::string(65, 'x'), 0)).reason, Reason::kPartitionValue);
}

TEST(PartitionMap, FindsEveryKeyAgainAmongMany) {
  RowSchema schema = EventSchema();
  schema.columns[0].accepted_values.clear();
  auto decoder = MakeDecoder(schema);
  for (int i = 0; i < 5'000; ++i) {
    std::string json = Event(fmt::format("t{}", i % 50), int64_t{i % 70} * kDay);
    ASSERT_TRUE(Decode(*decoder, json).is_good);
  }
  DecodedRows rows = FlushChecked(*decoder);
  std::map<PartitionKey, int64_t> counts;
  for (const PartitionBatch& partition : rows.partitions)
    counts[partition.key] += partition.rows->num_rows();
  EXPECT_EQ(counts.size(), rows.partitions.size());
  std::map<PartitionKey, int64_t> expected;
  for (int i = 0; i < 5'000; ++i) {
    ++expected[{KeyValue(fmt::format("t{}", i % 50)), KeyValue(int64_t{i % 70})}];
  }
  EXPECT_EQ(counts, expected);
}

/// The schema of events with types as they come, a partition for each.
RowSchema AnyTypeSchema() {
  RowSchema schema;
  schema.columns = {{.name = "type", .type = arrow::utf8()}, {.name = "id", .type = arrow::utf8()}};
  schema.partition_by = {{.source_column = "type", .name = "type"}};
  schema.partition_keys_max = 1'000;
  return schema;
}

/// Decodes an event of each type, each with another id, and flushes. The types in the order in
/// which their partitions come; `generations` gets those of the batches.
std::vector<std::string> FlushTypes(RecordDecoder& decoder, const std::vector<std::string>& types,
                                    std::map<std::string, Generation>* generations) {
  for (const std::string& type : types) {
    EXPECT_TRUE(
        Decode(decoder, fmt::format(R"({{"type":"{}","id":"of {}"}})", type, type)).is_good);
  }
  std::vector<std::string> order;
  generations->clear();
  for (const PartitionBatch& partition : FlushChecked(decoder).partitions) {
    order.push_back(std::get<std::string>(partition.key[0]));
    (*generations)[order.back()] = partition.generation;
    EXPECT_EQ(Cell(*partition.rows, "id", 0), "of " + order.back());
  }
  return order;
}

using Generations = std::map<std::string, Generation>;

TEST(PartitionMap, GoOnFromFlushToFlush) {
  auto decoder = MakeDecoder(AnyTypeSchema());
  Generations first;
  Generations next;
  FlushTypes(*decoder, {"a", "b"}, &first);
  EXPECT_TRUE(first["a"].is_first_batch);
  EXPECT_TRUE(first["b"].is_first_batch);
  EXPECT_NE(first["a"].number, first["b"].number);
  for (int flush = 0; flush < 10; ++flush) {
    FlushTypes(*decoder, {"a", "c", "b"}, &next);
    EXPECT_EQ(next["a"].number, first["a"].number);
    EXPECT_EQ(next["b"].number, first["b"].number);
    EXPECT_FALSE(next["a"].is_first_batch);
    EXPECT_FALSE(next["b"].is_first_batch);
    EXPECT_EQ(next["c"].is_first_batch, flush == 0);
  }
}

TEST(PartitionMap, ComeInTheOrderOfTheirFirstRowsInTheBatch) {
  auto decoder = MakeDecoder(AnyTypeSchema());
  Generations generations;
  EXPECT_THAT(FlushTypes(*decoder, {"a", "b", "c", "a"}, &generations), ElementsAre("a", "b", "c"));
  EXPECT_THAT(FlushTypes(*decoder, {"c", "a", "c", "b"}, &generations), ElementsAre("c", "a", "b"));
  EXPECT_THAT(FlushTypes(*decoder, {"b", "d"}, &generations), ElementsAre("b", "d"));
}

TEST(PartitionMap, IdleOnesAreDropped) {
  auto decoder = MakeDecoder(AnyTypeSchema());
  Generations first;
  Generations next;
  FlushTypes(*decoder, {"a", "b"}, &first);
  for (int flush = 0; flush < 4; ++flush) FlushTypes(*decoder, {"a"}, &next);
  FlushTypes(*decoder, {"a", "b"}, &next);
  EXPECT_EQ(next["b"].number, first["b"].number);
  EXPECT_FALSE(next["b"].is_first_batch);
  for (int flush = 0; flush < 5; ++flush) FlushTypes(*decoder, {"a"}, &next);
  FlushTypes(*decoder, {"a", "b"}, &next);
  EXPECT_NE(next["b"].number, first["b"].number);
  EXPECT_TRUE(next["b"].is_first_batch);
  EXPECT_EQ(next["a"].number, first["a"].number);
}

TEST(PartitionMap, AreAllDroppedWhenThereAreMany) {
  auto decoder = MakeDecoder(AnyTypeSchema());
  std::vector<std::string> types;
  for (int i = 0; i < 64; ++i) types.push_back(fmt::format("t{}", i));
  Generations first;
  Generations next;
  FlushTypes(*decoder, types, &first);
  FlushTypes(*decoder, types, &next);
  for (const std::string& type : types) EXPECT_EQ(next[type].number, first[type].number);
  types.emplace_back("one more");
  FlushTypes(*decoder, types, &next);
  FlushTypes(*decoder, types, &next);
  for (const std::string& type : types) {
    EXPECT_NE(next[type].number, first[type].number);
    EXPECT_TRUE(next[type].is_first_batch);
  }
}

TEST(PartitionMap, AreDroppedWhenAnEpochBegins) {
  auto decoder = MakeDecoder(AnyTypeSchema());
  Generations first;
  Generations next;
  FlushTypes(*decoder, {"a"}, &first);
  decoder->SetSource({.topic = "events", .partition = 4, .ingested_at_us = kTestNowUs});
  FlushTypes(*decoder, {"a"}, &next);
  EXPECT_EQ(next["a"].number, first["a"].number) << "the same epoch";
  decoder->SetSource({.topic = "events", .ingested_at_us = kTestNowUs + 1});
  FlushTypes(*decoder, {"a"}, &first);
  EXPECT_NE(next["a"].number, first["a"].number);
  EXPECT_TRUE(first["a"].is_first_batch);
}

TEST(PartitionMap, AreDroppedAfterTheirRowsWhenAnEpochBeginsAmongThese) {
  auto decoder = MakeDecoder(AnyTypeSchema());
  Generations before;
  Generations next;
  FlushTypes(*decoder, {"a"}, &before);
  EXPECT_TRUE(Decode(*decoder, R"({"type":"a","id":"of a"})").is_good);
  decoder->SetSource({.topic = "events", .ingested_at_us = kTestNowUs + 1});
  FlushTypes(*decoder, {"a", "b"}, &next);
  EXPECT_EQ(next["a"].number, before["a"].number);
  EXPECT_FALSE(next["a"].is_first_batch);
  FlushTypes(*decoder, {"a"}, &next);
  EXPECT_NE(next["a"].number, before["a"].number);
  EXPECT_TRUE(next["a"].is_first_batch);
}

TEST(PartitionMap, NewOnesHaveNoTextsOfThoseDropped) {
  auto decoder = MakeDecoder(AnyTypeSchema());
  Generations generations;
  FlushTypes(*decoder, {"a", "b"}, &generations);
  decoder->SetSource({.topic = "events", .ingested_at_us = kTestNowUs + 1});
  ASSERT_TRUE(Decode(*decoder, R"({"type":"c","id":"x"})").is_good);
  const DecodedRows rows = *decoder->Flush();
  const auto ids = rows.partitions[0].rows->GetColumnByName("id");
  EXPECT_EQ(static_cast<const arrow::DictionaryArray&>(*ids).dictionary()->length(), 1);
}

TEST(PartitionMap, LargestDictionariesBeginAnewAtTheirLimit) {
  const auto schema = std::make_shared<const RowSchema>(AnyTypeSchema());
  const TypePlan plan = *MakeRecordPlan(*schema);
  RecordParser parser(plan, *TimeZone::Load("UTC"), {});
  const auto arrow_schema =
      arrow::schema({arrow::field("type", arrow::utf8()), arrow::field("id", arrow::utf8())});
  auto partitions =
      *PartitionMap::Make(schema, arrow_schema, BlockPool::OfProcess().get(), 180'000);
  std::map<std::string, Generation> generations[2];
  for (auto& batch : generations) {
    for (int i = 0; i < 2'000; ++i) {
      // 1,000 texts, 900, 800 and few.
      for (const auto& [type, distinct] :
           std::map<std::string, int>{{"l", 1'000}, {"m", 900}, {"n", 800}, {"s", 9}}) {
        const std::string json =
            fmt::format(R"({{"type":"{}","id":"{:0>50}"}})", type, i % distinct);
        ASSERT_TRUE(parser.ParseJson(json));
        std::string problem;
        PartitionMap::PartitionBuffers* partition = partitions.Find(parser, &problem);
        ASSERT_NE(partition, nullptr) << problem;
        partition->rows.AppendRow(parser.arena(), 2);
      }
    }
    std::vector<PartitionBatch> out;
    partitions.Finish(&out);
    for (const PartitionBatch& partition : out)
      batch[std::get<std::string>(partition.key[0])] = partition.generation;
  }
  EXPECT_NE(generations[0]["l"].number, generations[1]["l"].number);
  EXPECT_TRUE(generations[1]["l"].is_first_batch);
  for (const char* type : {"m", "n", "s"}) {
    EXPECT_EQ(generations[0][type].number, generations[1][type].number) << type;
  }
}

TEST(PartitionMap, VerdictsAreTheSameWithoutRows) {
  RowSchema schema = EventSchema();
  schema.event_time_column = "at";
  schema.partition_keys_max = 2;
  schema.record_bytes_max = 100;
  schema.columns[0].accepted_values = {"a", "b", "c"};
  auto decoder = MakeDecoder(schema);
  auto judge =
      *RecordDecoder::Make(std::make_shared<const RowSchema>(schema), {.keeps_rows = false});
  judge->SetSource({.topic = "events", .partition = 3, .ingested_at_us = kTestNowUs});
  const std::vector<std::string> records = {Event("a", 20'000 * kDay),
                                            "{",
                                            Event("x", 20'000 * kDay),
                                            Event("b", 20'001 * kDay),
                                            Event("a", 1),
                                            Event("c", 20'000 * kDay),
                                            R"({"type":"a","more":[1],"at":1728000000})",
                                            R"({"type":7})",
                                            Event(std::string(200, 'a'), 0)};
  for (int flush = 0; flush < 3; ++flush) {
    for (const std::string& record : records) {
      const Verdict expected = Decode(*decoder, record);
      const Verdict verdict = Decode(*judge, record);
      EXPECT_EQ(verdict.is_good, expected.is_good) << record;
      EXPECT_EQ(verdict.reason, expected.reason) << record;
      EXPECT_EQ(verdict.detail, expected.detail) << record;
    }
    EXPECT_EQ(judge->buffered_partitions(), decoder->buffered_partitions());
    EXPECT_EQ(judge->buffered_bytes(), decoder->buffered_bytes());
    const DecodedRows rows = FlushChecked(*decoder);
    const DecodedRows none = *judge->Flush();
    EXPECT_EQ(none.good, rows.good);
    EXPECT_EQ(none.dead, rows.dead);
    EXPECT_TRUE(none.partitions.empty());
    EXPECT_EQ(none.dead_letters, nullptr);
  }
}

TEST(EventTime, MustLieInItsRange) {
  RowSchema schema = EventSchema();
  schema.event_time_column = "at";
  auto decoder = MakeDecoder(schema);
  int64_t first = 946'684'800;  // 2000-01-01
  int64_t last = kTestNowUs / 1'000'000 + 2 * kDay;
  EXPECT_TRUE(Decode(*decoder, Event("play", first)).is_good);
  EXPECT_TRUE(Decode(*decoder, Event("play", last)).is_good);
  EXPECT_TRUE(Decode(*decoder, R"({"type":"play"})").is_good);
  EXPECT_EQ(Decode(*decoder, Event("play", first - 1)).reason, Reason::kOutOfRange);
  Verdict late = Decode(*decoder, Event("play", last + 1));
  EXPECT_EQ(late.reason, Reason::kOutOfRange);
  EXPECT_THAT(late.detail, HasSubstr("at: event time outside its range"));
  EXPECT_EQ(FlushChecked(*decoder).dead, 2);
}

TEST(IngestionDate, ComesFromTheSourceNotFromTheRecord) {
  RowSchema schema;
  schema.columns = {{.name = "id", .type = arrow::utf8()},
                    {.name = "ingestion_date", .type = arrow::date32(), .is_required = true}};
  schema.has_ingestion_date = true;
  schema.partition_by = {{.source_column = "ingestion_date", .name = "ingestion_date"}};
  auto decoder = MakeDecoder(schema);
  decoder->SetSource({.topic = "file:a", .ingestion_date_days = 20'340});
  EXPECT_TRUE(Decode(*decoder, R"({"id":"a","ingestion_date":"1999-01-01"})").is_good);
  DecodedRows rows = FlushChecked(*decoder);
  ASSERT_EQ(rows.partitions.size(), 1u);
  EXPECT_THAT(rows.partitions[0].key, ElementsAre(KeyValue(int64_t{20'340})));
  EXPECT_EQ(Number(*rows.partitions[0].rows, "ingestion_date", 0), 20'340);
  EXPECT_EQ(Cell(*rows.partitions[0].rows, "_extra", 0), R"({"ingestion_date":"1999-01-01"})");
}

}  // namespace
}  // namespace playhead::decode
