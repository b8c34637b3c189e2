#include "playhead/table/migrate_tables.h"

#include "playhead/iceberg/partition_folders.h"
#include "playhead/table/metadata_file.h"
#include "playhead/table/progress.h"
#include "playhead/table/test_lake.h"
#include "playhead/table/topic_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <utility>

namespace playhead::table {
namespace {

using ::testing::ElementsAre;
using ::testing::Key;
using testing::TestLake;
using ::testing::UnorderedElementsAre;

const catalog::TableId kMain = TestLake::Main();
const catalog::TableId kDead = TestLake::Dead();

// As the release before left a table: the source column under its old name and, in the main table,
// the hour of `timestamp` beside its day.
iceberg::TableMetadata Old(iceberg::TableMetadata table) {
  for (iceberg::Schema& schema : table.schemas) {
    for (iceberg::NestedField& field : schema.fields) {
      if (field.name == "_topic_partition") field.name = "_partition";
    }
  }
  for (iceberg::PartitionSpec& spec : table.specs) {
    if (spec.fields.empty()) continue;
    spec.fields.push_back({.source_id = spec.fields.back().source_id,
                           .field_id = 1002,
                           .name = "hour",
                           .transform = iceberg::Transform::kHour});
    table.last_partition_id = 1002;
  }
  return table;
}

void MakeOld(TestLake& lake) {
  catalog::CommitRequest request;
  for (const catalog::TableId& id : {kMain, kDead}) {
    const catalog::TableState state = lake.Load(id);
    NextMetadata old = MakeNextMetadata(id, state.metadata_location, Old(*state.metadata));
    ASSERT_TRUE(lake.store().PutMany({&old.object, 1}).ok());
    request.moves.push_back(old.move);
  }
  ASSERT_TRUE(lake.catalog().Commit(request).committed());
}

Status Migrate(TestLake& lake) {
  return MigrateTables(lake.catalog(), lake.store(), lake.uri(), lake.clock());
}

std::map<std::string, std::map<int32_t, int64_t>> Offsets(TestLake& lake) {
  return ReadProgress(*lake.Load(kMain).metadata)->offsets;
}

iceberg::TableMetadata MigratedOnce(const iceberg::TableMetadata& table,
                                    const TopicByLog& topics = {}) {
  auto migrated = MigrateMetadata(table, "file:///lake/metadata/00001-a.metadata.json", topics, 1);
  EXPECT_TRUE(migrated.ok()) << migrated.error().ToString();
  EXPECT_TRUE(migrated->has_value());
  const iceberg::TableMetadata next = **migrated;
  EXPECT_FALSE(MigrateMetadata(next, "", topics, 2)->has_value()) << "it is migrated twice";
  return next;
}

TEST(MigrateMetadata, LeavesTablesOfTodayAndOfOthers) {
  TestLake lake;
  const iceberg::TableMetadata table = *lake.Load(kMain).metadata;
  EXPECT_FALSE(MigrateMetadata(table, "", {{"log-1", "plays"}}, 1)->has_value());
  iceberg::TableMetadata others = Old(table);
  for (iceberg::NestedField& field : others.schemas[0].fields) {
    if (field.name == "_offset") field.name = "place";
  }
  EXPECT_FALSE(MigrateMetadata(others, "", {}, 1)->has_value());
}

TEST(MigrateMetadata, TheReservedColumnGetsANameAndKeepsItsId) {
  TestLake lake;
  iceberg::TableMetadata old = Old(*lake.Load(kMain).metadata);
  const int32_t id = old.CurrentSchema().FindByName("_partition")->id;
  old.properties["schema.name-mapping.default"] =
      fmt::format(R"([{{"field-id":{},"names":["_partition"]}}])", id);
  const iceberg::TableMetadata next = MigratedOnce(old);
  EXPECT_EQ(next.CurrentSchema().FindByName("_partition"), nullptr);
  EXPECT_EQ(next.CurrentSchema().FindByName("_topic_partition")->id, id);
  EXPECT_EQ(next.current_schema_id, 1);
  EXPECT_EQ(next.last_column_id, old.last_column_id);
  EXPECT_EQ(next.schemas[0].FindByName("_partition")->id, id) << "old snapshots keep their schema";
  EXPECT_EQ(next.properties.at("schema.name-mapping.default"),
            fmt::format(R"([{{"field-id":{},"names":["_partition","_topic_partition"]}}])", id));
  EXPECT_EQ(next.metadata_log.back().metadata_file, "file:///lake/metadata/00001-a.metadata.json");
}

TEST(MigrateMetadata, DayAndHourBecomeTheHourWithTheFoldersOfBoth) {
  TestLake lake;
  const iceberg::TableMetadata old = Old(*lake.Load(kMain).metadata);
  const iceberg::TableMetadata next = MigratedOnce(old);
  EXPECT_EQ(next.specs.size(), 2u);
  EXPECT_EQ(next.default_spec_id, 1);
  const auto& fields = next.DefaultSpec().fields;
  ASSERT_EQ(fields.size(), 2u);
  EXPECT_EQ(fields[0].name, "event_type");
  EXPECT_EQ(fields[0].field_id, 1000);
  EXPECT_EQ(fields[1].name, "hour");
  EXPECT_EQ(fields[1].field_id, 1002);
  EXPECT_EQ(next.properties.at(std::string(iceberg::kFoldersKey)),
            "event_type, day(hour) as date, hour");
  const iceberg::PartitionFolders before(next, next.specs[0]);
  const iceberg::PartitionFolders after(next, next.specs[1]);
  EXPECT_EQ(after.Of({std::string("play"), int32_t{26}}),
            before.Of({std::string("play"), int32_t{1}, int32_t{26}}));
}

TEST(MigrateMetadata, DaysAndHoursOfTwoColumnsStay) {
  TestLake lake;
  iceberg::TableMetadata old = Old(*lake.Load(kMain).metadata);
  old.specs[0].fields.back().source_id = 4;
  EXPECT_EQ(MigratedOnce(old).default_spec_id, 0);
}

TEST(MigrateMetadata, ProgressNamesTheTopicInEverySnapshot) {
  TestLake lake;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p1", "plays", 0, 20)).ok());
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p2", "plays", 20, 24)).ok());
  iceberg::TableMetadata old = *lake.Load(kMain).metadata;
  old.snapshots[0].summary[std::string(kGapsKey)] =
      R"([{"log":"log-1","topic":"plays","partition":0,"begin":0,"end":1},{"log":"k/t"}])";
  const iceberg::TableMetadata next = MigratedOnce(old, {{"log-1", "plays"}});
  ASSERT_EQ(next.snapshots.size(), 2u);
  EXPECT_EQ(next.snapshots[0].summary.at("playhead.offsets"), R"({"log-1/plays":{"0":20}})");
  EXPECT_EQ(next.snapshots[1].summary.at("playhead.offsets"), R"({"log-1/plays":{"0":24}})");
  EXPECT_EQ(next.properties.at("playhead.offsets"), R"({"log-1/plays":{"0":24}})");
  EXPECT_EQ(
      next.snapshots[0].summary.at(std::string(kGapsKey)),
      R"([{"begin":0,"end":1,"log":"log-1/plays","partition":0,"topic":"plays"},{"log":"k/t"}])");
  EXPECT_EQ(ReadProgress(next)->counts.at("log-1/plays").at(0).read, 24);
  EXPECT_EQ(next.current_snapshot_id, old.current_snapshot_id);
}

TEST(MigrateMetadata, AnIdThatIsThereAlreadyIsNotReplaced) {
  TestLake lake;
  iceberg::TableMetadata old = *lake.Load(kMain).metadata;
  old.properties["playhead.offsets"] = R"({"log-1":{"0":5},"log-1/plays":{"0":9}})";
  EXPECT_FALSE(MigrateMetadata(old, "", {{"log-1", "plays"}}, 1)->has_value());
}

TEST(MigrateTables, MigratesAllTablesOnceAndRowsStay) {
  TestLake lake;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p1", "plays", 0, 20)).ok());
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.StageLanding("p2", "a.csv", "11", 16)).ok());
  MakeOld(lake);
  ASSERT_TRUE(Migrate(lake).ok());
  for (const catalog::TableId& id : {kMain, kDead}) {
    EXPECT_NE(lake.Load(id).metadata->CurrentSchema().FindByName("_topic_partition"), nullptr);
  }
  EXPECT_THAT(Offsets(lake), ElementsAre(Key("log-1/plays")));
  EXPECT_EQ(lake.LiveRows(kMain),
            testing::operator+(TestLake::Expected("plays", 0, 20, false),
                               TestLake::Expected("file:a.csv#11", 0, 16, false)));
  const std::string before = *lake.catalog().Fingerprint();
  ASSERT_TRUE(Migrate(lake).ok());
  EXPECT_EQ(*lake.catalog().Fingerprint(), before);
}

TEST(MigrateTables, DeadLettersAloneTellATopicToo) {
  TestLake lake;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p1", "plays", 3, 4)).ok());
  ASSERT_TRUE(lake.LiveRows(kMain).empty());
  ASSERT_TRUE(Migrate(lake).ok());
  EXPECT_THAT(Offsets(lake), ElementsAre(Key("log-1/plays")));
}

TEST(MigrateTables, ALogOfSeveralTopicsOrOfNoneKeepsItsId) {
  TestLake lake;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p1", "plays", 0, 20)).ok());
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p2", "shows", 20, 40)).ok());
  ASSERT_TRUE(Migrate(lake).ok());
  EXPECT_THAT(Offsets(lake), ElementsAre(Key("log-1")));

  TestLake skipped;
  Epoch epoch = skipped.Stage("p1", "plays", 0, 0);
  epoch.ranges[0].range = {0, 7};
  epoch.ranges[0].counts = {.read = 7, .skipped = 7};
  ASSERT_TRUE(skipped.MakeCommitter().Commit(epoch).ok());
  ASSERT_TRUE(Migrate(skipped).ok());
  EXPECT_THAT(Offsets(skipped), ElementsAre(Key("log-1")));
}

TEST(MigrateTables, TablesWithAnOpenPlanWait) {
  TestLake lake;
  MakeOld(lake);
  const catalog::PlanRow plan{.plan_id = "p1", .table = kMain, .owner = {.name = "somebody"}};
  ASSERT_TRUE(lake.catalog().InsertPlan(plan, 1).committed());
  const std::string before = *lake.catalog().Fingerprint();
  ASSERT_TRUE(Migrate(lake).ok());
  EXPECT_EQ(*lake.catalog().Fingerprint(), before);
  ASSERT_TRUE(lake.catalog().AbandonPlan("p1", plan.owner, "for a test").committed());
  ASSERT_TRUE(Migrate(lake).ok());
  EXPECT_NE(*lake.catalog().Fingerprint(), before);
}

TEST(MigrateTables, ATableThatCannotBeReadDoesNotKeepTheOthers) {
  TestLake lake;
  MakeOld(lake);
  const std::string location = lake.Load(kDead).metadata_location;
  ASSERT_TRUE(lake.store().Delete(location).ok());
  // Another catalog object, since this one remembers what it has read.
  auto catalog = *catalog::OpenSqliteCatalog(lake.root() + "/catalog.db", lake.store());
  ASSERT_TRUE(MigrateTables(*catalog, lake.store(), lake.uri(), lake.clock()).ok());
  EXPECT_NE(catalog->Load(kMain)->metadata->CurrentSchema().FindByName("_topic_partition"),
            nullptr);
}

TEST(TopicsOfFile, LooksIntoFilesWithoutBounds) {
  TestLake lake;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p1", "plays", 0, 20)).ok());
  const auto state = lake.Load(kMain);
  iceberg::DataFile file = catalog::LiveFiles(lake.store(), *state.metadata)->front().file;
  EXPECT_THAT(*TopicsOfFile(lake.store(), *state.metadata, file), UnorderedElementsAre("plays"));
  file.lower_bounds.clear();
  file.upper_bounds.clear();
  EXPECT_THAT(*TopicsOfFile(lake.store(), *state.metadata, file), UnorderedElementsAre("plays"));
  file.path += ".gone";
  EXPECT_FALSE(TopicsOfFile(lake.store(), *state.metadata, file).ok());
}

}  // namespace
}  // namespace playhead::table
