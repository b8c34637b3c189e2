#pragma once

#include "playhead/base/status.h"

#include <arrow/type_fwd.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace playhead::iceberg {

struct Type;

struct NestedField {
  int32_t id = 0;
  std::string name;
  bool is_required = false;
  std::shared_ptr<const Type> type;
  std::string doc;
};

enum class TypeKind {
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kDecimal,
  kDate,
  kTime,
  kTimestamp,
  kTimestamptz,
  kString,
  kUuid,
  kFixed,
  kBinary,
  kStruct,
  kList,
  kMap,
};

/// An Iceberg v2 type. Struct: `fields`; list: fields[0] is the element; map: fields[0] key, [1]
/// value.
struct Type {
  TypeKind kind = TypeKind::kString;
  int32_t precision = 0;  ///< decimal
  int32_t scale = 0;      ///< decimal
  int32_t length = 0;     ///< fixed
  std::vector<NestedField> fields;
};

struct Schema {
  int32_t schema_id = 0;
  std::vector<NestedField> fields;
  std::vector<int32_t> identifier_field_ids;

  const NestedField* FindByName(std::string_view top_level_name) const;
  const NestedField* FindById(int32_t id) const;  ///< any depth
};

enum class Transform { kIdentity, kYear, kMonth, kDay, kHour, kBucket, kTruncate, kVoid };

struct PartitionField {
  int32_t source_id = 0;
  int32_t field_id = 0;  ///< 1000…
  std::string name;
  Transform transform = Transform::kIdentity;
  int32_t width = 0;  ///< bucket count or truncate width
};

struct PartitionSpec {
  int32_t spec_id = 0;
  std::vector<PartitionField> fields;
};

/// A value of a partition tuple: null, bool, int (also date, day, hour), long, double, string.
using PartitionValue =
    std::variant<std::monostate, bool, int32_t, int64_t, float, double, std::string>;

enum class EntryStatus : int32_t { kExisting = 0, kAdded = 1, kDeleted = 2 };

/// One data file as a manifest describes it. Source: Iceberg spec, "Manifests", data_file.
struct DataFile {
  std::string path;     ///< full URI
  int32_t spec_id = 0;  ///< of `partition`
  std::vector<PartitionValue> partition;
  int64_t record_count = 0;
  int64_t file_bytes = 0;
  std::map<int32_t, int64_t> column_sizes;
  std::map<int32_t, int64_t> value_counts;
  std::map<int32_t, int64_t> null_value_counts;
  std::map<int32_t, int64_t> nan_value_counts;
  std::map<int32_t, std::string> lower_bounds;  ///< Iceberg single-value binary form
  std::map<int32_t, std::string> upper_bounds;
  std::vector<int64_t> split_offsets;
};

struct ManifestEntry {
  EntryStatus status = EntryStatus::kAdded;
  std::optional<int64_t> snapshot_id;
  std::optional<int64_t> sequence_number;       ///< null = inherited
  std::optional<int64_t> file_sequence_number;  ///< null = inherited
  DataFile file;
};

struct FieldSummary {
  bool contains_null = false;
  std::optional<bool> contains_nan;
  std::optional<std::string> lower_bound;
  std::optional<std::string> upper_bound;
};

/// One line of a manifest list. Source: Iceberg spec, "Manifest Lists".
struct ManifestFile {
  std::string path;
  int64_t length = 0;
  int32_t spec_id = 0;
  int32_t content = 0;  ///< 0 data, 1 deletes
  int64_t sequence_number = 0;
  int64_t min_sequence_number = 0;
  int64_t added_snapshot_id = 0;
  int32_t added_files = 0;
  int32_t existing_files = 0;
  int32_t deleted_files = 0;
  int64_t added_rows = 0;
  int64_t existing_rows = 0;
  int64_t deleted_rows = 0;
  std::vector<FieldSummary> partitions;
};

struct Snapshot {
  int64_t snapshot_id = 0;
  std::optional<int64_t> parent_snapshot_id;
  int64_t sequence_number = 0;
  int64_t timestamp_ms = 0;
  std::string manifest_list;
  std::optional<int32_t> schema_id;
  std::map<std::string, std::string> summary;  ///< has "operation"
};

struct SnapshotRef {
  int64_t snapshot_id = 0;
  std::string type = "branch";
  std::optional<int64_t> min_snapshots_to_keep, max_snapshot_age_ms, max_ref_age_ms;
};

struct SnapshotLogEntry {
  int64_t timestamp_ms = 0;
  int64_t snapshot_id = 0;
};
struct MetadataLogEntry {
  int64_t timestamp_ms = 0;
  std::string metadata_file;
};

/// Table metadata, format version 2. Shared as `shared_ptr<const TableMetadata>`, changed by
/// copies. What we do not model (statistics, sort orders of others, unknown keys) is kept in
/// `passthrough_json` and written back. Source: Iceberg spec, "Table Metadata Fields".
struct TableMetadata {
  std::string table_uuid;
  std::string location;
  int64_t last_sequence_number = 0;
  int64_t last_updated_ms = 0;
  int32_t last_column_id = 0;
  std::vector<Schema> schemas;
  int32_t current_schema_id = 0;
  std::vector<PartitionSpec> specs;
  int32_t default_spec_id = 0;
  int32_t last_partition_id = 999;
  std::map<std::string, std::string> properties;
  std::optional<int64_t> current_snapshot_id;
  std::vector<Snapshot> snapshots;
  std::vector<SnapshotLogEntry> snapshot_log;
  std::vector<MetadataLogEntry> metadata_log;
  std::map<std::string, SnapshotRef> refs;
  std::string passthrough_json;

  const Schema& CurrentSchema() const;
  const PartitionSpec& DefaultSpec() const;
  const Snapshot* CurrentSnapshot() const;  ///< null for an empty table
  const Snapshot* FindSnapshot(int64_t id) const;
};

}  // namespace playhead::iceberg
