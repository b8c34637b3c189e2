// What other writers leave in a table, and our commits after it.

#include "playhead/iceberg/manifest.h"
#include "playhead/table/epoch_commit.h"
#include "playhead/table/progress.h"
#include "playhead/table/test_lake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace playhead::table {
namespace {

using testing::TestLake;

const catalog::TableId kMain = TestLake::Main();

void CommitMany(TestLake& lake, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    const auto outcome =
        lake.MakeCommitter().Commit(lake.Stage("p" + std::to_string(i), "plays", i * 4, i * 4 + 4));
    ASSERT_TRUE(outcome.ok()) << outcome.error().ToString();
  }
}

TEST(ForeignChanges, TagsAndBranchesOutliveOurCommitsAndOurExpiry) {
  TestLake lake;
  CommitMany(lake, 0, 3);
  lake.ChangeAsAnother(kMain, [](iceberg::TableMetadata& metadata) {
    metadata.refs["audited"] = {.snapshot_id = metadata.snapshots[0].snapshot_id, .type = "tag"};
    iceberg::SnapshotRef branch{.snapshot_id = metadata.snapshots[1].snapshot_id};
    branch.min_snapshots_to_keep = 2;
    metadata.refs["trial"] = branch;
  });
  const auto before = lake.Load(kMain).metadata;
  CommitMany(lake, 3, 120);
  ASSERT_TRUE(lake.MakeCommitter().Recover().ok());

  const auto after = lake.Load(kMain).metadata;
  EXPECT_LE(after->snapshots.size(), 100u);
  for (const auto& [name, rows] : {std::pair("audited", 3), std::pair("trial", 6)}) {
    ASSERT_TRUE(after->refs.contains(name)) << name;
    const iceberg::SnapshotRef& ref = after->refs.at(name);
    EXPECT_EQ(ref.snapshot_id, before->refs.at(name).snapshot_id);
    EXPECT_EQ(ref.type, before->refs.at(name).type);
    EXPECT_EQ(ref.min_snapshots_to_keep, before->refs.at(name).min_snapshots_to_keep);
    const auto files = catalog::LiveFiles(lake.store(), *after, nullptr, ref.snapshot_id);
    ASSERT_TRUE(files.ok()) << files.error().ToString();
    int64_t records = 0;
    for (const catalog::LiveFile& file : *files) {
      EXPECT_TRUE(lake.store().Stat(file.file.path).ok()) << file.file.path;
      records += file.file.record_count;
    }
    EXPECT_EQ(records, rows) << name;
  }
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("plays", 0, 480, false));
}

// A delete manifest that nobody of ours reads.
TEST(ForeignChanges, AppendsGoOnInATableWithDeleteFiles) {
  TestLake lake;
  CommitMany(lake, 0, 2);
  lake.ChangeAsAnother(kMain, [&](iceberg::TableMetadata& metadata) {
    iceberg::Snapshot snapshot = *metadata.CurrentSnapshot();
    auto manifests = *iceberg::ReadManifestList(*lake.store().Get(snapshot.manifest_list));
    iceberg::ManifestFile deletes = manifests.front();
    deletes.path = metadata.location + "/metadata/deletes.avro";
    deletes.content = 1;
    deletes.added_files = 1;
    deletes.added_rows = 1;
    deletes.added_snapshot_id = 77;
    deletes.sequence_number = ++metadata.last_sequence_number;
    deletes.min_sequence_number = deletes.sequence_number;
    manifests.push_back(deletes);
    snapshot.parent_snapshot_id = snapshot.snapshot_id;
    snapshot.snapshot_id = 77;
    snapshot.sequence_number = metadata.last_sequence_number;
    snapshot.manifest_list = metadata.location + "/metadata/snap-77.avro";
    snapshot.summary = {{"operation", "delete"}, {"total-position-deletes", "1"}};
    ASSERT_TRUE(lake.store()
                    .Put(snapshot.manifest_list,
                         *iceberg::WriteManifestList(manifests, 77, snapshot.parent_snapshot_id,
                                                     snapshot.sequence_number))
                    .ok());
    metadata.current_snapshot_id = 77;
    metadata.refs["main"].snapshot_id = 77;
    metadata.snapshots.push_back(snapshot);
  });
  CommitMany(lake, 2, 130);
  const auto metadata = lake.Load(kMain).metadata;
  const auto manifests =
      *iceberg::ReadManifestList(*lake.store().Get(metadata->CurrentSnapshot()->manifest_list));
  EXPECT_EQ(std::ranges::count(manifests, 1, &iceberg::ManifestFile::content), 1);
  EXPECT_EQ(metadata->CurrentSnapshot()->summary.at("total-position-deletes"), "1");
  EXPECT_EQ(metadata->CurrentSnapshot()->summary.at("total-records"), std::to_string(130 * 3));
  EXPECT_EQ(ReadProgress(*metadata)->offsets.at("log-1").at(0), 520);
  // Rows cannot be counted or read without applying them.
  EXPECT_EQ(catalog::LiveFiles(lake.store(), *metadata).error().code(), StatusCode::kNotSupported);
}

TEST(ForeignChanges, AFileKeepsTheSpecThatItWasStagedFor) {
  TestLake lake;
  CommitMany(lake, 0, 1);
  const Epoch staged = lake.Stage("before", "plays", 4, 8);
  lake.ChangeAsAnother(kMain, [](iceberg::TableMetadata& metadata) {
    // As many fields, of other meaning.
    iceberg::PartitionSpec spec{.spec_id = 1, .fields = metadata.DefaultSpec().fields};
    spec.fields[0] = {.source_id = 5, .field_id = 1002, .name = "topic"};
    spec.fields[1].transform = iceberg::Transform::kHour;
    spec.fields[1].field_id = 1003;
    metadata.specs.push_back(spec);
    metadata.default_spec_id = 1;
    metadata.last_partition_id = 1003;
  });
  ASSERT_TRUE(lake.MakeCommitter().Commit(staged).ok());
  CommitMany(lake, 2, 3);
  const auto files = catalog::LiveFiles(lake.store(), *lake.Load(kMain).metadata);
  ASSERT_TRUE(files.ok()) << files.error().ToString();
  int of_new_spec = 0;
  for (const catalog::LiveFile& file : *files) {
    const bool is_new =
        file.file.path.find("/topic=plays/date=2026-01-01-00/") != std::string::npos;
    EXPECT_EQ(file.spec_id, is_new ? 1 : 0) << file.file.path;
    of_new_spec += is_new ? 1 : 0;
  }
  EXPECT_GT(of_new_spec, 0);
  EXPECT_EQ(lake.LiveRows(kMain), TestLake::Expected("plays", 0, 12, false));
}

}  // namespace
}  // namespace playhead::table
