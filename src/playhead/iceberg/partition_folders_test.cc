#include "playhead/iceberg/partition_folders.h"

#include <gtest/gtest.h>

namespace playhead::iceberg {
namespace {

using namespace std::string_literals;

TableMetadata Table() {
  TableMetadata table;
  const auto type = [](TypeKind kind) { return std::make_shared<const Type>(Type{.kind = kind}); };
  table.schemas = {{.schema_id = 0,
                    .fields = {{.id = 1, .name = "ts", .type = type(TypeKind::kTimestamptz)},
                               {.id = 2, .name = "level", .type = type(TypeKind::kString)}}}};
  table.specs = {
      {.spec_id = 0,
       .fields = {
           {.source_id = 2, .field_id = 1000, .name = "level"},
           {.source_id = 1, .field_id = 1001, .name = "hour", .transform = Transform::kHour}}}};
  return table;
}

std::string Folders(const std::string& property, const PartitionValue& hour) {
  TableMetadata table = Table();
  if (!property.empty()) table.properties[std::string(kFoldersKey)] = property;
  return PartitionFolders(table, table.DefaultSpec()).Of({"free"s, hour});
}

TEST(PartitionFolders, OneForEachField) {
  EXPECT_EQ(Folders("", int32_t{29}), "level=free/hour=1970-01-02-05/");
}

TEST(PartitionFolders, AnHourFieldMayHaveTheFolderOfItsDay) {
  EXPECT_EQ(Folders("day(hour) as date, level, hour", int32_t{29}),
            "date=1970-01-02/level=free/hour=1970-01-02-05/");
  EXPECT_EQ(Folders("level,hour,day(hour) as date", int32_t{-1}),
            "level=free/hour=1969-12-31-23/date=1969-12-31/");
  EXPECT_EQ(Folders("level, day(hour) as date, hour", {}),
            "level=free/date=__HIVE_DEFAULT_PARTITION__/hour=__HIVE_DEFAULT_PARTITION__/");
}

TEST(PartitionFolders, ThoseOfAnotherSpecDoNotCount) {
  const std::string plain = "level=free/hour=1970-01-02-05/";
  for (const char* property :
       {"day(hour) as date, hour", "level, day(hour) as date", "level, hour, hour",
        "level, hour, city", "day(level) as date, level, hour", "level,, hour", "hours"}) {
    EXPECT_EQ(Folders(property, int32_t{29}), plain) << property;
  }
}

TEST(PartitionFolders, ADroppedColumnKeepsItsType) {
  TableMetadata table = Table();
  table.schemas[0].fields[1].type = std::make_shared<const Type>(Type{.kind = TypeKind::kDate});
  table.schemas.push_back({.schema_id = 1, .fields = {table.schemas[0].fields[0]}});
  table.current_schema_id = 1;
  EXPECT_EQ(PartitionFolders(table, table.specs[0]).Of({int32_t{31}, int32_t{0}}),
            "level=1970-02-01/hour=1970-01-01-00/");
}

}  // namespace
}  // namespace playhead::iceberg
