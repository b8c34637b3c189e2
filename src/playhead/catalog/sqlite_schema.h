#pragma once

#include "playhead/base/sqlite.h"

namespace playhead::catalog {

/// Value of `catalog_name` in all our rows.
inline constexpr std::string_view kCatalogName = "playhead";

/// Makes the tables that are missing: Iceberg's JDBC catalog, schema V1, and ours. The columns are
/// described in docs/formats/catalog.md. Errors: kNotSupported (a newer version made it).
Status MakeCatalogTables(sqlite::Database& db);
/// kNotFound when `db` is no catalog, kNotSupported as above.
Status CheckCatalogTables(sqlite::Database& db);

}  // namespace playhead::catalog
