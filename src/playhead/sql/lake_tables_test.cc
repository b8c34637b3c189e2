#include "playhead/sql/lake_tables.h"

#include "playhead/catalog/faulty_catalog.h"
#include "playhead/sql/test_lake.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace playhead::sql {
namespace {

const catalog::TableId kA{.table_namespace = "bronze", .name = "a"};
const catalog::TableId kB{.table_namespace = "bronze", .name = "b"};

class LakeTablesTest : public testing::Test {
 protected:
  void SetUp() override {
    lake_.MakeTable(kA, {Field(1, "n", iceberg::TypeKind::kLong)});
    lake_.MakeTable(kB, {Field(1, "n", iceberg::TypeKind::kLong)});
  }
  /// The same file in both tables, so that at any moment they have equally many.
  void AppendToBoth() {
    const iceberg::DataFile file = lake_.WriteFile("f", "select 1::bigint as n", "{n: 1}");
    lake_.Append(kA, {file});
    lake_.Append(kB, {file});
  }
  static size_t FileCount(const LakeTables& tables, const catalog::TableId& id) {
    auto files = tables.moment()->tables.at(id)->Files();
    EXPECT_TRUE(files.ok());
    return (*files)->size();
  }
  TestLake lake_;
};

TEST_F(LakeTablesTest, AllTablesAreOfOneMoment) {
  // Somebody commits after every look at the catalog.
  bool is_busy = false;
  catalog::FaultyCatalog busy(lake_.catalog(), [&](catalog::FaultyCatalog::Call) {
    if (!std::exchange(is_busy, true)) {
      AppendToBoth();
      is_busy = false;
    }
    return catalog::CatalogFault::kNone;
  });
  LakeTables tables(busy, lake_.store());
  for (int round = 0; round < 3; ++round) {
    AppendToBoth();
    ASSERT_TRUE(tables.Refresh().ok());
    EXPECT_EQ(FileCount(tables, kA), FileCount(tables, kB));
  }
}

TEST_F(LakeTablesTest, ADamagedTableDoesNotHideTheOthers) {
  auto state = lake_.catalog().Load(kA);
  ASSERT_TRUE(state.ok());
  ASSERT_TRUE(lake_.store().Replace(state->metadata_location, "{").ok());
  auto fresh = catalog::OpenSqliteCatalog(lake_.folder() + "/catalog.db", lake_.store(), true);
  ASSERT_TRUE(fresh.ok());
  LakeTables tables(**fresh, lake_.store());
  ASSERT_TRUE(tables.Refresh().ok());
  EXPECT_EQ(tables.moment()->Find("bronze", "a"), nullptr);
  EXPECT_NE(tables.moment()->Find("Bronze", "B"), nullptr);
  ASSERT_EQ(tables.moment()->problems.size(), 1u);
  EXPECT_EQ(tables.moment()->problems.at(kA).code(), StatusCode::kDataCorrupt);
  EXPECT_EQ(tables.moment()->problems.at(kA).message().rfind("table bronze.a cannot be read: ", 0),
            0u);
}

TEST_F(LakeTablesTest, NothingMovesBetweenRefreshes) {
  LakeTables tables(lake_.catalog(), lake_.store());
  auto changes = tables.Refresh();
  ASSERT_TRUE(changes.ok());
  EXPECT_EQ(changes->made.size(), 2u);
  AppendToBoth();
  EXPECT_EQ(FileCount(tables, kA), 0u);
  changes = tables.Refresh();
  ASSERT_TRUE(changes.ok());
  // Files came, columns did not change.
  EXPECT_TRUE(changes->made.empty());
  EXPECT_EQ(FileCount(tables, kA), 1u);
  lake_.Evolve(kB, {Field(1, "m", iceberg::TypeKind::kLong)});
  changes = tables.Refresh();
  ASSERT_TRUE(changes.ok());
  ASSERT_EQ(changes->made.size(), 1u);
  EXPECT_EQ(changes->made[0], kB);
}

}  // namespace
}  // namespace playhead::sql
