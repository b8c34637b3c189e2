#include "playhead/catalog/sql_catalog.h"

namespace playhead::catalog {
namespace {

// Programs of this number and below understand the tables.
constexpr int64_t kFormat = 2;

// NOLINTBEGIN(bugprone-suspicious-missing-comma): statements of several lines.
constexpr std::string_view kTables[] = {
    "CREATE TABLE IF NOT EXISTS iceberg_tables ("
    "  catalog_name VARCHAR(255) NOT NULL,"
    "  table_namespace VARCHAR(255) NOT NULL,"
    "  table_name VARCHAR(255) NOT NULL,"
    "  metadata_location VARCHAR(1000),"
    "  previous_metadata_location VARCHAR(1000),"
    "  iceberg_type VARCHAR(5),"
    "  PRIMARY KEY (catalog_name, table_namespace, table_name))",
    "CREATE TABLE IF NOT EXISTS iceberg_namespace_properties ("
    "  catalog_name VARCHAR(255) NOT NULL,"
    "  namespace VARCHAR(255) NOT NULL,"
    "  property_key VARCHAR(255) NOT NULL,"
    "  property_value VARCHAR(1000) NOT NULL,"
    "  PRIMARY KEY (catalog_name, namespace, property_key))",
    "CREATE TABLE IF NOT EXISTS playhead_plans ("
    "  plan_id TEXT NOT NULL PRIMARY KEY,"
    "  table_namespace TEXT NOT NULL,"
    "  table_name TEXT NOT NULL,"
    "  owner TEXT NOT NULL,"
    "  generation BIGINT NOT NULL,"
    "  lease_until_us BIGINT NOT NULL,"
    "  format BIGINT NOT NULL,"
    "  payload TEXT NOT NULL,"
    "  created_us BIGINT NOT NULL,"
    "  phase TEXT NOT NULL,"
    "  snapshot_id BIGINT,"
    "  reason TEXT,"
    "  ended_us BIGINT)",
    "CREATE INDEX IF NOT EXISTS playhead_plans_by_phase ON playhead_plans (phase, ended_us)",
    "CREATE TABLE IF NOT EXISTS playhead_plan_claims ("
    "  plan_id TEXT NOT NULL,"
    "  table_namespace TEXT NOT NULL,"
    "  table_name TEXT NOT NULL,"
    "  claim TEXT NOT NULL,"
    "  PRIMARY KEY (table_namespace, table_name, claim))",
    "CREATE INDEX IF NOT EXISTS playhead_plan_claims_by_plan ON playhead_plan_claims (plan_id)",
    "CREATE TABLE IF NOT EXISTS playhead_landing_files ("
    "  id INTEGER PRIMARY KEY,"
    "  table_namespace TEXT NOT NULL,"
    "  table_name TEXT NOT NULL,"
    "  table_uuid TEXT,"
    "  name TEXT NOT NULL,"
    "  content_hash TEXT NOT NULL,"
    "  topic TEXT NOT NULL,"
    "  bytes BIGINT NOT NULL,"
    "  rows_good BIGINT NOT NULL,"
    "  rows_dead BIGINT NOT NULL,"
    "  ingestion_date_days BIGINT NOT NULL,"
    "  raw_uri TEXT NOT NULL,"
    "  committed_us BIGINT NOT NULL,"
    "  is_current BIGINT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS playhead_landing_files_by_name"
    "  ON playhead_landing_files (table_namespace, table_name, name)",
    // Came without a new format: programs that do not know it only read files again.
    "CREATE TABLE IF NOT EXISTS playhead_landing_seen ("
    "  table_namespace TEXT NOT NULL,"
    "  table_name TEXT NOT NULL,"
    "  name TEXT NOT NULL,"
    "  content_hash TEXT NOT NULL,"
    "  stamp TEXT NOT NULL,"
    "  PRIMARY KEY (table_namespace, table_name, name))",
    "CREATE TABLE IF NOT EXISTS playhead_expired_objects ("
    "  id INTEGER PRIMARY KEY,"
    "  table_namespace TEXT NOT NULL,"
    "  table_name TEXT NOT NULL,"
    "  uri TEXT NOT NULL,"
    "  is_manifest_list BIGINT NOT NULL,"
    "  expired_us BIGINT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS playhead_expired_objects_by_table"
    "  ON playhead_expired_objects (table_namespace, table_name, id)",
    "CREATE TABLE IF NOT EXISTS playhead_properties ("
    "  key TEXT NOT NULL PRIMARY KEY,"
    "  value TEXT NOT NULL)",
};

Result<int64_t> FormatOf(SqlConnection& db) {
  PH_ASSIGN_OR_RETURN(
      const auto rows,
      db.Query("SELECT CAST(value AS BIGINT) FROM playhead_properties WHERE key = 'format'", {}));
  const int64_t format = rows.empty() ? 0 : rows.front().Int(0);
  if (format <= kFormat) return format;
  return Error(StatusCode::kNotSupported,
               "the catalog was made by a newer playhead: format={} known={}; update playhead",
               format, kFormat);
}

// Only SQLite has catalogs of format 1: plans had no owner and no phase, their claims were ranges
// of offsets, and ledger rows did not know their table's UUID.
constexpr std::string_view kBefore[] = {
    "ALTER TABLE playhead_plans RENAME TO playhead_plans_1",
    "ALTER TABLE playhead_landing_files ADD COLUMN table_uuid TEXT",
};
constexpr std::string_view kAfter[] = {
    "INSERT INTO playhead_plans (plan_id, table_namespace, table_name, owner, generation, "
    "lease_until_us, format, payload, created_us, phase) SELECT plan_id, table_namespace, "
    "table_name, '', 0, 0, 1, payload, created_us, 'open' FROM playhead_plans_1",
    "INSERT INTO playhead_plan_claims SELECT plan_id, table_namespace, table_name, 'log ' || "
    "log_id || ' ' || topic || ' ' || topic_partition FROM playhead_plan_ranges",
    "DROP TABLE playhead_plan_ranges",
    "DROP TABLE playhead_plans_1",
    // A landing file that two plans had loaded has two current rows; the later one holds.
    "UPDATE playhead_landing_files SET is_current = 0 WHERE is_current = 1 AND id < (SELECT "
    "max(id) FROM playhead_landing_files AS later WHERE later.table_namespace = "
    "playhead_landing_files.table_namespace AND later.table_name = "
    "playhead_landing_files.table_name AND later.name = playhead_landing_files.name)",
};
// NOLINTEND(bugprone-suspicious-missing-comma)

Status ExecuteAll(SqlConnection& db, auto& statements) {
  for (const std::string_view statement : statements) {
    PH_RETURN_IF_ERROR(db.Execute(statement, {}));
  }
  return {};
}

}  // namespace

Status MakeCatalogTables(SqlConnection& db) {
  SqlTransaction transaction(db);
  PH_RETURN_IF_ERROR(transaction.Begin(SqlConnection::Access::kWrite));
  const Result<int64_t> known = FormatOf(db);
  if (!known.ok() && known.error().code() == StatusCode::kNotSupported) return known.error();
  // A database without the table is a new one; another failure shows in the next statement.
  const int64_t format = known.ok() ? *known : 0;
  if (format == 1) PH_RETURN_IF_ERROR(ExecuteAll(db, kBefore));
  PH_RETURN_IF_ERROR(ExecuteAll(db, kTables));
  if (format == 1) PH_RETURN_IF_ERROR(ExecuteAll(db, kAfter));
  if (format != kFormat) {
    PH_RETURN_IF_ERROR(db.Execute(
        "INSERT INTO playhead_properties VALUES ('format', ?1) ON CONFLICT (key) DO UPDATE SET "
        "value = excluded.value",
        {std::to_string(kFormat)}));
  }
  return transaction.Commit();
}

Status CheckCatalogTables(SqlConnection& db) {
  const Result<int64_t> format = FormatOf(db);
  if (format.ok() && *format == kFormat) return {};
  if (!format.ok() && format.error().code() != StatusCode::kInvalidArgument) return format.error();
  if (!format.ok() || *format == 0) {
    return Error(StatusCode::kNotFound, "the database is no playhead catalog");
  }
  return Error(StatusCode::kNotSupported,
               "the catalog was made by an older playhead: format={} known={}; `playhead ingest "
               "--once` or `playhead up` bring the warehouse to today's format",
               *format, kFormat);
}

}  // namespace playhead::catalog
