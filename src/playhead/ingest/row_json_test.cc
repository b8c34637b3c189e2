#include "playhead/ingest/row_json.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace playhead::ingest {
namespace {

/// The object of one row with the only column `v`.
std::string Json(const std::shared_ptr<arrow::Array>& column, int64_t row = 0,
                 const std::vector<decode::Column>& declared = {}) {
  const auto schema = arrow::schema({arrow::field("v", column->type())});
  const auto batch = arrow::RecordBatch::Make(schema, column->length(), {column});
  return std::string(RowJson(*schema, declared, 1'000).Write(*batch, row));
}

std::shared_ptr<arrow::Array> FromJson(const std::shared_ptr<arrow::DataType>& type,
                                       const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

template <typename Builder, typename Value>
std::shared_ptr<arrow::Array> One(Builder builder, const Value& value) {
  EXPECT_TRUE(builder.Append(value).ok());
  return builder.Finish().ValueOrDie();
}

TEST(RowJson, WritesNumbersExactly) {
  EXPECT_EQ(Json(FromJson(arrow::int8(), "[-7]")), R"({"v":-7})");
  EXPECT_EQ(Json(FromJson(arrow::uint64(), "[18446744073709551615]")),
            R"({"v":18446744073709551615})");
  EXPECT_EQ(Json(FromJson(arrow::float64(), "[0.1]")), R"({"v":0.1})");
  EXPECT_EQ(Json(FromJson(arrow::float32(), "[0.1]")), R"({"v":0.1})");
  EXPECT_EQ(Json(FromJson(arrow::float64(), "[1e300]")), R"({"v":1e+300})");
  EXPECT_EQ(Json(FromJson(arrow::decimal128(5, 2), R"(["-1.50"])")), R"({"v":-1.50})");
  EXPECT_EQ(Json(FromJson(arrow::boolean(), "[true]")), R"({"v":true})");
}

TEST(RowJson, FloatsThatAreNoNumbersAreText) {
  const auto one = [](double value) { return Json(One(arrow::DoubleBuilder(), value)); };
  EXPECT_EQ(one(std::numeric_limits<double>::quiet_NaN()), R"({"v":"NaN"})");
  EXPECT_EQ(one(-std::numeric_limits<double>::infinity()), R"({"v":"-Infinity"})");
}

TEST(RowJson, WritesTimesAsText) {
  const auto at = [](arrow::TimeUnit::type unit, const std::string& zone, int64_t value) {
    return Json(
        One(arrow::TimestampBuilder(arrow::timestamp(unit, zone), arrow::default_memory_pool()),
            value));
  };
  EXPECT_EQ(at(arrow::TimeUnit::SECOND, "UTC", 86'399), R"({"v":"1970-01-01T23:59:59Z"})");
  EXPECT_EQ(at(arrow::TimeUnit::MILLI, "", 1'700'000'000'120),
            R"({"v":"2023-11-14T22:13:20.120"})");
  // An instant, whatever zone the column is shown in.
  EXPECT_EQ(at(arrow::TimeUnit::MICRO, "Europe/Berlin", -1),
            R"({"v":"1969-12-31T23:59:59.999999Z"})");
  EXPECT_EQ(at(arrow::TimeUnit::NANO, "UTC", 1), R"({"v":"1970-01-01T00:00:00.000000001Z"})");
  EXPECT_EQ(at(arrow::TimeUnit::SECOND, "UTC", std::numeric_limits<int64_t>::max()),
            R"({"v":"9223372036854775807/1 s since 1970"})");
  EXPECT_EQ(Json(FromJson(arrow::date32(), "[19782]")), R"({"v":"2024-02-29"})");
  EXPECT_EQ(Json(FromJson(arrow::date64(), "[86400000]")), R"({"v":"1970-01-02"})");
  EXPECT_EQ(Json(FromJson(arrow::date32(), "[2147483647]")),
            R"({"v":"2147483647 days since 1970"})");
  EXPECT_EQ(Json(FromJson(arrow::time64(arrow::TimeUnit::MICRO), "[3723000004]")),
            R"({"v":"01:02:03.000004"})");
}

TEST(RowJson, KeepsNestedValuesNested) {
  const auto type = arrow::struct_(
      {arrow::field("a", arrow::utf8()), arrow::field("b", arrow::list(arrow::int32()))});
  const auto column = FromJson(type, R"([{"a":"x\"y","b":[1,null,3]},{"a":null,"b":[]}])");
  EXPECT_EQ(Json(column, 0), R"({"v":{"a":"x\"y","b":[1,null,3]}})");
  EXPECT_EQ(Json(column, 1), R"({"v":{"b":[]}})");
  const auto map = FromJson(arrow::map(arrow::int32(), arrow::utf8()), R"([[[1,"a"],[2,null]]])");
  EXPECT_EQ(Json(map), R"({"v":{"1":"a","2":null}})");
  const auto words = arrow::DictionaryArray::FromArrays(FromJson(arrow::int8(), "[1,0,null]"),
                                                        FromJson(arrow::utf8(), R"(["a","b"])"));
  EXPECT_EQ(Json(*words, 0), R"({"v":"b"})");
  EXPECT_EQ(Json(*words, 2), "{}");
}

TEST(RowJson, LeavesNullColumnsOut) {
  EXPECT_EQ(Json(FromJson(arrow::int32(), "[null]")), "{}");
  EXPECT_EQ(Json(FromJson(arrow::null(), "[null]")), "{}");
}

TEST(RowJson, BytesOfABlobAreBase64) {
  const auto json = [](const std::shared_ptr<arrow::Array>& values,
                       std::shared_ptr<arrow::DataType> type) {
    return Json(values, 0, {{.name = "v", .type = std::move(type), .accepted_values = {}}});
  };
  const auto bytes = One(arrow::BinaryBuilder(), std::string("\xff\x01"));
  EXPECT_EQ(json(bytes, arrow::binary()), R"({"v":"/wE="})");
  EXPECT_EQ(json(bytes, arrow::utf8()), "{\"v\":\"\xff\\u0001\"}");
  EXPECT_EQ(Json(bytes), R"({"v":"/wE="})");  // goes to _extra
  EXPECT_EQ(Json(One(arrow::BinaryBuilder(), "text")), R"({"v":"text"})");
  EXPECT_EQ(json(One(arrow::StringBuilder(), "ab"), arrow::binary()), R"({"v":"YWI="})");
  EXPECT_EQ(json(FromJson(arrow::date32(), "[0]"), arrow::binary()), R"({"v":"MTk3MC0wMS0wMQ=="})");
  EXPECT_EQ(json(FromJson(arrow::int32(), "[7]"), arrow::binary()), R"({"v":7})");
  const auto nested = arrow::struct_({arrow::field("b", arrow::list(arrow::binary()))});
  EXPECT_EQ(json(FromJson(nested, R"([{"b": ["a"]}])"), nested), R"({"v":{"b":["YQ=="]}})");
  const auto map = arrow::map(arrow::utf8(), arrow::binary());
  EXPECT_EQ(json(FromJson(map, R"([[["k", "a"]]])"), map), R"({"v":{"k":"YQ=="}})");
}

TEST(RowJson, StopsSoonBehindItsLimit) {
  const std::string text(100'000, 'x');
  const std::string json = Json(One(arrow::StringBuilder(), text));
  EXPECT_GT(json.size(), 1'000U);
  EXPECT_LT(json.size(), 1'100U);
  arrow::ListBuilder lists(arrow::default_memory_pool(), std::make_shared<arrow::Int64Builder>());
  ASSERT_TRUE(lists.Append().ok());
  auto& values = static_cast<arrow::Int64Builder&>(*lists.value_builder());
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(values.Append(i).ok());
  const std::string list = Json(lists.Finish().ValueOrDie());
  EXPECT_GT(list.size(), 1'000U);
  EXPECT_LT(list.size(), 1'100U);
}

}  // namespace
}  // namespace playhead::ingest
