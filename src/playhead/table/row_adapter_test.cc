#include "playhead/table/row_adapter.h"

#include "playhead/iceberg/arrow_schema.h"
#include "playhead/iceberg/update.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace playhead::table {
namespace {

using ::testing::HasSubstr;

iceberg::TableMetadata TableOf(const arrow::FieldVector& fields, const std::string& ids = "") {
  int32_t last_column_id = 0;
  iceberg::Schema schema = *iceberg::SchemaFromArrow(*arrow::schema(fields), &last_column_id);
  std::map<std::string, std::string> properties;
  if (!ids.empty()) properties["playhead.columns"] = ids;
  return iceberg::NewTable("uuid", "file:///lake/t", std::move(schema), last_column_id, {},
                           std::move(properties), 0);
}

std::shared_ptr<arrow::RecordBatch> Rows(const arrow::FieldVector& fields,
                                         const std::vector<std::string>& columns) {
  arrow::ArrayVector arrays;
  for (size_t i = 0; i < columns.size(); ++i) {
    arrays.push_back(*arrow::json::ArrayFromJSONString(fields[i]->type(), columns[i]));
  }
  const int64_t length = arrays.front()->length();
  return arrow::RecordBatch::Make(arrow::schema(fields), length, std::move(arrays));
}

TEST(RowAdapter, PassesOnWhatFits) {
  const arrow::FieldVector fields = {arrow::field("a", arrow::int32()),
                                     arrow::field("s", arrow::list(arrow::utf8()))};
  RowAdapter adapter(TableOf(fields));
  const auto rows = Rows(fields, {"[1, 2]", R"([["x"], null])"});
  EXPECT_EQ(*adapter.Adapt(rows), rows);
}

TEST(RowAdapter, OrdersWidensAndFillsWithNull) {
  RowAdapter adapter(
      TableOf({arrow::field("c", arrow::float64()), arrow::field("d", arrow::utf8()),
               arrow::field("a", arrow::int64()), arrow::field("m", arrow::decimal128(12, 2))}));
  const auto adapted = adapter.Adapt(
      Rows({arrow::field("a", arrow::int32()), arrow::field("m", arrow::decimal128(9, 2)),
            arrow::field("c", arrow::float32())},
           {"[1, null]", R"(["1.25", null])", "[0.5, 1.5]"}));
  ASSERT_TRUE(adapted.ok()) << adapted.status().ToString();
  const auto expected =
      Rows({arrow::field("c", arrow::float64()), arrow::field("d", arrow::utf8()),
            arrow::field("a", arrow::int64()), arrow::field("m", arrow::decimal128(12, 2))},
           {"[0.5, 1.5]", "[null, null]", "[1, null]", R"(["1.25", null])"});
  EXPECT_TRUE((*adapted)->Equals(*expected)) << (*adapted)->ToString();
}

TEST(RowAdapter, FollowsNestedFieldsByTheirIds) {
  const auto inner = [](const char* a, const char* b) {
    return arrow::struct_({arrow::field(b, arrow::utf8()), arrow::field(a, arrow::int64())});
  };
  // Ids: top level 1…3, then s 4, 5, then l's element 6 and its fields 7, 8, m's 9, 10, 11, 12.
  const iceberg::TableMetadata table =
      TableOf({arrow::field("s", inner("renamed", "more")),
               arrow::field("l", arrow::list(inner("renamed", "more"))),
               arrow::field("m", arrow::map(arrow::utf8(), inner("renamed", "more")))},
              R"({"s":1,"s.a":5,"l":2,"l.a":8,"m":3,"m.a":12})");
  ASSERT_EQ(table.CurrentSchema().FindById(12)->name, "renamed");
  RowAdapter adapter(table);
  const auto declared = arrow::struct_({arrow::field("a", arrow::int32())});
  const auto rows = Rows({arrow::field("s", declared), arrow::field("l", arrow::list(declared)),
                          arrow::field("m", arrow::map(arrow::utf8(), declared))},
                         {R"([{"a": 1}, null, {"a": 3}])", R"([[{"a": 1}, {"a": 2}], [], null])",
                          R"([[["k", {"a": 7}]], null, [["x", null]]])"});
  // Cut at both ends, so that offsets count.
  for (const auto& cut : {rows, rows->Slice(1, 2), rows->Slice(0, 1)}) {
    const auto adapted = adapter.Adapt(cut);
    ASSERT_TRUE(adapted.ok()) << adapted.status().ToString();
    ASSERT_TRUE((*adapted)->ValidateFull().ok()) << (*adapted)->ValidateFull().ToString();
    const auto expected =
        Rows(table.schemas.empty() ? arrow::FieldVector() : adapter.schema()->fields(),
             {R"([[null, 1], null, [null, 3]])", R"([[[null, 1], [null, 2]], [], null])",
              R"([[["k", [null, 7]]], null, [["x", null]]])"});
    const int64_t begin = cut->num_rows() == 2 ? 1 : 0;
    EXPECT_TRUE((*adapted)->Equals(*expected->Slice(begin, cut->num_rows())))
        << (*adapted)->ToString();
  }
}

TEST(RowAdapter, CodedTextStaysCoded) {
  RowAdapter adapter(
      TableOf({arrow::field("b", arrow::int32()), arrow::field("t", arrow::utf8())}));
  const auto coded = arrow::dictionary(arrow::int32(), arrow::utf8());
  const auto codes = *arrow::json::ArrayFromJSONString(arrow::int32(), "[0, 1, 0]");
  const auto texts = *arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["x", "y"])");
  const auto column = std::make_shared<arrow::DictionaryArray>(coded, codes, texts);
  const auto adapted = adapter.Adapt(arrow::RecordBatch::Make(
      arrow::schema({arrow::field("t", coded)}), 3, arrow::ArrayVector{column}));
  ASSERT_TRUE(adapted.ok()) << adapted.status().ToString();
  EXPECT_EQ((*adapted)->column(1), column);
  EXPECT_EQ((*adapted)->column(0)->null_count(), 3);
}

TEST(RowAdapter, SaysInWordsOfTheDeclarationWhatDoesNotFit) {
  RowAdapter adapter(TableOf({arrow::field("a", arrow::list(arrow::utf8())),
                              arrow::field("b", arrow::int64(), /*nullable=*/false)}));
  const auto message = [&](const arrow::FieldVector& fields) {
    arrow::ArrayVector columns;
    for (const auto& field : fields) columns.push_back(*arrow::MakeArrayOfNull(field->type(), 1));
    const auto adapted =
        adapter.Adapt(arrow::RecordBatch::Make(arrow::schema(fields), 1, std::move(columns)));
    EXPECT_EQ(adapted.status().code(), StatusCode::kInvalidArgument);
    return adapted.status().message();
  };
  EXPECT_EQ(message({arrow::field("a", arrow::int32()), arrow::field("b", arrow::int64())}),
            "file:///lake/t: a column of the rows has another type than the table's: column=a "
            "table=VARCHAR[] rows=INTEGER");
  EXPECT_THAT(message({arrow::field("a", arrow::list(arrow::utf8()))}),
              HasSubstr("requires a column that its rows do not have: column=b type=BIGINT"));
  EXPECT_THAT(message({arrow::field("b", arrow::int64()), arrow::field("z", arrow::utf8())}),
              HasSubstr("does not have a column of its rows: column=z"));
}

}  // namespace
}  // namespace playhead::table
