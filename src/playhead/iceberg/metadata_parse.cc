// Reads table metadata; metadata_serialize.cc is the way back.

#include "playhead/iceberg/deflate.h"
#include "playhead/iceberg/json_view.h"
#include "playhead/iceberg/metadata_json.h"
#include "playhead/iceberg/metadata_keys.h"
#include "playhead/iceberg/schema_json.h"

#include <algorithm>
#include <set>

namespace playhead::iceberg {
namespace {

constexpr int kNewestVersion = 2;
/// `*.gz.metadata.json` and `*.metadata.json.gz` are told by their bytes, not by their names.
constexpr std::string_view kGzipMagic = "\x1f\x8b";
/// Real metadata shrinks to a tenth or so; more than this is a bomb.
constexpr size_t kInflationMax = 256;
constexpr size_t kInflatedBytesAlways = 1 << 20;
/// Beyond any clock and far enough from the integer's end that counting up is safe.
constexpr int64_t kNumberMax = int64_t{1} << 60;

Result<int64_t> CheckedNumber(const JsonView& json, std::string_view key) {
  PH_ASSIGN_OR_RETURN(const int64_t number, json.GetInt64(key));
  if (number > kNumberMax || number < -kNumberMax) {
    return Error(StatusCode::kDataCorrupt, "number is beyond belief: key={} value={}", key, number);
  }
  return number;
}

/// Version 1 has no sequence numbers; they read as 0.
Result<int64_t> SequenceNumber(const JsonView& json, std::string_view key, int version) {
  if (version == 1 && !json.Find(key)) return int64_t{0};
  PH_ASSIGN_OR_RETURN(const int64_t number, CheckedNumber(json, key));
  if (number < 0)
    return Error(StatusCode::kDataCorrupt, "sequence number is negative: key={}", key);
  return number;
}

int32_t LastFieldId(const std::vector<NestedField>& fields) {
  int32_t last = 0;
  for (const NestedField& field : fields) {
    last = std::max({last, field.id, LastFieldId(field.type->fields)});
  }
  return last;
}

Status ParseSchemas(const JsonView& root, int version, TableMetadata* metadata) {
  PH_ASSIGN_OR_RETURN(auto schemas, root.FindArray("schemas"));
  if (schemas.empty() && version == 1) {
    PH_ASSIGN_OR_RETURN(const JsonView schema, root.Get("schema"));
    schemas.push_back(schema);
  }
  for (const JsonView& json : schemas) {
    PH_ASSIGN_OR_RETURN(Schema schema, ParseSchema(json));
    metadata->last_column_id = std::max(metadata->last_column_id, LastFieldId(schema.fields));
    metadata->schemas.push_back(std::move(schema));
  }
  if (version == 1 && !root.Find("current-schema-id") && !metadata->schemas.empty()) {
    metadata->current_schema_id = metadata->schemas.front().schema_id;
  } else {
    PH_ASSIGN_OR_RETURN(metadata->current_schema_id, root.GetInt32("current-schema-id"));
  }
  std::set<int32_t> ids;
  for (const Schema& schema : metadata->schemas) {
    if (!ids.insert(schema.schema_id).second) {
      return Error(StatusCode::kDataCorrupt, "schema id is used twice: id={}", schema.schema_id);
    }
  }
  if (!ids.contains(metadata->current_schema_id)) {
    return Error(StatusCode::kDataCorrupt, "current-schema-id is not among the schemas: id={}",
                 metadata->current_schema_id);
  }
  return {};
}

Status ParseSpecs(const JsonView& root, int version, TableMetadata* metadata) {
  PH_ASSIGN_OR_RETURN(const auto specs, root.FindArray("partition-specs"));
  for (const JsonView& json : specs) {
    PartitionSpec spec;
    PH_ASSIGN_OR_RETURN(spec.spec_id, json.GetInt32("spec-id"));
    PH_ASSIGN_OR_RETURN(const auto fields, json.GetArray("fields"));
    PH_ASSIGN_OR_RETURN(spec.fields, ParsePartitionFields(fields));
    metadata->specs.push_back(std::move(spec));
  }
  if (specs.empty() && version == 1) {
    PH_ASSIGN_OR_RETURN(const auto fields, root.GetArray("partition-spec"));
    PartitionSpec spec;
    PH_ASSIGN_OR_RETURN(spec.fields, ParsePartitionFields(fields));
    metadata->specs.push_back(std::move(spec));
  }
  if (version == 1 && !root.Find("default-spec-id")) {
    metadata->default_spec_id = metadata->specs.front().spec_id;
  } else {
    PH_ASSIGN_OR_RETURN(metadata->default_spec_id, root.GetInt32("default-spec-id"));
  }
  std::set<int32_t> ids;
  for (const PartitionSpec& spec : metadata->specs) {
    if (!ids.insert(spec.spec_id).second) {
      return Error(StatusCode::kDataCorrupt, "partition spec id is used twice: id={}",
                   spec.spec_id);
    }
    for (const PartitionField& field : spec.fields) {
      metadata->last_partition_id = std::max(metadata->last_partition_id, field.field_id);
    }
  }
  if (!ids.contains(metadata->default_spec_id)) {
    return Error(StatusCode::kDataCorrupt, "default-spec-id is not among the specs: id={}",
                 metadata->default_spec_id);
  }
  return {};
}

Result<Snapshot> ParseSnapshot(const JsonView& json, int version) {
  Snapshot snapshot;
  PH_ASSIGN_OR_RETURN(snapshot.snapshot_id, json.GetInt64("snapshot-id"));
  PH_ASSIGN_OR_RETURN(snapshot.parent_snapshot_id, json.FindInt64("parent-snapshot-id"));
  PH_ASSIGN_OR_RETURN(snapshot.sequence_number, SequenceNumber(json, "sequence-number", version));
  PH_ASSIGN_OR_RETURN(snapshot.timestamp_ms, CheckedNumber(json, "timestamp-ms"));
  if (version == 1 && !json.Find("manifest-list")) {
    return Error(StatusCode::kNotSupported, "snapshot has no manifest list: snapshot_id={}",
                 snapshot.snapshot_id);
  }
  PH_ASSIGN_OR_RETURN(snapshot.manifest_list, json.GetString("manifest-list"));
  PH_ASSIGN_OR_RETURN(snapshot.schema_id, json.FindInt32("schema-id"));
  PH_ASSIGN_OR_RETURN(auto summary, json.FindStrings("summary"));
  snapshot.summary.insert(std::make_move_iterator(summary.begin()),
                          std::make_move_iterator(summary.end()));
  return snapshot;
}

Status ParseSnapshots(const JsonView& root, int version, TableMetadata* metadata) {
  constexpr int64_t kNoSnapshot = -1;
  PH_ASSIGN_OR_RETURN(const auto snapshots, root.FindArray("snapshots"));
  std::set<int64_t> ids;
  for (const JsonView& json : snapshots) {
    PH_ASSIGN_OR_RETURN(Snapshot snapshot, ParseSnapshot(json, version));
    if (!ids.insert(snapshot.snapshot_id).second) {
      return Error(StatusCode::kDataCorrupt, "snapshot id is used twice: id={}",
                   snapshot.snapshot_id);
    }
    if (snapshot.sequence_number > metadata->last_sequence_number) {
      return Error(
          StatusCode::kDataCorrupt,
          "sequence number is above last-sequence-number: snapshot_id={} number={} last={}",
          snapshot.snapshot_id, snapshot.sequence_number, metadata->last_sequence_number);
    }
    metadata->snapshots.push_back(std::move(snapshot));
  }
  PH_ASSIGN_OR_RETURN(metadata->current_snapshot_id, root.FindInt64("current-snapshot-id"));
  if (metadata->current_snapshot_id == kNoSnapshot) metadata->current_snapshot_id.reset();
  if (metadata->current_snapshot_id && !ids.contains(*metadata->current_snapshot_id)) {
    return Error(StatusCode::kDataCorrupt, "current-snapshot-id is not among the snapshots: id={}",
                 *metadata->current_snapshot_id);
  }
  return {};
}

Status ParseRefs(const JsonView& root, TableMetadata* metadata) {
  const auto refs = root.Find("refs");
  if (refs && !refs->is_object()) {
    return Error(StatusCode::kDataCorrupt, "JSON value is not what it should be: key=refs");
  }
  if (refs) {
    for (const auto& [name, json] : refs->Members()) {
      SnapshotRef ref;
      PH_ASSIGN_OR_RETURN(ref.snapshot_id, json.GetInt64("snapshot-id"));
      PH_ASSIGN_OR_RETURN(ref.type, json.GetString("type"));
      PH_ASSIGN_OR_RETURN(ref.min_snapshots_to_keep, json.FindInt64("min-snapshots-to-keep"));
      PH_ASSIGN_OR_RETURN(ref.max_snapshot_age_ms, json.FindInt64("max-snapshot-age-ms"));
      PH_ASSIGN_OR_RETURN(ref.max_ref_age_ms, json.FindInt64("max-ref-age-ms"));
      if (metadata->FindSnapshot(ref.snapshot_id) == nullptr) {
        return Error(StatusCode::kDataCorrupt, "ref points to no snapshot: ref={} snapshot_id={}",
                     name, ref.snapshot_id);
      }
      metadata->refs.emplace(name, std::move(ref));
    }
  }
  const auto main = metadata->refs.find("main");
  if (main != metadata->refs.end()) {
    if (main->second.snapshot_id == metadata->current_snapshot_id) return {};
    return Error(StatusCode::kDataCorrupt, "ref main differs from current-snapshot-id: ref={}",
                 main->second.snapshot_id);
  }
  if (metadata->current_snapshot_id) {
    SnapshotRef head;
    head.snapshot_id = *metadata->current_snapshot_id;
    metadata->refs.emplace("main", head);
  }
  return {};
}

Status ParseLogs(const JsonView& root, TableMetadata* metadata) {
  PH_ASSIGN_OR_RETURN(const auto snapshot_log, root.FindArray("snapshot-log"));
  for (const JsonView& json : snapshot_log) {
    SnapshotLogEntry entry;
    PH_ASSIGN_OR_RETURN(entry.timestamp_ms, CheckedNumber(json, "timestamp-ms"));
    PH_ASSIGN_OR_RETURN(entry.snapshot_id, json.GetInt64("snapshot-id"));
    metadata->snapshot_log.push_back(entry);
  }
  PH_ASSIGN_OR_RETURN(const auto metadata_log, root.FindArray("metadata-log"));
  for (const JsonView& json : metadata_log) {
    MetadataLogEntry entry;
    PH_ASSIGN_OR_RETURN(entry.timestamp_ms, CheckedNumber(json, "timestamp-ms"));
    PH_ASSIGN_OR_RETURN(entry.metadata_file, json.GetString("metadata-file"));
    metadata->metadata_log.push_back(std::move(entry));
  }
  return {};
}

std::string Passthrough(const JsonView& root) {
  JsonWriter rest;
  rest.BeginObject();
  bool is_empty = true;
  for (const auto& [key, value] : root.Members()) {
    if (IsModelledKey(key)) continue;
    rest.Key(key).Raw(value.Dump());
    is_empty = false;
  }
  return is_empty ? std::string() : std::move(rest.EndObject()).Take();
}

Result<int> FormatVersion(const JsonView& root) {
  PH_ASSIGN_OR_RETURN(const int32_t version, root.GetInt32("format-version"));
  if (version > kNewestVersion) {
    return Error(StatusCode::kNotSupported,
                 "format version {} is not supported for reading or writing yet, only versions 1 "
                 "and {}",
                 version, kNewestVersion);
  }
  if (version < 1) {
    return Error(StatusCode::kDataCorrupt, "no such table format: format-version={}", version);
  }
  return version;
}

Result<TableMetadata> ParseMetadataJson(std::string_view json) {
  PH_ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::Parse(json));
  const JsonView root = document.root();
  if (!root.is_object()) return Error(StatusCode::kDataCorrupt, "table metadata is not an object");
  PH_ASSIGN_OR_RETURN(const int version, FormatVersion(root));

  TableMetadata metadata;
  if (version == 1 && !root.Find("table-uuid")) {
    return Error(StatusCode::kNotSupported, "table of version 1 has no table-uuid");
  }
  PH_ASSIGN_OR_RETURN(metadata.table_uuid, root.GetString("table-uuid"));
  PH_ASSIGN_OR_RETURN(metadata.location, root.GetString("location"));
  PH_ASSIGN_OR_RETURN(metadata.last_sequence_number,
                      SequenceNumber(root, "last-sequence-number", version));
  PH_ASSIGN_OR_RETURN(metadata.last_updated_ms, CheckedNumber(root, "last-updated-ms"));
  PH_ASSIGN_OR_RETURN(metadata.last_column_id, root.GetInt32("last-column-id"));
  if (version > 1) {
    PH_ASSIGN_OR_RETURN(metadata.last_partition_id, root.GetInt32("last-partition-id"));
  }
  PH_RETURN_IF_ERROR(ParseSchemas(root, version, &metadata));
  PH_RETURN_IF_ERROR(ParseSpecs(root, version, &metadata));
  PH_ASSIGN_OR_RETURN(auto properties, root.FindStrings("properties"));
  metadata.properties.insert(properties.begin(), properties.end());
  PH_RETURN_IF_ERROR(ParseSnapshots(root, version, &metadata));
  PH_RETURN_IF_ERROR(ParseRefs(root, &metadata));
  PH_RETURN_IF_ERROR(ParseLogs(root, &metadata));
  metadata.passthrough_json = Passthrough(root);
  return metadata;
}

}  // namespace

Result<TableMetadata> ParseMetadata(std::string_view bytes) {
  if (!bytes.starts_with(kGzipMagic)) return ParseMetadataJson(bytes);
  PH_ASSIGN_OR_RETURN(const std::string json,
                      Gunzip(bytes, bytes.size() * kInflationMax + kInflatedBytesAlways));
  return ParseMetadataJson(json);
}

}  // namespace playhead::iceberg
