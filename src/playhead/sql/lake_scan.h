#pragma once

#include "playhead/sql/lake_tables.h"

#include <duckdb.hpp>

#include <string>

namespace playhead::sql {

/// Registers the table function `playhead_scan([namespace, table])`: DuckDB's Parquet reader over
/// the live files of a lake table, as the connection sees it, or of the snapshot whose id is a
/// third element. The schema comes from the table's metadata, so that binding opens no file;
/// columns are found by field id, in files without ids by name (with the table's
/// `schema.name-mapping.default`); files that cannot hold a row for the filters are not opened.
void RegisterLakeScan(duckdb::DatabaseInstance& database);

/// Resolves table names that DuckDB does not know: snapshots (SnapshotName), and tables among
/// LakeMoment::problems, with whose problem the statement fails.
void RegisterLakeNames(duckdb::DBConfig& config);

/// The schema and the table name under which a statement finds a snapshot of a lake table.
inline constexpr char kSnapshotSchema[] = "playhead";
std::string SnapshotName(const catalog::TableId& id, int64_t snapshot_id);

/// `CREATE OR REPLACE VIEW "bronze"."plays" AS …`
std::string CreateViewSql(const catalog::TableId& id);

}  // namespace playhead::sql
