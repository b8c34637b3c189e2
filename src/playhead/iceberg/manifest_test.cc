#include "playhead/iceberg/manifest.h"

#include "playhead/iceberg/avro.h"
#include "playhead/iceberg/manifest_schema.h"
#include "playhead/iceberg/values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

namespace playhead::iceberg {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::shared_ptr<const Type> Primitive(TypeKind kind) {
  return std::make_shared<const Type>(Type{.kind = kind});
}

Schema PlaysSchema() {
  Schema schema;
  schema.schema_id = 2;
  schema.fields = {{1, "event_type", false, Primitive(TypeKind::kString), ""},
                   {2, "timestamp", false, Primitive(TypeKind::kTimestamptz), ""},
                   {3, "price", false, Primitive(TypeKind::kDouble), ""}};
  return schema;
}

PartitionSpec PlaysSpec() {
  return {.spec_id = 1,
          .fields = {{1, 1000, "event_type", Transform::kIdentity, 0},
                     {2, 1001, "date", Transform::kDay, 0}}};
}

ManifestEntry PlaysEntry(PartitionValue event_type, PartitionValue day) {
  ManifestEntry entry;
  entry.status = EntryStatus::kAdded;
  entry.snapshot_id = 77;
  entry.file.path = "file:///lake/plays/data/a.parquet";
  entry.file.partition = {std::move(event_type), std::move(day)};
  entry.file.record_count = 10;
  entry.file.file_bytes = 1234;
  entry.file.column_sizes = {{1, 100}, {2, 200}};
  entry.file.value_counts = {{1, 10}, {2, 10}};
  entry.file.null_value_counts = {{1, 0}, {2, 3}};
  entry.file.nan_value_counts = {{3, 1}};
  entry.file.lower_bounds = {{1, "play"}, {2, EncodeLong(-5)}};
  entry.file.upper_bounds = {{1, "stop"}, {2, EncodeLong(5)}};
  entry.file.split_offsets = {4, 600};
  return entry;
}

ManifestFile Listed(int64_t sequence_number, int64_t snapshot_id) {
  ManifestFile manifest;
  manifest.path = "file:///lake/m0.avro";
  manifest.sequence_number = sequence_number;
  manifest.added_snapshot_id = snapshot_id;
  return manifest;
}

void ExpectSameFile(const DataFile& got, const DataFile& expected) {
  EXPECT_EQ(got.path, expected.path);
  EXPECT_EQ(got.partition, expected.partition);
  EXPECT_EQ(got.record_count, expected.record_count);
  EXPECT_EQ(got.file_bytes, expected.file_bytes);
  EXPECT_EQ(got.column_sizes, expected.column_sizes);
  EXPECT_EQ(got.value_counts, expected.value_counts);
  EXPECT_EQ(got.null_value_counts, expected.null_value_counts);
  EXPECT_EQ(got.nan_value_counts, expected.nan_value_counts);
  EXPECT_EQ(got.lower_bounds, expected.lower_bounds);
  EXPECT_EQ(got.upper_bounds, expected.upper_bounds);
  EXPECT_EQ(got.split_offsets, expected.split_offsets);
}

TEST(Manifest, ReadsWhatItWrites) {
  const std::vector<ManifestEntry> entries = {PlaysEntry("play"s, int32_t{20'686}),
                                              PlaysEntry({}, {})};
  const auto bytes = WriteManifest(PlaysSchema(), PlaysSpec(), entries);
  ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
  const auto read = ReadManifest(*bytes, Listed(9, 77));
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  ASSERT_EQ(read->size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ((*read)[i].status, EntryStatus::kAdded);
    ExpectSameFile((*read)[i].file, entries[i].file);
  }
}

TEST(Manifest, NewEntriesInheritTheNumbersOfTheirManifest) {
  ManifestEntry added = PlaysEntry("play"s, int32_t{1});
  added.snapshot_id.reset();
  ManifestEntry existing = PlaysEntry("stop"s, int32_t{1});
  existing.status = EntryStatus::kExisting;
  existing.snapshot_id = 5;
  existing.sequence_number = 2;
  existing.file_sequence_number = 3;
  const auto bytes = WriteManifest(PlaysSchema(), PlaysSpec(), {added, existing});
  const auto read = ReadManifest(*bytes, Listed(9, 77));
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ((*read)[0].snapshot_id, 77);
  EXPECT_EQ((*read)[0].sequence_number, 9);
  EXPECT_EQ((*read)[0].file_sequence_number, 9);
  EXPECT_EQ((*read)[1].snapshot_id, 5);
  EXPECT_EQ((*read)[1].sequence_number, 2);
  EXPECT_EQ((*read)[1].file_sequence_number, 3);
}

TEST(Manifest, RefusesOldEntriesWithoutNumbers) {
  ManifestEntry entry = PlaysEntry("play"s, int32_t{1});
  entry.status = EntryStatus::kDeleted;
  EXPECT_EQ(WriteManifest(PlaysSchema(), PlaysSpec(), {entry}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(Manifest, RefusesValuesOfAnotherTypeByName) {
  const auto wrong_kind =
      WriteManifest(PlaysSchema(), PlaysSpec(), {PlaysEntry("play"s, "2026-08-21"s)});
  EXPECT_EQ(wrong_kind.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(wrong_kind.status().message(), HasSubstr("partition_field=date"));
  ManifestEntry short_tuple = PlaysEntry("play"s, int32_t{1});
  short_tuple.file.partition.pop_back();
  EXPECT_EQ(WriteManifest(PlaysSchema(), PlaysSpec(), {short_tuple}).status().code(),
            StatusCode::kInvalidArgument);
}

/// One identity field for every primitive type that a partition can have.
TEST(Manifest, KeepsPartitionValuesOfEveryType) {
  const std::vector<std::pair<Type, PartitionValue>> cases = {
      {{.kind = TypeKind::kBoolean}, true},
      {{.kind = TypeKind::kInt}, int32_t{-7}},
      {{.kind = TypeKind::kLong}, int64_t{1} << 40},
      {{.kind = TypeKind::kFloat}, 1.5F},
      {{.kind = TypeKind::kDouble}, -2.5},
      {{.kind = TypeKind::kDate}, int32_t{-1}},
      {{.kind = TypeKind::kTime}, int64_t{5}},
      {{.kind = TypeKind::kTimestamp}, int64_t{-5}},
      {{.kind = TypeKind::kTimestamptz}, int64_t{7}},
      {{.kind = TypeKind::kString}, "ü"s},
      {{.kind = TypeKind::kUuid}, "0123456789abcdef"s},
      {{.kind = TypeKind::kFixed, .length = 3}, "\0\1\2"s},
      {{.kind = TypeKind::kBinary}, "\xFF"s},
  };
  Schema schema;
  PartitionSpec spec;
  ManifestEntry entry;
  entry.file.path = "file:///x";
  for (const auto& [type, value] : cases) {
    const auto id = static_cast<int32_t>(schema.fields.size());
    schema.fields.push_back(
        {id + 1, fmt::format("c{}", id), false, std::make_shared<const Type>(type), ""});
    spec.fields.push_back({id + 1, 1000 + id, fmt::format("c{}", id), Transform::kIdentity, 0});
    entry.file.partition.push_back(value);
  }
  const auto bytes = WriteManifest(schema, spec, {entry});
  ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
  const auto read = ReadManifest(*bytes, Listed(1, 1));
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->at(0).file.partition, entry.file.partition);
}

TEST(Manifest, WidensValuesWrittenBeforeTheirColumn) {
  Schema schema;
  schema.fields = {{1, "n", false, Primitive(TypeKind::kLong), ""}};
  const PartitionSpec spec = {.spec_id = 0, .fields = {{1, 1000, "n", Transform::kIdentity, 0}}};
  ManifestEntry entry;
  entry.file.path = "file:///x";
  entry.file.partition = {int32_t{5}};
  const auto bytes = WriteManifest(schema, spec, {entry});
  ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
  EXPECT_THAT(ReadManifest(*bytes, Listed(1, 1))->at(0).file.partition,
              ElementsAre(PartitionValue(int64_t{5})));
  EXPECT_EQ(DescribeManifest(schema, spec, {entry}, "m", 1, 1, 1).partitions[0].lower_bound,
            EncodeLong(5));
}

TEST(Manifest, AvroSchemaHasIcebergsNamesAndIds) {
  const PartitionSpec spec = {.spec_id = 0,
                              .fields = {{1, 1000, "1 type", Transform::kIdentity, 0},
                                         {2, 1001, "date", Transform::kDay, 0}}};
  const auto json = nlohmann::json::parse(
      ManifestAvroSchema(spec, {Type{.kind = TypeKind::kString}, Type{.kind = TypeKind::kDate}}));
  const auto& partition = json["fields"][4]["type"]["fields"][3];
  EXPECT_EQ(partition["name"], "partition");
  EXPECT_EQ(partition["field-id"], 102);
  const auto& fields = partition["type"]["fields"];
  EXPECT_EQ(fields[0]["name"], "_1_x20type");
  EXPECT_EQ(fields[0]["iceberg-field-name"], "1 type");
  EXPECT_EQ(fields[1]["field-id"], 1001);
  EXPECT_EQ(fields[1]["type"],
            nlohmann::json::parse(R"(["null",{"type":"int","logicalType":"date"}])"));
  EXPECT_FALSE(fields[1].contains("iceberg-field-name"));
}

TEST(Manifest, FileMetadataDescribesSpecAndSchema) {
  const auto bytes = WriteManifest(PlaysSchema(), PlaysSpec(), {});
  const auto file = AvroFileReader::Open(*bytes);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->Metadata("format-version"), "2");
  EXPECT_EQ(file->Metadata("content"), "data");
  EXPECT_EQ(file->Metadata("schema-id"), "2");
  EXPECT_EQ(file->Metadata("partition-spec-id"), "1");
  EXPECT_EQ(file->Metadata("partition-spec"),
            R"([{"source-id":1,"field-id":1000,"name":"event_type","transform":"identity"},)"
            R"({"source-id":2,"field-id":1001,"name":"date","transform":"day"}])");
}

TEST(DescribeManifest, CountsByStatusAndSummarizesPartitions) {
  std::vector<ManifestEntry> entries = {
      PlaysEntry("play"s, int32_t{10}), PlaysEntry("pause"s, int32_t{12}),
      PlaysEntry({}, int32_t{11}), PlaysEntry("stop"s, int32_t{9})};
  entries[1].status = EntryStatus::kExisting;
  entries[1].sequence_number = 4;
  entries[1].file.record_count = 100;
  entries[3].status = EntryStatus::kDeleted;
  entries[3].sequence_number = 1;
  entries[3].file.record_count = 1000;
  const ManifestFile manifest =
      DescribeManifest(PlaysSchema(), PlaysSpec(), entries, "file:///m.avro", 55, 9, 77);
  EXPECT_EQ(manifest.path, "file:///m.avro");
  EXPECT_EQ(manifest.length, 55);
  EXPECT_EQ(manifest.spec_id, 1);
  EXPECT_EQ(manifest.content, 0);
  EXPECT_EQ(manifest.sequence_number, 9);
  EXPECT_EQ(manifest.min_sequence_number, 4);
  EXPECT_EQ(manifest.added_snapshot_id, 77);
  EXPECT_EQ(manifest.added_files, 2);
  EXPECT_EQ(manifest.existing_files, 1);
  EXPECT_EQ(manifest.deleted_files, 1);
  EXPECT_EQ(manifest.added_rows, 20);
  EXPECT_EQ(manifest.existing_rows, 100);
  EXPECT_EQ(manifest.deleted_rows, 1000);
  ASSERT_EQ(manifest.partitions.size(), 2U);
  EXPECT_TRUE(manifest.partitions[0].contains_null);
  EXPECT_EQ(manifest.partitions[0].contains_nan, false);
  EXPECT_EQ(manifest.partitions[0].lower_bound, "pause");
  EXPECT_EQ(manifest.partitions[0].upper_bound, "stop");
  EXPECT_FALSE(manifest.partitions[1].contains_null);
  EXPECT_EQ(manifest.partitions[1].contains_nan, false);
  EXPECT_EQ(manifest.partitions[1].lower_bound, "\x09\x00\x00\x00"s);
  EXPECT_EQ(manifest.partitions[1].upper_bound, "\x0C\x00\x00\x00"s);
}

TEST(DescribeManifest, NanIsNoBoundAndZerosHaveTheirSigns) {
  Schema schema;
  schema.fields = {{1, "x", false, Primitive(TypeKind::kDouble), ""}};
  const PartitionSpec spec = {.spec_id = 0, .fields = {{1, 1000, "x", Transform::kIdentity, 0}}};
  std::vector<ManifestEntry> entries(2);
  entries[0].file.partition = {std::nan("")};
  entries[1].file.partition = {0.0};
  const FieldSummary summary =
      DescribeManifest(schema, spec, entries, "m", 1, 1, 1).partitions.at(0);
  EXPECT_EQ(summary.contains_nan, true);
  EXPECT_EQ(summary.lower_bound, EncodeDouble(-0.0));
  EXPECT_EQ(summary.upper_bound, EncodeDouble(0.0));
  entries.pop_back();
  EXPECT_EQ(DescribeManifest(schema, spec, entries, "m", 1, 1, 1).partitions[0].lower_bound,
            std::nullopt);
}

TEST(DescribeManifest, WhatOthersLeftOpenIsSettledWhereATypeHasNoNan) {
  Schema schema = PlaysSchema();
  schema.fields.push_back({90, "x", false, Primitive(TypeKind::kDouble), ""});
  TableMetadata table;
  table.schemas = {schema};
  table.specs = {PlaysSpec(),
                 {.spec_id = 5,
                  .fields = {{90, 1005, "x", Transform::kIdentity, 0},
                             {91, 1006, "gone", Transform::kIdentity, 0}}}};
  std::vector<ManifestFile> manifests(3);
  manifests[0].spec_id = PlaysSpec().spec_id;
  manifests[0].partitions = {{.contains_null = true}, {.contains_nan = true}};
  manifests[1].spec_id = 5;
  manifests[1].partitions.resize(2);
  manifests[2].spec_id = 6;  // nobody's
  manifests[2].partitions.resize(1);
  SettleContainsNan(table, manifests);
  EXPECT_EQ(manifests[0].partitions[0].contains_nan, false);
  EXPECT_EQ(manifests[0].partitions[1].contains_nan, true);
  EXPECT_EQ(manifests[1].partitions[0].contains_nan, std::nullopt);
  EXPECT_EQ(manifests[1].partitions[1].contains_nan, std::nullopt);
  EXPECT_EQ(manifests[2].partitions[0].contains_nan, std::nullopt);
}

TEST(ManifestList, ReadsWhatItWrites) {
  ManifestFile manifest;
  manifest.path = "file:///lake/m.avro";
  manifest.length = 4321;
  manifest.spec_id = 1;
  manifest.content = 1;
  manifest.sequence_number = 8;
  manifest.min_sequence_number = 3;
  manifest.added_snapshot_id = std::numeric_limits<int64_t>::max();
  manifest.added_files = 1;
  manifest.existing_files = 2;
  manifest.deleted_files = 3;
  manifest.added_rows = 4;
  manifest.existing_rows = 5;
  manifest.deleted_rows = 6;
  manifest.partitions = {
      {.contains_null = true, .contains_nan = {}, .lower_bound = "a", .upper_bound = "\xFF"},
      {.contains_null = false, .contains_nan = true, .lower_bound = {}, .upper_bound = {}}};
  const auto bytes = WriteManifestList({manifest, ManifestFile{}}, 77, std::nullopt, 8);
  ASSERT_TRUE(bytes.ok());
  const auto read = ReadManifestList(*bytes);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  ASSERT_EQ(read->size(), 2U);
  const ManifestFile& got = (*read)[0];
  EXPECT_EQ(got.path, manifest.path);
  EXPECT_EQ(got.length, 4321);
  EXPECT_EQ(got.spec_id, 1);
  EXPECT_EQ(got.content, 1);
  EXPECT_EQ(got.sequence_number, 8);
  EXPECT_EQ(got.min_sequence_number, 3);
  EXPECT_EQ(got.added_snapshot_id, manifest.added_snapshot_id);
  EXPECT_EQ(got.added_files, 1);
  EXPECT_EQ(got.existing_files, 2);
  EXPECT_EQ(got.deleted_files, 3);
  EXPECT_EQ(got.added_rows, 4);
  EXPECT_EQ(got.existing_rows, 5);
  EXPECT_EQ(got.deleted_rows, 6);
  ASSERT_EQ(got.partitions.size(), 2U);
  EXPECT_TRUE(got.partitions[0].contains_null);
  EXPECT_EQ(got.partitions[0].contains_nan, std::nullopt);
  EXPECT_EQ(got.partitions[0].lower_bound, "a");
  EXPECT_EQ(got.partitions[0].upper_bound, "\xFF");
  EXPECT_EQ(got.partitions[1].contains_nan, true);
  EXPECT_EQ(got.partitions[1].lower_bound, std::nullopt);
  EXPECT_THAT((*read)[1].partitions, IsEmpty());
}

TEST(ManifestList, FileMetadataNamesTheCommit) {
  const auto first = WriteManifestList({}, 77, std::nullopt, 8);
  const auto file = AvroFileReader::Open(*first);
  EXPECT_EQ(file->Metadata("snapshot-id"), "77");
  EXPECT_EQ(file->Metadata("parent-snapshot-id"), "null");
  EXPECT_EQ(file->Metadata("sequence-number"), "8");
  EXPECT_EQ(file->Metadata("format-version"), "2");
  const auto second = WriteManifestList({}, 78, 77, 9);
  EXPECT_EQ(AvroFileReader::Open(*second)->Metadata("parent-snapshot-id"), "77");
}

std::string Golden(const std::string& name) {
  std::ifstream stream(PLAYHEAD_SOURCE_DIR "/tests/golden/iceberg/" + name, std::ios::binary);
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  return bytes.str();
}

// The golden files are PyIceberg 0.12's after two appends and the delete of event_type = 'stop' on
// a table partitioned by event_type; the expectations are what fastavro reads from them.
TEST(ManifestList, ReadsWhatPyIcebergWrote) {
  const auto manifests = ReadManifestList(Golden("pyiceberg_list.avro"));
  ASSERT_TRUE(manifests.ok()) << manifests.status().ToString();
  ASSERT_EQ(manifests->size(), 3U);
  const ManifestFile& deleted = (*manifests)[0];
  EXPECT_EQ(deleted.path,
            "file:///tmp/lake/bronze/plays/metadata/098e3891-0704-4325-9957-b30b38498467-m1.avro");
  EXPECT_EQ(deleted.length, 4640);
  EXPECT_EQ(deleted.deleted_files, 1);
  EXPECT_EQ(deleted.deleted_rows, 1);
  const ManifestFile& existing = (*manifests)[2];
  EXPECT_EQ(existing.sequence_number, 3);
  EXPECT_EQ(existing.min_sequence_number, 1);
  EXPECT_EQ(existing.added_snapshot_id, 4207663489808976777);
  EXPECT_EQ(existing.existing_files, 2);
  EXPECT_EQ(existing.existing_rows, 3);
  ASSERT_EQ(existing.partitions.size(), 1U);
  EXPECT_TRUE(existing.partitions[0].contains_null);
  EXPECT_EQ(existing.partitions[0].contains_nan, false);
  EXPECT_EQ(existing.partitions[0].lower_bound, "play");
}

TEST(Manifest, ReadsWhatPyIcebergWrote) {
  const auto manifests = ReadManifestList(Golden("pyiceberg_list.avro"));
  ASSERT_TRUE(manifests.ok());

  const auto deleted = ReadManifest(Golden("pyiceberg_deleted.avro"), (*manifests)[0]);
  ASSERT_TRUE(deleted.ok()) << deleted.status().ToString();
  EXPECT_EQ(deleted->at(0).status, EntryStatus::kDeleted);
  EXPECT_EQ(deleted->at(0).sequence_number, 1);
  EXPECT_EQ(deleted->at(0).snapshot_id, 4207663489808976777);

  const auto added = ReadManifest(Golden("pyiceberg_added.avro"), (*manifests)[1]);
  ASSERT_TRUE(added.ok()) << added.status().ToString();
  EXPECT_EQ(added->at(0).status, EntryStatus::kAdded);
  EXPECT_EQ(added->at(0).sequence_number, 2);  // inherited
  EXPECT_EQ(added->at(0).file.lower_bounds.at(2), EncodeLong(int64_t{1} << 40));
  EXPECT_EQ(added->at(0).file.lower_bounds.at(3), EncodeDouble(2.5));

  const auto existing = ReadManifest(Golden("pyiceberg_existing.avro"), (*manifests)[2]);
  ASSERT_TRUE(existing.ok()) << existing.status().ToString();
  ASSERT_EQ(existing->size(), 2U);
  const DataFile& play = (*existing)[0].file;
  EXPECT_EQ((*existing)[0].snapshot_id, 6220380734695828878);
  EXPECT_THAT(play.partition, ElementsAre(PartitionValue("play"s)));
  EXPECT_EQ(play.record_count, 2);
  EXPECT_EQ(play.file_bytes, 1806);
  EXPECT_THAT(play.column_sizes, ElementsAre(Pair(1, 84), Pair(2, 120), Pair(3, 112), Pair(5, 87)));
  EXPECT_THAT(play.null_value_counts, ElementsAre(Pair(1, 0), Pair(2, 0), Pair(3, 1), Pair(5, 1)));
  EXPECT_THAT(play.nan_value_counts, IsEmpty());
  EXPECT_THAT(play.split_offsets, ElementsAre(4));
  EXPECT_THAT((*existing)[1].file.partition, ElementsAre(PartitionValue()));
}

TEST(Manifest, RefusesDeleteFiles) {
  ManifestFile deletes = Listed(1, 1);
  deletes.content = 1;
  const auto bytes = WriteManifest(PlaysSchema(), PlaysSpec(), {});
  EXPECT_EQ(ReadManifest(*bytes, deletes).status().code(), StatusCode::kNotSupported);
}

TEST(Manifest, DamageIsAnErrorThatNamesTheManifest) {
  const auto bytes =
      WriteManifest(PlaysSchema(), PlaysSpec(), {PlaysEntry("play"s, int32_t{20'686})});
  for (size_t length = 0; length + 1 < bytes->size(); length += 7) {
    const auto read = ReadManifest(std::string_view(*bytes).substr(0, length), Listed(1, 1));
    if (read.ok()) {
      EXPECT_THAT(*read, IsEmpty()) << length;  // cut between header and block
      continue;
    }
    EXPECT_EQ(read.status().code(), StatusCode::kDataCorrupt);
    EXPECT_THAT(read.status().message(), HasSubstr("file:///lake/m0.avro"));
  }
}

TEST(Manifest, AListIsNoManifestAndTheOtherWayRound) {
  const auto list = WriteManifestList({}, 1, std::nullopt, 1);
  EXPECT_EQ(ReadManifest(*list, Listed(1, 1)).status().code(), StatusCode::kDataCorrupt);
  const auto manifest = WriteManifest(PlaysSchema(), PlaysSpec(), {});
  EXPECT_EQ(ReadManifestList(*manifest).status().code(), StatusCode::kDataCorrupt);
}

}  // namespace
}  // namespace playhead::iceberg
