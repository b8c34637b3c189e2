#include "playhead/base/sqlite.h"
#include "playhead/catalog/catalog.h"
#include "playhead/iceberg/metadata_json.h"
#include "playhead/iceberg/update.h"
#include "playhead/storage/object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace playhead::catalog {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const TableId kPlays{"bronze", "plays"};
const TableId kPlaysDead{"bronze", "plays_dead"};

class SqliteCatalogTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "playhead_catalog_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    Reopen();
  }
  void TearDown() override {
    catalog_.reset();
    fs::remove_all(root_);
  }
  void Reopen() {
    auto catalog = OpenSqliteCatalog(path(), *store_);
    ASSERT_TRUE(catalog.ok()) << catalog.error().ToString();
    catalog_ = *std::move(catalog);
  }
  std::string path() const { return root_ + "/catalog.db"; }

  // Writes the metadata of an empty table and returns its location.
  std::string WriteMetadata(const std::string& name) {
    const iceberg::TableMetadata metadata = iceberg::NewTable(
        "9c12d441-03fe-4693-9a96-a0705ddf69c1", "file://" + root_ + "/t", iceberg::Schema{}, 0,
        iceberg::PartitionSpec{}, {{"note", name}}, /*now_ms=*/1'700'000'000'000);
    std::string location = "file://" + root_ + "/t/metadata/" + name + ".metadata.json";
    EXPECT_TRUE(store_->Put(location, iceberg::SerializeMetadata(metadata)).ok());
    return location;
  }

  Plan MakePlan(const std::string& id, int32_t partition) const {
    return {.plan_id = id,
            .table = kPlays,
            .ranges = {{.partition = {"log-1", "plays", partition}, .range = {10, 20}}},
            .files = {{kPlays, "file:///s/1", "file:///f/1", 7, 700},
                      {kPlaysDead, "file:///s/2", "file:///f/2", 3, 300}},
            .payload_json = R"({"x": "ü"})",
            .created_us = 5};
  }

  std::string root_;
  std::unique_ptr<storage::ObjectStore> store_ = storage::MakeLocalStore();
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(SqliteCatalogTest, TablesAreIcebergsJdbcSchemaV1) {
  ASSERT_TRUE(catalog_->Commit({.moves = {{kPlays, "", "file:///a"}}}).ok());
  auto db = sqlite::Database::Open(path(), {.read_only = true});
  ASSERT_TRUE(db.ok());
  const auto row_of = [&](const char* sql) {
    auto query = db->Prepare(sql);
    EXPECT_TRUE(query.ok());
    std::vector<std::string> row;
    EXPECT_TRUE(*query->Step());
    for (int column = 0; column < 6; ++column) row.emplace_back(query->ColumnText(column));
    return row;
  };
  EXPECT_THAT(row_of("SELECT catalog_name, table_namespace, table_name, metadata_location, "
                     "previous_metadata_location, iceberg_type FROM iceberg_tables"),
              ElementsAre("playhead", "bronze", "plays", "file:///a", "", "TABLE"));
  EXPECT_THAT(row_of("SELECT catalog_name, namespace, property_key, property_value, '', '' "
                     "FROM iceberg_namespace_properties"),
              ElementsAre("playhead", "bronze", "exists", "true", "", ""));
  EXPECT_THAT(row_of("SELECT group_concat(name), '', '', '', '', '' FROM "
                     "pragma_table_info('iceberg_tables') WHERE pk > 0"),
              ElementsAre("catalog_name,table_namespace,table_name", "", "", "", "", ""));
}

TEST_F(SqliteCatalogTest, LoadsWhatWasCommittedAndOnlyReadsItOnce) {
  const std::string location = WriteMetadata("a");
  ASSERT_TRUE(catalog_->Commit({.moves = {{kPlays, "", location}}}).ok());
  auto state = catalog_->Load(kPlays);
  ASSERT_TRUE(state.ok()) << state.error().ToString();
  EXPECT_EQ(state->metadata_location, location);
  EXPECT_EQ(state->metadata->properties.at("note"), "a");
  fs::remove(*storage::LocalPath(location));
  EXPECT_TRUE(catalog_->Load(kPlays).ok());

  Reopen();
  EXPECT_EQ(catalog_->Load(kPlays).error().code(), StatusCode::kDataCorrupt);
  EXPECT_EQ(catalog_->Load(kPlaysDead).error().code(), StatusCode::kNotFound);
}

TEST_F(SqliteCatalogTest, TornMetadataIsCorrupt) {
  ASSERT_TRUE(store_->Put("file://" + root_ + "/torn", "{\"format-version\": 2, ").ok());
  ASSERT_TRUE(catalog_->Commit({.moves = {{kPlays, "", "file://" + root_ + "/torn"}}}).ok());
  EXPECT_EQ(catalog_->Load(kPlays).error().code(), StatusCode::kDataCorrupt);
}

TEST_F(SqliteCatalogTest, NewMetadataGivenWithTheMoveIsNotRead) {
  auto metadata = std::make_shared<iceberg::TableMetadata>();
  metadata->table_uuid = "given";
  ASSERT_TRUE(catalog_->Commit({.moves = {{kPlays, "", "file:///none", metadata}}}).ok());
  EXPECT_EQ(catalog_->Load(kPlays)->metadata->table_uuid, "given");
}

TEST_F(SqliteCatalogTest, OneFailedGuardMovesNothing) {
  ASSERT_TRUE(
      catalog_->Commit({.moves = {{kPlaysDead, "", "file:///d1"}, {kPlays, "", "file:///p1"}}})
          .ok());
  const std::string before = *catalog_->Fingerprint();
  EXPECT_EQ(catalog_
                ->Commit({.moves = {{kPlays, "file:///p1", "file:///p2"},
                                    {kPlaysDead, "file:///stale", "file:///d2"}}})
                .code(),
            StatusCode::kConflict);
  EXPECT_EQ(*catalog_->Fingerprint(), before);
  EXPECT_EQ(catalog_->Commit({.moves = {{kPlays, "", "file:///again"}}}).code(),
            StatusCode::kConflict);
  EXPECT_EQ(*catalog_->Fingerprint(), before);
  EXPECT_TRUE(catalog_->Commit({.moves = {{kPlays, "file:///p1", "file:///p2"}}}).ok());
  EXPECT_NE(*catalog_->Fingerprint(), before);
  EXPECT_THAT(*catalog_->ListTables(), ElementsAre(kPlays, kPlaysDead));
}

TEST_F(SqliteCatalogTest, PlansComeBackWhole) {
  ASSERT_TRUE(catalog_->InsertPlan(MakePlan("p1", 0)).ok());
  Reopen();
  const auto plans = catalog_->OpenPlans();
  ASSERT_TRUE(plans.ok());
  ASSERT_THAT(*plans, SizeIs(1));
  const Plan& plan = plans->front();
  EXPECT_EQ(plan.plan_id, "p1");
  EXPECT_EQ(plan.table, kPlays);
  EXPECT_EQ(plan.payload_json, R"({"x": "ü"})");
  EXPECT_EQ(plan.created_us, 5);
  ASSERT_THAT(plan.ranges, SizeIs(1));
  EXPECT_EQ(plan.ranges[0].partition, (LogPartition{"log-1", "plays", 0}));
  EXPECT_EQ(plan.ranges[0].range, (OffsetRange{10, 20}));
  ASSERT_THAT(plan.files, SizeIs(2));
  EXPECT_EQ(plan.files[1].table, kPlaysDead);
  EXPECT_EQ(plan.files[1].staged_uri, "file:///s/2");
  EXPECT_EQ(plan.files[1].final_uri, "file:///f/2");
  EXPECT_EQ(plan.files[1].rows, 3);
  EXPECT_EQ(plan.files[1].bytes, 300);
  EXPECT_TRUE(catalog_->FindPlan("p1")->has_value());
  EXPECT_FALSE(catalog_->FindPlan("p2")->has_value());
}

TEST_F(SqliteCatalogTest, OneOpenPlanPerLogPartition) {
  ASSERT_TRUE(catalog_->InsertPlan(MakePlan("p1", 0)).ok());
  const Status second = catalog_->InsertPlan(MakePlan("p2", 0));
  EXPECT_EQ(second.code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(second.message(), HasSubstr("plan=p1"));
  EXPECT_THAT(*catalog_->OpenPlans(), SizeIs(1)) << "the refused plan left rows";
  EXPECT_TRUE(catalog_->InsertPlan(MakePlan("p3", 1)).ok());
  ASSERT_TRUE(catalog_->DeletePlan("p1").ok());
  EXPECT_TRUE(catalog_->InsertPlan(MakePlan("p2", 0)).ok());
}

TEST_F(SqliteCatalogTest, CommitTakesItsPlanAlongOrFails) {
  ASSERT_TRUE(catalog_->InsertPlan(MakePlan("p1", 0)).ok());
  ASSERT_TRUE(
      catalog_->Commit({.moves = {{kPlays, "", "file:///1"}}, .finished_plan_id = "p1"}).ok());
  EXPECT_THAT(*catalog_->OpenPlans(), IsEmpty());
  const std::string before = *catalog_->Fingerprint();
  EXPECT_EQ(
      catalog_->Commit({.moves = {{kPlays, "file:///1", "file:///2"}}, .finished_plan_id = "p1"})
          .code(),
      StatusCode::kConflict);
  EXPECT_EQ(*catalog_->Fingerprint(), before);
}

TEST_F(SqliteCatalogTest, ANewerContentTakesTheNameOver) {
  LandingFile file{.table = kPlays,
                   .name = "2026/users.csv",
                   .content_hash = "aa",
                   .topic = "file:2026/users.csv#aa",
                   .bytes = 10,
                   .rows_good = 2,
                   .rows_dead = 1,
                   .ingestion_date_days = 20'000,
                   .raw_uri = "file:///raw/a",
                   .committed_us = 1};
  ASSERT_TRUE(catalog_->Commit({.landing_files = {file}}).ok());
  file.content_hash = "bb";
  file.committed_us = 2;
  ASSERT_TRUE(catalog_->Commit({.landing_files = {file}}).ok());
  const auto current = catalog_->LandingFiles(kPlays, /*current_only=*/true);
  ASSERT_TRUE(current.ok());
  ASSERT_THAT(*current, SizeIs(1));
  EXPECT_EQ(current->front().content_hash, "bb");
  EXPECT_EQ(current->front().ingestion_date_days, 20'000);
  const auto all = catalog_->LandingFiles(kPlays, /*current_only=*/false);
  ASSERT_THAT(*all, SizeIs(2));
  EXPECT_EQ((*all)[0].content_hash, "aa");
  EXPECT_FALSE((*all)[0].is_current);
  EXPECT_THAT(*catalog_->LandingFiles(kPlaysDead, false), IsEmpty());
}

TEST_F(SqliteCatalogTest, ReadOnlyReadsAndRefusesToWrite) {
  EXPECT_EQ(OpenSqliteCatalog(root_ + "/none.db", *store_, true).error().code(),
            StatusCode::kNotFound);
  ASSERT_TRUE(catalog_->SetProperty("warehouse-id", "w").ok());
  ASSERT_TRUE(catalog_->SetProperty("warehouse-id", "x").ok());
  auto reader = OpenSqliteCatalog(path(), *store_, true);
  ASSERT_TRUE(reader.ok()) << reader.error().ToString();
  EXPECT_EQ(*(*reader)->GetProperty("warehouse-id"), "x");
  EXPECT_EQ(*(*reader)->GetProperty("other"), std::nullopt);
  EXPECT_EQ((*reader)->SetProperty("a", "b").code(), StatusCode::kPermissionDenied);
  EXPECT_EQ((*reader)->Commit({}).code(), StatusCode::kPermissionDenied);
  EXPECT_EQ((*reader)->InsertPlan(MakePlan("p", 0)).code(), StatusCode::kPermissionDenied);
}

TEST_F(SqliteCatalogTest, RefusesTheFutureAndOtherDatabases) {
  ASSERT_TRUE(catalog_->SetProperty("format", "2").ok());
  catalog_.reset();
  EXPECT_EQ(OpenSqliteCatalog(path(), *store_).error().code(), StatusCode::kNotSupported);
  {
    auto db = sqlite::Database::Open(root_ + "/other.db");
    ASSERT_TRUE(db.ok());
    ASSERT_TRUE(db->Execute("CREATE TABLE x (y)").ok());
  }
  EXPECT_EQ(OpenSqliteCatalog(root_ + "/other.db", *store_, true).error().code(),
            StatusCode::kNotFound);
}

}  // namespace
}  // namespace playhead::catalog
