#include "playhead/catalog/sql_catalog.h"

#include "playhead/base/hash.h"
#include "playhead/iceberg/metadata_json.h"

#include <algorithm>
#include <utility>

namespace playhead::catalog {
namespace {

constexpr size_t kCachedMetadataMax = 64;
constexpr int64_t kEndedPlansKeptMicros = 24LL * 3600 * 1'000'000;

using Access = SqlConnection::Access;
using Guard = Refusal::Guard;
using MaybeRefusal = std::optional<Refusal>;

constexpr std::string_view kPlanColumns =
    "plan_id, table_namespace, table_name, owner, generation, format, payload, created_us, phase, "
    "snapshot_id, reason";

PlanRow PlanFrom(const SqlRow& row) {
  PlanRow plan{.plan_id = row.Text(0),
               .table = {row.Text(1), row.Text(2)},
               .owner = {.name = row.Text(3), .generation = row.Int(4)},
               .format = static_cast<int32_t>(row.Int(5)),
               .payload = row.Text(6),
               .claims = {},
               .created_us = row.Int(7),
               .snapshot_id = row.Int(9),
               .reason = row.Text(10)};
  for (const PlanPhase phase : {PlanPhase::kCommitted, PlanPhase::kAbandoned}) {
    if (row.Text(8) == PlanPhaseName(phase)) plan.phase = phase;
  }
  return plan;
}

Status ReadClaims(SqlConnection& db, PlanRow& plan) {
  PH_ASSIGN_OR_RETURN(
      const auto rows,
      db.Query("SELECT claim FROM playhead_plan_claims WHERE plan_id = ?1 ORDER BY claim",
               {plan.plan_id}));
  for (const SqlRow& row : rows) plan.claims.push_back(row.Text(0));
  return {};
}

constexpr std::string_view kLandingColumns =
    "table_namespace, table_name, table_uuid, name, content_hash, topic, bytes, rows_good, "
    "rows_dead, ingestion_date_days, raw_uri, committed_us, is_current";

LandingFile LandingFrom(const SqlRow& row) {
  return {.table = {row.Text(0), row.Text(1)},
          .table_uuid = row.Text(2),
          .name = row.Text(3),
          .content_hash = row.Text(4),
          .topic = row.Text(5),
          .bytes = row.Int(6),
          .rows_good = row.Int(7),
          .rows_dead = row.Int(8),
          .ingestion_date_days = static_cast<int32_t>(row.Int(9)),
          .raw_uri = row.Text(10),
          .committed_us = row.Int(11),
          .is_current = row.Int(12) != 0};
}

ExpiredObject ExpiredFrom(const TableId& table, const SqlRow& row) {
  return {
      .id = row.Int(0), .table = table, .uri = row.Text(1), .is_manifest_list = row.Int(2) != 0};
}

// A statement that fails in an open transaction is a definite failure, except that a key which is
// there refuses.
MaybeRefusal Refused(Guard guard, std::string message, std::string plan_id = {}) {
  return Refusal{.guard = guard, .message = std::move(message), .plan_id = std::move(plan_id)};
}

Result<MaybeRefusal> InsertTable(SqlConnection& db, const TableMove& move) {
  PH_RETURN_IF_ERROR(
      db.Execute("INSERT INTO iceberg_namespace_properties VALUES ('playhead', ?1, "
                 "'exists', 'true') ON CONFLICT DO NOTHING",
                 {move.id.table_namespace}));
  PH_ASSIGN_OR_RETURN(
      const int64_t rows,
      db.Execute("INSERT INTO iceberg_tables VALUES ('playhead', ?1, ?2, ?3, NULL, 'TABLE') "
                 "ON CONFLICT DO NOTHING",
                 {move.id.table_namespace, move.id.name, move.new_location}));
  if (rows == 1) return MaybeRefusal();
  return Refused(Guard::kTableExists,
                 fmt::format("the table exists already: name={}", move.id.ToString()));
}

Result<MaybeRefusal> UpdateTable(SqlConnection& db, const TableMove& move) {
  PH_ASSIGN_OR_RETURN(
      const int64_t rows,
      db.Execute("UPDATE iceberg_tables SET metadata_location = ?3, previous_metadata_location = "
                 "?4 WHERE catalog_name = 'playhead' AND table_namespace = ?1 AND table_name = ?2 "
                 "AND metadata_location = ?4",
                 {move.id.table_namespace, move.id.name, move.new_location, move.old_location}));
  if (rows == 1) return MaybeRefusal();
  return Refused(Guard::kTableMoved, fmt::format("the table moved: name={} expected={}",
                                                 move.id.ToString(), move.old_location));
}

// A plan that ended holds nothing any more.
Status DropClaims(SqlConnection& db, const std::string& plan_id) {
  return db.Execute("DELETE FROM playhead_plan_claims WHERE plan_id = ?1", {plan_id}).status();
}

MaybeRefusal PlanGone(const std::string& plan_id) {
  return Refused(Guard::kPlanGone,
                 fmt::format("the plan is not open any more, or another's: plan={}", plan_id));
}

Result<MaybeRefusal> FinishPlan(SqlConnection& db, const CommitRequest::Finish& finish) {
  PH_ASSIGN_OR_RETURN(
      const int64_t rows,
      db.Execute(
          fmt::format("UPDATE playhead_plans SET phase = 'committed', snapshot_id = ?4, "
                      "ended_us = {}, payload = CASE WHEN ?5 = 1 THEN payload ELSE '' END WHERE "
                      "plan_id = ?1 AND phase = 'open' AND owner = ?2 AND generation = ?3",
                      db.now_us()),
          {finish.plan_id, finish.owner.name, finish.owner.generation, finish.snapshot_id,
           int64_t{finish.keeps_payload}}));
  if (rows != 1) return PlanGone(finish.plan_id);
  PH_RETURN_IF_ERROR(DropClaims(db, finish.plan_id));
  return MaybeRefusal();
}

// Rows without a UUID are older than the column and belong to the table that is there.
Result<MaybeRefusal> CheckLedger(SqlConnection& db, const LedgerGuard& guard) {
  PH_ASSIGN_OR_RETURN(
      const auto rows,
      db.Query("SELECT content_hash FROM playhead_landing_files WHERE table_namespace = ?1 AND "
               "table_name = ?2 AND name = ?3 AND is_current = 1 AND (table_uuid = ?4 OR "
               "table_uuid IS NULL)",
               {guard.table.table_namespace, guard.table.name, guard.name, guard.table_uuid}));
  const std::optional<std::string> known =
      rows.empty() ? std::nullopt : std::optional(rows.front().Text(0));
  if (known == guard.hash) return MaybeRefusal();
  return Refused(Guard::kLedger,
                 fmt::format("the landing file was loaded by another commit: table={} name={} "
                             "expected={} found={}",
                             guard.table.ToString(), guard.name, guard.hash.value_or("none"),
                             known.value_or("none")));
}

Status PutSeen(SqlConnection& db, const TableId& table, const SeenFile& file) {
  return db
      .Execute(
          "INSERT INTO playhead_landing_seen VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT "
          "(table_namespace, table_name, name) DO UPDATE SET content_hash = "
          "excluded.content_hash, stamp = excluded.stamp",
          {table.table_namespace, table.name, file.name, file.content_hash, file.stamp})
      .status();
}

Status InsertLandingFile(SqlConnection& db, const LandingFile& file) {
  if (!file.stamp.empty()) {
    PH_RETURN_IF_ERROR(
        PutSeen(db, file.table,
                {.name = file.name, .content_hash = file.content_hash, .stamp = file.stamp}));
  }
  PH_RETURN_IF_ERROR(
      db.Execute("UPDATE playhead_landing_files SET is_current = 0 WHERE table_namespace = ?1 AND "
                 "table_name = ?2 AND name = ?3 AND (table_uuid = ?4 OR table_uuid IS NULL)",
                 {file.table.table_namespace, file.table.name, file.name, file.table_uuid}));
  return db
      .Execute(fmt::format("INSERT INTO playhead_landing_files ({}) VALUES (?1, ?2, ?3, ?4, ?5, "
                           "?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                           kLandingColumns),
               {file.table.table_namespace, file.table.name, file.table_uuid, file.name,
                file.content_hash, file.topic, file.bytes, file.rows_good, file.rows_dead,
                int64_t{file.ingestion_date_days}, file.raw_uri, file.committed_us,
                int64_t{file.is_current}})
      .status();
}

Status InsertExpired(SqlConnection& db, const ExpiredObject& object) {
  return db
      .Execute(fmt::format("INSERT INTO playhead_expired_objects (table_namespace, table_name, "
                           "uri, is_manifest_list, expired_us) VALUES (?1, ?2, ?3, ?4, {})",
                           db.now_us()),
               {object.table.table_namespace, object.table.name, object.uri,
                int64_t{object.is_manifest_list}})
      .status();
}

Status PutProperty(SqlConnection& db, const std::string& key, const std::string& value) {
  return db
      .Execute(
          "INSERT INTO playhead_properties VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET "
          "value = excluded.value",
          {key, value})
      .status();
}

Result<MaybeRefusal> ApplyCommit(SqlConnection& db, const CommitRequest& request) {
  std::vector<const TableMove*> moves;
  for (const TableMove& move : request.moves) moves.push_back(&move);
  // One order for all committers, so that two never wait for each other (PostgreSQL locks rows).
  std::ranges::sort(moves, {}, [](const TableMove* move) { return move->id; });
  for (const TableMove* move : moves) {
    PH_ASSIGN_OR_RETURN(MaybeRefusal refusal, move->old_location.empty() ? InsertTable(db, *move)
                                                                         : UpdateTable(db, *move));
    if (refusal) return refusal;
  }
  if (request.finish) {
    PH_ASSIGN_OR_RETURN(MaybeRefusal refusal, FinishPlan(db, *request.finish));
    if (refusal) return refusal;
  }
  for (const LedgerGuard& guard : request.ledger_guards) {
    PH_ASSIGN_OR_RETURN(MaybeRefusal refusal, CheckLedger(db, guard));
    if (refusal) return refusal;
  }
  for (const LandingFile& file : request.landing_files) {
    PH_RETURN_IF_ERROR(InsertLandingFile(db, file));
  }
  for (const ExpiredObject& object : request.expired) {
    PH_RETURN_IF_ERROR(InsertExpired(db, object));
  }
  for (const auto& [key, value] : request.properties) {
    PH_RETURN_IF_ERROR(PutProperty(db, key, value));
  }
  return MaybeRefusal();
}

Result<MaybeRefusal> InsertPlanRows(SqlConnection& db, const PlanRow& plan, int64_t lease_us) {
  const std::string now(db.now_us());
  PH_RETURN_IF_ERROR(db.Execute(
      fmt::format("DELETE FROM playhead_plans WHERE phase <> 'open' AND payload = '' AND "
                  "ended_us < {} - ?1",
                  now),
      {kEndedPlansKeptMicros}));
  for (const std::string& claim : plan.claims) {
    PH_ASSIGN_OR_RETURN(
        const auto holders,
        db.Query("SELECT plan_id FROM playhead_plan_claims WHERE table_namespace = ?1 AND "
                 "table_name = ?2 AND claim = ?3",
                 {plan.table.table_namespace, plan.table.name, claim}));
    if (!holders.empty()) {
      return Refused(Guard::kPlanOpen,
                     fmt::format("an open plan is in the way: table={} claim={} plan={}",
                                 plan.table.ToString(), claim, holders.front().Text(0)),
                     holders.front().Text(0));
    }
  }
  PH_ASSIGN_OR_RETURN(
      const int64_t rows,
      db.Execute(
          fmt::format("INSERT INTO playhead_plans (plan_id, table_namespace, table_name, "
                      "owner, generation, lease_until_us, format, payload, created_us, "
                      "phase) VALUES (?1, ?2, ?3, ?4, ?5, {} + ?6, ?7, ?8, ?9, 'open') "
                      "ON CONFLICT DO NOTHING",
                      now),
          {plan.plan_id, plan.table.table_namespace, plan.table.name, plan.owner.name,
           plan.owner.generation, lease_us, int64_t{plan.format}, plan.payload, plan.created_us}));
  if (rows != 1) {
    return Refused(Guard::kPlanOpen, fmt::format("the plan is there: plan={}", plan.plan_id),
                   plan.plan_id);
  }
  for (const std::string& claim : plan.claims) {
    PH_RETURN_IF_ERROR(
        db.Execute("INSERT INTO playhead_plan_claims VALUES (?1, ?2, ?3, ?4)",
                   {plan.plan_id, plan.table.table_namespace, plan.table.name, claim}));
  }
  return MaybeRefusal();
}

Result<std::vector<SqlRow>> SelectTables(SqlConnection& db) {
  return db.Query(
      "SELECT table_namespace, table_name, metadata_location FROM iceberg_tables WHERE "
      "catalog_name = 'playhead' AND coalesce(iceberg_type, 'TABLE') = 'TABLE' ORDER BY 1, 2",
      {});
}

Status NoSuchTable(const TableId& id) {
  return Error(StatusCode::kNotFound, "no such table: name={}", id.ToString());
}

}  // namespace

SqlCatalog::SqlCatalog(std::unique_ptr<SqlConnection> reader, std::unique_ptr<SqlConnection> writer,
                       storage::ObjectStore& store)
    : reader_(std::move(reader)),
      writer_(std::move(writer)),
      store_(store),
      cache_(kCachedMetadataMax) {}

Result<std::vector<TableId>> SqlCatalog::ListTables() {
  const std::lock_guard lock(reader_mutex_);
  PH_ASSIGN_OR_RETURN(const auto rows, SelectTables(*reader_));
  std::vector<TableId> tables;
  for (const SqlRow& row : rows) tables.push_back({row.Text(0), row.Text(1)});
  return tables;
}

Result<std::vector<Result<TableState>>> SqlCatalog::LoadMany(const std::vector<TableId>& ids) {
  std::vector<std::optional<std::string>> locations;
  {
    const std::lock_guard lock(reader_mutex_);
    SqlTransaction transaction(*reader_);
    if (ids.size() > 1) PH_RETURN_IF_ERROR(transaction.Begin(Access::kRead));
    for (const TableId& id : ids) {
      PH_ASSIGN_OR_RETURN(
          const auto rows,
          reader_->Query("SELECT metadata_location FROM iceberg_tables WHERE catalog_name = "
                         "'playhead' AND table_namespace = ?1 AND table_name = ?2 AND "
                         "coalesce(iceberg_type, 'TABLE') = 'TABLE'",
                         {id.table_namespace, id.name}));
      locations.push_back(rows.empty() ? std::nullopt : std::optional(rows.front().Text(0)));
    }
  }
  std::vector<Result<TableState>> tables;
  for (size_t i = 0; i < ids.size(); ++i) {
    tables.push_back(locations[i] ? LoadAt(ids[i], *locations[i])
                                  : Result<TableState>(NoSuchTable(ids[i])));
  }
  return tables;
}

Result<TableState> SqlCatalog::LoadAt(const TableId& id, const std::string& location) {
  TableState state{.id = id, .metadata_location = location, .metadata = cache_.Find(location)};
  if (state.metadata != nullptr) return state;
  const Result<std::string> json = store_.Get(location);
  if (!json.ok()) {
    // A table whose metadata is gone is damaged, not absent.
    const StatusCode code = json.error().code() == StatusCode::kNotFound ? StatusCode::kDataCorrupt
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

Result<std::map<TableId, std::string>> SqlCatalog::Locations() {
  const std::lock_guard lock(reader_mutex_);
  PH_ASSIGN_OR_RETURN(const auto rows, SelectTables(*reader_));
  std::map<TableId, std::string> locations;
  for (const SqlRow& row : rows) locations[{row.Text(0), row.Text(1)}] = row.Text(2);
  return locations;
}

Result<CatalogSnapshot> SqlCatalog::Snapshot() {
  const std::lock_guard lock(reader_mutex_);
  SqlTransaction transaction(*reader_);
  PH_RETURN_IF_ERROR(transaction.Begin(Access::kRead));
  CatalogSnapshot snapshot;
  PH_ASSIGN_OR_RETURN(const auto tables, SelectTables(*reader_));
  for (const SqlRow& row : tables) snapshot.locations[{row.Text(0), row.Text(1)}] = row.Text(2);
  PH_ASSIGN_OR_RETURN(
      const auto plans,
      reader_->Query(fmt::format("SELECT {} FROM playhead_plans WHERE phase = 'open' ORDER BY "
                                 "created_us, plan_id",
                                 kPlanColumns),
                     {}));
  for (const SqlRow& row : plans) {
    snapshot.open_plans.push_back(PlanFrom(row));
    snapshot.open_plans.back().payload.clear();
  }
  PH_ASSIGN_OR_RETURN(
      const auto ledger,
      reader_->Query(
          fmt::format("SELECT {} FROM playhead_landing_files ORDER BY name, id", kLandingColumns),
          {}));
  for (const SqlRow& row : ledger) snapshot.landing_files.push_back(LandingFrom(row));
  return snapshot;
}

Result<std::string> SqlCatalog::Fingerprint() {
  const std::lock_guard lock(reader_mutex_);
  PH_ASSIGN_OR_RETURN(const auto rows, SelectTables(*reader_));
  ContentHasher hasher;
  for (const SqlRow& row : rows) {
    for (size_t column = 0; column < 3; ++column) {
      hasher.Update(row.Text(column));
      hasher.Update(std::string_view("\0", 1));
    }
  }
  return hasher.Hex();
}

CommitAnswer SqlCatalog::Transact(const Change& change) {
  const std::lock_guard lock(writer_mutex_);
  if (writer_ == nullptr) {
    return CommitAnswer::NotBegun(
        Status(StatusCode::kPermissionDenied, "the catalog was opened read-only"));
  }
  SqlTransaction transaction(*writer_);
  if (Status begun = transaction.Begin(Access::kWrite); !begun.ok()) {
    return CommitAnswer::NotBegun(std::move(begun));
  }
  Result<MaybeRefusal> refusal = change(*writer_);
  if (!refusal.ok()) return CommitAnswer::NotBegun(refusal.error());
  if (*refusal) {
    return {.kind = CommitAnswer::Kind::kRefused, .refusal = *std::move(refusal)};
  }
  if (Status committed = transaction.Commit(); !committed.ok()) {
    return CommitAnswer::Unknown(std::move(committed));
  }
  return {};
}

CommitAnswer SqlCatalog::Commit(const CommitRequest& request) {
  CommitAnswer answer = Transact([&](SqlConnection& db) { return ApplyCommit(db, request); });
  if (!answer.committed()) return answer;
  for (const TableMove& move : request.moves) {
    if (move.new_metadata != nullptr) cache_.Keep(move.new_location, move.new_metadata);
  }
  return answer;
}

CommitAnswer SqlCatalog::InsertPlan(const PlanRow& plan, int64_t lease_us) {
  return Transact([&](SqlConnection& db) { return InsertPlanRows(db, plan, lease_us); });
}

CommitAnswer SqlCatalog::TakeOverPlan(const std::string& plan_id, const PlanOwner& expected,
                                      const PlanOwner& to, int64_t lease_us, bool is_owner_dead) {
  return Transact([&](SqlConnection& db) -> Result<MaybeRefusal> {
    PH_ASSIGN_OR_RETURN(
        const int64_t rows,
        db.Execute(
            fmt::format("UPDATE playhead_plans SET owner = ?4, generation = ?5, "
                        "lease_until_us = {0} + ?6 WHERE plan_id = ?1 AND phase = 'open' "
                        "AND owner = ?2 AND generation = ?3 AND (?7 = 1 OR lease_until_us <= "
                        "{0})",
                        db.now_us()),
            {plan_id, expected.name, expected.generation, to.name, to.generation, lease_us,
             int64_t{is_owner_dead}}));
    return rows == 1 ? MaybeRefusal() : PlanGone(plan_id);
  });
}

CommitAnswer SqlCatalog::AbandonPlan(const std::string& plan_id, const PlanOwner& owner,
                                     const std::string& reason) {
  return Transact([&](SqlConnection& db) -> Result<MaybeRefusal> {
    PH_ASSIGN_OR_RETURN(
        const int64_t rows,
        db.Execute(fmt::format("UPDATE playhead_plans SET phase = 'abandoned', reason = ?4, "
                               "ended_us = {} WHERE plan_id = ?1 AND phase = 'open' AND owner = "
                               "?2 AND generation = ?3",
                               db.now_us()),
                   {plan_id, owner.name, owner.generation, reason}));
    if (rows != 1) return PlanGone(plan_id);
    PH_RETURN_IF_ERROR(DropClaims(db, plan_id));
    return MaybeRefusal();
  });
}

Status SqlCatalog::Write(const std::function<Status(SqlConnection& db)>& write) {
  return Transact([&](SqlConnection& db) -> Result<MaybeRefusal> {
           PH_RETURN_IF_ERROR(write(db));
           return MaybeRefusal();
         })
      .ToStatus();
}

Status SqlCatalog::ForgetPayload(const std::string& plan_id) {
  return Write([&](SqlConnection& db) {
    return db
        .Execute("UPDATE playhead_plans SET payload = '' WHERE plan_id = ?1 AND phase <> 'open'",
                 {plan_id})
        .status();
  });
}

Result<std::vector<PlanRow>> SqlCatalog::UnfinishedPlans() {
  const std::lock_guard lock(reader_mutex_);
  SqlTransaction transaction(*reader_);
  PH_RETURN_IF_ERROR(transaction.Begin(Access::kRead));
  PH_ASSIGN_OR_RETURN(const auto rows,
                      reader_->Query(fmt::format("SELECT {} FROM playhead_plans WHERE phase = "
                                                 "'open' OR payload <> '' ORDER BY created_us, "
                                                 "plan_id",
                                                 kPlanColumns),
                                     {}));
  std::vector<PlanRow> plans;
  for (const SqlRow& row : rows) {
    plans.push_back(PlanFrom(row));
    PH_RETURN_IF_ERROR(ReadClaims(*reader_, plans.back()));
  }
  return plans;
}

Result<std::optional<PlanRow>> SqlCatalog::FindPlan(const std::string& plan_id) {
  const std::lock_guard lock(reader_mutex_);
  PH_ASSIGN_OR_RETURN(
      const auto rows,
      reader_->Query(fmt::format("SELECT {} FROM playhead_plans WHERE plan_id = ?1", kPlanColumns),
                     {plan_id}));
  if (rows.empty()) return std::optional<PlanRow>();
  return std::optional(PlanFrom(rows.front()));
}

Result<std::vector<LandingFile>> SqlCatalog::LandingFiles(const TableId& table,
                                                          const std::string& table_uuid,
                                                          bool current_only) {
  const std::lock_guard lock(reader_mutex_);
  PH_ASSIGN_OR_RETURN(
      const auto rows,
      reader_->Query(fmt::format("SELECT {} FROM playhead_landing_files WHERE table_namespace = "
                                 "?1 AND table_name = ?2 AND (table_uuid = ?3 OR table_uuid IS "
                                 "NULL) AND is_current >= ?4 ORDER BY name, id",
                                 kLandingColumns),
                     {table.table_namespace, table.name, table_uuid, int64_t{current_only}}));
  std::vector<LandingFile> files;
  for (const SqlRow& row : rows) files.push_back(LandingFrom(row));
  return files;
}

Result<std::vector<LandingFile>> SqlCatalog::LandingFilesNamed(const TableId& table,
                                                               const std::string& table_uuid,
                                                               const std::string& name) {
  const std::lock_guard lock(reader_mutex_);
  PH_ASSIGN_OR_RETURN(
      const auto rows,
      reader_->Query(fmt::format("SELECT {} FROM playhead_landing_files WHERE table_namespace = "
                                 "?1 AND table_name = ?2 AND name = ?4 AND (table_uuid = ?3 OR "
                                 "table_uuid IS NULL) ORDER BY id",
                                 kLandingColumns),
                     {table.table_namespace, table.name, table_uuid, name}));
  std::vector<LandingFile> files;
  for (const SqlRow& row : rows) files.push_back(LandingFrom(row));
  return files;
}

Result<std::map<std::string, std::string>> SqlCatalog::SeenFiles(const TableId& table,
                                                                 const std::string& table_uuid) {
  const std::lock_guard lock(reader_mutex_);
  PH_ASSIGN_OR_RETURN(
      const auto rows,
      reader_->Query("SELECT name, stamp FROM playhead_landing_seen AS seen JOIN "
                     "playhead_landing_files AS file USING (table_namespace, table_name, name) "
                     "WHERE table_namespace = ?1 AND table_name = ?2 AND is_current = 1 AND "
                     "file.content_hash = seen.content_hash AND (table_uuid = ?3 OR table_uuid IS "
                     "NULL)",
                     {table.table_namespace, table.name, table_uuid}));
  std::map<std::string, std::string> stamps;
  for (const SqlRow& row : rows) stamps.emplace(row.Text(0), row.Text(1));
  return stamps;
}

Status SqlCatalog::NoteSeen(const TableId& table, const std::vector<SeenFile>& files) {
  return Transact([&](SqlConnection& db) -> Result<MaybeRefusal> {
           for (const SeenFile& file : files) PH_RETURN_IF_ERROR(PutSeen(db, table, file));
           return MaybeRefusal();
         })
      .ToStatus();
}

Result<Catalog::Expired> SqlCatalog::ExpiredObjects(const TableId& table, int64_t age_us,
                                                    int64_t rows_max) {
  const std::lock_guard lock(reader_mutex_);
  PH_ASSIGN_OR_RETURN(
      const auto rows,
      reader_->Query(fmt::format("SELECT id, uri, is_manifest_list FROM playhead_expired_objects "
                                 "WHERE table_namespace = ?1 AND table_name = ?2 AND expired_us <= "
                                 "{} - ?3 ORDER BY id LIMIT ?4",
                                 reader_->now_us()),
                     {table.table_namespace, table.name, age_us, rows_max}));
  Expired expired;
  for (const SqlRow& row : rows) expired.due.push_back(ExpiredFrom(table, row));
  if (expired.due.empty()) return expired;
  PH_ASSIGN_OR_RETURN(
      const auto next,
      reader_->Query("SELECT id, uri, is_manifest_list FROM playhead_expired_objects WHERE "
                     "table_namespace = ?1 AND table_name = ?2 AND id > ?3 AND is_manifest_list = "
                     "1 ORDER BY id LIMIT 1",
                     {table.table_namespace, table.name, expired.due.back().id}));
  if (!next.empty()) expired.next_list = ExpiredFrom(table, next.front());
  return expired;
}

Status SqlCatalog::ForgetExpired(const std::vector<ExpiredObject>& objects) {
  return Write([&](SqlConnection& db) -> Status {
    for (const ExpiredObject& object : objects) {
      PH_RETURN_IF_ERROR(
          db.Execute("DELETE FROM playhead_expired_objects WHERE id = ?1", {object.id}));
    }
    return {};
  });
}

Result<std::optional<std::string>> SqlCatalog::GetProperty(const std::string& key) {
  const std::lock_guard lock(reader_mutex_);
  PH_ASSIGN_OR_RETURN(
      const auto rows,
      reader_->Query("SELECT value FROM playhead_properties WHERE key = ?1", {key}));
  if (rows.empty()) return std::optional<std::string>();
  return std::optional(rows.front().Text(0));
}

Status SqlCatalog::SetProperty(const std::string& key, const std::string& value) {
  return Write([&](SqlConnection& db) { return PutProperty(db, key, value); });
}

}  // namespace playhead::catalog
