// What every catalog promises, held against each of them.

#include "playhead/catalog/catalog.h"

#include "playhead/base/clock.h"
#include "playhead/catalog/faulty_catalog.h"
#include "playhead/catalog/memory_catalog.h"
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
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using Guard = Refusal::Guard;

const TableId kPlays{"bronze", "plays"};
const TableId kPlaysDead{"bronze", "plays_dead"};
const PlanOwner kMe{.name = "me"};
const PlanOwner kYou{.name = "you", .generation = 1};
constexpr int64_t kLease = 3600LL * 1'000'000;

class CatalogTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "playhead_catalog_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    if (GetParam() == std::string("memory")) {
      catalog_ = std::make_unique<MemoryCatalog>(*store_, SystemClock());
      return;
    }
    auto opened = OpenSqliteCatalog(root_ + "/catalog.db", *store_);
    ASSERT_TRUE(opened.ok()) << opened.error().ToString();
    catalog_ = *std::move(opened);
  }
  void TearDown() override {
    catalog_.reset();
    fs::remove_all(root_);
  }

  std::string WriteMetadata(const std::string& name) {
    const iceberg::TableMetadata metadata = iceberg::NewTable(
        "9c12d441-03fe-4693-9a96-a0705ddf69c1", "file://" + root_ + "/t", iceberg::Schema{}, 0,
        iceberg::PartitionSpec{}, {{"note", name}}, /*now_ms=*/1'700'000'000'000);
    std::string location = "file://" + root_ + "/t/metadata/" + name + ".metadata.json";
    EXPECT_TRUE(store_->Put(location, iceberg::SerializeMetadata(metadata)).ok());
    return location;
  }

  static PlanRow MakePlan(const std::string& id, std::vector<std::string> claims) {
    return {.plan_id = id,
            .table = kPlays,
            .owner = kMe,
            .format = 2,
            .payload = R"({"x": "ü"})",
            .claims = std::move(claims),
            .created_us = 5};
  }
  Status Insert(const std::string& id, std::vector<std::string> claims) {
    return catalog_->InsertPlan(MakePlan(id, std::move(claims)), kLease).ToStatus();
  }
  static CommitRequest Finish(const std::string& id, PlanOwner owner = kMe) {
    return {.finish =
                CommitRequest::Finish{.plan_id = id, .owner = std::move(owner), .snapshot_id = 7}};
  }
  static Guard RefusedBy(const CommitAnswer& answer) {
    EXPECT_EQ(answer.kind, CommitAnswer::Kind::kRefused);
    return answer.refusal ? answer.refusal->guard : Guard::kTableMoved;
  }

  std::string root_;
  std::unique_ptr<storage::ObjectStore> store_ = storage::MakeLocalStore();
  std::unique_ptr<Catalog> catalog_;
};

INSTANTIATE_TEST_SUITE_P(Catalogs, CatalogTest, testing::Values("sqlite", "memory"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(CatalogTest, LoadsTablesOfOneMomentEachByItself) {
  const std::string location = WriteMetadata("a");
  ASSERT_TRUE(
      catalog_
          ->Commit({.moves = {{kPlays, "", location}, {kPlaysDead, "", "file:///nowhere/x.json"}}})
          .committed());
  const auto tables = catalog_->LoadMany({kPlaysDead, kPlays, {"bronze", "none"}});
  ASSERT_TRUE(tables.ok());
  ASSERT_THAT(*tables, SizeIs(3));
  EXPECT_EQ((*tables)[0].error().code(), StatusCode::kDataCorrupt);
  ASSERT_TRUE((*tables)[1].ok()) << (*tables)[1].error().ToString();
  EXPECT_EQ((*tables)[1]->metadata->properties.at("note"), "a");
  EXPECT_EQ((*tables)[2].error().code(), StatusCode::kNotFound);
  EXPECT_EQ(catalog_->Load(kPlays)->metadata_location, location);
  EXPECT_THAT(*catalog_->ListTables(), ElementsAre(kPlays, kPlaysDead));
}

TEST_P(CatalogTest, OneFailedGuardMovesNothing) {
  ASSERT_TRUE(
      catalog_->Commit({.moves = {{kPlaysDead, "", "file:///d1"}, {kPlays, "", "file:///p1"}}})
          .committed());
  const std::string before = *catalog_->Fingerprint();
  EXPECT_EQ(RefusedBy(catalog_->Commit({.moves = {{kPlays, "file:///p1", "file:///p2"},
                                                  {kPlaysDead, "file:///stale", "file:///d2"}}})),
            Guard::kTableMoved);
  EXPECT_EQ(RefusedBy(catalog_->Commit({.moves = {{kPlays, "", "file:///again"}}})),
            Guard::kTableExists);
  EXPECT_EQ(
      RefusedBy(catalog_->Commit({.moves = {{{"bronze", "none"}, "file:///1", "file:///2"}}})),
      Guard::kTableMoved);
  EXPECT_EQ(*catalog_->Fingerprint(), before);
  EXPECT_TRUE(catalog_->Commit({.moves = {{kPlays, "file:///p1", "file:///p2"}}}).committed());
  EXPECT_NE(*catalog_->Fingerprint(), before);
}

TEST_P(CatalogTest, PlansComeBackWhole) {
  ASSERT_TRUE(Insert("p1", {"b", "a"}).ok());
  const auto plans = catalog_->UnfinishedPlans();
  ASSERT_TRUE(plans.ok());
  ASSERT_THAT(*plans, SizeIs(1));
  const PlanRow& plan = plans->front();
  EXPECT_EQ(plan.plan_id, "p1");
  EXPECT_EQ(plan.table, kPlays);
  EXPECT_EQ(plan.owner, kMe);
  EXPECT_EQ(plan.format, 2);
  EXPECT_EQ(plan.payload, R"({"x": "ü"})");
  EXPECT_THAT(plan.claims, testing::UnorderedElementsAre("a", "b"));
  EXPECT_EQ(plan.created_us, 5);
  EXPECT_EQ(plan.phase, PlanPhase::kOpen);
  EXPECT_TRUE(catalog_->FindPlan("p1")->has_value());
  EXPECT_FALSE(catalog_->FindPlan("p2")->has_value());
}

TEST_P(CatalogTest, NoTwoOpenPlansHoldOneClaim) {
  ASSERT_TRUE(Insert("p1", {"landing a.csv", "log l t 0"}).ok());
  const CommitAnswer second =
      catalog_->InsertPlan(MakePlan("p2", {"log l t 1", "landing a.csv"}), kLease);
  EXPECT_EQ(RefusedBy(second), Guard::kPlanOpen);
  EXPECT_EQ(second.refusal->plan_id, "p1");
  EXPECT_THAT(*catalog_->UnfinishedPlans(), SizeIs(1)) << "the refused plan left rows";
  EXPECT_TRUE(Insert("p3", {"log l t 1"}).ok());
  // Once more the same plan, after a lost answer.
  EXPECT_EQ(catalog_->InsertPlan(MakePlan("p3", {"log l t 1"}), kLease).refusal->plan_id, "p3");
  ASSERT_TRUE(catalog_->Commit(Finish("p1")).committed());
  EXPECT_TRUE(Insert("p2", {"landing a.csv"}).ok());
}

TEST_P(CatalogTest, ACommitFinishesItsOwnersOpenPlanOrNothing) {
  ASSERT_TRUE(Insert("p1", {"c"}).ok());
  CommitRequest request = Finish("p1", kYou);
  request.moves = {{kPlays, "", "file:///1"}};
  EXPECT_EQ(RefusedBy(catalog_->Commit(request)), Guard::kPlanGone);
  EXPECT_THAT(*catalog_->ListTables(), IsEmpty());
  request.finish->owner = kMe;
  ASSERT_TRUE(catalog_->Commit(request).committed());
  EXPECT_EQ(RefusedBy(catalog_->Commit(Finish("p1"))), Guard::kPlanGone);
  const PlanRow ended = **catalog_->FindPlan("p1");
  EXPECT_EQ(ended.phase, PlanPhase::kCommitted);
  EXPECT_EQ(ended.snapshot_id, 7);
  EXPECT_EQ(ended.payload, "");
  EXPECT_THAT(*catalog_->UnfinishedPlans(), IsEmpty());
}

TEST_P(CatalogTest, APayloadIsKeptUntilItIsForgotten) {
  ASSERT_TRUE(Insert("p1", {}).ok());
  ASSERT_TRUE(catalog_->ForgetPayload("p1").ok());
  EXPECT_NE((*catalog_->FindPlan("p1"))->payload, "") << "an open plan lost its payload";
  CommitRequest request = Finish("p1");
  request.finish->keeps_payload = true;
  ASSERT_TRUE(catalog_->Commit(request).committed());
  EXPECT_THAT(*catalog_->UnfinishedPlans(), SizeIs(1));
  ASSERT_TRUE(catalog_->ForgetPayload("p1").ok());
  ASSERT_TRUE(catalog_->ForgetPayload("no such plan").ok());
  EXPECT_THAT(*catalog_->UnfinishedPlans(), IsEmpty());
}

TEST_P(CatalogTest, APlanIsTakenOverOnceItsLeaseIsOver) {
  ASSERT_TRUE(Insert("p1", {}).ok());
  EXPECT_EQ(RefusedBy(catalog_->TakeOverPlan("p1", kMe, kYou, kLease, false)), Guard::kPlanGone)
      << "its owner is at work";
  EXPECT_EQ(RefusedBy(catalog_->TakeOverPlan("p1", kYou, kMe, kLease, true)), Guard::kPlanGone)
      << "another owner was expected";
  ASSERT_TRUE(catalog_->TakeOverPlan("p1", kMe, kYou, -1, true).committed());
  // The zombie.
  EXPECT_EQ(RefusedBy(catalog_->Commit(Finish("p1", kMe))), Guard::kPlanGone);
  EXPECT_EQ(RefusedBy(catalog_->AbandonPlan("p1", kMe, "woke up")), Guard::kPlanGone);
  // The second lease was over at once.
  const PlanOwner third{.name = "third", .generation = 2};
  ASSERT_TRUE(catalog_->TakeOverPlan("p1", kYou, third, kLease, false).committed());
  ASSERT_TRUE(catalog_->AbandonPlan("p1", third, "no file").committed());
  const PlanRow ended = **catalog_->FindPlan("p1");
  EXPECT_EQ(ended.phase, PlanPhase::kAbandoned);
  EXPECT_EQ(ended.reason, "no file");
  EXPECT_NE(ended.payload, "");
  EXPECT_EQ(RefusedBy(catalog_->TakeOverPlan("p1", third, kMe, kLease, true)), Guard::kPlanGone);
}

LandingFile UsersFile(const std::string& hash, const std::string& table_uuid = "u1") {
  return {.table = kPlays,
          .table_uuid = table_uuid,
          .name = "2026/users.csv",
          .content_hash = hash,
          .topic = "file:2026/users.csv#" + hash,
          .bytes = 10,
          .rows_good = 2,
          .rows_dead = 1,
          .ingestion_date_days = 20'000,
          .raw_uri = "file:///raw/a",
          .committed_us = 1};
}

TEST_P(CatalogTest, ANewerContentTakesTheNameOver) {
  ASSERT_TRUE(catalog_->Commit({.landing_files = {UsersFile("aa")}}).committed());
  ASSERT_TRUE(catalog_->Commit({.landing_files = {UsersFile("bb")}}).committed());
  const auto current = catalog_->LandingFiles(kPlays, "u1", /*current_only=*/true);
  ASSERT_TRUE(current.ok());
  ASSERT_THAT(*current, SizeIs(1));
  EXPECT_EQ(current->front().content_hash, "bb");
  EXPECT_EQ(current->front().table_uuid, "u1");
  EXPECT_EQ(current->front().ingestion_date_days, 20'000);
  const auto all = catalog_->LandingFilesNamed(kPlays, "u1", "2026/users.csv");
  ASSERT_THAT(*all, SizeIs(2));
  EXPECT_EQ((*all)[0].content_hash, "aa");
  EXPECT_FALSE((*all)[0].is_current);
  EXPECT_THAT(*catalog_->LandingFilesNamed(kPlays, "u1", "users.csv"), IsEmpty());
  EXPECT_THAT(*catalog_->LandingFiles(kPlaysDead, "u1", false), IsEmpty());
}

TEST_P(CatalogTest, AFileIsKnownByItsStampWhileTheLedgerHasItsContent) {
  LandingFile file = UsersFile("aa");
  ASSERT_TRUE(catalog_->Commit({.landing_files = {file}}).committed());
  EXPECT_THAT(*catalog_->SeenFiles(kPlays, "u1"), IsEmpty());
  const auto note = [&](const std::string& hash, const std::string& stamp) {
    EXPECT_TRUE(
        catalog_->NoteSeen(kPlays, {{.name = file.name, .content_hash = hash, .stamp = stamp}})
            .ok());
  };
  note("aa", "10 1");
  EXPECT_THAT(*catalog_->SeenFiles(kPlays, "u1"), ElementsAre(Pair(file.name, "10 1")));
  note("aa", "10 2");
  EXPECT_THAT(*catalog_->SeenFiles(kPlays, "u1"), ElementsAre(Pair(file.name, "10 2")));
  EXPECT_THAT(*catalog_->SeenFiles(kPlays, "u2"), IsEmpty());
  EXPECT_THAT(*catalog_->SeenFiles(kPlaysDead, "u1"), IsEmpty());

  // Another program commits without a stamp, then this one with it.
  ASSERT_TRUE(catalog_->Commit({.landing_files = {UsersFile("bb")}}).committed());
  EXPECT_THAT(*catalog_->SeenFiles(kPlays, "u1"), IsEmpty());
  file = UsersFile("cc");
  file.stamp = "10 3";
  ASSERT_TRUE(catalog_->Commit({.landing_files = {file}}).committed());
  EXPECT_THAT(*catalog_->SeenFiles(kPlays, "u1"), ElementsAre(Pair(file.name, "10 3")));
}

TEST_P(CatalogTest, ALedgerBelongsToItsTableNotToItsName) {
  ASSERT_TRUE(catalog_->Commit({.landing_files = {UsersFile("aa", "u1")}}).committed());
  EXPECT_THAT(*catalog_->LandingFiles(kPlays, "u2", false), IsEmpty());
  const LedgerGuard none{.table = kPlays, .table_uuid = "u2", .name = "2026/users.csv", .hash = {}};
  ASSERT_TRUE(catalog_->Commit({.ledger_guards = {none}, .landing_files = {UsersFile("aa", "u2")}})
                  .committed());
  EXPECT_THAT(*catalog_->LandingFiles(kPlays, "u1", true), SizeIs(1));
}

TEST_P(CatalogTest, TheLedgersContentIsAGuard) {
  LedgerGuard guard{.table = kPlays, .table_uuid = "u1", .name = "2026/users.csv", .hash = {}};
  const auto load = [&](const std::string& hash) {
    return catalog_->Commit(
        {.moves = {}, .ledger_guards = {guard}, .landing_files = {UsersFile(hash)}});
  };
  ASSERT_TRUE(load("aa").committed());
  EXPECT_EQ(RefusedBy(load("bb")), Guard::kLedger) << "the ledger has a content already";
  guard.hash = "aa";
  ASSERT_TRUE(load("bb").committed());
  EXPECT_EQ(RefusedBy(load("cc")), Guard::kLedger);
  EXPECT_THAT(*catalog_->LandingFiles(kPlays, "u1", false), SizeIs(2));
}

TEST_P(CatalogTest, ExpiredObjectsComeInOrderOnceTheyAreDue) {
  const auto object = [](const std::string& uri, bool is_list) {
    return ExpiredObject{.table = kPlays, .uri = uri, .is_manifest_list = is_list};
  };
  ASSERT_TRUE(catalog_->Commit({.expired = {object("l1", true), object("m1", false)}}).committed());
  ASSERT_TRUE(catalog_->Commit({.expired = {object("m2", false), object("l2", true)}}).committed());
  EXPECT_THAT(catalog_->ExpiredObjects(kPlays, kLease, 10)->due, IsEmpty());
  EXPECT_THAT(catalog_->ExpiredObjects(kPlaysDead, -kLease, 10)->due, IsEmpty());
  const auto due = catalog_->ExpiredObjects(kPlays, -kLease, 2);
  ASSERT_TRUE(due.ok());
  ASSERT_THAT(due->due, SizeIs(2));
  EXPECT_EQ(due->due[0].uri, "l1");
  EXPECT_TRUE(due->due[0].is_manifest_list);
  EXPECT_EQ(due->due[1].uri, "m1");
  EXPECT_EQ(due->next_list->uri, "l2");
  ASSERT_TRUE(catalog_->ForgetExpired(due->due).ok());
  const auto rest = catalog_->ExpiredObjects(kPlays, -kLease, 10);
  ASSERT_THAT(rest->due, SizeIs(2));
  EXPECT_EQ(rest->due[0].uri, "m2");
  EXPECT_EQ(rest->next_list, std::nullopt);
}

TEST_P(CatalogTest, ASnapshotHasEverythingOfOneMoment) {
  ASSERT_TRUE(catalog_
                  ->Commit({.moves = {{kPlays, "", "file:///1"}},
                            .landing_files = {UsersFile("aa")},
                            .properties = {{"k", "v"}}})
                  .committed());
  ASSERT_TRUE(Insert("p1", {}).ok());
  const auto snapshot = catalog_->Snapshot();
  ASSERT_TRUE(snapshot.ok());
  EXPECT_EQ(snapshot->locations.at(kPlays), "file:///1");
  ASSERT_THAT(snapshot->open_plans, SizeIs(1));
  EXPECT_EQ(snapshot->open_plans[0].plan_id, "p1");
  ASSERT_THAT(snapshot->landing_files, SizeIs(1));
  EXPECT_EQ(*catalog_->GetProperty("k"), "v");
  ASSERT_TRUE(catalog_->SetProperty("k", "w").ok());
  EXPECT_EQ(*catalog_->GetProperty("k"), "w");
  EXPECT_EQ(*catalog_->GetProperty("none"), std::nullopt);
}

TEST_P(CatalogTest, AnUnsyncedCommitShowsAfterARestartUnlessAnotherTookItsPlace) {
  for (const bool is_followed : {false, true}) {
    CatalogFault next = CatalogFault::kPending;
    FaultyCatalog faulty(
        *catalog_, [&](FaultyCatalog::Call) { return std::exchange(next, CatalogFault::kNone); });
    const std::string key = is_followed ? "followed" : "alone";
    EXPECT_EQ(faulty.Commit({.properties = {{key, "there"}}}).kind, CommitAnswer::Kind::kUnknown);
    EXPECT_EQ(*catalog_->GetProperty(key), std::nullopt);
    if (is_followed) {
      ASSERT_TRUE(faulty.Commit({.properties = {{"other", "x"}}}).committed());
    }
    faulty.Restart();
    EXPECT_EQ(catalog_->GetProperty(key)->has_value(), !is_followed);
  }
}

}  // namespace
}  // namespace playhead::catalog
