#include "playhead/decode/row_queue.h"

#include "playhead/decode/decode_testing.h"
#include "playhead/decode/record_parser.h"

#include <fmt/format.h>

#include <cstring>
#include <deque>
#include <random>

namespace playhead::decode {
namespace {

/// Puts records into the queue and, the same rows, directly into other buffers.
class TwoWays {
 public:
  TwoWays(std::vector<Column> columns, size_t buffer_count)
      : schema_{.columns = std::move(columns)} {
    plan_ = std::make_unique<TypePlan>(*MakeRecordPlan(schema_));
    parser_ = std::make_unique<RecordParser>(*plan_, *TimeZone::Load("UTC"), RecordParserOptions{});
    queue_ = std::make_unique<RowQueue>(*plan_);
    arrow::FieldVector fields;
    for (const Column& column : schema_.columns) {
      fields.push_back(arrow::field(column.name, column.type));
    }
    const auto arrow_schema = arrow::schema(std::move(fields));
    BlockPool* pool = BlockPool::OfProcess().get();
    for (size_t i = 0; i < buffer_count; ++i) {
      queued_.emplace_back(arrow_schema, pool, ColumnBuffer::Text::kCoded);
      direct_.emplace_back(arrow_schema, pool, ColumnBuffer::Text::kPlain);
    }
  }

  /// The record's memory is gone afterwards, or with ReleaseInput() if it is to stay.
  void Put(std::string_view json, size_t buffer = 0, bool is_stable = false) {
    // Of its very size, so that AddressSanitizer sees a byte too far.
    auto record = std::make_unique<char[]>(json.size());
    std::memcpy(record.get(), json.data(), json.size());
    const std::string_view bytes(record.get(), json.size());
    ASSERT_TRUE(parser_->ParseJson(bytes)) << json.substr(0, 200) << parser_->TakeDetail();
    direct_[buffer].AppendRow(parser_->arena(), schema_.columns.size());
    queue_->Put(queued_[buffer], bytes, is_stable, parser_->arena(), parser_->slot_count());
    if (is_stable) {
      staying_.push_back(std::move(record));
    } else {
      std::memset(record.get(), '#', json.size());
      record.reset();
    }
    // The next record's slots and texts without escapes.
    ASSERT_TRUE(parser_->ParseJson("{}"));
  }

  int64_t appended(size_t buffer = 0) const { return queued_[buffer].row_count(); }

  void ReleaseInput() {
    queue_->ReleaseInput();
    staying_.clear();
  }

  void ExpectEqual() {
    ReleaseInput();
    for (size_t i = 0; i < queued_.size(); ++i) {
      const auto queued = queued_[i].Finish().rows;
      const auto direct = direct_[i].Finish().rows;
      const arrow::Status valid = queued->ValidateFull();
      ASSERT_TRUE(valid.ok()) << valid.ToString();
      for (int column = 0; column < direct->num_columns(); ++column) {
        ASSERT_TRUE(PlainText(queued->column(column))->Equals(direct->column(column)))
            << "buffer " << i << " column " << direct->column_name(column);
      }
    }
  }

 private:
  RowSchema schema_;
  std::unique_ptr<TypePlan> plan_;
  std::unique_ptr<RecordParser> parser_;
  std::unique_ptr<RowQueue> queue_;
  std::deque<RowBuffers> queued_;  // a queue names them by address
  std::deque<RowBuffers> direct_;
  std::vector<std::unique_ptr<char[]>> staying_;
};

/// Columns whose rows can wait.
std::vector<Column> PlainColumns() {
  return {{.name = "id", .type = arrow::utf8()},
          {.name = "n", .type = arrow::int64()},
          {.name = "tags", .type = arrow::list(arrow::utf8())},
          {.name = "raw", .type = arrow::binary()},
          {.name = "x", .type = arrow::float64()},
          {.name = "flag", .type = arrow::boolean()},
          {.name = "at", .type = UtcMicrosType()},
          {.name = "numbers", .type = arrow::list(arrow::int32())},
          {.name = "place",
           .type = arrow::struct_({arrow::field("x", arrow::int32()),
                                   arrow::field("ys", arrow::list(arrow::int64()))})}};
}

std::string RandomText(std::mt19937& random) {
  const unsigned which = random() % 300;
  if (which == 0) return "";
  std::string text = fmt::format("{}", which) + std::string(which % 80, 'x');
  // Escapes are undone elsewhere than in the record.
  if (random() % 40 == 0) text += R"(\n\u00e9\")";
  return text;
}

template <typename Element>
std::string List(std::mt19937& random, const Element& element) {
  std::string list = "[";
  for (unsigned i = random() % 5; i > 0; --i) {
    list += random() % 7 == 0 ? "null" : element();
    if (i > 1) list += ",";
  }
  return list + "]";
}

std::string RandomRecord(std::mt19937& random) {
  std::string record = "{";
  const auto add = [&](std::string_view name, const std::string& value) {
    if (random() % 6 == 0) return;
    record += fmt::format(R"({}"{}":{})", record.size() > 1 ? "," : "", name,
                          random() % 9 == 0 ? "null" : value);
  };
  const auto text = [&] { return "\"" + RandomText(random) + "\""; };
  const auto number = [&] { return std::to_string(random() % 1'000); };
  add("id", text());
  add("n", number());
  add("tags", List(random, text));
  add("raw", "\"" + std::string(4 * (random() % 20), 'Q') + "\"");
  add("x", number() + ".25");
  add("flag", random() % 2 == 0 ? "true" : "false");
  add("at", number());
  add("numbers", List(random, number));
  add("place", fmt::format(R"({{"x":{},"ys":{}}})", number(), List(random, number)));
  return record + "}";
}

TEST(RowQueue, RowsAreThoseAppendedDirectly) {
  std::mt19937 random(1);
  TwoWays ways(PlainColumns(), 4);
  for (int flush = 0; flush < 5; ++flush) {
    // The last queue is full in part only.
    for (int i = 0; i < 1'000; ++i) {
      ways.Put(RandomRecord(random), random() % 4, random() % 2 == 0);
    }
    ASSERT_NO_FATAL_FAILURE(ways.ExpectEqual());
  }
}

TEST(RowQueue, RowsWaitUntilTheQueueIsFull) {
  TwoWays ways(PlainColumns(), 2);
  for (int i = 0; i < 128; ++i)
    ways.Put(fmt::format(R"({{"id":"{}"}})", i % 50), i % 2 == 0 ? 0 : 1);
  EXPECT_EQ(ways.appended(0), 0);
  ways.Put(R"({"id":"a"})");
  EXPECT_EQ(ways.appended(0), 64);
  EXPECT_EQ(ways.appended(1), 64);
  // What is not in the record cannot wait, and does not overtake the rows before it.
  ways.Put(R"({"id":"\u0061"})");
  EXPECT_EQ(ways.appended(0), 66);
  ways.Put(R"({"tags":["a","\u0062"]})");
  EXPECT_EQ(ways.appended(0), 67);
  ways.Put(R"({"id":"b"})", 1);
  ways.ReleaseInput();
  EXPECT_EQ(ways.appended(1), 65);
  ways.ExpectEqual();
}

TEST(RowQueue, TakesRecordsOfAnySize) {
  TwoWays ways(PlainColumns(), 2);
  // Around an eighth of the queue's bytes, and far beyond all of them.
  for (const size_t size : {24'000, 24'550, 24'568, 24'569, 24'570, 24'600, 300'000, 10}) {
    for (size_t i = 0; i < 20; ++i) {
      const std::string text(size, static_cast<char>('a' + i));
      ways.Put(fmt::format(R"({{"id":"{}","n":{}}})", text, i), i % 2, i % 3 == 0);
    }
  }
  ways.ExpectEqual();
}

TEST(RowQueue, TakesRecordsOfManySlots) {
  TwoWays ways(PlainColumns(), 2);
  for (const int elements : {1'000, 2'030, 2'035, 2'040, 2'100, 20'000, 1}) {
    for (size_t i = 0; i < 20; ++i) {
      std::string tags = R"("a")";
      for (int k = 1; k < elements; ++k) tags += fmt::format(R"(,"{}")", (k * (i + 1)) % 37);
      ways.Put(fmt::format(R"({{"tags":[{}],"n":{}}})", tags, i), i % 2);
    }
  }
  ways.ExpectEqual();
}

TEST(RowQueue, DecimalsAndTextsInsideOthersDoNotWait) {
  const std::vector<std::shared_ptr<arrow::DataType>> types = {
      arrow::decimal128(10, 2),
      arrow::list(arrow::decimal128(10, 2)),
      arrow::struct_({arrow::field("a", arrow::utf8())}),
      arrow::list(arrow::struct_({arrow::field("a", arrow::utf8())})),
      arrow::map(arrow::utf8(), arrow::int64()),
      arrow::list(arrow::list(arrow::utf8()))};
  const std::vector<std::string> values = {
      R"("12.50")",       R"(["1.25",null,"7"])",
      R"({"a":"text"})",  R"([{"a":"one"},{"a":null},{"a":"two"}])",
      R"({"k":1,"l":2})", R"([["a","b"],[],null,["c"]])"};
  for (size_t i = 0; i < types.size(); ++i) {
    TwoWays ways({{.name = "id", .type = arrow::utf8()}, {.name = "v", .type = types[i]}}, 2);
    for (int row = 0; row < 300; ++row) {
      const std::string value = row % 5 == 0 ? "null" : values[i];
      ways.Put(fmt::format(R"({{"id":"{}","v":{}}})", row % 9, value), row % 3 == 0 ? 0 : 1);
      EXPECT_EQ(ways.appended(0) + ways.appended(1), row + 1) << types[i]->ToString();
    }
    ASSERT_NO_FATAL_FAILURE(ways.ExpectEqual()) << types[i]->ToString();
  }
}

// A large dictionary gives codes by batch, but to a row that cannot wait at once.
TEST(RowQueue, LargeDictionariesKeepTheOrderOfRows) {
  std::mt19937 random(2);
  TwoWays ways({{.name = "id", .type = arrow::utf8()}, {.name = "n", .type = arrow::int64()}}, 2);
  for (int flush = 0; flush < 3; ++flush) {
    for (int i = 0; i < 12'000; ++i) {
      const char* escape = random() % 50 == 0 ? R"(\t)" : "";
      ways.Put(fmt::format(R"({{"id":"{}{}","n":{}}})", random() % 7'000, escape, i), random() % 2);
    }
    ASSERT_NO_FATAL_FAILURE(ways.ExpectEqual());
  }
}

}  // namespace
}  // namespace playhead::decode
