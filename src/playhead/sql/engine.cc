#include "playhead/sql/engine.h"

#include "playhead/sql/complete.h"
#include "playhead/sql/connection_lake.h"
#include "playhead/sql/duckdb_error.h"
#include "playhead/sql/lake_facts.h"
#include "playhead/sql/lake_scan.h"
#include "playhead/sql/lake_statement.h"
#include "playhead/sql/lake_tables.h"
#include "playhead/sql/quote.h"
#include "playhead/sql/result_rows.h"
#include "playhead/sql/spill_folder.h"
#include "playhead/sql/store_file_system.h"
#include "playhead/sql/value_json.h"

#include <duckdb.hpp>
#include <duckdb/main/client_config.hpp>
#include <duckdb/main/stream_query_result.hpp>
#include <duckdb/parser/parser.hpp>

#include <chrono>
#include <mutex>
#include <utility>

namespace playhead::sql {
namespace {

constexpr std::chrono::milliseconds kProgressInterval{100};

/// What a user may change; everything else is locked, above all what would reach the network.
constexpr char kAllowedSettings[] =
    "SET allowed_configs = ['timezone', 'calendar', 'threads', 'memory_limit', 'max_memory', "
    "'search_path', 'schema', 'preserve_insertion_order', 'default_order', 'default_null_order', "
    "'explain_output', 'enable_profiling', 'profiling_mode', 'profiling_output', "
    "'custom_profiling_settings', 'integer_division', 'ieee_floating_point_ops', "
    "'scalar_subquery_error_on_multiple_rows', 'max_expression_depth', 'pivot_limit', "
    "'streaming_buffer_size', 'file_search_path', 'disabled_optimizers']";

/// Runs what may throw and turns the exception into a Status.
template <typename Function>
Status Guarded(const Function& function) {
  try {
    return function();
  } catch (const std::exception& exception) {
    return ToStatus(duckdb::ErrorData(exception));
  }
}

Status Execute(duckdb::Connection& connection, const std::string& sql) {
  return Guarded([&] {
    const auto result = connection.Query(sql);
    return result->HasError() ? ToStatus(result->GetErrorObject()) : OkStatus();
  });
}

}  // namespace

struct Engine::State {
  EngineOptions options;
  catalog::Catalog& catalog;
  storage::ObjectStore& store;
  std::optional<SpillFolder> spill;  ///< outlives the database
  std::mutex mutex;
  LakeTables tables;  ///< guarded by `mutex`, as is `own`
  std::unique_ptr<duckdb::DuckDB> database;
  std::unique_ptr<duckdb::Connection> own;  ///< makes the views

  State(catalog::Catalog& the_catalog, storage::ObjectStore& the_store, EngineOptions the_options)
      : options(std::move(the_options)),
        catalog(the_catalog),
        store(the_store),
        tables(the_catalog, the_store) {}

  /// Errors and exceptions as of DuckDB.
  Status Start() {
    if (!options.temp_folder.empty()) spill.emplace(options.temp_folder);
    duckdb::DBConfig config;
    config.SetOptionByName("autoinstall_known_extensions", duckdb::Value::BOOLEAN(false));
    config.SetOptionByName("autoload_known_extensions", duckdb::Value::BOOLEAN(false));
    config.SetOptionByName("allow_community_extensions", duckdb::Value::BOOLEAN(false));
    config.SetOptionByName("memory_limit",
                           duckdb::Value(fmt::format("{} bytes", options.memory_bytes_max)));
    config.SetOptionByName("temp_directory", duckdb::Value(spill ? spill->path() : ""));
    if (options.threads > 0) {
      config.SetOptionByName("threads", duckdb::Value::BIGINT(options.threads));
    }
    RegisterLakeNames(config);
    database = std::make_unique<duckdb::DuckDB>(nullptr, &config);
    RegisterStoreFileSystem(*database->instance, store);
    RegisterLakeScan(*database->instance);
    own = std::make_unique<duckdb::Connection>(*database);
    own->context->registered_state->Insert(ConnectionLake::kKey,
                                           duckdb::make_shared_ptr<ConnectionLake>());
    PH_RETURN_IF_ERROR(Execute(*own, RegisterLakeFacts(*database->instance, catalog)));
    for (const std::string_view schema : kSearchPath) {
      PH_RETURN_IF_ERROR(Execute(*own, "CREATE SCHEMA " + QuotedName(schema)));
    }
    PH_RETURN_IF_ERROR(Execute(*own, "SET GLOBAL TimeZone = 'UTC'"));
    PH_RETURN_IF_ERROR(Execute(*own, "SET GLOBAL parquet_metadata_cache = true"));
    PH_RETURN_IF_ERROR(Execute(*own, kAllowedSettings));
    return Execute(*own, "SET lock_configuration = true");
  }

  /// Moves to the catalog's present state. Views are made anew only where columns changed, by a
  /// connection that has no other transaction: those of others keep the views they began with.
  Status Refresh() {
    PH_ASSIGN_OR_RETURN(const LakeChanges changes, tables.Refresh());
    auto& lake = *ConnectionLake::Of(*own->context);
    lake.Move(tables.moment());
    for (const catalog::TableId& id : changes.made) {
      PH_RETURN_IF_ERROR(
          Execute(*own, "CREATE SCHEMA IF NOT EXISTS " + QuotedName(id.table_namespace)));
      PH_RETURN_IF_ERROR(Execute(*own, CreateViewSql(id)));
    }
    for (const catalog::TableId& id : changes.dropped) {
      PH_RETURN_IF_ERROR(Execute(*own, "DROP VIEW IF EXISTS " + QuotedName(id.table_namespace) +
                                           "." + QuotedName(id.name)));
    }
    return OkStatus();
  }
};

struct ResultTable::State {
  duckdb::shared_ptr<duckdb::ClientContext> context;
  duckdb::unique_ptr<duckdb::MaterializedQueryResult> result;
  std::vector<std::string> columns;

  duckdb::Value At(int64_t row, int column) const {
    return result->GetValue(static_cast<duckdb::idx_t>(column), static_cast<duckdb::idx_t>(row));
  }
};

struct Connection::State {
  Engine::State& engine;
  ConnectionOptions options;
  duckdb::Connection duckdb;
  duckdb::shared_ptr<ConnectionLake> lake = duckdb::make_shared_ptr<ConnectionLake>();
  std::chrono::steady_clock::time_point reported;

  State(Engine::State& its_engine, ConnectionOptions its_options)
      : engine(its_engine), options(std::move(its_options)), duckdb(*engine.database) {
    duckdb.context->registered_state->Insert(ConnectionLake::kKey, lake);
    duckdb::ClientConfig& client = duckdb::ClientConfig::GetConfig(*duckdb.context);
    // Only then is progress counted; printing is the caller's.
    client.enable_progress_bar = static_cast<bool>(options.on_progress);
    client.print_progress_bar = false;
  }

  /// The lake's own failure knows more than the error that DuckDB made of it.
  Status Failure(const duckdb::ErrorData& error) {
    if (std::optional<Status> failure = lake->TakeFailure()) return *failure;
    return ToStatus(error);
  }

  /// Takes the present moment; within a transaction the one of its beginning stays.
  Status Refresh() {
    if (!duckdb.IsAutoCommit()) return OkStatus();
    PH_RETURN_IF_ERROR(engine.Refresh());
    lake->Move(engine.tables.moment());
    return OkStatus();
  }

  Result<duckdb::Value> Evaluate(const std::string& expression, const std::string& type) {
    const auto result = duckdb.Query("SELECT CAST((" + expression + ") AS " + type + ")");
    if (result->HasError()) return ToStatus(result->GetErrorObject());
    return result->GetValue(0, 0);
  }

  bool IsOwn(const std::string& name) {
    const auto result = duckdb.Query(
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'main' AND "
        "lower(table_name) = lower(" +
        QuotedText(name) + ")");
    return !result->HasError() && result->GetValue(0, 0).GetValue<int64_t>() > 0;
  }

  /// Binds the statement to the lake of this moment and begins it.
  Result<duckdb::unique_ptr<duckdb::PendingQueryResult>> Begin(
      duckdb::unique_ptr<duckdb::SQLStatement> statement,
      duckdb::QueryResultOutputType output_type) {
    const std::lock_guard lock(engine.mutex);
    PH_RETURN_IF_ERROR(Refresh());
    const LakeMoment& moment = *lake->moment();
    PH_RETURN_IF_ERROR(CheckStatement(*statement, moment,
                                      [this](const std::string& name) { return IsOwn(name); }));
    PH_RETURN_IF_ERROR(ResolveSnapshots(
        *statement, moment,
        [this](const std::string& sql, const std::string& type) { return Evaluate(sql, type); }));
    lake->TakeFailure();
    auto pending = duckdb.PendingQuery(std::move(statement), duckdb::QueryParameters(output_type));
    if (pending->HasError()) return Failure(pending->GetErrorObject());
    return pending;
  }

  /// Reports progress if it is time to; the caller may want no more.
  void Report() {
    const auto now = std::chrono::steady_clock::now();
    if (!options.on_progress || now - reported < kProgressInterval) return;
    reported = now;
    if (!options.on_progress(duckdb.GetQueryProgress())) duckdb.Interrupt();
  }

  /// Works on the statement until its result, or the first rows of a streamed one, are there.
  Result<duckdb::unique_ptr<duckdb::QueryResult>> Finish(duckdb::PendingQueryResult& pending) {
    using State = duckdb::PendingExecutionResult;
    reported = std::chrono::steady_clock::now();
    while (true) {
      const State state = pending.ExecuteTask();
      if (duckdb::PendingQueryResult::IsResultReady(state) || state == State::EXECUTION_ERROR) {
        break;
      }
      if (state == State::NO_TASKS_AVAILABLE || state == State::BLOCKED) pending.WaitForTask();
      Report();
    }
    if (pending.HasError()) return Failure(pending.GetErrorObject());
    auto result = pending.Execute();
    if (result->HasError()) return Failure(result->GetErrorObject());
    return result;
  }

  Status RunAll(std::string_view sql, duckdb::QueryResultOutputType output_type,
                const std::function<Status(duckdb::unique_ptr<duckdb::QueryResult>)>& take) {
    lake->TakeFailure();
    try {
      for (auto& statement : duckdb.ExtractStatements(std::string(sql))) {
        PH_ASSIGN_OR_RETURN(auto pending, Begin(std::move(statement), output_type));
        PH_ASSIGN_OR_RETURN(auto result, Finish(*pending));
        PH_RETURN_IF_ERROR(take(std::move(result)));
      }
      return OkStatus();
    } catch (const std::exception& exception) {
      return Failure(duckdb::ErrorData(exception));
    }
  }

  /// The next rows; null at the end.
  Result<duckdb::unique_ptr<duckdb::DataChunk>> Next(duckdb::QueryResult& result) {
    using State = duckdb::StreamExecutionResult;
    if (result.type == duckdb::QueryResultType::STREAM_RESULT) {
      auto& stream = result.Cast<duckdb::StreamQueryResult>();
      State state = State::CHUNK_NOT_READY;
      while (stream.IsOpen() &&
             !duckdb::StreamQueryResult::IsChunkReady(state = stream.ExecuteTask())) {
        if (state == State::NO_TASKS_AVAILABLE || state == State::BLOCKED) stream.WaitForTask();
        Report();
      }
    }
    auto chunk = result.FetchRaw();
    if (result.HasError()) return Failure(result.GetErrorObject());
    return chunk;
  }
};

namespace {

class DuckdbStream final : public ResultStream {
 public:
  DuckdbStream(Connection::State& connection, duckdb::unique_ptr<duckdb::QueryResult> result)
      : connection_(connection), result_(std::move(result)) {}

  bool is_plan() const override {
    return result_->statement_type == duckdb::StatementType::EXPLAIN_STATEMENT;
  }

  Status Write(const OutputStyle& style, const OutputSink& sink) override {
    const bool is_drawn = style.format <= OutputFormat::kMarkdown && is_plan();
    ResultRows rows(*connection_.duckdb.context, *result_, style, sink);
    while (true) {
      PH_ASSIGN_OR_RETURN(const auto chunk, connection_.Next(*result_));
      if (chunk == nullptr || chunk->size() == 0) break;
      if (is_drawn) {
        PH_RETURN_IF_ERROR(Draw(*chunk, sink));
      } else {
        PH_RETURN_IF_ERROR(rows.Add(*chunk));
        PH_RETURN_IF_ERROR(rows.Flush());
      }
    }
    return is_drawn ? OkStatus() : rows.Finish();
  }

 private:
  /// The plan is in the last column; the first one is its kind.
  static Status Draw(duckdb::DataChunk& chunk, const OutputSink& sink) {
    for (duckdb::idx_t row = 0; row < chunk.size(); ++row) {
      PH_RETURN_IF_ERROR(sink(chunk.GetValue(chunk.ColumnCount() - 1, row).ToString()));
    }
    return OkStatus();
  }

  Connection::State& connection_;
  duckdb::unique_ptr<duckdb::QueryResult> result_;
};

}  // namespace

ResultTable::ResultTable(std::unique_ptr<State> state) : state_(std::move(state)) {}
ResultTable::~ResultTable() = default;

const std::vector<std::string>& ResultTable::columns() const { return state_->columns; }
int64_t ResultTable::rows() const { return static_cast<int64_t>(state_->result->RowCount()); }

std::string ResultTable::CellJson(int64_t row, int column) const {
  return ValueJson(state_->At(row, column));
}

std::optional<std::string> ResultTable::CellText(int64_t row, int column) const {
  const duckdb::Value value = state_->At(row, column);
  return value.IsNull() ? std::nullopt : std::optional<std::string>(value.ToString());
}

std::string ResultTable::Render(const OutputStyle& style) const {
  std::string text;
  ResultRows rows(*state_->context, *state_->result, style, [&](std::string_view piece) {
    text += piece;
    return OkStatus();
  });
  for (duckdb::DataChunk& chunk : state_->result->Collection().Chunks()) {
    PH_CHECK(rows.Add(chunk).ok());
  }
  PH_CHECK(rows.Finish().ok());
  return text;
}

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::~Connection() = default;

Result<std::unique_ptr<ResultTable>> Connection::Query(std::string_view sql) {
  std::unique_ptr<ResultTable> last;
  PH_RETURN_IF_ERROR(state_->RunAll(
      sql, duckdb::QueryResultOutputType::FORCE_MATERIALIZED,
      [&](duckdb::unique_ptr<duckdb::QueryResult> result) {
        auto state = std::make_unique<ResultTable::State>();
        state->context = state_->duckdb.context;
        state->columns.assign(result->names.begin(), result->names.end());
        state->result =
            duckdb::unique_ptr_cast<duckdb::QueryResult, duckdb::MaterializedQueryResult>(
                std::move(result));
        last = std::make_unique<ResultTable>(std::move(state));
        return OkStatus();
      }));
  if (last == nullptr) return Error(StatusCode::kInvalidArgument, "no statement to run");
  return last;
}

Status Connection::Run(std::string_view sql, const std::function<Status(ResultStream&)>& emit) {
  return state_->RunAll(sql, duckdb::QueryResultOutputType::ALLOW_STREAMING,
                        [&](duckdb::unique_ptr<duckdb::QueryResult> result) {
                          // Not "Success" of a statement that nobody asked rows of.
                          const bool has_rows = result->properties.return_type ==
                                                duckdb::StatementReturnType::QUERY_RESULT;
                          if (!has_rows) return OkStatus();
                          DuckdbStream stream(*state_, std::move(result));
                          return emit(stream);
                        });
}

std::vector<Completion> Connection::Complete(std::string_view text) {
  std::vector<Completion> completions;
  // A failure here only means that there is nothing to offer.
  const Status status = Guarded([&] {
    {
      const std::lock_guard lock(state_->engine.mutex);
      PH_RETURN_IF_ERROR(state_->Refresh());
    }
    completions = CompleteText(state_->duckdb, std::string(text));
    return OkStatus();
  });
  if (!status.ok()) completions.clear();
  return completions;
}

void Connection::Interrupt() { state_->duckdb.Interrupt(); }

Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::Open(catalog::Catalog& catalog, storage::ObjectStore& store,
                                             EngineOptions options) {
  auto state = std::make_unique<State>(catalog, store, std::move(options));
  PH_RETURN_IF_ERROR(Guarded([&] { return state->Start(); }));
  return std::make_unique<Engine>(std::move(state));
}

Result<std::unique_ptr<Connection>> Engine::Connect(ConnectionOptions options) {
  std::unique_ptr<Connection> connection;
  PH_RETURN_IF_ERROR(Guarded([&] {
    auto state = std::make_unique<Connection::State>(*state_, std::move(options));
    PH_RETURN_IF_ERROR(Execute(
        state->duckdb, fmt::format("SET search_path = 'main,{}'", fmt::join(kSearchPath, ","))));
    connection = std::make_unique<Connection>(std::move(state));
    return OkStatus();
  }));
  return connection;
}

Status Engine::AddSeed(const std::string& schema, const std::string& name,
                       const std::string& csv_path, const std::vector<SeedColumn>& columns) {
  std::string types;
  for (const SeedColumn& column : columns) {
    types +=
        (types.empty() ? "" : ", ") + QuotedText(column.name) + ": " + QuotedText(column.data_type);
  }
  const std::lock_guard lock(state_->mutex);
  PH_RETURN_IF_ERROR(Execute(*state_->own, "CREATE SCHEMA IF NOT EXISTS " + QuotedName(schema)));
  return Execute(*state_->own,
                 "CREATE OR REPLACE VIEW " + QuotedName(schema) + "." + QuotedName(name) +
                     " AS SELECT * FROM read_csv(" + QuotedText(csv_path) +
                     ", header = true, auto_detect = false, columns = {" + types + "})");
}

bool IsIncomplete(std::string_view text) {
  bool is_incomplete = false;
  const std::string query(text);
  const Status status = Guarded([&] {
    for (const duckdb::SimplifiedToken& token : duckdb::Parser::Tokenize(query)) {
      if (token.type == duckdb::SimplifiedTokenType::SIMPLIFIED_TOKEN_COMMENT) continue;
      is_incomplete = query[token.start] != ';';
    }
    return OkStatus();
  });
  // What cannot be cut into tokens has an open quote or comment.
  return !status.ok() || is_incomplete;
}

}  // namespace playhead::sql
