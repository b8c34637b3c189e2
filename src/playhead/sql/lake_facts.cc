#include "playhead/sql/lake_facts.h"

#include "playhead/base/logging.h"
#include "playhead/sql/connection_lake.h"

#include <duckdb/main/extension/extension_loader.hpp>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

namespace playhead::sql {
namespace {

using duckdb::LogicalType;
using duckdb::Value;

using Row = std::vector<Value>;
using Rows = std::vector<Row>;

struct Lake {
  std::shared_ptr<const LakeMoment> moment;
  catalog::Catalog& catalog;
};

constexpr int64_t kMicrosPerMilli = 1'000;

Value Micros(int64_t micros) { return Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(micros)); }

Value Optional(const std::optional<int64_t>& number) {
  return number ? Value::BIGINT(*number) : Value(LogicalType::BIGINT);
}

Row NameOf(const catalog::TableId& id) { return {Value(id.table_namespace), Value(id.name)}; }

void Extend(Row& row, std::initializer_list<Value> values) {
  row.insert(row.end(), values.begin(), values.end());
}

Status ListTables(const Lake& lake, Rows& rows) {
  for (const auto& [id, table] : lake.moment->tables) {
    const iceberg::TableMetadata& metadata = table->metadata();
    Row row = NameOf(id);
    Extend(row, {Value(metadata.location), Value(table->metadata_location()),
                 Optional(metadata.current_snapshot_id), Value::INTEGER(metadata.current_schema_id),
                 Micros(metadata.last_updated_ms * kMicrosPerMilli)});
    row.push_back(Value(LogicalType::VARCHAR));
    rows.push_back(std::move(row));
  }
  for (const auto& [id, problem] : lake.moment->problems) {
    Row row = NameOf(id);
    Extend(row, {Value(LogicalType::VARCHAR), Value(LogicalType::VARCHAR),
                 Value(LogicalType::BIGINT), Value(LogicalType::INTEGER),
                 Value(LogicalType::TIMESTAMP_TZ), Value(problem.message())});
    rows.push_back(std::move(row));
  }
  return OkStatus();
}

Status ListSnapshots(const Lake& lake, Rows& rows) {
  for (const auto& [id, table] : lake.moment->tables) {
    for (const iceberg::Snapshot& snapshot : table->metadata().snapshots) {
      duckdb::vector<Value> keys;
      duckdb::vector<Value> values;
      for (const auto& [key, value] : snapshot.summary) {
        keys.emplace_back(key);
        values.emplace_back(value);
      }
      const auto operation = snapshot.summary.find("operation");
      Row row = NameOf(id);
      Extend(row, {Value::BIGINT(snapshot.snapshot_id), Optional(snapshot.parent_snapshot_id),
                   Micros(snapshot.timestamp_ms * kMicrosPerMilli),
                   operation == snapshot.summary.end() ? Value(LogicalType::VARCHAR)
                                                       : Value(operation->second),
                   Value::BOOLEAN(snapshot.snapshot_id == table->metadata().current_snapshot_id),
                   Value::MAP(LogicalType::VARCHAR, LogicalType::VARCHAR, std::move(keys),
                              std::move(values))});
      rows.push_back(std::move(row));
    }
  }
  return OkStatus();
}

Status ListFiles(const Lake& lake, Rows& rows) {
  for (const auto& [id, table] : lake.moment->tables) {
    const auto listed = table->Files();
    if (!listed.ok()) {
      // Delete files or a damaged manifest: the other tables stand by themselves.
      logging::Warn("sql", "table left out of playhead.files",
                    {{"table", id.ToString()}, {"why", listed.error().message()}});
      continue;
    }
    const auto& files = *listed;
    for (const catalog::LiveFile& file : *files) {
      Row row = NameOf(id);
      Extend(row, {Value(file.file.path), Value::BIGINT(file.file.record_count),
                   Value::BIGINT(file.file.file_bytes), Value::BIGINT(file.snapshot_id),
                   Value::BIGINT(file.sequence_number)});
      rows.push_back(std::move(row));
    }
  }
  return OkStatus();
}

Status ListLandingFiles(const Lake& lake, Rows& rows) {
  for (const auto& [id, table] : lake.moment->tables) {
    PH_ASSIGN_OR_RETURN(
        const auto files,
        lake.catalog.LandingFiles(id, table->metadata().table_uuid, /*current_only=*/false));
    for (const catalog::LandingFile& file : files) {
      Row row = NameOf(id);
      Extend(row,
             {Value(file.name), Value(file.content_hash), Value(file.topic),
              Value::BIGINT(file.bytes), Value::BIGINT(file.rows_good),
              Value::BIGINT(file.rows_dead), Value::DATE(duckdb::date_t(file.ingestion_date_days)),
              Value(file.raw_uri), Micros(file.committed_us), Value::BOOLEAN(file.is_current)});
      rows.push_back(std::move(row));
    }
  }
  return OkStatus();
}

struct Column {
  std::string name;
  LogicalType type;
};

/// One view of schema `playhead`.
struct Fact {
  std::string name;
  std::vector<Column> columns;  ///< after `namespace` and `table_name`
  Status (*list)(const Lake& lake, Rows& rows);
};

const std::vector<Fact>& Facts() {
  static const auto* const kFacts = new std::vector<Fact>{
      {.name = "tables",
       .columns = {{"location", LogicalType::VARCHAR},
                   {"metadata_location", LogicalType::VARCHAR},
                   {"current_snapshot_id", LogicalType::BIGINT},
                   {"schema_id", LogicalType::INTEGER},
                   {"updated_at", LogicalType::TIMESTAMP_TZ},
                   {"problem", LogicalType::VARCHAR}},
       .list = ListTables},
      {.name = "snapshots",
       .columns = {{"snapshot_id", LogicalType::BIGINT},
                   {"parent_snapshot_id", LogicalType::BIGINT},
                   {"committed_at", LogicalType::TIMESTAMP_TZ},
                   {"operation", LogicalType::VARCHAR},
                   {"is_current", LogicalType::BOOLEAN},
                   {"summary", LogicalType::MAP(LogicalType::VARCHAR, LogicalType::VARCHAR)}},
       .list = ListSnapshots},
      {.name = "files",
       .columns = {{"path", LogicalType::VARCHAR},
                   {"rows", LogicalType::BIGINT},
                   {"bytes", LogicalType::BIGINT},
                   {"snapshot_id", LogicalType::BIGINT},
                   {"sequence_number", LogicalType::BIGINT}},
       .list = ListFiles},
      {.name = "landing_files",
       .columns = {{"name", LogicalType::VARCHAR},
                   {"content_hash", LogicalType::VARCHAR},
                   {"topic", LogicalType::VARCHAR},
                   {"bytes", LogicalType::BIGINT},
                   {"rows_good", LogicalType::BIGINT},
                   {"rows_dead", LogicalType::BIGINT},
                   {"ingestion_date", LogicalType::DATE},
                   {"raw_uri", LogicalType::VARCHAR},
                   {"committed_at", LogicalType::TIMESTAMP_TZ},
                   {"is_current", LogicalType::BOOLEAN}},
       .list = ListLandingFiles},
  };
  return *kFacts;
}

struct FactsInfo : public duckdb::TableFunctionInfo {
  explicit FactsInfo(catalog::Catalog& known) : catalog(known) {}
  catalog::Catalog& catalog;
};

struct FactsBind : public duckdb::TableFunctionData {
  const Fact* fact = nullptr;
  catalog::Catalog* catalog = nullptr;
};

struct FactsState : public duckdb::GlobalTableFunctionState {
  Rows rows;
  size_t next = 0;
};

duckdb::unique_ptr<duckdb::FunctionData> BindFacts(duckdb::ClientContext&,
                                                   duckdb::TableFunctionBindInput& input,
                                                   duckdb::vector<LogicalType>& types,
                                                   duckdb::vector<std::string>& names) {
  const std::string name = input.inputs[0].ToString();
  const auto fact =
      std::find_if(Facts().begin(), Facts().end(), [&](const Fact& f) { return f.name == name; });
  if (fact == Facts().end()) throw duckdb::BinderException("playhead_facts knows no " + name);
  names = {"namespace", "table_name"};
  types = {LogicalType::VARCHAR, LogicalType::VARCHAR};
  for (const Column& column : fact->columns) {
    names.push_back(column.name);
    types.push_back(column.type);
  }
  auto bind = duckdb::make_uniq<FactsBind>();
  bind->fact = &*fact;
  bind->catalog = &input.info->Cast<FactsInfo>().catalog;
  return bind;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> InitFacts(
    duckdb::ClientContext& context, duckdb::TableFunctionInitInput& input) {
  const auto& bind = input.bind_data->Cast<FactsBind>();
  const auto lake = ConnectionLake::Of(context);
  auto state = duckdb::make_uniq<FactsState>();
  const Status status =
      bind.fact->list({.moment = lake->moment(), .catalog = *bind.catalog}, state->rows);
  if (!status.ok()) {
    lake->NoteFailure(status);
    throw duckdb::IOException(status.ToString());
  }
  return state;
}

void EmitFacts(duckdb::ClientContext&, duckdb::TableFunctionInput& input,
               duckdb::DataChunk& output) {
  auto& state = input.global_state->Cast<FactsState>();
  duckdb::idx_t count = 0;
  for (; count < STANDARD_VECTOR_SIZE && state.next < state.rows.size(); ++count, ++state.next) {
    const Row& row = state.rows[state.next];
    for (size_t c = 0; c < row.size(); ++c) output.SetValue(c, count, row[c]);
  }
  output.SetCardinality(count);
}

}  // namespace

std::string RegisterLakeFacts(duckdb::DatabaseInstance& database, catalog::Catalog& catalog) {
  duckdb::ExtensionLoader loader(database, "playhead");
  duckdb::TableFunction function("playhead_facts", {LogicalType::VARCHAR}, EmitFacts, BindFacts,
                                 InitFacts);
  function.function_info = duckdb::make_shared_ptr<FactsInfo>(catalog);
  loader.RegisterFunction(std::move(function));
  std::string sql = "CREATE SCHEMA playhead";
  for (const Fact& fact : Facts()) {
    sql += fmt::format("; CREATE VIEW playhead.{} AS SELECT * FROM playhead_facts('{}')", fact.name,
                       fact.name);
  }
  return sql;
}

}  // namespace playhead::sql
