#include "playhead/base/hash.h"
#include "playhead/base/sqlite.h"
#include "playhead/catalog/catalog.h"
#include "playhead/catalog/metadata_cache.h"
#include "playhead/catalog/plan_rows.h"
#include "playhead/catalog/sqlite_schema.h"
#include "playhead/iceberg/metadata_json.h"

#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <utility>

namespace playhead::catalog {
namespace {

constexpr size_t kCachedMetadataMax = 64;

class SqliteCatalog final : public Catalog {
 public:
  SqliteCatalog(sqlite::Database reader, std::optional<sqlite::Database> writer,
                storage::ObjectStore& store)
      : reader_(std::move(reader)), writer_(std::move(writer)), store_(store) {}

  Result<std::vector<TableId>> ListTables() override {
    const std::lock_guard lock(reader_mutex_);
    PH_ASSIGN_OR_RETURN(auto query,
                        reader_.Prepare("SELECT table_namespace, table_name FROM iceberg_tables "
                                        "WHERE catalog_name = ?1 AND "
                                        "coalesce(iceberg_type, 'TABLE') = 'TABLE' ORDER BY 1, 2"));
    query.BindText(1, kCatalogName);
    std::vector<TableId> tables;
    while (true) {
      PH_ASSIGN_OR_RETURN(const bool row, query.Step());
      if (!row) return tables;
      tables.push_back({std::string(query.ColumnText(0)), std::string(query.ColumnText(1))});
    }
  }

  Result<TableState> Load(const TableId& id) override {
    PH_ASSIGN_OR_RETURN(std::string location, LocationOf(id));
    TableState state{.id = id, .metadata_location = location, .metadata = cache_.Find(location)};
    if (state.metadata != nullptr) return state;

    Result<std::string> json = store_.Get(location);
    if (!json.ok()) {
      // A table whose metadata is gone is damaged, not absent.
      const StatusCode code = json.error().code() == StatusCode::kNotFound
                                  ? StatusCode::kDataCorrupt
                                  : json.error().code();
      return Error(code, "cannot read table metadata: table={} location={}: {}", id.ToString(),
                   location, json.error().message());
    }
    Result<iceberg::TableMetadata> metadata = iceberg::ParseMetadata(*json);
    if (!metadata.ok()) return metadata.error().WithContext(location);
    state.metadata = std::make_shared<const iceberg::TableMetadata>(*std::move(metadata));
    cache_.Keep(location, state.metadata);
    return state;
  }

  Result<std::string> Fingerprint() override {
    const std::lock_guard lock(reader_mutex_);
    PH_ASSIGN_OR_RETURN(
        auto query, reader_.Prepare("SELECT table_namespace, table_name, metadata_location "
                                    "FROM iceberg_tables WHERE catalog_name = ?1 ORDER BY 1, 2"));
    query.BindText(1, kCatalogName);
    ContentHasher hasher;
    while (true) {
      PH_ASSIGN_OR_RETURN(const bool row, query.Step());
      if (!row) return hasher.Hex();
      for (int column = 0; column < 3; ++column) {
        hasher.Update(query.ColumnText(column));
        hasher.Update(std::string_view("\0", 1));
      }
    }
  }

  Status Commit(const CommitRequest& request) override {
    {
      const std::lock_guard lock(writer_mutex_);
      PH_ASSIGN_OR_RETURN(sqlite::Database * db, Writer());
      PH_ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::Begin(*db));
      PH_RETURN_IF_ERROR(ApplyCommit(*db, request));
      PH_RETURN_IF_ERROR(transaction.Commit());
    }
    for (const TableMove& move : request.moves) {
      if (move.new_metadata != nullptr) cache_.Keep(move.new_location, move.new_metadata);
    }
    return {};
  }

  Status InsertPlan(const Plan& plan) override {
    const std::lock_guard lock(writer_mutex_);
    PH_ASSIGN_OR_RETURN(sqlite::Database * db, Writer());
    PH_ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::Begin(*db));
    PH_RETURN_IF_ERROR(InsertPlanRows(*db, plan));
    return transaction.Commit();
  }

  Result<std::vector<Plan>> OpenPlans() override {
    const std::lock_guard lock(reader_mutex_);
    return SelectPlans(reader_, std::nullopt);
  }

  Result<std::optional<Plan>> FindPlan(const std::string& plan_id) override {
    const std::lock_guard lock(reader_mutex_);
    PH_ASSIGN_OR_RETURN(std::vector<Plan> plans, SelectPlans(reader_, plan_id));
    if (plans.empty()) return std::optional<Plan>();
    return std::optional<Plan>(std::move(plans.front()));
  }

  Status DeletePlan(const std::string& plan_id) override {
    const std::lock_guard lock(writer_mutex_);
    PH_ASSIGN_OR_RETURN(sqlite::Database * db, Writer());
    return DeletePlanRows(*db, plan_id).status();
  }

  Result<std::vector<LandingFile>> LandingFiles(const TableId& table, bool current_only) override {
    const std::lock_guard lock(reader_mutex_);
    return SelectLandingFiles(reader_, table, current_only);
  }

  Result<std::optional<std::string>> GetProperty(const std::string& key) override {
    const std::lock_guard lock(reader_mutex_);
    PH_ASSIGN_OR_RETURN(auto query,
                        reader_.Prepare("SELECT value FROM playhead_properties WHERE key = ?1"));
    query.BindText(1, key);
    PH_ASSIGN_OR_RETURN(const bool found, query.Step());
    if (!found) return std::optional<std::string>();
    return std::optional<std::string>(query.ColumnText(0));
  }

  Status SetProperty(const std::string& key, const std::string& value) override {
    const std::lock_guard lock(writer_mutex_);
    PH_ASSIGN_OR_RETURN(sqlite::Database * db, Writer());
    PH_ASSIGN_OR_RETURN(auto insert,
                        db->Prepare("INSERT INTO playhead_properties VALUES (?1, ?2) "
                                    "ON CONFLICT (key) DO UPDATE SET value = excluded.value"));
    insert.BindText(1, key);
    insert.BindText(2, value);
    return insert.Run();
  }

 private:
  Result<sqlite::Database*> Writer() {
    if (!writer_.has_value()) {
      return Error(StatusCode::kPermissionDenied, "the catalog was opened read-only");
    }
    return &*writer_;
  }

  Result<std::string> LocationOf(const TableId& id) {
    const std::lock_guard lock(reader_mutex_);
    PH_ASSIGN_OR_RETURN(
        auto query,
        reader_.Prepare("SELECT metadata_location FROM iceberg_tables WHERE "
                        "catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3 "
                        "AND coalesce(iceberg_type, 'TABLE') = 'TABLE'"));
    query.BindText(1, kCatalogName);
    query.BindText(2, id.table_namespace);
    query.BindText(3, id.name);
    PH_ASSIGN_OR_RETURN(const bool found, query.Step());
    if (!found) return Error(StatusCode::kNotFound, "no such table: name={}", id.ToString());
    return std::string(query.ColumnText(0));
  }

  static Status ApplyCommit(sqlite::Database& db, const CommitRequest& request) {
    std::vector<const TableMove*> moves;
    for (const TableMove& move : request.moves) moves.push_back(&move);
    // One order for all committers, so that two never wait for each other (PostgreSQL locks rows).
    std::ranges::sort(moves, {}, [](const TableMove* move) { return move->id; });
    for (const TableMove* move : moves) {
      PH_RETURN_IF_ERROR(move->old_location.empty() ? InsertTable(db, *move)
                                                    : UpdateTable(db, *move));
    }
    if (request.finished_plan_id.has_value()) {
      PH_ASSIGN_OR_RETURN(const bool was_open, DeletePlanRows(db, *request.finished_plan_id));
      if (!was_open) {
        return Error(StatusCode::kConflict, "the plan is not open any more: plan={}",
                     *request.finished_plan_id);
      }
    }
    for (const LandingFile& file : request.landing_files) {
      PH_RETURN_IF_ERROR(InsertLandingFile(db, file));
    }
    return {};
  }

  static Status InsertTable(sqlite::Database& db, const TableMove& move) {
    PH_ASSIGN_OR_RETURN(auto name, db.Prepare("INSERT OR IGNORE INTO iceberg_namespace_properties "
                                              "VALUES (?1, ?2, 'exists', 'true')"));
    name.BindText(1, kCatalogName);
    name.BindText(2, move.id.table_namespace);
    PH_RETURN_IF_ERROR(name.Run());
    PH_ASSIGN_OR_RETURN(
        auto insert,
        db.Prepare("INSERT INTO iceberg_tables VALUES (?1, ?2, ?3, ?4, NULL, 'TABLE')"));
    insert.BindText(1, kCatalogName);
    insert.BindText(2, move.id.table_namespace);
    insert.BindText(3, move.id.name);
    insert.BindText(4, move.new_location);
    Status status = insert.Run();
    if (status.code() != StatusCode::kAlreadyExists) return status;
    return Error(StatusCode::kConflict, "the table exists already: name={}", move.id.ToString());
  }

  static Status UpdateTable(sqlite::Database& db, const TableMove& move) {
    PH_ASSIGN_OR_RETURN(auto update,
                        db.Prepare("UPDATE iceberg_tables SET metadata_location = ?4, "
                                   "previous_metadata_location = ?5 WHERE catalog_name = ?1 AND "
                                   "table_namespace = ?2 AND table_name = ?3 AND "
                                   "metadata_location = ?5"));
    update.BindText(1, kCatalogName);
    update.BindText(2, move.id.table_namespace);
    update.BindText(3, move.id.name);
    update.BindText(4, move.new_location);
    update.BindText(5, move.old_location);
    PH_RETURN_IF_ERROR(update.Run());
    if (db.changes() == 1) return {};
    return Error(StatusCode::kConflict, "the table moved: name={} expected={}", move.id.ToString(),
                 move.old_location);
  }

  // Two connections, so that a reader of ours never waits behind a writer of ours that waits for
  // another process. Each is used under its own mutex.
  std::mutex reader_mutex_;
  sqlite::Database reader_;
  std::mutex writer_mutex_;
  std::optional<sqlite::Database> writer_;
  storage::ObjectStore& store_;
  MetadataCache cache_{kCachedMetadataMax};
};

}  // namespace

Result<std::unique_ptr<Catalog>> OpenSqliteCatalog(const std::string& path,
                                                   storage::ObjectStore& store, bool read_only) {
  std::optional<sqlite::Database> writer;
  if (!read_only) {
    PH_ASSIGN_OR_RETURN(sqlite::Database db, sqlite::Database::Open(path));
    PH_RETURN_IF_ERROR(MakeCatalogTables(db).WithContext(path));
    writer = std::move(db);
  } else if (access(path.c_str(), F_OK) != 0) {
    return Error(StatusCode::kNotFound, "no catalog: file={}", path);
  }
  PH_ASSIGN_OR_RETURN(sqlite::Database reader, sqlite::Database::Open(path, {.read_only = true}));
  PH_RETURN_IF_ERROR(CheckCatalogTables(reader).WithContext(path));
  return std::unique_ptr<Catalog>(
      std::make_unique<SqliteCatalog>(std::move(reader), std::move(writer), store));
}

}  // namespace playhead::catalog
