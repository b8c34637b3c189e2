#include "playhead/decode/record_decoder.h"

#include "playhead/decode/decode_testing.h"
#include "playhead/decode/json_text.h"

#include <gmock/gmock.h>

namespace playhead::decode {
namespace {

using ::testing::HasSubstr;

RowSchema WideSchema() {
  RowSchema schema;
  schema.columns = {
      {.name = "id", .type = arrow::utf8(), .is_required = true},
      {.name = "n", .type = arrow::int64()},
      {.name = "small", .type = arrow::int32()},
      {.name = "x", .type = arrow::float64()},
      {.name = "thin", .type = arrow::float32()},
      {.name = "flag", .type = arrow::boolean()},
      {.name = "at", .type = UtcMicrosType()},
      {.name = "day", .type = arrow::date32()},
      {.name = "price", .type = arrow::decimal128(10, 2)},
      {.name = "raw", .type = arrow::binary()},
      {.name = "tags", .type = arrow::list(arrow::utf8())},
      {.name = "who",
       .type = arrow::struct_(
           {arrow::field("name", arrow::utf8()),
            arrow::field("born", arrow::struct_({arrow::field("year", arrow::int32())}))})},
      {.name = "counts", .type = arrow::map(arrow::utf8(), arrow::int64())},
      {.name = "books",
       .type = arrow::list(arrow::struct_({arrow::field("id", arrow::int64()),
                                           arrow::field("pages", arrow::list(arrow::int32()))}))},
  };
  return schema;
}

/// Decodes one record at a time and shows what became of it.
class RecordDecoderTest : public ::testing::Test {
 protected:
  void Use(RowSchema schema) { decoder_ = MakeDecoder(std::move(schema)); }

  Verdict Decode(std::string_view json) {
    if (decoder_ == nullptr) Use(WideSchema());
    // A copy of exact size, so that a read beyond the record is seen.
    std::vector<char> bytes(json.begin(), json.end());
    Verdict verdict =
        decoder_->Decode({.bytes = {bytes.data(), bytes.size()}, .offset = offset_++}, kTestNowUs);
    DecodedRows rows = FlushChecked(*decoder_);
    EXPECT_EQ(rows.good, verdict.is_good ? 1 : 0);
    EXPECT_EQ(rows.dead, verdict.is_good ? 0 : 1);
    if (verdict.is_good) {
      row_ = rows.partitions[0].rows;
    } else {
      EXPECT_EQ(Cell(*rows.dead_letters, "_record", 0), json);
      EXPECT_EQ(Cell(*rows.dead_letters, "_reason", 0), ReasonName(verdict.reason));
      EXPECT_LT(verdict.detail.size(), 400u);
    }
    return verdict;
  }

  /// The one good row of `json` in column `column`.
  std::string Good(std::string_view json, const std::string& column) {
    Verdict verdict = Decode(json);
    EXPECT_TRUE(verdict.is_good) << json << ": " << verdict.detail;
    return verdict.is_good ? Cell(*row_, column, 0) : "";
  }
  int64_t GoodNumber(std::string_view json, const std::string& column) {
    Verdict verdict = Decode(json);
    EXPECT_TRUE(verdict.is_good) << json << ": " << verdict.detail;
    return verdict.is_good ? Number(*row_, column, 0) : -1;
  }
  std::string_view Dead(std::string_view json) {
    Verdict verdict = Decode(json);
    EXPECT_FALSE(verdict.is_good) << json;
    detail_ = verdict.detail;
    return verdict.is_good ? "good" : ReasonName(verdict.reason);
  }

  std::unique_ptr<RecordDecoder> decoder_;
  std::shared_ptr<arrow::RecordBatch> row_;
  std::string detail_;
  int64_t offset_ = 40;
};

TEST_F(RecordDecoderTest, ReadsEveryType) {
  ASSERT_TRUE(Decode(R"({"id":"a","n":-9007199254740993,"small":7,"x":0.5,"thin":1.5,"flag":true,
      "at":"2024-05-06T07:08:09.5+02:00","day":"1970-01-03","price":12.34,"raw":"bytes",
      "tags":["x",null,"z"],"who":{"born":{"year":1990},"name":"Ada"},"counts":{"k":1,"l":2},
      "books":[{"id":1,"pages":[1,2]},null,{"pages":[],"id":"3"}]} )")
                  .is_good);
  EXPECT_EQ(Cell(*row_, "id", 0), "a");
  EXPECT_EQ(Number(*row_, "n", 0), -9007199254740993);
  EXPECT_EQ(Number(*row_, "small", 0), 7);
  EXPECT_EQ(Cell(*row_, "x", 0), "0.5");
  EXPECT_EQ(Cell(*row_, "thin", 0), "1.5");
  EXPECT_EQ(Cell(*row_, "flag", 0), "true");
  EXPECT_EQ(Number(*row_, "at", 0), 1'714'972'089'500'000);
  EXPECT_EQ(Number(*row_, "day", 0), 2);
  EXPECT_EQ(Cell(*row_, "price", 0), "12.34");
  EXPECT_EQ(Cell(*row_, "raw", 0), "bytes");
  auto tags = std::static_pointer_cast<arrow::ListArray>(row_->GetColumnByName("tags"));
  EXPECT_EQ(tags->values()->ToString(), "[\n  \"x\",\n  null,\n  \"z\"\n]");
  auto who = std::static_pointer_cast<arrow::StructArray>(row_->GetColumnByName("who"));
  EXPECT_EQ((*who->field(0)->GetScalar(0))->ToString(), "Ada");
  auto born = std::static_pointer_cast<arrow::StructArray>(who->field(1));
  EXPECT_EQ((*born->field(0)->GetScalar(0))->ToString(), "1990");
  auto counts = std::static_pointer_cast<arrow::MapArray>(row_->GetColumnByName("counts"));
  EXPECT_EQ(counts->keys()->ToString(), "[\n  \"k\",\n  \"l\"\n]");
  EXPECT_EQ(counts->items()->ToString(), "[\n  1,\n  2\n]");
  auto books = std::static_pointer_cast<arrow::ListArray>(row_->GetColumnByName("books"));
  EXPECT_EQ(books->value_length(0), 3);
  EXPECT_TRUE(books->values()->IsNull(1));
  auto book = std::static_pointer_cast<arrow::StructArray>(books->values());
  EXPECT_EQ((*book->field(0)->GetScalar(2))->ToString(), "3");
  EXPECT_EQ(std::static_pointer_cast<arrow::ListArray>(book->field(1))->value_length(2), 0);
}

TEST_F(RecordDecoderTest, AddsTheSourceColumns) {
  ASSERT_TRUE(Decode(R"({"id":"a"})").is_good);
  EXPECT_EQ(Cell(*row_, "_topic", 0), "events");
  EXPECT_EQ(Number(*row_, "_topic_partition", 0), 3);
  EXPECT_EQ(Number(*row_, "_offset", 0), 40);
  EXPECT_EQ(Number(*row_, "_ingested_at", 0), kTestNowUs);
  EXPECT_EQ(Cell(*row_, "_extra", 0), "null");
  EXPECT_TRUE(row_->schema()->Equals(BatchSchema(WideSchema())));
}

TEST_F(RecordDecoderTest, AStringTakesNumbersAndBooleansAsDelivered) {
  EXPECT_EQ(Good(R"({"id":1.50})", "id"), "1.50");
  EXPECT_EQ(Good(R"({"id":-0})", "id"), "-0");
  EXPECT_EQ(Good(R"({"id":123456789012345678901234567890})", "id"),
            "123456789012345678901234567890");
  EXPECT_EQ(Good(R"({"id":1E400 })", "id"), "1E400");
  EXPECT_EQ(Good(R"({"id":true})", "id"), "true");
  EXPECT_EQ(Good(R"({"id":"x","raw":17})", "raw"), "17");
  EXPECT_EQ(Good(R"({"id":""})", "id"), "");
  EXPECT_EQ(Dead(R"({"id":["a"]})"), "wrong_type");
  EXPECT_EQ(Dead(R"({"id":{"a":1}})"), "wrong_type");
}

TEST_F(RecordDecoderTest, EscapesBecomeCharacters) {
  EXPECT_EQ(Good(R"({"id":"a\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00"})", "id"),
            "a\"\\/\b\f\n\r\tAé😀");
  EXPECT_EQ(Good(R"({"\u0069d":"key"})", "id"), "key");
  EXPECT_EQ(Good("{\"id\":\"a\\u0000b\"}", "raw"), "null");
  ASSERT_TRUE(Decode("{\"id\":\"x\",\"raw\":\"a\\u0000b\"}").is_good);
  EXPECT_EQ(Cell(*row_, "raw", 0), std::string("a\0b", 3));
  EXPECT_EQ(Good(R"({"id":"\\"})", "id"), "\\");
}

TEST_F(RecordDecoderTest, NumericColumnsTakeNumericText) {
  EXPECT_EQ(GoodNumber(R"({"id":"a","n":"42"})", "n"), 42);
  EXPECT_EQ(GoodNumber(R"({"id":"a","n":1.0})", "n"), 1);
  EXPECT_EQ(GoodNumber(R"({"id":"a","n":1e3})", "n"), 1000);
  EXPECT_EQ(GoodNumber(R"({"id":"a","small":-2147483648})", "small"), INT32_MIN);
  EXPECT_EQ(Good(R"({"id":"a","x":"1e-3"})", "x"), "0.001");
  EXPECT_EQ(Good(R"({"id":"a","price":"-0.5"})", "price"), "-0.50");
  EXPECT_EQ(Good(R"({"id":"a","flag":"TRUE"})", "flag"), "true");
  EXPECT_EQ(Dead(R"({"id":"a","n":1.5})"), "wrong_type");
  EXPECT_EQ(Dead(R"({"id":"a","n":"unknown"})"), "wrong_type");
  EXPECT_EQ(detail_, "n: not a valid BIGINT: unknown");
  EXPECT_EQ(Dead(R"({"id":"a","n":""})"), "wrong_type");
  EXPECT_EQ(Dead(R"({"id":"a","n":true})"), "wrong_type");
  EXPECT_EQ(Dead(R"({"id":"a","n":9223372036854775808})"), "out_of_range");
  EXPECT_EQ(Dead(R"({"id":"a","small":2147483648})"), "out_of_range");
  EXPECT_EQ(Dead(R"({"id":"a","x":1e999})"), "out_of_range");
  EXPECT_EQ(Dead(R"({"id":"a","thin":1e39})"), "out_of_range");
  EXPECT_EQ(Dead(R"({"id":"a","x":"nan"})"), "wrong_type");
  EXPECT_EQ(Dead(R"({"id":"a","x":"Infinity"})"), "wrong_type");
  EXPECT_EQ(Dead(R"({"id":"a","price":123456789.00})"), "out_of_range");
  EXPECT_EQ(Dead(R"({"id":"a","price":0.001})"), "wrong_type");
  EXPECT_EQ(Dead(R"({"id":"a","flag":1})"), "wrong_type");
  EXPECT_EQ(detail_, "flag: not a valid BOOLEAN: 1");
  EXPECT_EQ(Dead(R"({"id":"a","flag":"yes"})"), "wrong_type");
}

TEST_F(RecordDecoderTest, ATypedRowHasBlobsAsBase64AndFloatsThatAreNoNumbers) {
  Use(WideSchema());
  const auto cell = [&](const std::string& json, const std::string& column) {
    const Verdict verdict = decoder_->Decode({.bytes = json, .is_typed_row = true}, kTestNowUs);
    EXPECT_TRUE(verdict.is_good) << verdict.detail;
    return Cell(*FlushChecked(*decoder_).partitions.at(0).rows, column, 0);
  };
  EXPECT_EQ(cell(R"({"id":"a","raw":"/wAB"})", "raw"), std::string("\xff\0\1", 3));
  EXPECT_EQ(cell(R"({"id":"/wAB"})", "id"), "/wAB");
  EXPECT_EQ(cell(R"({"id":"a","x":"NaN"})", "x"), "nan");
  EXPECT_EQ(cell(R"({"id":"a","x":"-Infinity"})", "x"), "-inf");
  EXPECT_EQ(cell(R"({"id":"a","thin":"Infinity"})", "thin"), "inf");
  EXPECT_EQ(cell(R"({"id":"a","x":"1.5"})", "x"), "1.5");
  const Verdict verdict =
      decoder_->Decode({.bytes = R"({"id":"a","n":"NaN"})", .is_typed_row = true}, kTestNowUs);
  EXPECT_EQ(verdict.detail, "n: not a valid BIGINT: NaN");
  FlushChecked(*decoder_);
  // Only of this record.
  EXPECT_EQ(Dead(R"({"id":"a","x":"NaN"})"), "wrong_type");
  EXPECT_EQ(Good(R"({"id":"a","raw":"/wAB"})", "raw"), "/wAB");
}

TEST_F(RecordDecoderTest, TimesAreEpochsOrText) {
  EXPECT_EQ(GoodNumber(R"({"id":"a","at":1700000000})", "at"), 1'700'000'000'000'000);
  EXPECT_EQ(GoodNumber(R"({"id":"a","at":1700000000123})", "at"), 1'700'000'000'123'000);
  EXPECT_EQ(GoodNumber(R"({"id":"a","at":"1700000000123456"})", "at"), 1'700'000'000'123'456);
  EXPECT_EQ(GoodNumber(R"({"id":"a","at":"2023-11-14 22:13:20"})", "at"), 1'700'000'000'000'000);
  EXPECT_EQ(GoodNumber(R"({"id":"a","at":0})", "at"), 0);
  EXPECT_EQ(GoodNumber(R"({"id":"a","at":"0"})", "at"), 0);
  // Digits that are at least as likely a date or a year are no seconds since 1970.
  EXPECT_EQ(Dead(R"({"id":"a","at":"20231114"})"), "wrong_type");
  EXPECT_EQ(Dead(R"({"id":"a","at":"2023-02-30"})"), "out_of_range");
  EXPECT_EQ(Dead(R"({"id":"a","at":1700000000123456789})"), "out_of_range");
  EXPECT_EQ(Dead(R"({"id":"a","at":true})"), "wrong_type");
  EXPECT_EQ(Dead(R"({"id":"a","at":"soon"})"), "wrong_type");
  EXPECT_EQ(Dead(R"({"id":"a","day":19000})"), "wrong_type");
  EXPECT_EQ(Dead(R"({"id":"a","day":"19000"})"), "wrong_type");
}

TEST_F(RecordDecoderTest, TimesWithoutOffsetAreOfTheStreamsZone) {
  RowSchema schema = WideSchema();
  schema.timezone = "America/New_York";
  Use(schema);
  EXPECT_EQ(GoodNumber(R"({"id":"a","at":"2023-11-14 17:13:20"})", "at"), 1'700'000'000'000'000);
  EXPECT_EQ(GoodNumber(R"({"id":"a","at":"2023-11-14T22:13:20Z"})", "at"), 1'700'000'000'000'000);
}

TEST_F(RecordDecoderTest, RequiredFieldsMustBeThere) {
  EXPECT_EQ(Dead(R"({})"), "missing_field");
  EXPECT_EQ(detail_, "id: required but absent");
  EXPECT_EQ(Dead(R"({"id":null})"), "missing_field");
  EXPECT_EQ(detail_, "id: required but null");
  EXPECT_EQ(Good(R"({"id":"a","n":null})", "n"), "null");
}

TEST_F(RecordDecoderTest, NestedRequiredFieldsMustBeThere) {
  RowSchema schema;
  schema.columns = {
      {.name = "items",
       .type = arrow::list(arrow::field(
           "item", arrow::struct_({arrow::field("k", arrow::int64(), /*nullable=*/false)}),
           /*nullable=*/false))}};
  Use(schema);
  EXPECT_TRUE(Decode(R"({"items":[{"k":1}]})").is_good);
  EXPECT_EQ(Dead(R"({"items":[{"k":1},{}]})"), "missing_field");
  EXPECT_EQ(detail_, "items.element.k: required but absent");
  EXPECT_EQ(Dead(R"({"items":[null]})"), "missing_field");
  EXPECT_EQ(detail_, "items.element: required but null");
}

TEST_F(RecordDecoderTest, DuplicatesOfDeclaredFieldsAreDead) {
  EXPECT_EQ(Dead(R"({"id":"a","n":1,"n":1})"), "duplicate_key");
  EXPECT_EQ(Dead(R"({"id":"a","n":null,"n":1})"), "duplicate_key");
  EXPECT_EQ(Dead(R"({"id":"a","\u0069d":"b"})"), "duplicate_key");
  EXPECT_EQ(Dead(R"({"id":"a","who":{"name":"x","name":"y"}})"), "duplicate_key");
  EXPECT_EQ(detail_, "who.name: given twice");
  EXPECT_EQ(Dead(R"({"id":"a","counts":{"k":1,"j":2,"k":3}})"), "duplicate_key");
  EXPECT_EQ(Good(R"({"id":"a","u":1,"u":2})", "_extra"), R"({"u":1,"u":2})");
}

TEST_F(RecordDecoderTest, UndeclaredFieldsAreKeptAsDelivered) {
  EXPECT_EQ(Good(R"({"new":1.50 , "id":"a", "deep": {"x" : [1, "é\n"]} ,"s":"q"})", "_extra"),
            R"({"new":1.50,"deep":{"x" : [1, "é\n"]},"s":"q"})");
  EXPECT_EQ(Good(R"({"id":"a","_offset":9})", "_extra"), R"({"_offset":9})");
  EXPECT_EQ(Good(R"({"id":"a","ID":null})", "_extra"), R"({"ID":null})");
}

TEST_F(RecordDecoderTest, AColumnWithUndeclaredSubfieldsIsKeptWholeInExtra) {
  EXPECT_EQ(Good(R"({"id":"a","who":{"name":"Ada", "city":"Rome"} ,"n":1})", "_extra"),
            R"({"who":{"name":"Ada", "city":"Rome"}})");
  EXPECT_EQ(Number(*row_, "n", 0), 1);
  EXPECT_EQ(Good(R"({"id":"a","books":[{"id":1,"isbn":"x"}],"tags":["t"]})", "_extra"),
            R"({"books":[{"id":1,"isbn":"x"}]})");
}

TEST_F(RecordDecoderTest, NestedValuesOfTheWrongKindAreDead) {
  EXPECT_EQ(Dead(R"({"id":"a","tags":"x"})"), "wrong_type");
  EXPECT_EQ(Dead(R"({"id":"a","tags":{"0":"x"}})"), "wrong_type");
  EXPECT_EQ(detail_, "tags: not a valid VARCHAR[]: an object");
  EXPECT_EQ(Dead(R"({"id":"a","who":[1]})"), "wrong_type");
  EXPECT_EQ(Dead(R"({"id":"a","counts":{"k":"x"}})"), "wrong_type");
  EXPECT_EQ(detail_, "counts.value: not a valid BIGINT: x");
  EXPECT_EQ(Dead(R"({"id":"a","books":[{"pages":[1,"unknown"]}]})"), "wrong_type");
  EXPECT_EQ(detail_, "books.element.pages.element: not a valid INTEGER: unknown");
  EXPECT_EQ(Dead(R"({"id":"a","who":{"born":{"year":99999999999}}})"), "out_of_range");
  EXPECT_EQ(detail_, "who.born.year: too large for INTEGER: 99999999999");
}

TEST_F(RecordDecoderTest, WhatIsNotJsonIsDead) {
  for (std::string_view json : {"",
                                "  ",
                                "{",
                                "}",
                                "{}}",
                                "{\"id\":\"a\"",
                                "{\"id\":\"a}",
                                "{\"id\":\"a\"}x",
                                "{\"id\":\"a\"}{\"id\":\"b\"}",
                                "{\"id\":\"a\",}",
                                "{,\"id\":\"a\"}",
                                "{\"id\" \"a\"}",
                                "{\"id\":}",
                                "{\"id\":\"a\" \"b\"}",
                                "{\"id\":\"a\",\"n\":01}",
                                "{\"id\":\"a\",\"n\":+1}",
                                "{\"id\":\"a\",\"n\":1x}",
                                "{\"id\":\"a\",\"n\":tru}",
                                "{\"id\":\"a\",\"n\":nulll}",
                                "{\"id\":\"a\",\"n\":1\"2\"}",
                                "{\"id\":\"a\",\"flag\":true\"x\"}",
                                "{'id':'a'}",
                                "{id:\"a\"}",
                                "{\"id\":\"a\nb\"}",
                                "{\"id\":\"a\\x\"}",
                                "{\"id\":\"\\u12\"}",
                                "{\"id\":\"a\",\"tags\":[\"x\"}",
                                "{\"id\":\"a\",\"tags\":[\"x\",]}",
                                "{\"id\":\"a\",\"u\":[1,]}",
                                "{\"id\":\"a\",\"u\":{\"k\"}}",
                                "{\"id\":\"a\",\"u\":[1}",
                                "{\"id\":\"a\",\"u\":{\"k\":1,}}",
                                "{\"id\":\"a\",\"u\":\"\\q\"}",
                                "{\"id\":NaN}",
                                "{\"id\":\"a\",\"u\":.5}",
                                "{\"id\":\"a\",\"u\":tRue}",
                                "{1:2}",
                                "[1",
                                "nul",
                                "\"abc",
                                "{\"id\":\"a\"}\f",
                                "{\"id\":\"a\"\f}",
                                "hello"}) {
    EXPECT_EQ(Dead(json), "not_json") << json;
  }
}

TEST_F(RecordDecoderTest, SyntaxWinsOverValuesThatDoNotFit) {
  EXPECT_EQ(Dead(R"({"id":["a"],"n":})"), "not_json");
  EXPECT_EQ(Dead("{\"n\":\"\\n x\",\"id\":\"\\n\\n\",\"u\":\"\\n\\n\\n\\n\",\"tags\":[01]}"),
            "not_json");
  EXPECT_EQ(Dead("{\"n\":\"x\",\"id\":\"\xff\"}"), "not_utf8");
}

TEST_F(RecordDecoderTest, OtherJsonValuesAreNoRecords) {
  for (std::string_view json : {"null", "1", "\"a\"", "true", "[]", "[{\"id\":\"a\"}]"}) {
    EXPECT_EQ(Dead(json), "not_an_object") << json;
  }
}

TEST_F(RecordDecoderTest, InvalidTextIsDead) {
  for (std::string_view json :
       {"{\"id\":\"\xff\"}", "{\"id\":\"\xc3\"}", "{\"id\":\"\xed\xa0\x80\"}", "{\"\x80\":1}",
        "\xff\xfe", "{\"id\":\"a\"}\xc0", "{\"id\":\"\\ud800\"}", "{\"id\":\"\\udc00\\ud800\"}",
        "{\"id\":\"a\",\"u\":\"\\ud800x\"}", "{\"id\":\"a\",\"\\ud800\":1}"}) {
    EXPECT_EQ(Dead(json), "not_utf8") << json;
  }
}

TEST_F(RecordDecoderTest, NestingHasALimit) {
  auto nested = [](int levels, std::string_view open, std::string_view close) {
    std::string json = "{\"id\":\"a\",\"u\":";
    for (int i = 1; i < levels; ++i) json += open;
    if (open.back() == ':') json += "1";
    for (int i = 1; i < levels; ++i) json += close;
    return json + "}";
  };
  EXPECT_TRUE(Decode(nested(64, "[", "]")).is_good);
  EXPECT_EQ(Dead(nested(65, "[", "]")), "too_deep");
  EXPECT_TRUE(Decode(nested(64, "{\"a\":", "}")).is_good);
  EXPECT_EQ(Dead(nested(1000, "{\"a\":", "}")), "too_deep");
  EXPECT_EQ(Dead(std::string(100'000, '[')), "too_deep");
}

TEST_F(RecordDecoderTest, SizesHaveLimits) {
  std::string big = "{\"id\":\"" + std::string(10 << 20, 'x') + "\",\"u\":\"\\n" +
                    std::string(1 << 20, 'y') + "\"}";
  ASSERT_TRUE(Decode(big).is_good);
  EXPECT_EQ(Cell(*row_, "id", 0).size(), 10u << 20);
  EXPECT_TRUE(Decode(R"({"id":"small again"})").is_good);

  RowSchema schema = WideSchema();
  schema.record_bytes_max = 20;
  Use(schema);
  EXPECT_TRUE(Decode(R"({"id":"12345678901"})").is_good);
  EXPECT_EQ(Dead(R"({"id":"123456789012"})"), "too_large");
}

TEST_F(RecordDecoderTest, ManySmallValuesCannotTakeTheMemory) {
  std::string books = "{\"id\":\"a\",\"books\":[{}";
  for (int i = 0; i < 600'000; ++i) books += ",{}";
  EXPECT_EQ(Dead(books + "]}"), "too_large");
  EXPECT_EQ(Dead(books + "]"), "not_json");
}

TEST_F(RecordDecoderTest, EveryTruncationIsDead) {
  std::string json =
      R"({"id":"a\u00e9é","n":12,"x":1.5e1,"flag":true,"tags":["x","y"],"who":{"name":null},"u":{"k":[false]}})";
  ASSERT_TRUE(Decode(json).is_good);
  for (size_t size = 0; size < json.size(); ++size) {
    std::string_view reason = Dead(json.substr(0, size));
    // A cut inside é leaves half a character.
    EXPECT_TRUE(reason == "not_json" || reason == "not_utf8") << json.substr(0, size);
  }
}

TEST_F(RecordDecoderTest, FieldsMayComeInAnyOrder) {
  ASSERT_TRUE(Decode(R"({"flag":false,"who":null,"n":3,"id":"z","x":2})").is_good);
  EXPECT_EQ(Cell(*row_, "id", 0), "z");
  EXPECT_EQ(Number(*row_, "n", 0), 3);
  EXPECT_EQ(Cell(*row_, "flag", 0), "false");
  EXPECT_EQ(Cell(*row_, "x", 0), "2");
}

TEST_F(RecordDecoderTest, DeadLettersBetweenGoodOnesLeaveRowsAligned) {
  Use(WideSchema());
  for (int i = 0; i < 3'000; ++i) {
    std::string id = std::to_string(i);
    std::string json;
    switch (i % 4) {
      case 0:
        json =
            R"({"id":")" + id + R"(","n":)" + id + R"(,"tags":["a)" + id + R"("],"x":)" + id + "}";
        break;
      case 1:  // fails behind values that would have been appended
        json = R"({"id":")" + id + R"(","n":)" + id + R"(,"tags":["a","b"],"small":"no"})";
        break;
      case 2:
        json = R"({"id":")" + id + R"(","books":[{"id":)" + id + R"(,"pages":[1,2,3]}]})";
        break;
      default:
        json = R"({"id":")" + id + R"(","books":[{"id":)" + id + R"(,"pages":[1,{}]}]})";
    }
    Verdict verdict = decoder_->Decode({.bytes = json, .offset = i}, kTestNowUs);
    ASSERT_EQ(verdict.is_good, i % 2 == 0) << json << verdict.detail;
  }
  EXPECT_EQ(decoder_->buffered_rows(), 3'000);
  DecodedRows rows = FlushChecked(*decoder_);
  ASSERT_EQ(rows.partitions.size(), 1u);
  const arrow::RecordBatch& batch = *rows.partitions[0].rows;
  ASSERT_EQ(batch.num_rows(), 1'500);
  ASSERT_EQ(rows.dead, 1'500);
  for (int64_t row = 0; row < 1'500; ++row) {
    std::string id = std::to_string(row * 2);
    EXPECT_EQ(Cell(batch, "id", row), id);
    EXPECT_EQ(Number(batch, "_offset", row), row * 2);
    EXPECT_EQ(Cell(batch, "x", row), row % 2 == 0 ? id : "null");
    EXPECT_EQ(Number(*rows.dead_letters, "_offset", row), row * 2 + 1);
  }
}

TEST_F(RecordDecoderTest, DeadLettersKeepEverythingAroundTheRecord) {
  Use(WideSchema());
  decoder_->Decode({.bytes = "\xff\x00x",
                    .offset = 9,
                    .log_time_us = 77,
                    .key = "k\xff",
                    .headers_json = R"({"h":"1"})"},
                   kTestNowUs);
  Verdict ragged{.is_good = false, .reason = Reason::kUnreadable, .detail = std::string("d\xff")};
  decoder_->AddDeadLetter({.bytes = "rest", .offset = 10}, "cut", ragged);
  DecodedRows rows = FlushChecked(*decoder_);
  const arrow::RecordBatch& dead = *rows.dead_letters;
  EXPECT_TRUE(dead.schema()->Equals(DeadLetterSchema()));
  EXPECT_EQ(Cell(dead, "_topic", 0), "events");
  EXPECT_EQ(Number(dead, "_topic_partition", 0), 3);
  EXPECT_EQ(Number(dead, "_offset", 0), 9);
  EXPECT_EQ(Number(dead, "_ingested_at", 0), kTestNowUs);
  EXPECT_EQ(Number(dead, "_log_time", 0), 77);
  EXPECT_EQ(Cell(dead, "_key", 0), "k\xff");
  EXPECT_EQ(Cell(dead, "_headers", 0), R"({"h":"1"})");
  EXPECT_EQ(Cell(dead, "_stage", 0), "decode");
  EXPECT_EQ(Cell(dead, "_reason", 0), "not_utf8");
  EXPECT_EQ(Cell(dead, "_log_time", 1), "null");
  EXPECT_EQ(Cell(dead, "_key", 1), "null");
  EXPECT_EQ(Cell(dead, "_headers", 1), "null");
  EXPECT_EQ(Cell(dead, "_stage", 1), "cut");
  EXPECT_EQ(Cell(dead, "_reason", 1), "unreadable");
  EXPECT_EQ(Cell(dead, "_detail", 1), "d?");
  EXPECT_EQ(Cell(dead, "_record", 1), "rest");
}

TEST_F(RecordDecoderTest, BatchesOutliveTheDecoderAndAreNotWrittenAgain) {
  Use(WideSchema());
  std::vector<std::shared_ptr<arrow::RecordBatch>> kept;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 200; ++i) {
      std::string json = R"({"id":")" + std::to_string(round * 1000 + i) + R"(","tags":["t"]})";
      ASSERT_TRUE(decoder_->Decode({.bytes = json}, kTestNowUs).is_good);
    }
    kept.push_back(FlushChecked(*decoder_).partitions[0].rows);
  }
  decoder_.reset();
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(kept[round]->ValidateFull().ok());
    EXPECT_EQ(Cell(*kept[round], "id", 199), std::to_string(round * 1000 + 199));
  }
}

TEST(Excerpt, CutsBetweenCharacters) {
  EXPECT_EQ(Excerpt("short"), "short");
  EXPECT_EQ(Excerpt(std::string(300, 'x')), std::string(200, 'x') + "…");
  EXPECT_EQ(Excerpt("x" + std::string(199, 'y') + "é"), "x" + std::string(199, 'y') + "…");
  EXPECT_EQ(Excerpt(std::string(199, 'y') + "éé"), std::string(199, 'y') + "…");
  EXPECT_EQ(Excerpt("a\xff"), "a?");
}

TEST(RecordDecoderMake, RefusesWhatItCannotDecode) {
  auto refusal = [](RowSchema schema) {
    auto decoder = RecordDecoder::Make(std::make_shared<const RowSchema>(std::move(schema)));
    EXPECT_EQ(decoder.status().code(), StatusCode::kInvalidArgument);
    return decoder.status().message();
  };
  RowSchema schema;
  schema.columns = {{.name = "a", .type = arrow::struct_({arrow::field("u", arrow::uint8())})}};
  EXPECT_THAT(refusal(schema), HasSubstr("column=a.u type=uint8"));
  schema.columns = {{.name = "a", .type = arrow::timestamp(arrow::TimeUnit::MILLI)}};
  EXPECT_THAT(refusal(schema), HasSubstr("column=a"));
  schema.columns = {{.name = "a", .type = arrow::map(arrow::int32(), arrow::utf8())}};
  EXPECT_THAT(refusal(schema), HasSubstr("column=a"));
  schema.columns = {{.name = "a", .type = arrow::utf8()}, {.name = "a", .type = arrow::utf8()}};
  EXPECT_THAT(refusal(schema), HasSubstr("name=a"));
  schema.columns = {{.name = "_topic", .type = arrow::utf8()}};
  EXPECT_THAT(refusal(schema), HasSubstr("_topic"));

  schema.columns = {{.name = "a", .type = arrow::utf8()}};
  schema.timezone = "Nowhere/Land";
  EXPECT_THAT(refusal(schema), HasSubstr("Nowhere/Land"));
  schema.timezone = "UTC";
  schema.event_time_column = "a";
  EXPECT_THAT(refusal(schema), HasSubstr("column=a"));
  schema.event_time_column = "b";
  EXPECT_THAT(refusal(schema), HasSubstr("column=b"));
  schema.event_time_column = "";
  schema.partition_by = {
      {.source_column = "a", .transform = PartitionTransform::kDay, .name = "d"}};
  EXPECT_THAT(refusal(schema), HasSubstr("field=d"));
  schema.partition_by = {{.source_column = "b", .name = "b"}};
  EXPECT_THAT(refusal(schema), HasSubstr("column=b"));
  schema.partition_by = {};
  schema.json_depth_max = 0;
  EXPECT_THAT(refusal(schema), HasSubstr("json_depth_max"));
  schema.json_depth_max = 64;
  schema.has_ingestion_date = true;
  EXPECT_THAT(refusal(schema), HasSubstr("ingestion_date"));
}

}  // namespace
}  // namespace playhead::decode
