#include "playhead/sql/lake_tables.h"

#include "playhead/sql/test_lake.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace playhead::sql {
namespace {

const catalog::TableId kA{.table_namespace = "bronze", .name = "a"};
const catalog::TableId kB{.table_namespace = "bronze", .name = "b"};

/// Somebody else commits while tables are loaded.
class BusyCatalog final : public catalog::Catalog {
 public:
  BusyCatalog(catalog::Catalog& real, std::function<void()> after_load)
      : real_(real), after_load_(std::move(after_load)) {}

  Result<std::vector<catalog::TableId>> ListTables() override { return real_.ListTables(); }
  Result<catalog::TableState> Load(const catalog::TableId& id) override {
    auto state = real_.Load(id);
    after_load_();
    return state;
  }
  Result<std::string> Fingerprint() override { return real_.Fingerprint(); }
  Status Commit(const catalog::CommitRequest& request) override { return real_.Commit(request); }
  Status InsertPlan(const catalog::Plan& plan) override { return real_.InsertPlan(plan); }
  Result<std::vector<catalog::Plan>> OpenPlans() override { return real_.OpenPlans(); }
  Result<std::optional<catalog::Plan>> FindPlan(const std::string& plan_id) override {
    return real_.FindPlan(plan_id);
  }
  Status DeletePlan(const std::string& plan_id) override { return real_.DeletePlan(plan_id); }
  Result<std::vector<catalog::LandingFile>> LandingFiles(const catalog::TableId& table,
                                                         bool current_only) override {
    return real_.LandingFiles(table, current_only);
  }
  Result<std::optional<std::string>> GetProperty(const std::string& key) override {
    return real_.GetProperty(key);
  }
  Status SetProperty(const std::string& key, const std::string& value) override {
    return real_.SetProperty(key, value);
  }

 private:
  catalog::Catalog& real_;
  std::function<void()> after_load_;
};

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
    auto files = tables.Find(id)->Files();
    EXPECT_TRUE(files.ok());
    return (*files)->size();
  }
  TestLake lake_;
};

TEST_F(LakeTablesTest, AllTablesAreOfOneMoment) {
  int loads = 0;
  BusyCatalog busy(lake_.catalog(), [&] {
    if (++loads == 1) AppendToBoth();
  });
  LakeTables tables(busy, lake_.store());
  ASSERT_TRUE(tables.Refresh().ok());
  EXPECT_EQ(FileCount(tables, kA), 1u);
  EXPECT_EQ(FileCount(tables, kB), 1u);
}

TEST_F(LakeTablesTest, GivesUpOnACatalogThatNeverStandsStill) {
  const iceberg::DataFile file = lake_.WriteFile("f", "select 1::bigint as n", "{n: 1}");
  BusyCatalog busy(lake_.catalog(), [&] { lake_.Append(kA, {file}); });
  LakeTables tables(busy, lake_.store());
  EXPECT_EQ(tables.Refresh().error().code(), StatusCode::kUnavailable);
}

TEST_F(LakeTablesTest, ADamagedTableDoesNotHideTheOthers) {
  auto state = lake_.catalog().Load(kA);
  ASSERT_TRUE(state.ok());
  ASSERT_TRUE(lake_.store().Replace(state->metadata_location, "{").ok());
  auto fresh = catalog::OpenSqliteCatalog(lake_.folder() + "/catalog.db", lake_.store(), true);
  ASSERT_TRUE(fresh.ok());
  LakeTables tables(**fresh, lake_.store());
  ASSERT_TRUE(tables.Refresh().ok());
  EXPECT_EQ(tables.Find(kA), nullptr);
  EXPECT_NE(tables.Find(kB), nullptr);
  ASSERT_EQ(tables.problems().size(), 1u);
  EXPECT_EQ(tables.problems().at(kA).code(), StatusCode::kDataCorrupt);
  EXPECT_EQ(tables.problems().at(kA).message().rfind("table bronze.a cannot be read: ", 0), 0u);
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
