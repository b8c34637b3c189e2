#include "playhead/iceberg/arrow_schema.h"

#include <arrow/api.h>
#include <arrow/extension/uuid.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace playhead::iceberg {
namespace {

using arrow::field;
using testing::HasSubstr;

Schema Converted(const arrow::FieldVector& fields, int32_t* last_column_id) {
  auto schema = SchemaFromArrow(*arrow::schema(fields), last_column_id);
  EXPECT_TRUE(schema.ok()) << schema.status().ToString();
  return schema.ok() ? *std::move(schema) : Schema();
}

TEST(SchemaFromArrow, NumbersOneLevelBeforeTheNext) {
  int32_t last = 0;
  const Schema schema = Converted(
      {field("a", arrow::struct_({field("x", arrow::int32()), field("y", arrow::utf8())})),
       field("b", arrow::list(arrow::struct_({field("z", arrow::int64())}))),
       field("c", arrow::map(arrow::utf8(), arrow::list(arrow::date32()))),
       field("d", arrow::boolean(), /*nullable=*/false)},
      &last);
  EXPECT_EQ(schema.fields[0].id, 1);
  EXPECT_EQ(schema.fields[3].id, 4);
  EXPECT_TRUE(schema.fields[3].is_required);
  EXPECT_EQ(schema.fields[0].type->fields[0].id, 5);
  EXPECT_EQ(schema.fields[0].type->fields[1].id, 6);
  const NestedField& element = schema.fields[1].type->fields[0];
  EXPECT_EQ(element.id, 7);
  EXPECT_EQ(element.name, "element");
  EXPECT_EQ(element.type->fields[0].id, 8);
  const Type& map = *schema.fields[2].type;
  EXPECT_EQ(map.fields[0].id, 9);
  EXPECT_TRUE(map.fields[0].is_required);
  EXPECT_EQ(map.fields[1].id, 10);
  EXPECT_EQ(map.fields[1].type->fields[0].id, 11);
  EXPECT_EQ(last, 11);
}

TEST(SchemaFromArrow, MapsEveryType) {
  const std::vector<std::pair<std::shared_ptr<arrow::DataType>, TypeKind>> cases = {
      {arrow::boolean(), TypeKind::kBoolean},
      {arrow::int8(), TypeKind::kInt},
      {arrow::uint16(), TypeKind::kInt},
      {arrow::int32(), TypeKind::kInt},
      {arrow::uint32(), TypeKind::kLong},
      {arrow::int64(), TypeKind::kLong},
      {arrow::float32(), TypeKind::kFloat},
      {arrow::float64(), TypeKind::kDouble},
      {arrow::decimal128(9, 2), TypeKind::kDecimal},
      {arrow::date32(), TypeKind::kDate},
      {arrow::time64(arrow::TimeUnit::MICRO), TypeKind::kTime},
      {arrow::timestamp(arrow::TimeUnit::MICRO), TypeKind::kTimestamp},
      {arrow::timestamp(arrow::TimeUnit::MILLI, "UTC"), TypeKind::kTimestamptz},
      {arrow::utf8(), TypeKind::kString},
      {arrow::large_utf8(), TypeKind::kString},
      {arrow::dictionary(arrow::int32(), arrow::utf8()), TypeKind::kString},
      {arrow::extension::uuid(), TypeKind::kUuid},
      {arrow::fixed_size_binary(7), TypeKind::kFixed},
      {arrow::binary(), TypeKind::kBinary},
  };
  for (const auto& [arrow_type, kind] : cases) {
    int32_t last = 0;
    const Schema schema = Converted({field("c", arrow_type)}, &last);
    EXPECT_EQ(schema.fields.at(0).type->kind, kind) << arrow_type->ToString();
  }
}

TEST(SchemaFromArrow, NamesTheColumnItCannotHold) {
  for (const auto& type :
       {arrow::uint64(), arrow::null(), arrow::float16(), arrow::timestamp(arrow::TimeUnit::NANO),
        arrow::time64(arrow::TimeUnit::NANO), arrow::decimal256(40, 1),
        arrow::duration(arrow::TimeUnit::MICRO)}) {
    int32_t last = 0;
    const auto schema =
        SchemaFromArrow(*arrow::schema({field("a", arrow::struct_({field("bad", type)}))}), &last);
    EXPECT_EQ(schema.status().code(), StatusCode::kNotSupported) << type->ToString();
    EXPECT_THAT(schema.status().message(), HasSubstr("a.bad"));
  }
}

TEST(SchemaFromArrow, RefusesANameTwice) {
  int32_t last = 0;
  const auto schema = SchemaFromArrow(
      *arrow::schema({field("a", arrow::utf8()), field("a", arrow::int32())}), &last);
  EXPECT_EQ(schema.status().code(), StatusCode::kInvalidArgument);
}

TEST(ArrowFromSchema, CarriesFieldIdsAtEveryLevel) {
  int32_t last = 0;
  const Schema schema = Converted({field("a", arrow::struct_({field("x", arrow::int32())}), false),
                                   field("b", arrow::list(arrow::utf8())),
                                   field("c", arrow::map(arrow::utf8(), arrow::float64()))},
                                  &last);
  const auto arrow_schema = ArrowFromSchema(schema);
  const auto id = [](const arrow::Field& arrow_field) {
    return arrow_field.metadata()->Get("PARQUET:field_id").ValueOr("none");
  };
  EXPECT_EQ(id(*arrow_schema->field(0)), "1");
  EXPECT_FALSE(arrow_schema->field(0)->nullable());
  EXPECT_EQ(id(*arrow_schema->field(0)->type()->field(0)), "4");
  EXPECT_EQ(id(*arrow_schema->field(1)->type()->field(0)), "5");
  EXPECT_EQ(arrow_schema->field(1)->type()->field(0)->name(), "element");
  const auto& map = static_cast<const arrow::MapType&>(*arrow_schema->field(2)->type());
  EXPECT_EQ(id(*map.key_field()), "6");
  EXPECT_EQ(id(*map.item_field()), "7");
}

TEST(ArrowFromSchema, ReturnsTheTypesThatItCameFrom) {
  const auto original = arrow::schema(
      {field("b", arrow::boolean()), field("i", arrow::int32()), field("l", arrow::int64()),
       field("f", arrow::float32()), field("d", arrow::float64()),
       field("m", arrow::decimal128(20, 3)), field("day", arrow::date32()),
       field("time", arrow::time64(arrow::TimeUnit::MICRO)),
       field("ts", arrow::timestamp(arrow::TimeUnit::MICRO)),
       field("tz", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")), field("s", arrow::utf8()),
       field("u", arrow::extension::uuid()), field("x", arrow::fixed_size_binary(5)),
       field("bin", arrow::binary()), field("st", arrow::struct_({field("n", arrow::int32())})),
       field("map", arrow::map(arrow::utf8(), arrow::int32()))});
  int32_t last = 0;
  const auto schema = SchemaFromArrow(*original, &last);
  ASSERT_TRUE(schema.ok());
  EXPECT_TRUE(ArrowFromSchema(*schema)->Equals(*original, /*check_metadata=*/false))
      << ArrowFromSchema(*schema)->ToString();
}

class EvolveSchemaTest : public testing::Test {
 protected:
  void SetUp() override {
    current_ = Converted(
        {field("id", arrow::int32(), false), field("price", arrow::float32()),
         field("cost", arrow::decimal128(9, 2)),
         field("inner", arrow::struct_({field("a", arrow::utf8()), field("n", arrow::int32())})),
         field("tags", arrow::list(arrow::struct_({field("t", arrow::utf8())}))),
         field("map", arrow::map(arrow::int32(), arrow::int32()))},
        &last_);
    ASSERT_EQ(last_, 12);
  }

  /// The wanted schema starts as the current one.
  arrow::FieldVector Wanted() const { return ArrowFromSchema(current_)->fields(); }
  Result<std::optional<Schema>> Evolve(const arrow::FieldVector& wanted) {
    return EvolveSchema(current_, *arrow::schema(wanted), &last_);
  }

  Schema current_;
  int32_t last_ = 0;
};

TEST_F(EvolveSchemaTest, SameOrFewerOptionalColumnsChangeNothing) {
  auto wanted = Wanted();
  EXPECT_EQ(*Evolve(wanted), std::nullopt);
  wanted.pop_back();
  std::swap(wanted[0], wanted[1]);
  EXPECT_EQ(*Evolve(wanted), std::nullopt);
  EXPECT_EQ(last_, 12);
}

TEST_F(EvolveSchemaTest, NewColumnsAreOptionalWithFreshIds) {
  auto wanted = Wanted();
  wanted.insert(wanted.begin(), field("new", arrow::list(arrow::utf8()), /*nullable=*/false));
  wanted[4] = field("inner", arrow::struct_({field("a", arrow::utf8()), field("n", arrow::int32()),
                                             field("deep", arrow::int64())}));
  const auto evolved = Evolve(wanted);
  ASSERT_TRUE(evolved.ok()) << evolved.status().ToString();
  ASSERT_TRUE(evolved->has_value());
  const Schema& schema = **evolved;
  EXPECT_EQ(schema.fields.back().name, "new");
  EXPECT_FALSE(schema.fields.back().is_required);
  const Type& inner = *schema.FindByName("inner")->type;
  EXPECT_EQ(inner.fields[0].id, current_.FindByName("inner")->type->fields[0].id);
  EXPECT_EQ(inner.fields[2].name, "deep");
  EXPECT_EQ(inner.fields[2].id, 13);
  EXPECT_EQ(schema.fields.back().id, 14);
  EXPECT_EQ(schema.fields.back().type->fields[0].id, 15);
  EXPECT_EQ(last_, 15);
}

TEST_F(EvolveSchemaTest, NewFieldsInsideLists) {
  auto wanted = Wanted();
  wanted[4] = field(
      "tags",
      arrow::list(arrow::struct_({field("t", arrow::utf8()), field("weight", arrow::float64())})));
  const auto evolved = Evolve(wanted);
  ASSERT_TRUE(evolved.ok() && evolved->has_value());
  EXPECT_EQ((*evolved)->FindById(13)->name, "weight");
}

TEST_F(EvolveSchemaTest, WidensNumbersAndKeepsIds) {
  auto wanted = Wanted();
  wanted[0] = field("id", arrow::int64(), false);
  wanted[1] = field("price", arrow::float64());
  wanted[2] = field("cost", arrow::decimal128(12, 2));
  wanted[5] = field("map", arrow::map(arrow::int32(), arrow::int64()));
  const auto evolved = Evolve(wanted);
  ASSERT_TRUE(evolved.ok()) << evolved.status().ToString();
  const Schema& schema = **evolved;
  EXPECT_EQ(schema.FindById(1)->type->kind, TypeKind::kLong);
  EXPECT_TRUE(schema.FindById(1)->is_required);
  EXPECT_EQ(schema.FindById(2)->type->kind, TypeKind::kDouble);
  EXPECT_EQ(schema.FindById(3)->type->precision, 12);
  EXPECT_EQ(schema.FindByName("map")->type->fields[1].type->kind, TypeKind::kLong);
  EXPECT_EQ(last_, 12);
}

TEST_F(EvolveSchemaTest, RequiredBecomesOptionalWhenWantedOrGone) {
  auto wanted = Wanted();
  wanted[0] = field("id", arrow::int32(), /*nullable=*/true);
  EXPECT_FALSE((*Evolve(wanted))->FindByName("id")->is_required);
  wanted.erase(wanted.begin());
  EXPECT_FALSE((*Evolve(wanted))->FindByName("id")->is_required);
  current_.identifier_field_ids = {1};
  EXPECT_EQ(Evolve(wanted).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(EvolveSchemaTest, RefusesTheRestByName) {
  const std::vector<std::pair<size_t, std::shared_ptr<arrow::Field>>> refused = {
      {0, field("id", arrow::utf8(), false)},
      {1, field("price", arrow::int32())},
      {2, field("cost", arrow::decimal128(9, 3))},
      {2, field("cost", arrow::decimal128(8, 2))},
      {3, field("inner", arrow::struct_({field("a", arrow::int32())}))},
      {4, field("tags", arrow::list(arrow::utf8()))},
      {5, field("map", arrow::map(arrow::int64(), arrow::int32()))},
      {1, field("PRICE", arrow::float32())},
  };
  for (const auto& [index, column] : refused) {
    auto wanted = Wanted();
    wanted[index] = column;
    const Status status = Evolve(wanted).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << column->ToString();
    EXPECT_THAT(status.message(), HasSubstr(column->name()));
  }
  EXPECT_EQ(last_, 12);
}

TEST_F(EvolveSchemaTest, LongIsNotNarrowed) {
  current_.fields[0].type = std::make_shared<const Type>(Type{.kind = TypeKind::kLong});
  const auto evolved =
      EvolveSchema(current_, *arrow::schema({field("id", arrow::int32(), false)}), &last_);
  EXPECT_EQ(evolved.status().code(), StatusCode::kInvalidArgument);
}

TEST_F(EvolveSchemaTest, StopsBeforeReservedIds) {
  last_ = 2'147'483'447;
  auto wanted = Wanted();
  wanted.push_back(field("one_more", arrow::utf8()));
  EXPECT_EQ(Evolve(wanted).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace playhead::iceberg
