#pragma once

#include "playhead/base/status.h"
#include "playhead/catalog/catalog.h"
#include "playhead/catalog/scan.h"
#include "playhead/cli/output.h"
#include "playhead/project/project.h"

#include <string>
#include <vector>

namespace playhead::cli {

/// What a table's metadata says, as tables to print. Pure.
struct TableFacts {
  const catalog::TableState& state;
  const std::vector<catalog::LiveFile>& files;  ///< of the current snapshot

  Table Schema() const;  ///< field_id, column, type, required, doc
  Table Spec() const;    ///< field, transform, column
  Table Snapshots()
      const;  ///< newest last: snapshot, committed, operation, added and total rows, files
  Table Partitions() const;  ///< partition, rows, files, bytes
  Table Files() const;  ///< file (below the table's location), partition, rows, bytes, snapshot
};

/// `event_type=play/date=2024-01-02`, or empty for a table without partitions.
std::string PartitionPath(const iceberg::TableMetadata& metadata, const catalog::LiveFile& file);

/// Upper bound of the column over all files, if all have one: the newest event time.
std::optional<int64_t> NewestMicros(const iceberg::TableMetadata& metadata,
                                    const std::vector<catalog::LiveFile>& files,
                                    const std::string& column);

/// `2024-01-02T03:04:05Z`, with as many digits of a second as needed, at most six.
std::string IsoMicros(int64_t micros);

}  // namespace playhead::cli
