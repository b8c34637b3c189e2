#include "playhead/base/data_type_name.h"
#include "playhead/project/project.h"

#include <arrow/type.h>
#include <gtest/gtest.h>

namespace playhead::project {
namespace {

std::string RoundTrip(std::string_view name) {
  auto type = ParseDataType(name);
  return type.ok() ? DataTypeName(**type) : type.error().ToString();
}

TEST(ParseDataType, TakesAliasesInAnyCase) {
  EXPECT_EQ(RoundTrip("text"), "VARCHAR");
  EXPECT_EQ(RoundTrip("Int"), "INTEGER");
  EXPECT_EQ(RoundTrip("timestamp with time zone"), "TIMESTAMPTZ");
  EXPECT_EQ(RoundTrip("TIMESTAMP"), "TIMESTAMP");
  EXPECT_EQ(RoundTrip("numeric(12, 2)"), "DECIMAL(12,2)");
  EXPECT_EQ(RoundTrip("DECIMAL"), "DECIMAL(18,3)");
}

TEST(ParseDataType, NestsAtWill) {
  EXPECT_EQ(RoundTrip("varchar[][]"), "VARCHAR[][]");
  EXPECT_EQ(RoundTrip("STRUCT(id VARCHAR, metadata STRUCT(title VARCHAR, pages VARCHAR))[]"),
            "STRUCT(id VARCHAR, metadata STRUCT(title VARCHAR, pages VARCHAR))[]");
  EXPECT_EQ(RoundTrip("map(varchar, struct(a bigint)[])"), "MAP(VARCHAR, STRUCT(a BIGINT)[])");
  EXPECT_EQ(RoundTrip("struct(\"a \"\"b\" int, c int)"), "STRUCT(\"a \"\"b\" INTEGER, c INTEGER)");
}

TEST(ParseDataType, GivesArrowsTypes) {
  EXPECT_TRUE(
      (*ParseDataType("TIMESTAMPTZ"))->Equals(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")));
  EXPECT_TRUE((*ParseDataType("DATE"))->Equals(arrow::date32()));
  EXPECT_TRUE((*ParseDataType("REAL[]"))->Equals(arrow::list(arrow::float32())));
}

TEST(ParseDataType, SaysWhereItStopsUnderstanding) {
  EXPECT_EQ(RoundTrip("VARCHAR["), "InvalidArgument: expected ] at character 9 of 'VARCHAR['");
  EXPECT_EQ(RoundTrip("STRUCT(a)"),
            "InvalidArgument: expected a type name at character 9 of 'STRUCT(a)'");
  EXPECT_EQ(RoundTrip("BIGINT BIGINT"),
            "InvalidArgument: expected the end of the type at character 8 of 'BIGINT BIGINT'");
  EXPECT_EQ(RoundTrip("STRNG"), "InvalidArgument: unknown type STRNG");
  EXPECT_EQ(RoundTrip("STRUCT(a INT, A INT)"), "InvalidArgument: STRUCT field A is given twice");
  EXPECT_EQ(RoundTrip("DECIMAL(39,0)").substr(0, 15), "InvalidArgument");
  EXPECT_EQ(RoundTrip("").substr(0, 15), "InvalidArgument");
}

TEST(ParseDataType, RefusesTypesThatIcebergCannotHold) {
  EXPECT_EQ(ParseDataType("HUGEINT").error().code(), StatusCode::kNotSupported);
  EXPECT_EQ(ParseDataType("MAP(BIGINT, INT)").error().code(), StatusCode::kNotSupported);
}

TEST(ParseDataType, RefusesEndlessNesting) {
  std::string name;
  for (int i = 0; i < 10'000; ++i) name += "STRUCT(a ";
  EXPECT_EQ(ParseDataType(name).error().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace playhead::project
