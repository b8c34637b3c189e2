#pragma once

#include "playhead/sql/lake_tables.h"

#include <duckdb.hpp>

#include <string>

namespace playhead::sql {

/// Registers the table function `playhead_scan([namespace, table])`: DuckDB's Parquet reader over
/// the live files of a lake table. The schema comes from the table's metadata, so that binding
/// opens no file; columns are found by field id, in files without ids by name (with the table's
/// `schema.name-mapping.default`); files that cannot hold a row for the filters are not opened.
/// `tables` outlives the database.
void RegisterLakeScan(duckdb::DatabaseInstance& database, LakeTables& tables);

/// `CREATE OR REPLACE VIEW "bronze"."plays" AS …`
/// Has a name that stands for one of LakeTables::problems() fail with that problem, where DuckDB
/// would say that there is no such table. `tables` outlives the database.
void RegisterProblems(duckdb::DBConfig& config, LakeTables& tables);

std::string CreateViewSql(const catalog::TableId& id);

}  // namespace playhead::sql
