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

  std::string root_;
  std::unique_ptr<storage::ObjectStore> store_ = storage::MakeLocalStore();
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(SqliteCatalogTest, TablesAreIcebergsJdbcSchemaV1) {
  ASSERT_TRUE(catalog_->Commit({.moves = {{kPlays, "", "file:///a"}}}).committed());
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
  ASSERT_TRUE(catalog_->Commit({.moves = {{kPlays, "", location}}}).committed());
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
  ASSERT_TRUE(catalog_->Commit({.moves = {{kPlays, "", "file://" + root_ + "/torn"}}}).committed());
  EXPECT_EQ(catalog_->Load(kPlays).error().code(), StatusCode::kDataCorrupt);
}

TEST_F(SqliteCatalogTest, NewMetadataGivenWithTheMoveIsNotRead) {
  auto metadata = std::make_shared<iceberg::TableMetadata>();
  metadata->table_uuid = "given";
  ASSERT_TRUE(catalog_->Commit({.moves = {{kPlays, "", "file:///none", metadata}}}).committed());
  EXPECT_EQ(catalog_->Load(kPlays)->metadata->table_uuid, "given");
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
  EXPECT_EQ((*reader)->Commit({}).ToStatus().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ((*reader)->InsertPlan({.plan_id = "p"}, 1).ToStatus().code(),
            StatusCode::kPermissionDenied);
}

TEST_F(SqliteCatalogTest, RefusesTheFutureAndOtherDatabases) {
  ASSERT_TRUE(catalog_->SetProperty("format", "3").ok());
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

// The tables of the release before, as it made them.
constexpr const char* kFormat1 = R"sql(
CREATE TABLE playhead_plans (plan_id TEXT NOT NULL PRIMARY KEY, table_namespace TEXT NOT NULL,
  table_name TEXT NOT NULL, files TEXT NOT NULL, payload TEXT NOT NULL, created_us INTEGER NOT NULL);
CREATE TABLE playhead_plan_ranges (
  plan_id TEXT NOT NULL REFERENCES playhead_plans ON DELETE CASCADE, table_namespace TEXT NOT NULL,
  table_name TEXT NOT NULL, log_id TEXT NOT NULL, topic TEXT NOT NULL,
  topic_partition INTEGER NOT NULL, begin_offset INTEGER NOT NULL, end_offset INTEGER NOT NULL,
  PRIMARY KEY (table_namespace, table_name, log_id, topic, topic_partition));
CREATE INDEX playhead_plan_ranges_by_plan ON playhead_plan_ranges (plan_id);
CREATE TABLE playhead_landing_files (id INTEGER PRIMARY KEY, table_namespace TEXT NOT NULL,
  table_name TEXT NOT NULL, name TEXT NOT NULL, content_hash TEXT NOT NULL, topic TEXT NOT NULL,
  bytes INTEGER NOT NULL, rows_good INTEGER NOT NULL, rows_dead INTEGER NOT NULL,
  ingestion_date_days INTEGER NOT NULL, raw_uri TEXT NOT NULL, committed_us INTEGER NOT NULL,
  is_current INTEGER NOT NULL);
CREATE TABLE playhead_properties (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO playhead_properties VALUES ('format', '1');
INSERT INTO playhead_plans VALUES ('p1', 'bronze', 'plays', '[]', '{"main": 1}', 9);
INSERT INTO playhead_plan_ranges VALUES ('p1', 'bronze', 'plays', 'log-1', 'plays', 3, 10, 20);
INSERT INTO playhead_landing_files VALUES
  (1, 'bronze', 'plays', 'a.csv', 'aa', 't', 1, 2, 3, 4, 'r', 5, 1),
  (2, 'bronze', 'plays', 'a.csv', 'bb', 't', 1, 2, 3, 4, 'r', 5, 1);
)sql";

TEST_F(SqliteCatalogTest, ACatalogOfFormat1IsBroughtToTodays) {
  catalog_.reset();
  fs::remove(path());
  {
    auto db = sqlite::Database::Open(path());
    ASSERT_TRUE(db.ok());
    ASSERT_TRUE(db->Execute(kFormat1).ok());
  }
  const auto unopened = OpenSqliteCatalog(path(), *store_, /*read_only=*/true);
  EXPECT_EQ(unopened.error().code(), StatusCode::kNotSupported);
  EXPECT_THAT(unopened.error().message(), HasSubstr("playhead ingest --once"));
  for (int opening = 0; opening < 2; ++opening) {
    Reopen();
    const auto plans = catalog_->UnfinishedPlans();
    ASSERT_TRUE(plans.ok()) << plans.error().ToString();
    ASSERT_THAT(*plans, SizeIs(1));
    EXPECT_EQ(plans->front().format, 1);
    EXPECT_EQ(plans->front().payload, R"({"main": 1})");
    EXPECT_EQ(plans->front().created_us, 9);
    EXPECT_EQ(plans->front().owner, PlanOwner());
    EXPECT_THAT(plans->front().claims, ElementsAre("log log-1 plays 3"));
    // The rows are those of whatever table has the name.
    const auto current = catalog_->LandingFiles(kPlays, "any", /*current_only=*/true);
    ASSERT_THAT(*current, SizeIs(1));
    EXPECT_EQ(current->front().content_hash, "bb");
    EXPECT_THAT(*catalog_->LandingFiles(kPlays, "any", false), SizeIs(2));
  }
}

}  // namespace
}  // namespace playhead::catalog
