#include "playhead/table/ensure_table.h"

#include "playhead/table/test_lake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace playhead::table {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TestLake;

Result<std::vector<catalog::TableState>> Ensure(TestLake& lake, const TableSpec& spec) {
  return EnsureTables(lake.catalog(), lake.store(), lake.uri(), {spec}, lake.clock());
}

TableSpec PlaysSpec() { return TestLake::Specs().front(); }

TEST(EnsureTables, MakesEmptyTablesWithHintsInOneCommit) {
  TestLake lake;
  EXPECT_THAT(*lake.catalog().ListTables(), ElementsAre(TestLake::Main(), TestLake::Dead()));
  const auto state = lake.Load(TestLake::Main());
  const iceberg::TableMetadata& metadata = *state.metadata;
  EXPECT_EQ(metadata.location, lake.uri() + "/bronze/plays");
  EXPECT_EQ(metadata.CurrentSnapshot(), nullptr);
  ASSERT_EQ(metadata.DefaultSpec().fields.size(), 2u);
  EXPECT_EQ(metadata.DefaultSpec().fields[0].field_id, 1000);
  EXPECT_EQ(metadata.DefaultSpec().fields[1].field_id, 1001);
  EXPECT_EQ(metadata.DefaultSpec().fields[1].name, "date");
  EXPECT_EQ(metadata.DefaultSpec().fields[1].transform, iceberg::Transform::kDay);
  EXPECT_EQ(metadata.last_partition_id, 1001);
  // Seven columns and the element of `genre`.
  EXPECT_EQ(metadata.last_column_id, 8);
  const std::string name = std::filesystem::path(state.metadata_location).filename().string();
  EXPECT_THAT(name, ::testing::MatchesRegex("00000-[0-9a-f-]{36}\\.metadata\\.json"));
  EXPECT_EQ(*lake.store().Get(metadata.location + "/metadata/version-hint.text"),
            name.substr(0, name.size() - std::string(".metadata.json").size()));
}

TEST(EnsureTables, ChangesNothingTheSecondTime) {
  TestLake lake;
  const std::string before = *lake.catalog().Fingerprint();
  ASSERT_TRUE(Ensure(lake, PlaysSpec()).ok());
  EXPECT_EQ(*lake.catalog().Fingerprint(), before);
}

TEST(EnsureTables, AddsANullableColumnWithAFreshId) {
  TestLake lake;
  TableSpec spec = PlaysSpec();
  spec.schema = *spec.schema->AddField(1, arrow::field("quality", arrow::utf8()));
  const auto states = Ensure(lake, spec);
  ASSERT_TRUE(states.ok()) << states.error().ToString();
  const iceberg::TableMetadata& metadata = *states->front().metadata;
  const iceberg::NestedField* added = metadata.CurrentSchema().FindByName("quality");
  ASSERT_NE(added, nullptr);
  EXPECT_EQ(added->id, 9);
  EXPECT_FALSE(added->is_required);
  EXPECT_EQ(metadata.schemas.size(), 2u);
  EXPECT_THAT(states->front().metadata_location, HasSubstr("/metadata/00001-"));
}

TEST(EnsureTables, WidensAndRefusesToNarrow) {
  TestLake lake;
  TableSpec spec = PlaysSpec();
  const int partition = spec.schema->GetFieldIndex("_topic_partition");
  const auto with_type = [&](const std::shared_ptr<arrow::DataType>& type) {
    spec.schema =
        *spec.schema->SetField(partition, arrow::field("_topic_partition", type, /*nullable=*/false));
    return Ensure(lake, spec);
  };
  ASSERT_TRUE(with_type(arrow::int64()).ok());
  const auto refused = with_type(arrow::int32());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message(), HasSubstr("bronze.plays"));
  EXPECT_THAT(refused.error().message(), HasSubstr("_topic_partition"));
}

TEST(EnsureTables, RefusesADroppedColumnByName) {
  TestLake lake;
  TableSpec spec = PlaysSpec();
  spec.schema = *spec.schema->RemoveField(spec.schema->GetFieldIndex("position"));
  const std::string before = *lake.catalog().Fingerprint();
  const auto refused = Ensure(lake, spec);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message(), HasSubstr("column=position"));
  EXPECT_EQ(*lake.catalog().Fingerprint(), before);
}

TEST(EnsureTables, RefusesARequiredColumnOnceThereAreRows) {
  TestLake lake;
  TableSpec spec = PlaysSpec();
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p1", "plays", 0, 8)).ok());
  spec.schema = *spec.schema->AddField(0, arrow::field("must", arrow::utf8(), false));
  const auto refused = Ensure(lake, spec);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message(), HasSubstr("column=must"));
}

TEST(EnsureTables, RefusesAnotherPartitioning) {
  TestLake lake;
  TableSpec spec = PlaysSpec();
  spec.partition_by[1].transform = PartitionTransform::kHour;
  EXPECT_EQ(Ensure(lake, spec).error().code(), StatusCode::kInvalidArgument);
  spec.partition_by.pop_back();
  EXPECT_EQ(Ensure(lake, spec).error().code(), StatusCode::kInvalidArgument);
}

TEST(EnsureTables, RefusesPartitionFieldsThatNameNoColumnOrAnother) {
  TestLake lake;
  TableSpec spec = PlaysSpec();
  spec.id.name = "other";
  spec.partition_by = {{"nowhere", PartitionTransform::kDay, "date"}};
  EXPECT_THAT(Ensure(lake, spec).error().message(), HasSubstr("column=nowhere"));
  spec.partition_by = {{"timestamp", PartitionTransform::kDay, "position"}};
  EXPECT_THAT(Ensure(lake, spec).error().message(), HasSubstr("name=position"));
  EXPECT_EQ(lake.catalog().Load(spec.id).error().code(), StatusCode::kNotFound);
}

TEST(EnsureTables, SetsPropertiesAndRefusesUnknownCompression) {
  TestLake lake;
  TableSpec spec = PlaysSpec();
  spec.properties["write.parquet.compression-codec"] = "snappy";
  const auto states = Ensure(lake, spec);
  ASSERT_TRUE(states.ok()) << states.error().ToString();
  EXPECT_EQ(states->front().metadata->properties.at("write.parquet.compression-codec"), "snappy");
  EXPECT_EQ(states->front().metadata->schemas.size(), 1u);
  spec.properties["write.parquet.compression-codec"] = "brotli";
  EXPECT_EQ(Ensure(lake, spec).error().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace playhead::table
