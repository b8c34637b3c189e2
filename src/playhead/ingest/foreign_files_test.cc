#include "playhead/ingest/foreign_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace playhead::ingest {
namespace {

using testing::ElementsAre;

iceberg::Snapshot MakeSnapshot(int64_t id, std::map<std::string, std::string> summary) {
  iceberg::Snapshot snapshot;
  snapshot.snapshot_id = id;
  snapshot.summary = std::move(summary);
  return snapshot;
}

catalog::LiveFile MakeFile(const std::string& path, int64_t snapshot_id, int64_t rows) {
  catalog::LiveFile file;
  file.file.path = "file:///lake/" + path;
  file.file.record_count = rows;
  file.snapshot_id = snapshot_id;
  return file;
}

TEST(ForeignFiles, AppendsOfOthersAreApartFromTheirRewrites) {
  iceberg::TableMetadata metadata;
  metadata.snapshots = {
      MakeSnapshot(2, {{"operation", "append"}, {"playhead.plan-id", "p"}}),
      MakeSnapshot(3, {{"operation", "append"}}),
      MakeSnapshot(4, {{"operation", "replace"}, {"engine-name", "spark"}}),
  };
  // Snapshot 1 has expired.
  const auto found = FindForeignFiles(
      metadata, {MakeFile("expired", 1, 1), MakeFile("own", 2, 2), MakeFile("theirs", 3, 3),
                 MakeFile("theirs2", 3, 4), MakeFile("merged", 4, 5)});
  EXPECT_THAT(found.appended, ElementsAre("/lake/theirs", "/lake/theirs2"));
  EXPECT_THAT(found.own, ElementsAre("/lake/own"));
  ASSERT_EQ(found.snapshots.size(), 2U);
  EXPECT_EQ(found.snapshots[0].snapshot_id, 3);
  EXPECT_EQ(found.snapshots[0].live_rows, 7);
  EXPECT_EQ(found.snapshots[1].operation, "replace");
  EXPECT_EQ(found.snapshots[1].engine, "spark");
  EXPECT_EQ(found.snapshots[1].live_rows, 5);
}

TEST(ForeignFiles, AnOwnTableHasNone) {
  iceberg::TableMetadata metadata;
  metadata.snapshots = {MakeSnapshot(1, {{"playhead.plan-id", "p"}})};
  const auto found = FindForeignFiles(metadata, {MakeFile("a", 1, 1)});
  EXPECT_TRUE(found.empty());
  EXPECT_TRUE(found.appended.empty());
}

TEST(ForeignFiles, OnePathHasOneSpelling) {
  EXPECT_EQ(PlainPath("file:/lake/a%3A b"), "/lake/a%3A b");
  EXPECT_EQ(PlainPath("file:///lake/a"), "/lake/a");
  EXPECT_EQ(PlainPath("/lake/a"), "/lake/a");
  EXPECT_EQ(PlainPath("s3://lake/a"), "s3://lake/a");
}

}  // namespace
}  // namespace playhead::ingest
