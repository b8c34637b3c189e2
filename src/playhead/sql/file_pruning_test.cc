#include "playhead/sql/file_pruning.h"

#include "playhead/iceberg/values.h"

#include <duckdb/planner/filter/constant_filter.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace playhead::sql {
namespace {

using duckdb::ExpressionType;
using duckdb::Value;
using iceberg::Transform;
using iceberg::TypeKind;

constexpr int64_t kHour = 3'600'000'000;

// A table of `ts` and `kind`, partitioned as given, and a file without bounds.
struct Case {
  iceberg::TableMetadata metadata;
  catalog::LiveFile file;

  Case(int32_t source_id, Transform transform, iceberg::PartitionValue value) {
    const auto type = [](TypeKind kind) {
      return std::make_shared<const iceberg::Type>(iceberg::Type{.kind = kind});
    };
    metadata.schemas = {{.schema_id = 0,
                         .fields = {{.id = 1, .name = "ts", .type = type(TypeKind::kTimestamptz)},
                                    {.id = 2, .name = "kind", .type = type(TypeKind::kString)}}}};
    metadata.specs = {
        {.spec_id = 3,
         .fields = {
             {.source_id = source_id, .field_id = 1000, .name = "p", .transform = transform}}}};
    file.spec_id = 3;
    file.file.partition = {std::move(value)};
    file.file.record_count = 1;
  }

  bool MayHold(size_t column, ExpressionType comparison, const Value& constant) const {
    duckdb::TableFilterSet filters;
    filters.PushFilter(duckdb::ColumnIndex(column),
                       duckdb::make_uniq<duckdb::ConstantFilter>(comparison, constant));
    return MayHoldRows(metadata, file, filters);
  }
  bool From(int64_t micros) const {
    return MayHold(0, ExpressionType::COMPARE_GREATERTHANOREQUALTO,
                   Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(micros)));
  }
  bool Before(int64_t micros) const {
    return MayHold(0, ExpressionType::COMPARE_LESSTHAN,
                   Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(micros)));
  }
};

TEST(MayHoldRows, AnHourSpansItsTimes) {
  const Case hour(1, Transform::kHour, int32_t{26});
  EXPECT_TRUE(hour.From(27 * kHour - 1));
  EXPECT_FALSE(hour.From(27 * kHour));
  EXPECT_TRUE(hour.Before(26 * kHour + 1));
  EXPECT_FALSE(hour.Before(26 * kHour));
}

TEST(MayHoldRows, ADaySpansItsTimesAlsoBefore1970) {
  const Case day(1, Transform::kDay, int32_t{-1});
  EXPECT_TRUE(day.From(-1));
  EXPECT_FALSE(day.From(0));
  EXPECT_FALSE(day.Before(-24 * kHour));
}

TEST(MayHoldRows, BoundsOfTheFileAreNarrower) {
  Case hour(1, Transform::kHour, int32_t{0});
  hour.file.file.upper_bounds[1] = iceberg::EncodeLong(5);
  EXPECT_FALSE(hour.From(6));
  EXPECT_TRUE(hour.From(5));
  EXPECT_FALSE(hour.Before(0));
}

TEST(MayHoldRows, AnIdentityIsTheValue) {
  const Case kind(2, Transform::kIdentity, std::string("play"));
  EXPECT_TRUE(kind.MayHold(1, ExpressionType::COMPARE_EQUAL, Value("play")));
  EXPECT_FALSE(kind.MayHold(1, ExpressionType::COMPARE_EQUAL, Value("stop")));
}

TEST(MayHoldRows, NothingIsRuledOutByWhatIsNotKnown) {
  EXPECT_TRUE(Case(1, Transform::kHour, {}).From(0));
  EXPECT_TRUE(Case(1, Transform::kDay, int32_t{2'000'000'000}).From(0));
  EXPECT_TRUE(Case(1, Transform::kBucket, int32_t{1}).From(kHour));
  EXPECT_TRUE(Case(2, Transform::kTruncate, std::string("pl"))
                  .MayHold(1, ExpressionType::COMPARE_EQUAL, Value("stop")));
}

}  // namespace
}  // namespace playhead::sql
