#include "playhead/table/epoch_commit.h"

#include "playhead/base/sqlite.h"
#include "playhead/base/uuid.h"
#include "playhead/catalog/faulty_catalog.h"
#include "playhead/iceberg/manifest.h"
#include "playhead/storage/faulty_store.h"
#include "playhead/table/ensure_table.h"
#include "playhead/table/expired_files.h"
#include "playhead/table/next_snapshot.h"
#include "playhead/table/progress.h"
#include "playhead/table/test_lake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace playhead::table {
namespace {

using testing::operator+;  // NOLINT(misc-unused-using-decls): clang-tidy does not see its uses
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::PlaysBatch;
using testing::Rows;
using ::testing::SizeIs;
using testing::TestLake;

const catalog::TableId kMain = TestLake::Main();
const catalog::TableId kDead = TestLake::Dead();

// Somebody else's commit: files of ours, none of our summary entries.
void CommitForeign(TestLake& lake, const std::vector<StagedFile>& files,
                   const std::vector<std::string>& removed = {}) {
  const PlannedChange change{
      .id = kMain, .table_uuid = "", .added = files, .removed_paths = removed};
  for (const StagedFile& file : files) {
    ASSERT_TRUE(lake.store().Publish(file.staged_uri, file.file.path).ok());
  }
  const auto head = lake.Load(kMain);
  std::vector<iceberg::ManifestFile> manifests;
  if (const iceberg::Snapshot* snapshot = head.metadata->CurrentSnapshot()) {
    manifests = *iceberg::ReadManifestList(*lake.store().Get(snapshot->manifest_list));
  }
  std::map<std::string, ManifestEntries> entries;
  for (const auto& needed : NeededManifests(*head.metadata, manifests, change)) {
    entries[needed.path] = *catalog::ReadEntries(lake.store(), needed, nullptr);
  }
  static int64_t snapshot_id = 1000;
  const auto next =
      MakeNextSnapshot(head, manifests, entries, change, {},
                       {.snapshot_id = ++snapshot_id, .uuid = NewUuid(), .now_ms = 1});
  ASSERT_TRUE(next.ok()) << next.error().ToString();
  ASSERT_TRUE(lake.store().PutMany(next->objects).ok());
  ASSERT_TRUE(lake.catalog().Commit({.moves = {next->metadata.move}}).committed());
}

// Calls `interruption` before the n-th transaction of a catalog, once.
catalog::FaultyCatalog::Judge Before(int transaction, std::function<void()> interruption) {
  return [left = transaction,
          interruption = std::move(interruption)](catalog::FaultyCatalog::Call call) mutable {
    if (call == catalog::FaultyCatalog::Call::kTransaction && --left == 0) interruption();
    return catalog::CatalogFault::kNone;
  };
}
// The first inserts the plan.
constexpr int kTheCommit = 2;

TEST(EpochCommit, CommitsRowsOffsetsAndCountsTogether) {
  TestLake lake;
  const auto outcome = lake.MakeCommitter().Commit(lake.Stage("p1", "plays", 10, 50));
  ASSERT_TRUE(outcome.ok()) << outcome.error().ToString();
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("plays", 10, 50, false));
  EXPECT_EQ(lake.LiveRows(kDead), TestLake::Expected("plays", 10, 50, true));
  EXPECT_EQ(lake.GlobRows(kMain), lake.LiveRows(kMain));

  const auto main = lake.Load(kMain);
  const iceberg::Snapshot* snapshot = main.metadata->CurrentSnapshot();
  EXPECT_EQ(snapshot->snapshot_id, outcome->snapshot_id);
  EXPECT_EQ(snapshot->summary.at("operation"), "append");
  EXPECT_EQ(snapshot->summary.at("playhead.plan-id"), "p1");
  EXPECT_EQ(snapshot->summary.at("playhead.offsets"), R"({"log-1":{"0":50}})");
  EXPECT_EQ(snapshot->summary.at("playhead.counts"),
            R"({"log-1":{"0":{"dead":10,"good":30,"read":40,"skipped":0}}})");
  EXPECT_EQ(snapshot->summary.at("added-data-files"), "2");
  EXPECT_EQ(snapshot->summary.at("added-records"), "30");
  EXPECT_EQ(snapshot->summary.at("total-records"), "30");
  EXPECT_EQ(snapshot->summary.at("total-data-files"), "2");
  EXPECT_EQ(snapshot->summary.at("changed-partition-count"), "2");
  EXPECT_EQ(main.metadata->properties.at("playhead.offsets"), R"({"log-1":{"0":50}})");
  EXPECT_FALSE(lake.Load(kDead).metadata->CurrentSnapshot()->summary.contains("playhead.offsets"));

  EXPECT_THAT(lake.UnfinishedPlans(), IsEmpty());
  EXPECT_THAT(lake.Staged(), IsEmpty());
  const std::string hint =
      *lake.store().Get(main.metadata->location + "/metadata/version-hint.text");
  EXPECT_THAT(main.metadata_location, HasSubstr("/metadata/" + hint + ".metadata.json"));
}

TEST(EpochCommit, ADeadTableWithoutDeadLettersStays) {
  TestLake lake;
  const std::string before = lake.Load(kDead).metadata_location;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p1", "plays", 0, 3)).ok());
  EXPECT_EQ(lake.Load(kDead).metadata_location, before);
}

TEST(EpochCommit, AnEpochWithoutAnythingChangesNothing) {
  TestLake lake;
  const std::string before = *lake.catalog().Fingerprint();
  const auto outcome = lake.MakeCommitter().Commit({.plan_id = "p1", .main = kMain, .dead = kDead});
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->snapshot_id, 0);
  EXPECT_EQ(*lake.catalog().Fingerprint(), before);
}

TEST(EpochCommit, AnEpochOfSkippedRecordsMovesTheOffsets) {
  TestLake lake;
  Epoch epoch{.plan_id = "p1", .main = kMain, .dead = kDead};
  epoch.ranges = {{.partition = {"log-1", "plays", 3},
                   .range = {0, 7},
                   .counts = {.read = 7, .good = 0, .dead = 0, .skipped = 7},
                   .accepted_gap_from = std::nullopt,
                   .is_first = true}};
  ASSERT_TRUE(lake.MakeCommitter().Commit(epoch).ok());
  const auto progress = ReadProgress(*lake.Load(kMain).metadata);
  EXPECT_EQ(progress->offsets.at("log-1").at(3), 7);
  EXPECT_EQ(progress->counts.at("log-1").at(3).skipped, 7);
}

TEST(EpochCommit, TheSameEpochTwiceIsOneCommit) {
  TestLake lake;
  const Epoch epoch = lake.Stage("p1", "plays", 0, 20);
  const auto first = lake.MakeCommitter().Commit(epoch);
  const std::string before = *lake.catalog().Fingerprint();
  const auto second = lake.MakeCommitter().Commit(epoch);
  ASSERT_TRUE(second.ok()) << second.error().ToString();
  EXPECT_EQ(second->snapshot_id, first->snapshot_id);
  EXPECT_EQ(*lake.catalog().Fingerprint(), before);
}

TEST(EpochCommit, RefusesAnEpochThatDoesNotBeginAtTheHead) {
  TestLake lake;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p1", "plays", 0, 20)).ok());
  const std::string before = *lake.catalog().Fingerprint();
  for (const auto& [begin, end] : {std::pair(0, 20), std::pair(10, 30), std::pair(24, 30)}) {
    Epoch epoch = lake.Stage("p2", "plays", begin, end);
    const auto outcome = lake.MakeCommitter().Commit(epoch);
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().code(), StatusCode::kConflict);
    EXPECT_TRUE(lake.MakeCommitter().Discard("p2").ok());
  }
  EXPECT_EQ(*lake.catalog().Fingerprint(), before);
  EXPECT_EQ(lake.GlobRows(kMain), TestLake::Expected("plays", 0, 20, false));
}

TEST(EpochCommit, AnAcceptedGapIsRecorded) {
  TestLake lake;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p1", "plays", 0, 20)).ok());
  Epoch epoch = lake.Stage("p2", "plays", 40, 60);
  epoch.ranges[0].accepted_gap_from = 20;
  ASSERT_TRUE(lake.MakeCommitter().Commit(epoch).ok());
  EXPECT_EQ(lake.Load(kMain).metadata->CurrentSnapshot()->summary.at("playhead.gaps"),
            R"([{"begin":20,"end":40,"log":"log-1","partition":0,"topic":"plays"}])");
  EXPECT_EQ(ReadProgress(*lake.Load(kMain).metadata)->offsets.at("log-1").at(0), 60);
}

// A commit that failed leaves its plan open; the next epoch of the partition finishes it and goes
// on.
TEST(EpochCommit, AnOpenPlanInTheWayIsFinishedFirst) {
  TestLake lake;
  storage::FaultyStore faulty(lake.store());
  faulty.Set({.at_call = 2, .calls = 1000});  // the second file cannot be published
  Committer failing(lake.catalog(), faulty, lake.uri(), lake.clock());
  EXPECT_EQ(failing.Commit(lake.Stage("p1", "plays", 0, 20)).error().code(),
            StatusCode::kUnavailable);
  EXPECT_THAT(lake.UnfinishedPlans(), ElementsAre("p1"));

  const auto late = lake.MakeCommitter().Commit(lake.Stage("p2", "plays", 0, 30));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code(), StatusCode::kConflict) << late.error().ToString();
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("plays", 0, 20, false));
  EXPECT_EQ(lake.GlobRows(kMain), lake.LiveRows(kMain));
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p3", "plays", 20, 30)).ok());
  EXPECT_EQ(lake.LiveRows(kDead), TestLake::Expected("plays", 0, 30, true));
  EXPECT_THAT(lake.UnfinishedPlans(), IsEmpty());
}

// A plan whose staged file is gone can never be finished: it is given up, its rows are read again.
TEST(EpochCommit, APlanThatCannotBeFinishedIsAbandoned) {
  TestLake lake;
  storage::FaultyStore faulty(lake.store());
  faulty.Set({.at_call = 2, .calls = 1000});
  Committer failing(lake.catalog(), faulty, lake.uri(), lake.clock());
  const Epoch lost = lake.Stage("p1", "plays", 0, 20);
  ASSERT_FALSE(failing.Commit(lost).ok());
  ASSERT_TRUE(lake.store().Delete(lost.main_files[1].staged_uri).ok());

  const auto unfinished = lake.MakeCommitter().Recover();
  ASSERT_TRUE(unfinished.ok());
  EXPECT_THAT(*unfinished, IsEmpty());
  const auto row = *lake.catalog().FindPlan("p1");
  EXPECT_EQ(row->phase, catalog::PlanPhase::kAbandoned);
  EXPECT_THAT(row->reason, HasSubstr("neither staged nor published"));
  EXPECT_THAT(lake.GlobRows(kMain), IsEmpty()) << "published files of the plan stayed";
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p2", "plays", 0, 20)).ok());
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("plays", 0, 20, false));
}

// The fault that lost a table: a COMMIT that failed after its mark was written, and a crash.
TEST(EpochCommit, AnUnknownCommitKeepsWhatItRefersTo) {
  for (const auto fault : {catalog::CatalogFault::kPending, catalog::CatalogFault::kAnswerLost,
                           catalog::CatalogFault::kRequestLost}) {
    for (const bool is_retried : {false, true}) {
      SCOPED_TRACE(static_cast<int>(fault));
      TestLake lake;
      int left = kTheCommit;
      catalog::FaultyCatalog faulty(lake.catalog(), [&](catalog::FaultyCatalog::Call call) {
        const bool is_it = call == catalog::FaultyCatalog::Call::kTransaction && --left == 0;
        return is_it ? fault : catalog::CatalogFault::kNone;
      });
      Committer committer(faulty, lake.store(), lake.uri(), lake.clock());
      const Epoch epoch = lake.Stage("p1", "plays", 0, 20);
      EXPECT_EQ(committer.Commit(epoch).error().code(), StatusCode::kCommitUnknown);
      if (is_retried) {
        EXPECT_TRUE(committer.Commit(epoch).ok());
      } else {
        faulty.Restart();
        EXPECT_TRUE(lake.MakeCommitter().Recover()->empty());
      }
      EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("plays", 0, 20, false));
      EXPECT_EQ(lake.LiveRows(kDead), TestLake::Expected("plays", 0, 20, true));
      EXPECT_EQ(lake.GlobRows(kMain), lake.LiveRows(kMain));
      EXPECT_THAT(lake.UnfinishedPlans(), IsEmpty());
      ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p2", "plays", 20, 40)).ok());
    }
  }
}

// Two plans for one landing file: a first one failed, the file was touched, and was staged again.
TEST(EpochCommit, ALandingFileIsCommittedByOnePlanOnly) {
  TestLake lake;
  storage::FaultyStore faulty(lake.store());
  faulty.Set({.at_call = 2, .calls = 1000});
  Committer failing(lake.catalog(), faulty, lake.uri(), lake.clock());
  ASSERT_FALSE(failing.Commit(lake.StageLanding("p1", "a.csv", "11", 100)).ok());
  const auto again = lake.MakeCommitter().Commit(lake.StageLanding("p2", "a.csv", "11", 100));
  EXPECT_EQ(again.error().code(), StatusCode::kConflict);
  ASSERT_TRUE(lake.MakeCommitter().Recover()->empty());
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("file:a.csv#11", 0, 100, false));
  EXPECT_EQ(lake.GlobRows(kMain), lake.LiveRows(kMain));
  EXPECT_THAT(lake.Ledger(), SizeIs(1));
}

// Whatever the caller believed of the ledger is checked in the transaction.
TEST(EpochCommit, ALandingFileIsGuardedByTheLedger) {
  TestLake lake;
  const Epoch late = lake.StageLanding("p2", "a.csv", "11", 8);
  catalog::FaultyCatalog catalog(
      lake.catalog(), Before(kTheCommit, [&] {
        // Another program's ingest, which does not know of our claims.
        catalog::LandingFile file = late.landing[0].file;
        file.table_uuid = lake.Load(kMain).metadata->table_uuid;
        ASSERT_TRUE(lake.catalog().Commit({.landing_files = {file}}).committed());
      }));
  Committer committer(catalog, lake.store(), lake.uri(), lake.clock());
  EXPECT_EQ(committer.Commit(late).error().code(), StatusCode::kConflict);
  EXPECT_THAT(lake.LiveRows(kMain), IsEmpty());
  EXPECT_THAT(lake.GlobRows(kMain), IsEmpty());
  EXPECT_THAT(lake.Ledger(), SizeIs(1));
}

// All of them or none; each is judged by its own row of the ledger.
TEST(EpochCommit, SeveralLandingFilesAreOneCommit) {
  TestLake lake;
  const auto together = [](Epoch epoch, Epoch other) {
    epoch.landing.push_back(other.landing[0]);
    epoch.main_files.insert(epoch.main_files.end(), other.main_files.begin(),
                            other.main_files.end());
    epoch.dead_files.insert(epoch.dead_files.end(), other.dead_files.begin(),
                            other.dead_files.end());
    return epoch;
  };
  ASSERT_TRUE(lake.MakeCommitter()
                  .Commit(together(lake.StageLanding("p1", "a.csv", "11", 8),
                                   lake.StageLanding("p2", "b.csv", "22", 4)))
                  .ok());
  const auto rows = TestLake::Expected("file:a.csv#11", 0, 8, false) +
                    TestLake::Expected("file:b.csv#22", 0, 4, false);
  EXPECT_EQ(lake.LiveRows(kMain), rows);
  EXPECT_THAT(lake.Ledger(), SizeIs(2));
  EXPECT_THAT(lake.Load(kMain).metadata->snapshots, SizeIs(1));

  // The second has meanwhile another content than it was judged by.
  const auto stale =
      lake.MakeCommitter().Commit(together(lake.StageLanding("p3", "a.csv", "33", 8, "11"),
                                           lake.StageLanding("p4", "b.csv", "44", 4, "21")));
  EXPECT_EQ(stale.error().code(), StatusCode::kConflict);
  EXPECT_EQ(lake.LiveRows(kMain), rows);

  // Rows of both are replaced together.
  ASSERT_TRUE(lake.MakeCommitter()
                  .Commit(together(lake.StageLanding("p5", "a.csv", "33", 8, "11"),
                                   lake.StageLanding("p6", "b.csv", "44", 4, "22")))
                  .ok());
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("file:a.csv#33", 0, 8, false) +
                                      TestLake::Expected("file:b.csv#44", 0, 4, false));
  EXPECT_EQ(lake.GlobRows(kMain), lake.LiveRows(kMain));
}

// After a foreign rollback the same offsets are read again: their files have other names.
TEST(EpochCommit, GoesOnAfterAForeignRollback) {
  TestLake lake;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p1", "plays", 0, 20)).ok());
  const int64_t first = *lake.Load(kMain).metadata->current_snapshot_id;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p2", "plays", 20, 40)).ok());
  auto head = lake.Load(kMain);
  iceberg::TableMetadata back = *head.metadata;
  back.current_snapshot_id = first;
  back.refs["main"].snapshot_id = first;
  const NextMetadata next = MakeNextMetadata(kMain, head.metadata_location, back);
  ASSERT_TRUE(lake.store().Put(next.object.uri, next.object.contents).ok());
  ASSERT_TRUE(lake.catalog().Commit({.moves = {next.move}}).committed());

  EXPECT_EQ(lake.MakeCommitter().Commit(lake.Stage("p3", "plays", 40, 60)).error().code(),
            StatusCode::kConflict);
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p4", "plays", 20, 40)).ok());
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("plays", 0, 40, false));
}

// One to before the partition's first commit leaves a map that does not know the partition: what
// follows the rows that are gone must not be committed without them.
TEST(EpochCommit, AMapThatForgotThePartitionIsNotOneThatNeverKnewIt) {
  TestLake lake;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.StageLanding("p1", "a.csv", "11", 8)).ok());
  const int64_t before = *lake.Load(kMain).metadata->current_snapshot_id;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p2", "plays", 0, 20)).ok());
  const Epoch next = lake.Stage("p3", "plays", 20, 40);
  lake.ChangeAsAnother(kMain, [&](iceberg::TableMetadata& metadata) {
    metadata.current_snapshot_id = before;
    metadata.refs["main"].snapshot_id = before;
    metadata.properties.erase("playhead.offsets");
  });
  EXPECT_EQ(lake.MakeCommitter().Commit(next).error().code(), StatusCode::kConflict);
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p4", "plays", 0, 40)).ok());
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("plays", 0, 40, false) +
                                      TestLake::Expected("file:a.csv#11", 0, 8, false));
}

// A table that was dropped and made anew has the name, not the plans and not the ledger.
TEST(EpochCommit, APlanIsForItsTableNotForItsName) {
  TestLake lake;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.StageLanding("p1", "a.csv", "11", 8)).ok());
  Epoch epoch = lake.Stage("p2", "plays", 0, 20);
  epoch.main_uuid = lake.Load(kMain).metadata->table_uuid;
  auto db = sqlite::Database::Open(lake.root() + "/catalog.db");
  ASSERT_TRUE(db->Execute("DELETE FROM iceberg_tables").ok());
  ASSERT_TRUE(
      EnsureTables(lake.catalog(), lake.store(), lake.uri(), TestLake::Specs(), lake.clock()).ok());
  const auto outcome = lake.MakeCommitter().Commit(epoch);
  EXPECT_EQ(outcome.error().code(), StatusCode::kConflict);
  EXPECT_THAT(outcome.error().message(), HasSubstr("dropped"));
  EXPECT_THAT(lake.Ledger(), IsEmpty());
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.StageLanding("p3", "a.csv", "11", 8)).ok());
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("file:a.csv#11", 0, 8, false));
}

TEST(EpochCommit, WhatBecameOfAPlanIsKept) {
  TestLake lake;
  const auto outcome = lake.MakeCommitter().Commit(lake.Stage("p1", "plays", 0, 20));
  const auto row = *lake.catalog().FindPlan("p1");
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->phase, catalog::PlanPhase::kCommitted);
  EXPECT_EQ(row->snapshot_id, outcome->snapshot_id);
}

TEST(EpochCommit, RebasesOnAForeignSnapshotAndCarriesTheOffsetsOn) {
  TestLake lake;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p1", "plays", 0, 20)).ok());
  const Epoch foreign = lake.Stage("f1", "elsewhere", 100, 110);
  catalog::FaultyCatalog catalog(
      lake.catalog(), Before(kTheCommit, [&] { CommitForeign(lake, foreign.main_files); }));
  Committer committer(catalog, lake.store(), lake.uri(), lake.clock());
  const auto outcome = committer.Commit(lake.Stage("p2", "plays", 20, 40));
  ASSERT_TRUE(outcome.ok()) << outcome.error().ToString();
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("plays", 0, 40, false) +
                                      TestLake::Expected("elsewhere", 100, 110, false));
  EXPECT_EQ(lake.LiveRows(kDead), TestLake::Expected("plays", 0, 40, true));
  EXPECT_EQ(ReadProgress(*lake.Load(kMain).metadata)->offsets.at("log-1").at(0), 40);
  EXPECT_EQ(outcome->retries, 1);
  // The lost attempt left no metadata: one file a version.
  int versions = 0;
  const auto objects = lake.store().List(lake.uri() + "/bronze/plays/metadata");
  for (const auto& object : *objects) {
    if (object.uri.ends_with(".metadata.json")) ++versions;
  }
  EXPECT_EQ(versions, 4);
}

TEST(EpochCommit, ReadsTheOffsetsThroughForeignSnapshots) {
  TestLake lake;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p1", "plays", 0, 20)).ok());
  CommitForeign(lake, lake.Stage("f1", "elsewhere", 0, 4).main_files);
  CommitForeign(lake, lake.Stage("f2", "elsewhere", 4, 8).main_files);
  EXPECT_EQ(ReadProgress(*lake.Load(kMain).metadata)->offsets.at("log-1").at(0), 20);
}

TEST(EpochCommit, AZombieIsRefusedOnceItsPlanWasTakenOver) {
  TestLake lake;
  const Epoch epoch = lake.Stage("p1", "plays", 0, 20);
  catalog::FaultyCatalog catalog(
      lake.catalog(), Before(kTheCommit, [&] {
        // It sleeps before its commit; another process finds the plan and finishes it.
        Committer other(lake.catalog(), lake.store(), lake.uri(), lake.clock(), "other");
        ASSERT_TRUE(other.Recover()->empty());
        ASSERT_TRUE(other.Commit(lake.Stage("p2", "plays", 20, 28)).ok());
      }));
  Committer zombie(catalog, lake.store(), lake.uri(), lake.clock());
  const auto outcome = zombie.Commit(epoch);
  ASSERT_TRUE(outcome.ok()) << outcome.error().ToString();
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("plays", 0, 28, false));
  EXPECT_EQ(lake.GlobRows(kMain), lake.LiveRows(kMain));
}

TEST(EpochCommit, AZombieDoesNotTouchWhatAnotherHasInHand) {
  TestLake lake;
  const Epoch epoch = lake.Stage("p1", "plays", 0, 20);
  catalog::FaultyCatalog catalog(
      lake.catalog(), Before(kTheCommit, [&] {
        ASSERT_TRUE(lake.catalog()
                        .TakeOverPlan("p1", {.name = ProcessOwner()},
                                      {.name = "other", .generation = 1}, 1000, true)
                        .committed());
      }));
  Committer zombie(catalog, lake.store(), lake.uri(), lake.clock());
  EXPECT_EQ(zombie.Commit(epoch).error().code(), StatusCode::kConflict);
  EXPECT_THAT(lake.UnfinishedPlans(), ElementsAre("p1"));
  EXPECT_EQ(lake.GlobRows(kMain), TestLake::Expected("plays", 0, 20, false))
      << "files that the other is about to commit";
}

TEST(EpochCommit, CorruptProgressStopsTheTable) {
  iceberg::TableMetadata metadata;
  for (const char* text : {"{", "[]x", R"({"log": {"zero": 1}})", R"({"log": {"0": "many"}})"}) {
    metadata.properties["playhead.offsets"] = text;
    EXPECT_EQ(ReadProgress(metadata).error().code(), StatusCode::kDataCorrupt) << text;
  }
}

TEST(EpochCommit, KeepsSnapshotsManifestsAndMetadataFilesFew) {
  TestLake lake;
  for (int64_t i = 0; i < 130; ++i) {
    const auto outcome =
        lake.MakeCommitter().Commit(lake.Stage("p" + std::to_string(i), "plays", i * 4, i * 4 + 4));
    ASSERT_TRUE(outcome.ok()) << outcome.error().ToString();
  }
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("plays", 0, 520, false));
  const auto main = lake.Load(kMain);
  EXPECT_EQ(main.metadata->snapshots.size(), 100u);
  EXPECT_EQ(main.metadata->metadata_log.size(), 100u);
  EXPECT_EQ(main.metadata->CurrentSnapshot()->summary.at("total-records"), "390");
  const auto manifests =
      iceberg::ReadManifestList(*lake.store().Get(main.metadata->CurrentSnapshot()->manifest_list));
  EXPECT_LT(manifests->size(), 100u);
  int versions = 0;
  int lists = 0;
  int manifest_files = 0;
  const auto objects = lake.store().List(lake.uri() + "/bronze/plays/metadata");
  for (const auto& object : *objects) {
    if (object.uri.ends_with(".metadata.json")) {
      ++versions;
    } else if (object.uri.find("/snap-") != std::string::npos) {
      ++lists;
    } else if (object.uri.ends_with(".avro")) {
      ++manifest_files;
    }
  }
  // Nothing goes in the first hour, whatever left the metadata.
  EXPECT_EQ(versions, 131);
  EXPECT_EQ(lists, 130);
  EXPECT_EQ(manifest_files, 131) << "one a commit and the merged one";
  // Every snapshot's list, and every manifest of any of them once.
  catalog::ManifestCache cache;
  for (const iceberg::Snapshot& snapshot : main.metadata->snapshots) {
    const auto files =
        catalog::LiveFiles(lake.store(), *main.metadata, &cache, snapshot.snapshot_id);
    EXPECT_TRUE(files.ok()) << files.error().ToString();
  }
}

TEST(ExpiredFiles, GoOnceNoSnapshotHasHadThemForAnHour) {
  TestLake lake;
  for (int64_t i = 0; i < 250; ++i) {
    ASSERT_TRUE(
        lake.MakeCommitter().Commit(lake.Stage("p" + std::to_string(i), "plays", i, i + 1)).ok());
  }
  const auto main = lake.Load(kMain);
  std::set<std::string> referenced;
  for (const iceberg::Snapshot& snapshot : main.metadata->snapshots) {
    referenced.insert(snapshot.manifest_list);
    const auto manifests = iceberg::ReadManifestList(*lake.store().Get(snapshot.manifest_list));
    for (const auto& manifest : *manifests) referenced.insert(manifest.path);
  }
  for (const auto& entry : main.metadata->metadata_log) referenced.insert(entry.metadata_file);
  referenced.insert(main.metadata_location);
  const auto on_disk = [&] {
    std::set<std::string> uris;
    const auto objects = lake.store().List(lake.uri() + "/bronze/plays/metadata");
    for (const auto& object : *objects) {
      if (!object.uri.ends_with("version-hint.text")) uris.insert(object.uri);
    }
    return uris;
  };
  catalog::ManifestCache cache;
  const PlanWorld world{lake.catalog(), lake.store(), lake.clock(), cache};
  DeleteExpiredFiles(world, kMain, 1);
  const size_t all = on_disk().size();
  EXPECT_GT(all, referenced.size() + 300) << "a reader may still be at work";
  // In rounds, each of which may be the last for a while.
  constexpr int64_t kAsIfAnHourHadPassed = -1'000'000;
  DeleteExpiredFiles(world, kMain, 1, kAsIfAnHourHadPassed);
  EXPECT_LT(on_disk().size(), all);
  for (const std::string& uri : referenced) EXPECT_TRUE(on_disk().contains(uri)) << uri;
  for (int round = 0; round < 3; ++round) DeleteExpiredFiles(world, kMain, 1, kAsIfAnHourHadPassed);
  EXPECT_EQ(on_disk(), referenced);
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("plays", 0, 250, false));
}

TEST(EpochCommit, SparesTheManifestsOfATaggedTable) {
  TestLake lake;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.StageLanding("p1", "a.csv", "11", 8)).ok());
  auto head = lake.Load(kMain);
  iceberg::TableMetadata tagged = *head.metadata;
  const int64_t tagged_id = *tagged.current_snapshot_id;
  tagged.refs["before"] = {.snapshot_id = tagged_id, .type = "tag"};
  const NextMetadata next = MakeNextMetadata(kMain, head.metadata_location, tagged);
  ASSERT_TRUE(lake.store().Put(next.object.uri, next.object.contents).ok());
  ASSERT_TRUE(lake.catalog().Commit({.moves = {next.move}}).committed());

  const Epoch changed = lake.StageLanding("p2", "a.csv", "22", 4, "11");
  ASSERT_TRUE(lake.MakeCommitter().Commit(changed).ok());
  ASSERT_TRUE(lake.MakeCommitter().Recover().ok());
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("file:a.csv#22", 0, 4, false));
  const auto old = catalog::LiveFiles(lake.store(), *lake.Load(kMain).metadata, nullptr, tagged_id);
  ASSERT_TRUE(old.ok()) << old.error().ToString();
  for (const auto& file : *old) EXPECT_TRUE(lake.store().Stat(file.file.path).ok());
}

TEST(EpochCommit, AChangedLandingFileReplacesItsRowsInBothTables) {
  TestLake lake;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p1", "plays", 0, 20)).ok());
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.StageLanding("p2", "a.csv", "11", 16)).ok());
  const Epoch changed = lake.StageLanding("p3", "a.csv", "22", 8, "11");
  const auto outcome = lake.MakeCommitter().Commit(changed);
  ASSERT_TRUE(outcome.ok()) << outcome.error().ToString();

  for (const bool dead : {false, true}) {
    const auto& id = dead ? kDead : kMain;
    EXPECT_EQ(lake.LiveRows(id), TestLake::Expected("plays", 0, 20, dead) +
                                     TestLake::Expected("file:a.csv#22", 0, 8, dead));
    EXPECT_EQ(lake.GlobRows(id), lake.LiveRows(id));
  }
  const auto main = lake.Load(kMain);
  const auto& summary = main.metadata->CurrentSnapshot()->summary;
  EXPECT_EQ(summary.at("operation"), "overwrite");
  EXPECT_EQ(summary.at("deleted-data-files"), "2");
  EXPECT_EQ(summary.at("deleted-records"), "12");
  EXPECT_EQ(summary.at("total-records"), "21");
  EXPECT_EQ(summary.at("playhead.offsets"), R"({"log-1":{"0":20}})");
  EXPECT_THAT(main.metadata->snapshots, SizeIs(1)) << "older ones name files that are gone";
  ASSERT_THAT(lake.Ledger(), SizeIs(1));
  EXPECT_EQ(lake.Ledger().front().content_hash, "22");

  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p4", "plays", 20, 24)).ok());
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("plays", 0, 24, false) +
                                      TestLake::Expected("file:a.csv#22", 0, 8, false));
}

TEST(EpochCommit, RowsOfATopicAreTakenOutOfFilesThatMixSeveral) {
  TestLake lake;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.StageLanding("p1", "a.csv", "11", 16)).ok());
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.StageLanding("p2", "b.csv", "33", 16)).ok());
  // Somebody compacts the `play` files of both into one.
  std::vector<std::string> removed;
  const auto files = catalog::LiveFiles(lake.store(), *lake.Load(kMain).metadata);
  for (const auto& file : *files) {
    if (std::get<std::string>(file.file.partition[0]) == "play") removed.push_back(file.file.path);
  }
  auto writer = *PartitionedWriter::Open(lake.store(), *lake.Load(kMain).metadata,
                                         lake.uri() + "/_staging/compact");
  const std::vector<iceberg::PartitionValue> key = {"play", 20'454};
  std::vector<int64_t> plays = {0, 2, 4, 6, 8, 10, 12, 14};
  ASSERT_TRUE(writer->Append(key, PlaysBatch("play", "file:b.csv#33", plays)).ok());
  ASSERT_TRUE(writer->Append(key, PlaysBatch("play", "file:a.csv#11", plays)).ok());
  CommitForeign(lake, *writer->Finish("compacted"), removed);
  for (const std::string& path : removed) ASSERT_TRUE(lake.store().Delete(path).ok());

  const Epoch changed = lake.StageLanding("p3", "a.csv", "22", 8, "11");
  const auto outcome = lake.MakeCommitter().Commit(changed);
  ASSERT_TRUE(outcome.ok()) << outcome.error().ToString();
  const Rows expected = TestLake::Expected("file:b.csv#33", 0, 16, false) +
                        TestLake::Expected("file:a.csv#22", 0, 8, false);
  EXPECT_EQ(lake.LiveRows(kMain), expected);
  EXPECT_EQ(lake.GlobRows(kMain), expected);
}

TEST(Recovery, RemovesStagingWithoutAPlanAndSparesTheSpill) {
  TestLake lake;
  ASSERT_TRUE(lake.store().Put(lake.uri() + "/_staging/dead/left-over/main/0.staged", "x").ok());
  ASSERT_TRUE(lake.store().Put(lake.uri() + "/_staging/duckdb/spill", "x").ok());
  std::filesystem::create_directories(lake.root() + "/_staging/empty");
  ASSERT_TRUE(lake.MakeCommitter().Recover().ok());
  EXPECT_THAT(*lake.store().ListFolders(lake.uri() + "/_staging"), ElementsAre("duckdb"));
}

TEST(Recovery, DiscardSparesAPlannedEpoch) {
  TestLake lake;
  ASSERT_TRUE(
      lake.catalog().InsertPlan({.plan_id = "p1", .table = kMain, .payload = "{}"}, 1).committed());
  EXPECT_EQ(lake.MakeCommitter().Discard("p1").code(), StatusCode::kConflict);
}

// A plan that nobody can read stands in nobody's way; its rows are still in the log.
TEST(Recovery, GivesUpAPlanThatItCannotReadAndFinishesTheOthers) {
  TestLake lake;
  ASSERT_TRUE(lake.catalog()
                  .InsertPlan({.plan_id = "p0",
                               .table = kMain,
                               .format = kPlanFormat,
                               .payload = "not json",
                               .claims = {"log log-1 plays 0"}},
                              1)
                  .committed());
  storage::FaultyStore faulty(lake.store());
  faulty.Set({.at_call = 2, .calls = 1000});
  Committer failing(lake.catalog(), faulty, lake.uri(), lake.clock());
  ASSERT_FALSE(failing.Commit(lake.StageLanding("p1", "a.csv", "11", 8)).ok());
  ASSERT_TRUE(lake.MakeCommitter().Recover()->empty());
  EXPECT_EQ((*lake.catalog().FindPlan("p0"))->phase, catalog::PlanPhase::kAbandoned);
  EXPECT_EQ((*lake.catalog().FindPlan("p1"))->phase, catalog::PlanPhase::kCommitted);
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p2", "plays", 0, 20)).ok());
}

// One that a newer program made may be finished by that program.
TEST(Recovery, LeavesAPlanOfANewerFormatAndWhatItStaged) {
  TestLake lake;
  const std::string staged = lake.uri() + "/_staging/newer/p0/main/0.staged";
  ASSERT_TRUE(lake.store().Put(staged, "x").ok());
  ASSERT_TRUE(lake.store().Put(lake.uri() + "/_staging/newer/other/0.staged", "x").ok());
  ASSERT_TRUE(lake.catalog()
                  .InsertPlan({.plan_id = "p0", .table = kMain, .format = 99, .payload = "?"}, 1)
                  .committed());
  const auto unfinished = lake.MakeCommitter().Recover();
  ASSERT_TRUE(unfinished.ok());
  ASSERT_THAT(*unfinished, SizeIs(1));
  EXPECT_EQ(unfinished->front().table, kMain);
  EXPECT_THAT(unfinished->front().why.message(), HasSubstr("newer playhead"));
  EXPECT_THAT(lake.Staged(), ElementsAre(staged));
}

}  // namespace
}  // namespace playhead::table
