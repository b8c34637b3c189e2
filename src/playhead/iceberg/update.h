#pragma once

#include "playhead/iceberg/types.h"

#include <optional>
#include <string>
#include <vector>

namespace playhead::iceberg {

struct SnapshotLimits {
  int32_t snapshots_max = 100;  ///< older ones leave the metadata (their files are maintenance's)
  int32_t metadata_log_max = 100;
};

/// Metadata of a new, empty table.
TableMetadata NewTable(std::string table_uuid, std::string location, Schema schema,
                       int32_t last_column_id, PartitionSpec spec,
                       std::map<std::string, std::string> properties, int64_t now_ms);

/// `base` with `snapshot` as the new head of main: sequence numbers, logs (times never go back),
/// refs, the snapshot cap (never dropping the newest snapshot that carries `playhead.offsets`, nor
/// what a ref holds). `base_location` is the file `base` was read from and enters the metadata log.
/// Pure: no I/O. Errors: kConflict (parent is not base's head), kInvalidArgument.
Result<TableMetadata> AddSnapshot(const TableMetadata& base, Snapshot snapshot,
                                  std::optional<Schema> new_schema, int32_t last_column_id,
                                  const std::string& base_location, SnapshotLimits limits);

/// `base` with another current schema and no new snapshot.
Result<TableMetadata> SetSchema(const TableMetadata& base, Schema schema, int32_t last_column_id,
                                const std::string& base_location, int64_t now_ms,
                                SnapshotLimits limits);

/// `<5 digits>-<uuid>.metadata.json` that follows `current` (empty: 00000).
std::string NextMetadataFileName(std::string_view current, std::string_view uuid);

/// The value of `key` in the newest snapshot on main that has it, walking parents.
std::optional<std::string> FindInSummaries(const TableMetadata& metadata, std::string_view key);

}  // namespace playhead::iceberg
