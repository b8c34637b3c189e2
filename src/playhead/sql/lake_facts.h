#pragma once

#include "playhead/catalog/catalog.h"

#include <duckdb.hpp>

#include <string>

namespace playhead::sql {

/// Registers what the catalog knows about itself: docs/reference/sql.md describes the views
/// `playhead.tables`, `playhead.snapshots`, `playhead.files` and `playhead.landing_files`. Returns
/// the SQL that makes the views. `catalog` outlives the database.
std::string RegisterLakeFacts(duckdb::DatabaseInstance& database, catalog::Catalog& catalog);

}  // namespace playhead::sql
