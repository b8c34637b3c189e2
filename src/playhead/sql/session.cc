#include "playhead/sql/session.h"

#include "playhead/sql/duckdb_error.h"
#include "playhead/sql/lake_facts.h"
#include "playhead/sql/lake_scan.h"
#include "playhead/sql/lake_tables.h"
#include "playhead/sql/result_table.h"
#include "playhead/sql/store_file_system.h"

#include <duckdb.hpp>
#include <duckdb/main/client_config.hpp>
#include <duckdb/parser/keyword_helper.hpp>
#include <duckdb/parser/parser.hpp>
#include <duckdb/parser/statement/prepare_statement.hpp>

#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

namespace playhead::sql {
namespace {

constexpr std::chrono::milliseconds kProgressInterval{100};

std::string Quoted(const std::string& text, char quote) {
  return duckdb::KeywordHelper::WriteQuoted(text, quote);
}

/// INSTALL and LOAD, also behind PREPARE.
bool LoadsExtension(const duckdb::SQLStatement& statement) {
  if (statement.type == duckdb::StatementType::LOAD_STATEMENT) return true;
  if (statement.type != duckdb::StatementType::PREPARE_STATEMENT) return false;
  return LoadsExtension(*statement.Cast<duckdb::PrepareStatement>().statement);
}

/// Runs what may throw and turns the exception into a Status.
template <typename Function>
Status Guarded(const Function& function) {
  try {
    return function();
  } catch (const std::exception& exception) {
    return ToStatus(duckdb::ErrorData(exception));
  }
}

class DuckdbSession final : public Session {
 public:
  DuckdbSession(catalog::Catalog& catalog, storage::ObjectStore& store, SessionOptions options)
      : options_(std::move(options)), store_(store), tables_(catalog, store) {}

  /// Errors and exceptions as of DuckDB.
  Status Start() {
    return Guarded([this] {
      duckdb::DBConfig config;
      config.SetOptionByName("autoinstall_known_extensions", duckdb::Value::BOOLEAN(false));
      config.SetOptionByName("autoload_known_extensions", duckdb::Value::BOOLEAN(false));
      config.SetOptionByName("allow_community_extensions", duckdb::Value::BOOLEAN(false));
      config.SetOptionByName("memory_limit",
                             duckdb::Value(fmt::format("{} bytes", options_.memory_bytes_max)));
      config.SetOptionByName("temp_directory", duckdb::Value(options_.temp_folder));
      if (options_.threads > 0) {
        config.SetOptionByName("threads", duckdb::Value::BIGINT(options_.threads));
      }
      RegisterProblems(config, tables_);
      database_ = std::make_unique<duckdb::DuckDB>(nullptr, &config);
      RegisterStoreFileSystem(*database_->instance, store_);
      RegisterLakeScan(*database_->instance, tables_);
      connection_ = std::make_unique<duckdb::Connection>(*database_);
      PH_RETURN_IF_ERROR(Execute(RegisterLakeFacts(*database_->instance, tables_)));
      PH_RETURN_IF_ERROR(Execute("SET TimeZone = 'UTC'"));
      PH_RETURN_IF_ERROR(Execute("SET parquet_metadata_cache = true"));
      duckdb::ClientConfig& client = duckdb::ClientConfig::GetConfig(*connection_->context);
      // Only then is progress counted; printing is the caller's.
      client.enable_progress_bar = static_cast<bool>(options_.on_progress);
      client.print_progress_bar = false;
      return OkStatus();
    });
  }

  Result<std::unique_ptr<ResultTable>> Query(std::string_view sql) override {
    std::unique_ptr<ResultTable> last;
    PH_RETURN_IF_ERROR(RunAll(sql, [&](Outcome outcome) {
      last = std::move(outcome.table);
      return OkStatus();
    }));
    if (last == nullptr) return Error(StatusCode::kInvalidArgument, "no statement to run");
    return last;
  }

  Status Run(std::string_view sql, const std::function<Status(const ResultTable&)>& emit) override {
    return RunAll(sql, [&](const Outcome& outcome) {
      return outcome.is_query ? emit(*outcome.table) : OkStatus();
    });
  }

  void Interrupt() override { connection_->Interrupt(); }

  std::vector<Completion> Complete(std::string_view text) override {
    std::vector<Completion> completions;
    // A failure here only means that there is nothing to offer.
    const Status status = Guarded([&] {
      PH_RETURN_IF_ERROR(Refresh());
      auto result =
          connection_->Query("SELECT suggestion, suggestion_start FROM sql_auto_complete(" +
                             Quoted(std::string(text), '\'') + ")");
      if (result->HasError()) return ToStatus(result->GetErrorObject());
      for (duckdb::idx_t row = 0; row < result->RowCount(); ++row) {
        const auto start = result->GetValue(1, row).GetValue<int64_t>();
        if (start < 0 || static_cast<size_t>(start) > text.size()) continue;
        completions.push_back(
            {.text = result->GetValue(0, row).ToString(), .start = static_cast<size_t>(start)});
      }
      return OkStatus();
    });
    if (!status.ok()) completions.clear();
    return completions;
  }

  bool IsIncomplete(std::string_view text) override {
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

  Status AddSeed(const std::string& schema, const std::string& name, const std::string& csv_path,
                 const std::vector<SeedColumn>& columns) override {
    std::string types;
    for (const SeedColumn& column : columns) {
      types += (types.empty() ? "" : ", ") + Quoted(column.name, '\'') + ": " +
               Quoted(column.data_type, '\'');
    }
    PH_RETURN_IF_ERROR(Execute("CREATE SCHEMA IF NOT EXISTS " + Quoted(schema, '"')));
    return Execute("CREATE OR REPLACE VIEW " + Quoted(schema, '"') + "." + Quoted(name, '"') +
                   " AS SELECT * FROM read_csv(" + Quoted(csv_path, '\'') +
                   ", header = true, auto_detect = false, columns = {" + types + "})");
  }

 private:
  Status Execute(const std::string& sql) {
    return Guarded([&] {
      auto result = connection_->Query(sql);
      return result->HasError() ? ToStatus(result->GetErrorObject()) : OkStatus();
    });
  }

  /// Moves to the catalog's present state. Views are made anew only where columns changed.
  Status Refresh() {
    PH_ASSIGN_OR_RETURN(const LakeChanges changes, tables_.Refresh());
    for (const catalog::TableId& id : changes.made) {
      PH_RETURN_IF_ERROR(Execute("CREATE SCHEMA IF NOT EXISTS " + Quoted(id.table_namespace, '"')));
      PH_RETURN_IF_ERROR(Execute(CreateViewSql(id)));
    }
    for (const catalog::TableId& id : changes.dropped) {
      PH_RETURN_IF_ERROR(Execute("DROP VIEW IF EXISTS " + Quoted(id.table_namespace, '"') + "." +
                                 Quoted(id.name, '"')));
    }
    return OkStatus();
  }

  template <typename Take>
  Status RunAll(std::string_view sql, const Take& take) {
    return Guarded([&] {
      duckdb::vector<duckdb::unique_ptr<duckdb::SQLStatement>> statements =
          connection_->ExtractStatements(std::string(sql));
      for (auto& statement : statements) {
        PH_ASSIGN_OR_RETURN(Outcome outcome, RunOne(std::move(statement)));
        PH_RETURN_IF_ERROR(take(std::move(outcome)));
      }
      return OkStatus();
    });
  }

  struct Outcome {
    std::unique_ptr<ResultTable> table;
    bool is_query = false;  ///< rows that somebody asked for, not "Success"
  };

  Result<Outcome> RunOne(duckdb::unique_ptr<duckdb::SQLStatement> statement) {
    if (LoadsExtension(*statement)) {
      return Error(StatusCode::kNotSupported, "extensions are neither installed nor loaded here");
    }
    // Inside BEGIN … COMMIT the views stay as they are, or DuckDB would see two writers.
    if (connection_->IsAutoCommit()) PH_RETURN_IF_ERROR(Refresh());
    tables_.TakeFailure();
    if (!options_.temp_folder.empty()) {
      // DuckDB makes the folder itself, but not its parents.
      std::error_code ignored;
      std::filesystem::create_directories(std::filesystem::path(options_.temp_folder).parent_path(),
                                          ignored);
    }
    auto pending = connection_->PendingQuery(
        std::move(statement),
        duckdb::QueryParameters(duckdb::QueryResultOutputType::FORCE_MATERIALIZED));
    if (pending->HasError()) return Failure(pending->GetErrorObject());
    Drive(*pending);
    if (pending->HasError()) return Failure(pending->GetErrorObject());
    duckdb::unique_ptr<duckdb::QueryResult> result = pending->Execute();
    if (result->HasError()) return Failure(result->GetErrorObject());
    auto materialized =
        duckdb::unique_ptr_cast<duckdb::QueryResult, duckdb::MaterializedQueryResult>(
            std::move(result));
    const bool is_query =
        materialized->properties.return_type == duckdb::StatementReturnType::QUERY_RESULT;
    return Outcome{.table = MakeResultTable(connection_->context, std::move(materialized)),
                   .is_query = is_query};
  }

  /// Works on the statement until its result is ready, reporting progress.
  void Drive(duckdb::PendingQueryResult& pending) {
    if (!options_.on_progress) return;
    auto reported = std::chrono::steady_clock::now();
    while (true) {
      const duckdb::PendingExecutionResult state = pending.ExecuteTask();
      if (duckdb::PendingQueryResult::IsResultReady(state) ||
          state == duckdb::PendingExecutionResult::EXECUTION_ERROR) {
        return;
      }
      if (state == duckdb::PendingExecutionResult::NO_TASKS_AVAILABLE ||
          state == duckdb::PendingExecutionResult::BLOCKED) {
        pending.WaitForTask();
      }
      const auto now = std::chrono::steady_clock::now();
      if (now - reported < kProgressInterval) continue;
      reported = now;
      options_.on_progress(connection_->GetQueryProgress());
    }
  }

  /// The lake's own failure knows more than the error that DuckDB made of it.
  Status Failure(const duckdb::ErrorData& error) {
    if (std::optional<Status> failure = tables_.TakeFailure()) return *failure;
    return ToStatus(error);
  }

  SessionOptions options_;
  storage::ObjectStore& store_;
  LakeTables tables_;
  std::unique_ptr<duckdb::DuckDB> database_;
  std::unique_ptr<duckdb::Connection> connection_;
};

}  // namespace

Result<OutputFormat> ParseOutputFormat(std::string_view name) {
  if (name == "table") return OutputFormat::kTable;
  if (name == "csv") return OutputFormat::kCsv;
  if (name == "json") return OutputFormat::kJson;
  if (name == "markdown") return OutputFormat::kMarkdown;
  return Error(StatusCode::kInvalidArgument, "got '{}', expected table, csv, json or markdown",
               name);
}

Result<std::unique_ptr<Session>> Session::Open(catalog::Catalog& catalog,
                                               storage::ObjectStore& store,
                                               SessionOptions options) {
  auto session = std::make_unique<DuckdbSession>(catalog, store, std::move(options));
  PH_RETURN_IF_ERROR(session->Start());
  return std::unique_ptr<Session>(std::move(session));
}

}  // namespace playhead::sql
