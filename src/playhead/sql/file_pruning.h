#pragma once

#include "playhead/catalog/scan.h"
#include "playhead/iceberg/types.h"

#include <duckdb.hpp>
#include <duckdb/planner/table_filter.hpp>

#include <vector>

namespace playhead::sql {

/// Whether some row of the file may pass all filters, by the file's bounds, null counts and, where
/// it has no bounds, its partition values (identity, day, hour). Filters are keyed by the position
/// of the column in the current schema; columns and types without usable bounds never rule a file
/// out.
bool MayHoldRows(const iceberg::TableMetadata& metadata, const catalog::LiveFile& file,
                 const duckdb::TableFilterSet& filters);

}  // namespace playhead::sql
