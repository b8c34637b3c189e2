#include "playhead/table/epoch_commit.h"

#include "playhead/iceberg/manifest.h"
#include "playhead/table/next_snapshot.h"
#include "playhead/table/progress.h"
#include "playhead/table/test_lake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace playhead::table {
namespace {

using testing::operator+;  // NOLINT(misc-unused-using-decls): clang-tidy does not see its uses
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
                   const std::set<std::string>& removed = {}) {
  TableChange change{.removed_paths = removed};
  for (const StagedFile& file : files) {
    ASSERT_TRUE(lake.store().Publish(file.staged_uri, file.file.path).ok());
    change.added.push_back(file.file);
  }
  static int64_t snapshot_id = 1000;
  const auto next =
      MakeNextSnapshot(lake.store(), lake.Load(kMain), change, ++snapshot_id, /*now_ms=*/1);
  ASSERT_TRUE(next.ok()) << next.error().ToString();
  ASSERT_TRUE(lake.store().PutMany(next->manifests).ok());
  ASSERT_TRUE(lake.store().Put(next->metadata.object.uri, next->metadata.object.contents).ok());
  ASSERT_TRUE(lake.catalog().Commit({.moves = {next->metadata.move}}).ok());
}

// A catalog whose Commit() is preceded, once, by something else.
class InterruptedCatalog final : public catalog::Catalog {
 public:
  InterruptedCatalog(catalog::Catalog& catalog, std::function<void()> interruption)
      : catalog_(catalog), interruption_(std::move(interruption)) {}

  Status Commit(const catalog::CommitRequest& request) override {
    if (auto interruption = std::exchange(interruption_, nullptr)) interruption();
    return catalog_.Commit(request);
  }
  Result<std::vector<catalog::TableId>> ListTables() override { return catalog_.ListTables(); }
  Result<catalog::TableState> Load(const catalog::TableId& id) override {
    return catalog_.Load(id);
  }
  Result<std::string> Fingerprint() override { return catalog_.Fingerprint(); }
  Status InsertPlan(const catalog::Plan& plan) override { return catalog_.InsertPlan(plan); }
  Result<std::vector<catalog::Plan>> OpenPlans() override { return catalog_.OpenPlans(); }
  Result<std::optional<catalog::Plan>> FindPlan(const std::string& id) override {
    return catalog_.FindPlan(id);
  }
  Status DeletePlan(const std::string& id) override { return catalog_.DeletePlan(id); }
  Result<std::vector<catalog::LandingFile>> LandingFiles(const catalog::TableId& table,
                                                         bool current_only) override {
    return catalog_.LandingFiles(table, current_only);
  }
  Result<std::optional<std::string>> GetProperty(const std::string& key) override {
    return catalog_.GetProperty(key);
  }
  Status SetProperty(const std::string& key, const std::string& value) override {
    return catalog_.SetProperty(key, value);
  }

 private:
  catalog::Catalog& catalog_;
  std::function<void()> interruption_;
};

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

  EXPECT_THAT(*lake.catalog().OpenPlans(), IsEmpty());
  EXPECT_THAT(*lake.store().ListFolders(lake.uri() + "/_staging"), IsEmpty());
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
                   .counts = {.read = 7, .good = 0, .dead = 0, .skipped = 7}}};
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

TEST(EpochCommit, AnotherOpenPlanOfThePartitionIsInTheWay) {
  TestLake lake;
  const Epoch epoch = lake.Stage("p2", "plays", 0, 20);
  ASSERT_TRUE(lake.catalog()
                  .InsertPlan({.plan_id = "p1",
                               .table = kMain,
                               .ranges = {{{"log-1", "plays", 0}, {0, 10}}},
                               .payload_json = "{}"})
                  .ok());
  const auto outcome = lake.MakeCommitter().Commit(epoch);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(outcome.error().message(), HasSubstr("p1"));
}

TEST(EpochCommit, RebasesOnAForeignSnapshotAndCarriesTheOffsetsOn) {
  TestLake lake;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p1", "plays", 0, 20)).ok());
  const Epoch foreign = lake.Stage("f1", "elsewhere", 100, 110);
  InterruptedCatalog catalog(lake.catalog(), [&] { CommitForeign(lake, foreign.main_files); });
  Committer committer(catalog, lake.store(), lake.uri(), lake.clock());
  const auto outcome = committer.Commit(lake.Stage("p2", "plays", 20, 40));
  ASSERT_TRUE(outcome.ok()) << outcome.error().ToString();
  EXPECT_EQ(outcome->retries, 1);
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("plays", 0, 40, false) +
                                      TestLake::Expected("elsewhere", 100, 110, false));
  EXPECT_EQ(lake.LiveRows(kDead), TestLake::Expected("plays", 0, 40, true));
  EXPECT_EQ(ReadProgress(*lake.Load(kMain).metadata)->offsets.at("log-1").at(0), 40);
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

TEST(EpochCommit, GivesUpWhenItsOwnPartitionMoved) {
  TestLake lake;
  const Epoch rival = lake.Stage("p2", "plays", 0, 12);
  InterruptedCatalog catalog(lake.catalog(), [&] {
    // A worker that got hold of the partition; its plan does not see ours in this test.
    ASSERT_TRUE(lake.catalog().DeletePlan("p1").ok());
    ASSERT_TRUE(lake.MakeCommitter().Commit(rival).ok());
  });
  Committer committer(catalog, lake.store(), lake.uri(), lake.clock());
  const auto outcome = committer.Commit(lake.Stage("p1", "plays", 0, 20));
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), StatusCode::kConflict);
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("plays", 0, 12, false));
  EXPECT_EQ(lake.GlobRows(kMain), lake.LiveRows(kMain)) << "published files of the loser stayed";
  EXPECT_THAT(*lake.catalog().OpenPlans(), IsEmpty());
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
  EXPECT_EQ(versions, 101);
  EXPECT_EQ(lists, 100);
  // One a commit and the merged one; those of the first 30 commits are still in older lists.
  EXPECT_EQ(manifest_files, 131);
  // Every snapshot's list, and every manifest of any of them once.
  catalog::ManifestCache cache;
  for (const iceberg::Snapshot& snapshot : main.metadata->snapshots) {
    const auto files =
        catalog::LiveFiles(lake.store(), *main.metadata, &cache, snapshot.snapshot_id);
    EXPECT_TRUE(files.ok()) << files.error().ToString();
  }
}

TEST(EpochCommit, DeletesMergedManifestsOnceNoSnapshotHasThem) {
  TestLake lake;
  for (int64_t i = 0; i < 250; ++i) {
    ASSERT_TRUE(
        lake.MakeCommitter().Commit(lake.Stage("p" + std::to_string(i), "plays", i, i + 1)).ok());
  }
  const auto main = lake.Load(kMain);
  std::set<std::string> referenced;
  for (const iceberg::Snapshot& snapshot : main.metadata->snapshots) {
    const auto manifests = iceberg::ReadManifestList(*lake.store().Get(snapshot.manifest_list));
    for (const auto& manifest : *manifests) referenced.insert(manifest.path);
  }
  std::set<std::string> on_disk;
  const auto objects = lake.store().List(lake.uri() + "/bronze/plays/metadata");
  for (const auto& object : *objects) {
    if (object.uri.find("-m") != std::string::npos) on_disk.insert(object.uri);
  }
  EXPECT_EQ(on_disk, referenced);
  EXPECT_LT(on_disk.size(), 120u) << "the first hundred were merged 100 snapshots ago";
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
  ASSERT_TRUE(lake.catalog().Commit({.moves = {next.move}}).ok());

  Epoch changed = lake.StageLanding("p2", "a.csv", "22", 4);
  changed.replaced_topics = {"file:a.csv#11"};
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
  Epoch changed = lake.StageLanding("p3", "a.csv", "22", 8);
  changed.replaced_topics = {"file:a.csv#11"};
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
  const auto ledger = lake.catalog().LandingFiles(kMain, /*current_only=*/true);
  ASSERT_THAT(*ledger, SizeIs(1));
  EXPECT_EQ(ledger->front().content_hash, "22");

  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.Stage("p4", "plays", 20, 24)).ok());
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("plays", 0, 24, false) +
                                      TestLake::Expected("file:a.csv#22", 0, 8, false));
}

TEST(EpochCommit, RowsOfATopicAreTakenOutOfFilesThatMixSeveral) {
  TestLake lake;
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.StageLanding("p1", "a.csv", "11", 16)).ok());
  ASSERT_TRUE(lake.MakeCommitter().Commit(lake.StageLanding("p2", "b.csv", "33", 16)).ok());
  // Somebody compacts the `play` files of both into one.
  std::set<std::string> removed;
  const auto files = catalog::LiveFiles(lake.store(), *lake.Load(kMain).metadata);
  for (const auto& file : *files) {
    if (std::get<std::string>(file.file.partition[0]) == "play") removed.insert(file.file.path);
  }
  auto writer = *PartitionedWriter::Open(lake.store(), *lake.Load(kMain).metadata,
                                         lake.uri() + "/_staging/compact");
  const std::vector<iceberg::PartitionValue> key = {"play", 20'454};
  std::vector<int64_t> plays = {0, 2, 4, 6, 8, 10, 12, 14};
  ASSERT_TRUE(writer->Append(key, PlaysBatch("play", "file:b.csv#33", plays)).ok());
  ASSERT_TRUE(writer->Append(key, PlaysBatch("play", "file:a.csv#11", plays)).ok());
  CommitForeign(lake, *writer->Finish("compacted"), removed);
  for (const std::string& path : removed) ASSERT_TRUE(lake.store().Delete(path).ok());

  Epoch changed = lake.StageLanding("p3", "a.csv", "22", 8);
  changed.replaced_topics = {"file:a.csv#11"};
  const auto outcome = lake.MakeCommitter().Commit(changed);
  ASSERT_TRUE(outcome.ok()) << outcome.error().ToString();
  const Rows expected = TestLake::Expected("file:b.csv#33", 0, 16, false) +
                        TestLake::Expected("file:a.csv#22", 0, 8, false);
  EXPECT_EQ(lake.LiveRows(kMain), expected);
  EXPECT_EQ(lake.GlobRows(kMain), expected);
}

TEST(Recovery, RemovesStagingWithoutAPlanAndSparesTheSpill) {
  TestLake lake;
  (void)lake.Stage("left-over", "plays", 0, 20);
  ASSERT_TRUE(lake.store().Put(lake.uri() + "/_staging/duckdb/spill", "x").ok());
  std::filesystem::create_directories(lake.root() + "/_staging/empty");
  ASSERT_TRUE(lake.MakeCommitter().Recover().ok());
  EXPECT_THAT(*lake.store().ListFolders(lake.uri() + "/_staging"),
              ::testing::ElementsAre("duckdb"));
}

TEST(Recovery, DiscardSparesAPlannedEpoch) {
  TestLake lake;
  ASSERT_TRUE(
      lake.catalog().InsertPlan({.plan_id = "p1", .table = kMain, .payload_json = "{}"}).ok());
  EXPECT_EQ(lake.MakeCommitter().Discard("p1").code(), StatusCode::kConflict);
}

TEST(Recovery, StopsAtAPlanThatItCannotRead) {
  TestLake lake;
  ASSERT_TRUE(lake.catalog()
                  .InsertPlan({.plan_id = "p0",
                               .table = kMain,
                               .files = {{kMain, lake.uri() + "/_staging/p0/a",
                                          lake.uri() + "/bronze/plays/data/a.parquet", 1, 1}},
                               .payload_json = "not json"})
                  .ok());
  ASSERT_TRUE(lake.store().Put(lake.uri() + "/bronze/plays/data/a.parquet", "x").ok());
  EXPECT_EQ(lake.MakeCommitter().Recover().code(), StatusCode::kDataCorrupt);
}

}  // namespace
}  // namespace playhead::table
