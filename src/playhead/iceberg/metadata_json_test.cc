#include "playhead/iceberg/metadata_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <zlib.h>

#include <fstream>
#include <functional>
#include <sstream>

namespace playhead::iceberg {
namespace {

using Json = nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

std::string ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// A table with one snapshot and every optional part, as another writer may have left it.
Json FullTable() {
  return Json::parse(R"json({
    "format-version": 2,
    "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1",
    "location": "s3://bucket/plays",
    "last-sequence-number": 7,
    "last-updated-ms": 1700000000007,
    "last-column-id": 9,
    "schemas": [
      {"type": "struct", "schema-id": 0, "fields": [
        {"id": 1, "name": "id", "required": true, "type": "long", "doc": "the \"key\""}]},
      {"type": "struct", "schema-id": 4, "identifier-field-ids": [1], "fields": [
        {"id": 1, "name": "id", "required": true, "type": "long"},
        {"id": 2, "name": "price", "required": false, "type": "decimal(9,2)"},
        {"id": 3, "name": "tags", "required": false,
         "type": {"type": "map", "key-id": 4, "key": "string", "value-id": 5, "value-required": false,
                  "value": {"type": "list", "element-id": 6, "element": "fixed[16]",
                            "element-required": true}}},
        {"id": 7, "name": "at", "required": false,
         "type": {"type": "struct", "fields": [
           {"id": 8, "name": "time", "required": false, "type": "timestamptz"}]}}]
}],
    "current-schema-id": 4,
    "partition-specs": [
      {"spec-id": 0, "fields": []},
      {"spec-id": 1, "fields": [
        {"source-id": 1, "field-id": 1000, "name": "b", "transform": "bucket[16]"},
        {"source-id": 8, "field-id": 1001, "name": "date", "transform": "day"}]}],
    "default-spec-id": 1,
    "last-partition-id": 1001,
    "properties": {"owner": "ünïcode \\ \"quoted\"", "a": ""},
    "current-snapshot-id": 3051729675574597004,
    "snapshots": [
      {"snapshot-id": 3051729675574597004, "sequence-number": 7, "timestamp-ms": 1700000000007,
       "manifest-list": "s3://bucket/plays/metadata/snap.avro", "schema-id": 4,
       "parent-snapshot-id": 11, "summary": {"operation": "append", "total-records": "5"}}],
    "snapshot-log": [{"timestamp-ms": 1700000000007, "snapshot-id": 3051729675574597004}],
    "metadata-log": [{"timestamp-ms": 1700000000000, "metadata-file": "s3://bucket/1.json"}],
    "refs": {"main": {"snapshot-id": 3051729675574597004, "type": "branch",
                      "min-snapshots-to-keep": 3},
             "v1": {"snapshot-id": 3051729675574597004, "type": "tag", "max-ref-age-ms": 10}},
    "sort-orders": [{"order-id": 0, "fields": []},
      {"order-id": 3, "fields": [{"transform": "identity", "source-id": 1,
                                  "direction": "asc", "null-order": "nulls-first"}]}],
    "default-sort-order-id": 3,
    "statistics": [{"snapshot-id": 3051729675574597004, "statistics-path": "s3://b/stats.puffin"}],
    "something-new": {
  "nested" : [ 1, 2.5, null, "x" ]
}
})json");
}

StatusCode CodeAfter(const std::function<void(Json&)>& change) {
  Json json = FullTable();
  change(json);
  return ParseMetadata(json.dump()).status().code();
}

TEST(ParseMetadata, ReadsEveryModelledPart) {
  const auto metadata = ParseMetadata(FullTable().dump());
  ASSERT_TRUE(metadata.ok()) << metadata.status().ToString();
  EXPECT_EQ(metadata->table_uuid, "9c12d441-03fe-4693-9a96-a0705ddf69c1");
  EXPECT_EQ(metadata->location, "s3://bucket/plays");
  EXPECT_EQ(metadata->last_sequence_number, 7);
  EXPECT_EQ(metadata->last_column_id, 9);
  EXPECT_EQ(metadata->last_partition_id, 1001);
  EXPECT_EQ(metadata->properties.at("owner"), "ünïcode \\ \"quoted\"");

  const Schema& schema = metadata->CurrentSchema();
  EXPECT_EQ(schema.schema_id, 4);
  EXPECT_THAT(schema.identifier_field_ids, ElementsAre(1));
  EXPECT_EQ(schema.FindByName("price")->type->precision, 9);
  EXPECT_EQ(schema.FindByName("price")->type->scale, 2);
  EXPECT_EQ(schema.FindById(6)->type->length, 16);
  EXPECT_TRUE(schema.FindById(6)->is_required);
  EXPECT_EQ(schema.FindById(8)->type->kind, TypeKind::kTimestamptz);
  EXPECT_EQ(schema.FindByName("time"), nullptr);
  EXPECT_EQ(schema.FindById(99), nullptr);

  const PartitionSpec& spec = metadata->DefaultSpec();
  ASSERT_EQ(spec.fields.size(), 2U);
  EXPECT_EQ(spec.fields[0].transform, Transform::kBucket);
  EXPECT_EQ(spec.fields[0].width, 16);
  EXPECT_EQ(spec.fields[1].transform, Transform::kDay);
  EXPECT_EQ(spec.fields[1].source_id, 8);

  const Snapshot* snapshot = metadata->CurrentSnapshot();
  ASSERT_NE(snapshot, nullptr);
  EXPECT_EQ(snapshot->snapshot_id, 3051729675574597004);
  EXPECT_EQ(snapshot->parent_snapshot_id, 11);
  EXPECT_EQ(snapshot->schema_id, 4);
  EXPECT_EQ(snapshot->summary.at("total-records"), "5");
  EXPECT_EQ(metadata->refs.at("main").min_snapshots_to_keep, 3);
  EXPECT_EQ(metadata->refs.at("v1").max_ref_age_ms, 10);
  EXPECT_EQ(metadata->metadata_log.at(0).metadata_file, "s3://bucket/1.json");
}

TEST(SerializeMetadata, ReturnsEverythingThatWasRead) {
  const Json before = FullTable();
  const auto metadata = ParseMetadata(before.dump());
  ASSERT_TRUE(metadata.ok()) << metadata.status().ToString();
  Json after = Json::parse(SerializeMetadata(*metadata));
  // Java's spelling, which is what other readers' tests hold us to.
  EXPECT_EQ(after["schemas"][1]["fields"][1]["type"], "decimal(9, 2)");
  after["schemas"][1]["fields"][1]["type"] = "decimal(9,2)";
  EXPECT_EQ(after, before);
}

TEST(SerializeMetadata, WritesAnEmptyTableAsJavaDoes) {
  TableMetadata metadata;
  metadata.schemas.emplace_back();
  metadata.specs.emplace_back();
  const Json json = Json::parse(SerializeMetadata(metadata));
  EXPECT_EQ(json["current-snapshot-id"], -1);
  EXPECT_EQ(json["refs"], Json::object());
  EXPECT_EQ(json["sort-orders"], Json::parse(R"([{"order-id":0,"fields":[]}])"));
  EXPECT_EQ(json["default-sort-order-id"], 0);
  EXPECT_EQ(ParseMetadata(json.dump())->current_snapshot_id, std::nullopt);
}

TEST(SerializeMetadata, KeepsATableReadableWhateverBytesASummaryHolds) {
  TableMetadata metadata;
  metadata.schemas.emplace_back();
  metadata.specs.emplace_back();
  metadata.properties["file"] = "caf\xE9\n\x01.csv";
  const auto parsed = ParseMetadata(SerializeMetadata(metadata));
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  EXPECT_EQ(parsed->properties.at("file"), "caf\xEF\xBF\xBD\n\x01.csv");
}

TEST(ParseMetadata, EmptyTableHasNoSnapshotInAnySpelling) {
  for (const char* spelling : {"-1", "null"}) {
    Json json = FullTable();
    json["current-snapshot-id"] = Json::parse(spelling);
    json.erase("refs");
    EXPECT_EQ(ParseMetadata(json.dump())->CurrentSnapshot(), nullptr) << spelling;
  }
  Json json = FullTable();
  json.erase("current-snapshot-id");
  json.erase("refs");
  EXPECT_EQ(ParseMetadata(json.dump())->CurrentSnapshot(), nullptr);
}

TEST(ParseMetadata, HeadWithoutRefsIsMain) {
  Json json = FullTable();
  json.erase("refs");
  EXPECT_EQ(ParseMetadata(json.dump())->refs.at("main").snapshot_id, 3051729675574597004);
}

TEST(ParseMetadata, NamesTheMissingKey) {
  for (const char* key :
       {"format-version", "table-uuid", "location", "last-sequence-number", "last-updated-ms",
        "last-column-id", "current-schema-id", "default-spec-id", "last-partition-id"}) {
    Json json = FullTable();
    json.erase(key);
    const Status status = ParseMetadata(json.dump()).status();
    EXPECT_EQ(status.code(), StatusCode::kDataCorrupt) << key;
    EXPECT_THAT(status.message(), HasSubstr(key));
  }
}

TEST(ParseMetadata, RefusesContradictions) {
  const std::vector<std::function<void(Json&)>> contradictions = {
      [](Json& json) { json["current-schema-id"] = 9; },
      [](Json& json) { json["default-spec-id"] = 9; },
      [](Json& json) { json["current-snapshot-id"] = 9; },
      [](Json& json) { json["refs"]["main"]["snapshot-id"] = 9; },
      [](Json& json) { json["refs"]["v1"]["snapshot-id"] = 9; },
      [](Json& json) { json["last-sequence-number"] = 6; },
      [](Json& json) { json["schemas"].push_back(json["schemas"][0]); },
      [](Json& json) { json["partition-specs"].push_back(json["partition-specs"][0]); },
      [](Json& json) { json["snapshots"].push_back(json["snapshots"][0]); },
      [](Json& json) { json["schemas"][1]["fields"][1]["id"] = 1; },
      [](Json& json) { json["schemas"][1]["fields"][1]["type"] = "decimal(99,2)"; },
      [](Json& json) { json["schemas"][1]["fields"][1]["type"] = "decimal(9"; },
      [](Json& json) { json["schemas"][1]["fields"][1]["type"] = "fixed[]"; },
      [](Json& json) { json["schemas"][1]["fields"][1]["type"] = 5; },
      [](Json& json) { json["partition-specs"][1]["fields"][0]["transform"] = "bucket[0]"; },
      [](Json& json) { json["partition-specs"][1]["fields"][0]["field-id"] = 1001; },
      [](Json& json) { json["last-updated-ms"] = "soon"; },
      [](Json& json) { json["last-updated-ms"] = std::numeric_limits<int64_t>::max(); },
      [](Json& json) { json["last-column-id"] = 1e99; },
      [](Json& json) { json["last-column-id"] = int64_t{1} << 40; },
      [](Json& json) { json["snapshots"][0]["snapshot-id"] = 10000000000000000000ULL; },
      [](Json& json) { json["snapshots"][0]["summary"]["total-records"] = 5; },
      [](Json& json) { json["snapshots"][0].erase("manifest-list"); },
      [](Json& json) { json["snapshots"] = "none"; },
      [](Json& json) { json["refs"] = Json::array(); },
      [](Json& json) { json["format-version"] = 0; },
  };
  for (size_t i = 0; i < contradictions.size(); ++i) {
    EXPECT_EQ(CodeAfter(contradictions[i]), StatusCode::kDataCorrupt) << "contradiction " << i;
  }
}

TEST(ParseMetadata, RefusesWhatIsNewerThanItself) {
  EXPECT_EQ(CodeAfter([](Json& json) { json["format-version"] = 3; }), StatusCode::kNotSupported);
  EXPECT_EQ(CodeAfter([](Json& json) { json["schemas"][1]["fields"][1]["type"] = "timestamp_ns"; }),
            StatusCode::kNotSupported);
  EXPECT_EQ(CodeAfter([](Json& json) {
              json["partition-specs"][1]["fields"][0]["transform"] = "zorder";
            }),
            StatusCode::kNotSupported);
}

std::string Gzip(std::string_view text) {
  std::string gzip(text.size() + 1024, '\0');
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
            Z_OK);
  std::string input(text);
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(gzip.data());
  stream.avail_out = static_cast<uInt>(gzip.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  gzip.resize(stream.total_out);
  deflateEnd(&stream);
  return gzip;
}

TEST(ParseMetadata, ReadsGzipAndRefusesWhatIsDamagedOrABomb) {
  const std::string json = FullTable().dump();
  const std::string gzip = Gzip(json);
  const auto read = ParseMetadata(gzip);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(SerializeMetadata(*read), SerializeMetadata(*ParseMetadata(json)));
  for (const size_t size : {size_t{2}, size_t{3}, size_t{10}, gzip.size() / 2, gzip.size() - 9}) {
    EXPECT_EQ(ParseMetadata(gzip.substr(0, size)).status().code(), StatusCode::kDataCorrupt)
        << size;
  }
  EXPECT_EQ(ParseMetadata(Gzip(std::string(64 << 20, ' '))).status().code(),
            StatusCode::kDataCorrupt);
}

TEST(ParseMetadata, NamesAVersionThatIsNotSupported) {
  Json json = FullTable();
  json["format-version"] = 3;
  EXPECT_EQ(ParseMetadata(json.dump()).status().message(),
            "format version 3 is not supported for reading or writing yet, only versions 1 and 2");
}

TEST(ParseMetadata, RefusesTextThatIsNotMetadata) {
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("7"), std::string("{\"a\":"),
        std::string(1'000'000, '['), std::string("{\"a\":\"\xFF\"}")}) {
    EXPECT_EQ(ParseMetadata(text).status().code(), StatusCode::kDataCorrupt);
  }
}

TEST(ParseMetadata, NeverReusesAFieldIdThatAWriterForgotToCount) {
  Json json = FullTable();
  json["last-column-id"] = 1;
  json["last-partition-id"] = 999;
  const auto metadata = ParseMetadata(json.dump());
  ASSERT_TRUE(metadata.ok());
  EXPECT_EQ(metadata->last_column_id, 8);
  EXPECT_EQ(metadata->last_partition_id, 1001);
}

TEST(ParseMetadata, LiftsVersion1) {
  const auto metadata = ParseMetadata(R"({
    "format-version": 1, "table-uuid": "d20125c8-7284-442c-9aea-15fee620737c",
    "location": "s3://bucket/test", "last-updated-ms": 1602638573874, "last-column-id": 3,
    "schema": {"type": "struct", "fields": [
      {"id": 1, "name": "x", "required": true, "type": "long"},
      {"id": 2, "name": "y", "required": true, "type": "long"}]},
    "partition-spec": [{"name": "x", "transform": "identity", "source-id": 1}],
    "properties": {}, "current-snapshot-id": -1,
    "snapshots": [{"snapshot-id": 1925, "timestamp-ms": 1602638573822,
                   "manifest-list": "s3://bucket/test/manifest"}]})");
  ASSERT_TRUE(metadata.ok()) << metadata.status().ToString();
  EXPECT_EQ(metadata->CurrentSchema().fields.size(), 2U);
  EXPECT_EQ(metadata->DefaultSpec().fields.at(0).field_id, 1000);
  EXPECT_EQ(metadata->last_partition_id, 1000);
  EXPECT_EQ(metadata->snapshots.at(0).sequence_number, 0);

  const Json json = Json::parse(SerializeMetadata(*metadata));
  EXPECT_EQ(json["format-version"], 2);
  EXPECT_FALSE(json.contains("schema"));
  EXPECT_FALSE(json.contains("partition-spec"));
  EXPECT_EQ(json["last-sequence-number"], 0);
}

TEST(ParseMetadata, ReadsAndReturnsWhatPyIcebergWrote) {
  const std::string text =
      ReadFile(PLAYHEAD_SOURCE_DIR "/tests/golden/iceberg/pyiceberg.metadata.json");
  const auto metadata = ParseMetadata(text);
  ASSERT_TRUE(metadata.ok()) << metadata.status().ToString();
  EXPECT_EQ(metadata->snapshots.size(), 3U);
  EXPECT_EQ(metadata->CurrentSnapshot()->summary.at("operation"), "delete");
  Json before = Json::parse(text);
  before["schemas"][0].erase("identifier-field-ids");  // empty, so we leave it out
  EXPECT_EQ(Json::parse(SerializeMetadata(*metadata)), before);
}

TEST(ParseSchema, ReadsWhatSerializeSchemaWrites) {
  const auto metadata = ParseMetadata(FullTable().dump());
  const std::string json = SerializeSchema(metadata->CurrentSchema());
  const auto schema = ParseSchema(json);
  ASSERT_TRUE(schema.ok()) << schema.status().ToString();
  EXPECT_EQ(SerializeSchema(*schema), json);
  EXPECT_EQ(ParseSchema("{}").status().code(), StatusCode::kDataCorrupt);
  EXPECT_EQ(ParseSchema(R"({"type":"list"})").status().code(), StatusCode::kDataCorrupt);
}

}  // namespace
}  // namespace playhead::iceberg
