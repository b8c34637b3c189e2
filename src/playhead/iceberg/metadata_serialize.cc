// Writes table metadata, always as version 2; metadata_parse.cc is the way back.

#include "playhead/base/json_writer.h"
#include "playhead/iceberg/json_view.h"
#include "playhead/iceberg/metadata_json.h"
#include "playhead/iceberg/metadata_keys.h"
#include "playhead/iceberg/schema_json.h"

#include <algorithm>
#include <array>

namespace playhead::iceberg {
namespace {

constexpr std::array<std::string_view, 19> kModelledKeys = {
    "format-version",
    "table-uuid",
    "location",
    "last-sequence-number",
    "last-updated-ms",
    "last-column-id",
    "schema",  // version 1
    "schemas",
    "current-schema-id",
    "partition-spec",  // version 1
    "partition-specs",
    "default-spec-id",
    "last-partition-id",
    "properties",
    "current-snapshot-id",
    "snapshots",
    "snapshot-log",
    "metadata-log",
    "refs",
};

void WriteStrings(JsonWriter& writer, const std::map<std::string, std::string>& strings) {
  writer.BeginObject();
  for (const auto& [key, value] : strings) writer.Key(key).String(value);
  writer.EndObject();
}

void WriteOptional(JsonWriter& writer, std::string_view key, std::optional<int64_t> value) {
  if (value) writer.Key(key).Int(*value);
}

void WriteSchemasAndSpecs(JsonWriter& writer, const TableMetadata& metadata) {
  writer.Key("last-column-id").Int(metadata.last_column_id);
  writer.Key("current-schema-id").Int(metadata.current_schema_id);
  writer.Key("schemas").BeginArray();
  for (const Schema& schema : metadata.schemas) WriteSchema(writer, schema);
  writer.EndArray();
  writer.Key("default-spec-id").Int(metadata.default_spec_id);
  writer.Key("partition-specs").BeginArray();
  for (const PartitionSpec& spec : metadata.specs) {
    writer.BeginObject().Key("spec-id").Int(spec.spec_id).Key("fields");
    WritePartitionFields(writer, spec.fields);
    writer.EndObject();
  }
  writer.EndArray();
  writer.Key("last-partition-id").Int(metadata.last_partition_id);
}

void WriteSnapshot(JsonWriter& writer, const Snapshot& snapshot) {
  writer.BeginObject().Key("sequence-number").Int(snapshot.sequence_number);
  writer.Key("snapshot-id").Int(snapshot.snapshot_id);
  WriteOptional(writer, "parent-snapshot-id", snapshot.parent_snapshot_id);
  writer.Key("timestamp-ms").Int(snapshot.timestamp_ms);
  if (!snapshot.summary.empty()) {
    writer.Key("summary");
    WriteStrings(writer, snapshot.summary);
  }
  writer.Key("manifest-list").String(snapshot.manifest_list);
  if (snapshot.schema_id) writer.Key("schema-id").Int(*snapshot.schema_id);
  writer.EndObject();
}

void WriteRefs(JsonWriter& writer, const std::map<std::string, SnapshotRef>& refs) {
  writer.Key("refs").BeginObject();
  for (const auto& [name, ref] : refs) {
    writer.Key(name).BeginObject().Key("snapshot-id").Int(ref.snapshot_id);
    writer.Key("type").String(ref.type);
    WriteOptional(writer, "min-snapshots-to-keep", ref.min_snapshots_to_keep);
    WriteOptional(writer, "max-snapshot-age-ms", ref.max_snapshot_age_ms);
    WriteOptional(writer, "max-ref-age-ms", ref.max_ref_age_ms);
    writer.EndObject();
  }
  writer.EndObject();
}

void WriteLogs(JsonWriter& writer, const TableMetadata& metadata) {
  writer.Key("snapshot-log").BeginArray();
  for (const SnapshotLogEntry& entry : metadata.snapshot_log) {
    writer.BeginObject().Key("timestamp-ms").Int(entry.timestamp_ms);
    writer.Key("snapshot-id").Int(entry.snapshot_id).EndObject();
  }
  writer.EndArray().Key("metadata-log").BeginArray();
  for (const MetadataLogEntry& entry : metadata.metadata_log) {
    writer.BeginObject().Key("timestamp-ms").Int(entry.timestamp_ms);
    writer.Key("metadata-file").String(entry.metadata_file).EndObject();
  }
  writer.EndArray();
}

constexpr std::string_view kSortOrders = "sort-orders";
constexpr std::string_view kDefaultSortOrder = "default-sort-order-id";

/// Sort orders are not modelled but demanded: without any, the order "unsorted" is written.
void WritePassthrough(JsonWriter& writer, const std::string& passthrough_json) {
  const auto document = JsonDocument::Parse(passthrough_json.empty() ? "{}" : passthrough_json);
  PH_CHECK(document.ok() && document->root().is_object());
  const JsonView rest = document->root();
  const auto orders = rest.Find(kSortOrders);
  writer.Key(kSortOrders).Raw(orders ? orders->Dump() : R"([{"fields":[],"order-id":0}])");
  const auto default_order = rest.Find(kDefaultSortOrder);
  writer.Key(kDefaultSortOrder).Raw(default_order ? default_order->Dump() : "0");
  for (const auto& [key, value] : rest.Members()) {
    if (IsModelledKey(key) || key == kSortOrders || key == kDefaultSortOrder) continue;
    writer.Key(key).Raw(value.Dump());
  }
}

}  // namespace

bool IsModelledKey(std::string_view key) {
  return std::find(kModelledKeys.begin(), kModelledKeys.end(), key) != kModelledKeys.end();
}

std::string SerializeMetadata(const TableMetadata& metadata) {
  constexpr int64_t kNoSnapshot = -1;
  JsonWriter writer;
  writer.BeginObject().Key("format-version").Int(2);
  writer.Key("table-uuid").String(metadata.table_uuid);
  writer.Key("location").String(metadata.location);
  writer.Key("last-sequence-number").Int(metadata.last_sequence_number);
  writer.Key("last-updated-ms").Int(metadata.last_updated_ms);
  WriteSchemasAndSpecs(writer, metadata);
  writer.Key("properties");
  WriteStrings(writer, metadata.properties);
  writer.Key("current-snapshot-id").Int(metadata.current_snapshot_id.value_or(kNoSnapshot));
  WriteRefs(writer, metadata.refs);
  writer.Key("snapshots").BeginArray();
  for (const Snapshot& snapshot : metadata.snapshots) WriteSnapshot(writer, snapshot);
  writer.EndArray();
  WriteLogs(writer, metadata);
  WritePassthrough(writer, metadata.passthrough_json);
  writer.EndObject();
  return std::move(writer).Take();
}

}  // namespace playhead::iceberg
