#include "playhead/ingest/stream_tables.h"

#include "playhead/iceberg/partition_folders.h"

#include <arrow/type.h>
#include <gtest/gtest.h>

namespace playhead::ingest {
namespace {

project::Stream Declared(std::vector<PartitionDecl> partition_by) {
  project::Stream stream;
  stream.table_namespace = "bronze";
  stream.identifier = "plays";
  for (const char* name : {"ts", "seen"}) {
    project::ColumnDecl column;
    column.name = name;
    column.type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    stream.columns.push_back(std::move(column));
  }
  stream.partition_by = std::move(partition_by);
  return stream;
}

std::string Fields(const IngestStream& stream) {
  std::string names;
  for (const auto& field : stream.main.partition_by) names += field.name + " ";
  for (const auto& field : stream.row_schema->partition_by) names += "/" + field.name;
  return names;
}

const PartitionDecl kDate{
    .source_column = "ts", .transform = PartitionTransform::kDay, .name = "date"};
const PartitionDecl kHour{
    .source_column = "ts", .transform = PartitionTransform::kHour, .name = "hour"};
const PartitionDecl kSeen{
    .source_column = "seen", .transform = PartitionTransform::kDay, .name = "seen_day"};

TEST(StreamTables, DayAndHourOfAColumnAreOneIcebergFieldAndTwoFolders) {
  const project::Stream declared = Declared({kDate, kSeen, kHour});
  const IngestStream stream = MakeIngestStream(declared);
  EXPECT_EQ(Fields(stream), "seen_day hour /seen_day/hour");
  EXPECT_EQ(stream.main.properties.at(std::string(iceberg::kFoldersKey)),
            "day(hour) as date, seen_day, hour");
}

TEST(StreamTables, DaysAloneAreFields) {
  const project::Stream declared = Declared({kDate, kSeen});
  const IngestStream stream = MakeIngestStream(declared);
  EXPECT_EQ(Fields(stream), "date seen_day /date/seen_day");
  EXPECT_TRUE(stream.main.properties.empty());
}

}  // namespace
}  // namespace playhead::ingest
