#include "playhead/catalog/rebind.h"

#include "playhead/storage/memory_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace playhead::catalog {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

const PlaceMove kMove{.from_uri = "file:///a/lake", .to_uri = "file:///b/copy"};

TEST(MovedUri, KnowsEverySpellingAndNoNeighbour) {
  EXPECT_EQ(MovedUri("file:///a/lake/t/x", kMove), "file:///b/copy/t/x");
  EXPECT_EQ(MovedUri("file:/a/lake/t/x", kMove), "file:///b/copy/t/x");
  EXPECT_EQ(MovedUri("/a/lake/t/x", kMove), "file:///b/copy/t/x");
  EXPECT_EQ(MovedUri("file:///a/lake", kMove), "file:///b/copy");
  EXPECT_EQ(MovedUri("file:///a/lake2/t/x", kMove), std::nullopt);
  EXPECT_EQ(MovedUri("see file:///a/lake/t", kMove), std::nullopt);
  EXPECT_EQ(MovedUri("", kMove), std::nullopt);
}

TEST(MovedJson, MovesStringsHoweverDeepAndNothingElse) {
  EXPECT_EQ(*MovedJson(R"({"a":[{"b":"file:///a/lake/x"},1.5,null]})", kMove),
            R"({"a":[{"b":"file:///b/copy/x"},1.5,null]})");
  const std::string same = R"({ "z": 1, "a": "file:///c" })";
  EXPECT_EQ(*MovedJson(same, kMove), same);
  EXPECT_EQ(MovedJson("{", kMove).status().code(), StatusCode::kDataCorrupt);
}

TEST(WarehouseOf, IsWhatThePlaceSays) {
  EXPECT_EQ(WarehouseOf({.id = {"bronze", "t"},
                         .metadata_location = "file:///a/lake/bronze/t/metadata/1.json"}),
            "file:///a/lake");
  EXPECT_EQ(WarehouseOf({.id = {"bronze", "t"}, .metadata_location = "file:///a/t/metadata/1"}),
            std::nullopt);
  EXPECT_EQ(WarehouseOf({.id = {"bronze", "t"}, .metadata_location = ""}), std::nullopt);
}

class RebindTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "playhead_rebind_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    auto catalog = Open();
    CommitRequest request;
    request.moves = {{.id = kTable, .old_location = "", .new_location = "file:///a/lake/1"}};
    request.landing_files = {{.table = kTable,
                              .table_uuid = "u",
                              .name = "f",
                              .content_hash = "h",
                              .topic = "file:f#1",
                              .raw_uri = "file:///a/lake/raw/f"}};
    request.expired = {{.table = kTable, .uri = "file:///a/lake/old"}};
    ASSERT_TRUE(catalog->Commit(request).committed());
    const PlanRow plan{.plan_id = "p",
                       .table = kTable,
                       .owner = {.name = "o"},
                       .payload = R"({"files":["file:///a/lake/_staging/p/1","file:///c"]})"};
    ASSERT_TRUE(catalog->InsertPlan(plan, 1).committed());
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Path() const { return folder_ + "/catalog.db"; }
  std::unique_ptr<Catalog> Open() {
    auto catalog = OpenSqliteCatalog(Path(), store_);
    EXPECT_TRUE(catalog.ok()) << catalog.status().ToString();
    return *std::move(catalog);
  }
  static std::vector<TableMove> Moves(const std::string& old_location) {
    return {{.id = kTable, .old_location = old_location, .new_location = "file:///b/copy/2"}};
  }

  inline static const TableId kTable{"bronze", "t"};
  std::string folder_;
  storage::MemoryStore store_;
};

TEST_F(RebindTest, MovesTablesAndAllPlacesOfOurRowsTogether) {
  ASSERT_TRUE(RebindCatalog(Path(), Moves("file:///a/lake/1"), kMove).ok());
  auto catalog = Open();
  EXPECT_EQ(catalog->Locations()->at(kTable), "file:///b/copy/2");
  const auto now = catalog->Snapshot();
  ASSERT_TRUE(now.ok());
  ASSERT_EQ(now->landing_files.size(), 1u);
  EXPECT_EQ(now->landing_files[0].raw_uri, "file:///b/copy/raw/f");
  EXPECT_EQ(now->landing_files[0].topic, "file:f#1");
  const auto plans = catalog->UnfinishedPlans();
  ASSERT_TRUE(plans.ok());
  ASSERT_EQ(plans->size(), 1u);
  EXPECT_EQ((*plans)[0].payload, R"({"files":["file:///b/copy/_staging/p/1","file:///c"]})");
}

TEST_F(RebindTest, ATableThatMovedMeanwhileChangesNothing) {
  const Status status = RebindCatalog(Path(), Moves("file:///a/lake/0"), kMove);
  EXPECT_EQ(status.code(), StatusCode::kConflict);
  EXPECT_THAT(status.message(), HasSubstr("bronze.t"));
  auto catalog = Open();
  EXPECT_EQ(catalog->Locations()->at(kTable), "file:///a/lake/1");
  EXPECT_EQ(catalog->Snapshot()->landing_files[0].raw_uri, "file:///a/lake/raw/f");
  EXPECT_THAT((*catalog->UnfinishedPlans())[0].payload, Not(HasSubstr("copy")));
}

}  // namespace
}  // namespace playhead::catalog
