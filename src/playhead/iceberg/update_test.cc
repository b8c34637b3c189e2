#include "playhead/iceberg/update.h"

#include "playhead/iceberg/metadata_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace playhead::iceberg {
namespace {

using testing::ElementsAre;

NestedField Column(int32_t id, std::string name) {
  return {id, std::move(name), false, std::make_shared<const Type>(Type{.kind = TypeKind::kString}),
          ""};
}

Schema OneColumn() {
  Schema schema;
  schema.fields = {Column(1, "event_type")};
  return schema;
}

TableMetadata Empty() {
  return NewTable("uuid", "file:///lake/plays", OneColumn(), 1,
                  {.spec_id = 0, .fields = {{1, 1000, "kind", Transform::kIdentity, 0}}},
                  {{"owner", "us"}}, 1'000);
}

Snapshot Next(const TableMetadata& base, int64_t id) {
  Snapshot snapshot;
  snapshot.snapshot_id = id;
  snapshot.parent_snapshot_id = base.current_snapshot_id;
  snapshot.timestamp_ms = 1'000 + id;
  snapshot.manifest_list = fmt::format("file:///lake/plays/metadata/snap-{}.avro", id);
  snapshot.summary = {{"operation", "append"}};
  return snapshot;
}

TableMetadata Added(const TableMetadata& base, const Snapshot& snapshot,
                    SnapshotLimits limits = {}) {
  auto next = AddSnapshot(base, snapshot, std::nullopt, 0, "file:///old.json", limits);
  EXPECT_TRUE(next.ok()) << next.status().ToString();
  return *std::move(next);
}

std::vector<int64_t> SnapshotIds(const TableMetadata& metadata) {
  std::vector<int64_t> ids;
  ids.reserve(metadata.snapshots.size());
  for (const Snapshot& snapshot : metadata.snapshots) ids.push_back(snapshot.snapshot_id);
  return ids;
}

std::vector<int64_t> LoggedIds(const TableMetadata& metadata) {
  std::vector<int64_t> ids;
  ids.reserve(metadata.snapshot_log.size());
  for (const SnapshotLogEntry& entry : metadata.snapshot_log) ids.push_back(entry.snapshot_id);
  return ids;
}

TEST(NewTable, IsEmptyAndReadable) {
  const TableMetadata metadata = Empty();
  EXPECT_EQ(metadata.CurrentSnapshot(), nullptr);
  EXPECT_EQ(metadata.last_partition_id, 1000);
  EXPECT_EQ(metadata.last_sequence_number, 0);
  const auto parsed = ParseMetadata(SerializeMetadata(metadata));
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  EXPECT_EQ(parsed->properties.at("owner"), "us");
}

TEST(AddSnapshot, MovesHeadNumbersAndLogs) {
  const TableMetadata base = Empty();
  const TableMetadata first = Added(base, Next(base, 5));
  EXPECT_EQ(first.current_snapshot_id, 5);
  EXPECT_EQ(first.last_sequence_number, 1);
  EXPECT_EQ(first.CurrentSnapshot()->sequence_number, 1);
  EXPECT_EQ(first.CurrentSnapshot()->schema_id, 0);
  EXPECT_EQ(first.last_updated_ms, 1'005);
  EXPECT_EQ(first.refs.at("main").snapshot_id, 5);
  EXPECT_EQ(first.refs.at("main").type, "branch");
  EXPECT_THAT(LoggedIds(first), ElementsAre(5));
  ASSERT_EQ(first.metadata_log.size(), 1U);
  EXPECT_EQ(first.metadata_log[0].metadata_file, "file:///old.json");
  EXPECT_EQ(first.metadata_log[0].timestamp_ms, 1'000);

  const TableMetadata second = Added(first, Next(first, 6));
  EXPECT_EQ(second.CurrentSnapshot()->parent_snapshot_id, 5);
  EXPECT_EQ(second.last_sequence_number, 2);
  EXPECT_TRUE(ParseMetadata(SerializeMetadata(second)).ok());
}

TEST(AddSnapshot, TimesNeverGoBack) {
  const TableMetadata base = Empty();
  const TableMetadata first = Added(base, Next(base, 5));
  Snapshot early = Next(first, 6);
  early.timestamp_ms = 3;
  const TableMetadata second = Added(first, early);
  EXPECT_EQ(second.last_updated_ms, 1'006);
  EXPECT_EQ(second.snapshot_log.back().timestamp_ms, 1'006);
  EXPECT_EQ(second.CurrentSnapshot()->timestamp_ms, 1'006);
}

TEST(AddSnapshot, RefusesAMovedHead) {
  const TableMetadata base = Empty();
  const TableMetadata first = Added(base, Next(base, 5));
  const auto stale_parent = AddSnapshot(first, Next(base, 6), std::nullopt, 0, "", {});
  EXPECT_EQ(stale_parent.status().code(), StatusCode::kConflict);
  Snapshot stale_number = Next(first, 6);
  stale_number.sequence_number = 1;
  EXPECT_EQ(AddSnapshot(first, stale_number, std::nullopt, 0, "", {}).status().code(),
            StatusCode::kConflict);
  stale_number.sequence_number = 2;
  EXPECT_TRUE(AddSnapshot(first, stale_number, std::nullopt, 0, "", {}).ok());
}

TEST(AddSnapshot, RefusesMalformedSnapshots) {
  const TableMetadata base = Empty();
  const TableMetadata first = Added(base, Next(base, 5));
  std::vector<Snapshot> bad(5, Next(first, 6));
  bad[0].snapshot_id = 0;
  bad[1].snapshot_id = 5;
  bad[2].summary.clear();
  bad[3].summary["operation"] = "upsert";
  bad[4].manifest_list.clear();
  for (const Snapshot& snapshot : bad) {
    EXPECT_EQ(AddSnapshot(first, snapshot, std::nullopt, 0, "", {}).status().code(),
              StatusCode::kInvalidArgument);
  }
}

TEST(AddSnapshot, BringsItsSchema) {
  const TableMetadata base = Empty();
  Schema wider = OneColumn();
  wider.fields.push_back(Column(2, "title"));
  const auto next = AddSnapshot(base, Next(base, 5), wider, 2, "", {});
  ASSERT_TRUE(next.ok()) << next.status().ToString();
  EXPECT_EQ(next->current_schema_id, 1);
  EXPECT_EQ(next->CurrentSchema().fields.size(), 2U);
  EXPECT_EQ(next->CurrentSnapshot()->schema_id, 1);
  EXPECT_EQ(next->last_column_id, 2);
  EXPECT_EQ(next->schemas.size(), 2U);
}

TEST(AddSnapshot, DropsTheOldestBeyondTheCap) {
  TableMetadata metadata = Empty();
  for (int64_t id = 1; id <= 5; ++id) {
    metadata = Added(metadata, Next(metadata, id), {.snapshots_max = 3, .metadata_log_max = 2});
  }
  EXPECT_THAT(SnapshotIds(metadata), ElementsAre(3, 4, 5));
  EXPECT_THAT(LoggedIds(metadata), ElementsAre(3, 4, 5));
  EXPECT_EQ(metadata.metadata_log.size(), 2U);
  EXPECT_EQ(metadata.metadata_log.back().timestamp_ms, 1'004);
  EXPECT_TRUE(ParseMetadata(SerializeMetadata(metadata)).ok());
}

TEST(AddSnapshot, KeepsTheNewestCarrierOfOffsets) {
  TableMetadata metadata = Empty();
  const SnapshotLimits limits = {.snapshots_max = 2, .metadata_log_max = 2};
  for (int64_t id = 1; id <= 6; ++id) {
    Snapshot snapshot = Next(metadata, id);
    if (id <= 2) snapshot.summary["playhead.offsets"] = fmt::format("{{\"at\":{}}}", id);
    metadata = Added(metadata, snapshot, limits);
  }
  // The carrier and the head: a cap of two.
  EXPECT_THAT(SnapshotIds(metadata), ElementsAre(2, 6));
  EXPECT_EQ(FindInSummaries(metadata, "playhead.offsets"), "{\"at\":2}");
  EXPECT_THAT(LoggedIds(metadata), ElementsAre(6));
}

TEST(AddSnapshot, KeepsWhatRefsHold) {
  TableMetadata metadata = Empty();
  const SnapshotLimits limits = {.snapshots_max = 2, .metadata_log_max = 2};
  metadata = Added(metadata, Next(metadata, 1), limits);
  metadata = Added(metadata, Next(metadata, 2), limits);
  metadata.refs["v1"] = {.snapshot_id = 1, .type = "tag"};
  for (int64_t id = 3; id <= 5; ++id) metadata = Added(metadata, Next(metadata, id), limits);
  EXPECT_THAT(SnapshotIds(metadata), ElementsAre(1, 5));
  metadata.refs["main"].min_snapshots_to_keep = 3;
  for (int64_t id = 6; id <= 9; ++id) metadata = Added(metadata, Next(metadata, id), limits);
  EXPECT_THAT(SnapshotIds(metadata), ElementsAre(1, 7, 8, 9));
  EXPECT_EQ(metadata.refs.at("main").min_snapshots_to_keep, 3);
}

TEST(SetSchema, AddsAndReturnsToASchema) {
  const TableMetadata base = Empty();
  Schema wider = OneColumn();
  wider.fields.push_back(Column(2, "title"));
  const auto widened = SetSchema(base, wider, 2, "file:///old.json", 2'000, {});
  ASSERT_TRUE(widened.ok()) << widened.status().ToString();
  EXPECT_EQ(widened->current_schema_id, 1);
  EXPECT_EQ(widened->last_updated_ms, 2'000);
  EXPECT_EQ(widened->metadata_log.size(), 1U);
  EXPECT_EQ(widened->CurrentSnapshot(), nullptr);
  const auto back = SetSchema(*widened, OneColumn(), 2, "", 2'000, {});
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->current_schema_id, 0);
  EXPECT_EQ(back->schemas.size(), 2U);
  EXPECT_EQ(back->last_updated_ms, 2'001);
}

TEST(SetSchema, RefusesUncountedIdsAndClashingNames) {
  const TableMetadata base = Empty();
  Schema uncounted = OneColumn();
  uncounted.fields.push_back(Column(7, "title"));
  EXPECT_EQ(SetSchema(base, uncounted, 6, "", 0, {}).status().code(), StatusCode::kInvalidArgument);
  Schema clash = OneColumn();
  clash.fields.push_back(Column(2, "kind"));  // the name of a partition field of column 1
  EXPECT_EQ(SetSchema(base, clash, 2, "", 0, {}).status().code(), StatusCode::kInvalidArgument);
}

TEST(NextMetadataFileName, CountsOn) {
  EXPECT_EQ(NextMetadataFileName("", "u"), "00000-u.metadata.json");
  EXPECT_EQ(NextMetadataFileName("file:///a/00009-x.metadata.json", "u"), "00010-u.metadata.json");
  EXPECT_EQ(NextMetadataFileName("s3://b/99999-x.metadata.json", "u"), "100000-u.metadata.json");
  EXPECT_EQ(NextMetadataFileName("v12.metadata.json", "u"), "00013-u.metadata.json");
  EXPECT_EQ(NextMetadataFileName("file:///a/strange.json", "u"), "00000-u.metadata.json");
}

TEST(FindInSummaries, WalksFromTheHead) {
  TableMetadata metadata = Empty();
  EXPECT_EQ(FindInSummaries(metadata, "key"), std::nullopt);
  for (int64_t id = 1; id <= 3; ++id) {
    Snapshot snapshot = Next(metadata, id);
    if (id < 3) snapshot.summary["key"] = std::to_string(id);
    metadata = Added(metadata, snapshot);
  }
  EXPECT_EQ(FindInSummaries(metadata, "key"), "2");
  EXPECT_EQ(FindInSummaries(metadata, "other"), std::nullopt);
}

TEST(FindInSummaries, IgnoresSnapshotsThatMainLeft) {
  TableMetadata metadata = Empty();
  for (int64_t id = 1; id <= 2; ++id) {
    Snapshot snapshot = Next(metadata, id);
    snapshot.summary["key"] = std::to_string(id);
    metadata = Added(metadata, snapshot);
  }
  metadata.current_snapshot_id = 1;  // rolled back
  metadata.refs["main"].snapshot_id = 1;
  metadata = Added(metadata, Next(metadata, 3));
  EXPECT_EQ(FindInSummaries(metadata, "key"), "1");
}

TEST(FindInSummaries, EndsOnACircleOfParents) {
  TableMetadata metadata = Empty();
  metadata = Added(metadata, Next(metadata, 1));
  metadata = Added(metadata, Next(metadata, 2));
  metadata.snapshots[0].parent_snapshot_id = 2;
  EXPECT_EQ(FindInSummaries(metadata, "key"), std::nullopt);
}

}  // namespace
}  // namespace playhead::iceberg
