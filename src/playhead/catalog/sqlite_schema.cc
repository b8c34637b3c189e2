#include "playhead/catalog/sqlite_schema.h"

#include <string>

namespace playhead::catalog {
namespace {

// Readers of this number and below understand the tables.
constexpr int kFormatVersion = 1;

constexpr std::string_view kTables = R"sql(
CREATE TABLE IF NOT EXISTS iceberg_tables (
  catalog_name VARCHAR(255) NOT NULL,
  table_namespace VARCHAR(255) NOT NULL,
  table_name VARCHAR(255) NOT NULL,
  metadata_location VARCHAR(1000),
  previous_metadata_location VARCHAR(1000),
  iceberg_type VARCHAR(5),
  PRIMARY KEY (catalog_name, table_namespace, table_name)
);
CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
  catalog_name VARCHAR(255) NOT NULL,
  namespace VARCHAR(255) NOT NULL,
  property_key VARCHAR(255) NOT NULL,
  property_value VARCHAR(1000) NOT NULL,
  PRIMARY KEY (catalog_name, namespace, property_key)
);
CREATE TABLE IF NOT EXISTS playhead_plans (
  plan_id TEXT NOT NULL PRIMARY KEY,
  table_namespace TEXT NOT NULL,
  table_name TEXT NOT NULL,
  files TEXT NOT NULL,
  payload TEXT NOT NULL,
  created_us INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS playhead_plan_ranges (
  plan_id TEXT NOT NULL REFERENCES playhead_plans ON DELETE CASCADE,
  table_namespace TEXT NOT NULL,
  table_name TEXT NOT NULL,
  log_id TEXT NOT NULL,
  topic TEXT NOT NULL,
  topic_partition INTEGER NOT NULL,
  begin_offset INTEGER NOT NULL,
  end_offset INTEGER NOT NULL,
  PRIMARY KEY (table_namespace, table_name, log_id, topic, topic_partition)
);
CREATE INDEX IF NOT EXISTS playhead_plan_ranges_by_plan ON playhead_plan_ranges (plan_id);
CREATE TABLE IF NOT EXISTS playhead_landing_files (
  id INTEGER PRIMARY KEY,
  table_namespace TEXT NOT NULL,
  table_name TEXT NOT NULL,
  name TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  topic TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  rows_good INTEGER NOT NULL,
  rows_dead INTEGER NOT NULL,
  ingestion_date_days INTEGER NOT NULL,
  raw_uri TEXT NOT NULL,
  committed_us INTEGER NOT NULL,
  is_current INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS playhead_landing_files_by_name
  ON playhead_landing_files (table_namespace, table_name, name);
CREATE TABLE IF NOT EXISTS playhead_properties (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);
)sql";

Status CheckFormatVersion(sqlite::Database& db) {
  PH_ASSIGN_OR_RETURN(
      auto query,
      db.Prepare("SELECT CAST(value AS INTEGER) FROM playhead_properties WHERE key = 'format'"));
  PH_ASSIGN_OR_RETURN(const bool found, query.Step());
  if (found && query.ColumnInt(0) > kFormatVersion) {
    return Error(StatusCode::kNotSupported,
                 "the catalog was made by a newer version: format={} known={}", query.ColumnInt(0),
                 kFormatVersion);
  }
  return {};
}

}  // namespace

Status MakeCatalogTables(sqlite::Database& db) {
  PH_ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::Begin(db));
  PH_RETURN_IF_ERROR(db.Execute(kTables));
  PH_RETURN_IF_ERROR(CheckFormatVersion(db));
  PH_RETURN_IF_ERROR(db.Execute(fmt::format(
      "INSERT OR IGNORE INTO playhead_properties VALUES ('format', '{}')", kFormatVersion)));
  return transaction.Commit();
}

Status CheckCatalogTables(sqlite::Database& db) {
  PH_ASSIGN_OR_RETURN(auto query,
                      db.Prepare("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name "
                                 "IN ('iceberg_tables', 'playhead_properties')"));
  PH_ASSIGN_OR_RETURN(const bool found, query.Step());
  if (!found || query.ColumnInt(0) != 2) {
    return Error(StatusCode::kNotFound, "the database is no playhead catalog");
  }
  return CheckFormatVersion(db);
}

}  // namespace playhead::catalog
