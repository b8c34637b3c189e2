#pragma once

#include "playhead/sql/lake_tables.h"

#include <duckdb.hpp>

#include <string>

namespace playhead::sql {

/// Registers what the catalog knows about itself: docs/reference/sql.md describes the views
/// `playhead.tables`, `playhead.snapshots`, `playhead.files` and `playhead.landing_files`. Returns
/// the SQL that makes the views. `tables` outlives the database.
std::string RegisterLakeFacts(duckdb::DatabaseInstance& database, LakeTables& tables);

}  // namespace playhead::sql
