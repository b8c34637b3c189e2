#include "playhead/table/ensure_table.h"

#include "playhead/table/column_binding.h"
#include "playhead/table/test_lake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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

TEST(EnsureTables, WidensAndStaysWide) {
  TestLake lake;
  TableSpec spec = PlaysSpec();
  const int partition = spec.schema->GetFieldIndex("_topic_partition");
  const auto with_type = [&](const std::shared_ptr<arrow::DataType>& type) {
    spec.schema = *spec.schema->SetField(
        partition, arrow::field("_topic_partition", type, /*nullable=*/false));
    return Ensure(lake, spec);
  };
  ASSERT_TRUE(with_type(arrow::int64()).ok());
  // The table is wider than it need be: what is declared fits into it.
  const auto wide = with_type(arrow::int32());
  ASSERT_TRUE(wide.ok()) << wide.error().ToString();
  EXPECT_EQ(wide->front().metadata->CurrentSchema().FindByName("_topic_partition")->type->kind,
            iceberg::TypeKind::kLong);
  const auto refused = with_type(arrow::utf8());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message(), HasSubstr("bronze.plays"));
  EXPECT_THAT(refused.error().message(),
              HasSubstr("column=_topic_partition: the table has BIGINT, the declaration VARCHAR"));
}

TEST(EnsureTables, AColumnThatIsNotDeclaredAnyMoreStays) {
  TestLake lake;
  TableSpec spec = PlaysSpec();
  spec.schema = *spec.schema->RemoveField(spec.schema->GetFieldIndex("position"));
  const auto states = Ensure(lake, spec);
  ASSERT_TRUE(states.ok()) << states.error().ToString();
  EXPECT_NE(states->front().metadata->CurrentSchema().FindByName("position"), nullptr);
  EXPECT_EQ(states->front().metadata->schemas.size(), 1u);
  // And declared again it is the same column.
  const auto again = Ensure(lake, PlaysSpec());
  ASSERT_TRUE(again.ok()) << again.error().ToString();
  EXPECT_EQ(again->front().metadata->CurrentSchema().FindByName("position")->id, 4);
}

TEST(EnsureTables, TheOrderOfTheDeclarationIsNoChange) {
  TestLake lake;
  TableSpec spec = PlaysSpec();
  arrow::FieldVector fields = spec.schema->fields();
  std::ranges::reverse(fields);
  spec.schema = arrow::schema(fields);
  const std::string before = *lake.catalog().Fingerprint();
  ASSERT_TRUE(Ensure(lake, spec).ok());
  EXPECT_EQ(*lake.catalog().Fingerprint(), before);
}

TEST(EnsureTables, KnowsAColumnThatAnotherWriterRenamed) {
  TestLake lake;
  lake.ChangeSchemaAsAnother(TestLake::Main(),
                             [](iceberg::Schema& schema) { schema.fields[3].name = "seconds"; });
  const auto states = Ensure(lake, PlaysSpec());
  ASSERT_TRUE(states.ok()) << states.error().ToString();
  EXPECT_EQ(states->front().metadata->CurrentSchema().FindByName("position"), nullptr);
  // Its new name, once declared, is the same column; the old one is then another.
  TableSpec spec = PlaysSpec();
  spec.schema = *spec.schema->AddField(0, arrow::field("seconds", arrow::float64()));
  const auto refused = Ensure(lake, spec);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("columns=position, seconds"));
  spec.schema = *spec.schema->RemoveField(spec.schema->GetFieldIndex("position"));
  ASSERT_TRUE(Ensure(lake, spec).ok());
  spec.schema = *spec.schema->AddField(0, arrow::field("position", arrow::float64()));
  const auto both = Ensure(lake, spec);
  ASSERT_TRUE(both.ok()) << both.error().ToString();
  EXPECT_EQ(both->front().metadata->CurrentSchema().FindByName("seconds")->id, 4);
  EXPECT_EQ(both->front().metadata->CurrentSchema().FindByName("position")->id, 9);
}

TEST(EnsureTables, SwappedNamesStayWithTheirColumns) {
  TestLake lake;
  lake.ChangeSchemaAsAnother(TestLake::Main(), [](iceberg::Schema& schema) {
    std::swap(schema.fields[2].name, schema.fields[3].name);  // genre and position
  });
  const auto states = Ensure(lake, PlaysSpec());
  ASSERT_TRUE(states.ok()) << states.error().ToString();
  const auto bound = ColumnBinder(*states->front().metadata).Bind(*PlaysSpec().schema);
  ASSERT_TRUE(bound.ok());
  EXPECT_EQ((*bound)->field(2)->name(), "position");
  EXPECT_EQ((*bound)->field(3)->name(), "genre");
}

TEST(EnsureTables, AddsAnewWhatAnotherWriterDropped) {
  TestLake lake;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p1", "plays", 0, 8)).ok());
  lake.ChangeSchemaAsAnother(TestLake::Main(), [](iceberg::Schema& schema) {
    schema.fields.erase(schema.fields.begin() + 3);
  });
  const auto states = Ensure(lake, PlaysSpec());
  ASSERT_TRUE(states.ok()) << states.error().ToString();
  const iceberg::NestedField* position =
      states->front().metadata->CurrentSchema().FindByName("position");
  ASSERT_NE(position, nullptr);
  EXPECT_EQ(position->id, 9);
  EXPECT_FALSE(position->is_required);
}

TEST(EnsureTables, RefusesARequiredColumnOfOthersByName) {
  TestLake lake;
  lake.ChangeSchemaAsAnother(TestLake::Main(), [](iceberg::Schema& schema) {
    schema.fields.push_back({.id = 9,
                             .name = "must",
                             .is_required = true,
                             .type = std::make_shared<const iceberg::Type>(
                                 iceberg::Type{.kind = iceberg::TypeKind::kLong}),
                             .doc = {}});
  });
  const auto refused = Ensure(lake, PlaysSpec());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message(), HasSubstr("column=must type=BIGINT"));
  EXPECT_THAT(refused.error().message(), HasSubstr("DROP NOT NULL"));
}

iceberg::PartitionField TruncatedTopic() {
  return {.source_id = 5,
          .field_id = 1002,
          .name = "topic_start",
          .transform = iceberg::Transform::kTruncate,
          .width = 2};
}

TEST(EnsureTables, TakesAPartitioningThatAnotherWriterChanged) {
  TestLake lake;
  const auto change_spec = [&](std::vector<iceberg::PartitionField> fields) {
    lake.ChangeAsAnother(TestLake::Main(), [&](iceberg::TableMetadata& metadata) {
      const auto id = static_cast<int32_t>(metadata.specs.size());
      metadata.specs.push_back({.spec_id = id, .fields = std::move(fields)});
      metadata.default_spec_id = id;
    });
    return Ensure(lake, PlaysSpec());
  };
  const auto fields = lake.Load(TestLake::Main()).metadata->DefaultSpec().fields;
  const auto states = change_spec({fields[0], TruncatedTopic()});
  ASSERT_TRUE(states.ok()) << states.error().ToString();
  EXPECT_EQ(states->front().metadata->default_spec_id, 1);
  ASSERT_TRUE(change_spec({}).ok());
  // A declaration of neither is the project's own change.
  TableSpec spec = PlaysSpec();
  spec.partition_by.pop_back();
  const auto refused = Ensure(lake, spec);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("table_has=[] declared=[event_type]"));
  // What cannot be computed is refused by name.
  const auto unknown = change_spec({{.source_id = 4,
                                     .field_id = 1003,
                                     .name = "position",
                                     .transform = iceberg::Transform::kIdentity}});
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code(), StatusCode::kNotSupported);
  EXPECT_THAT(unknown.error().message(), HasSubstr("identity(position) of DOUBLE"));
  EXPECT_THAT(unknown.error().message(), HasSubstr("DROP PARTITION FIELD position"));
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
