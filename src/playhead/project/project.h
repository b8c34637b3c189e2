#pragma once

#include "playhead/base/partition_decl.h"
#include "playhead/base/status.h"

#include <arrow/type_fwd.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::project {

/// Where something was declared, for messages: `models/sources.yml:12`.
struct Place {
  std::string file;  ///< relative to the project folder
  int line = 0;      ///< from 1
};

/// One mistake: what stands there and what was expected.
struct Problem {
  Place place;
  std::string message;
};

enum class Format { kJson, kJsonl, kCsv, kParquet };
enum class OnChange { kAppend, kReplace, kRefuse };

struct ColumnDecl {
  std::string name;
  std::string data_type;                  ///< DuckDB's SQL name as written
  std::shared_ptr<arrow::DataType> type;  ///< the same for Arrow
  bool not_null = false;
  std::vector<std::string> accepted_values;
  std::string description;
  Place place;
};

/// A stream: one dbt source table. docs/formats/project.md is the manual.
struct Stream {
  std::string source_name;      ///< dbt's source: `bronze`
  std::string name;             ///< dbt's table: `media_events`; STREAM on the command line
  std::string table_namespace;  ///< schema of the source, `bronze`
  std::string
      identifier;  ///< table name in the lake; `name` unless dbt's `identifier` says otherwise
  std::string description;
  std::string topic;  ///< empty when it has none
  /// Glob patterns below the landing folder; empty with a topic. The default patterns are written
  /// out.
  std::vector<std::string> landing;
  Format format = Format::kJson;
  std::string event_time;  ///< column or empty
  std::string timezone = "UTC";
  OnChange on_change = OnChange::kReplace;
  std::vector<PartitionDecl> partition_by;
  bool has_ingestion_date = false;  ///< partitioned by the virtual DATE column `ingestion_date`
  std::vector<ColumnDecl> columns;  ///< without the virtual `ingestion_date` and source columns
  std::map<std::string, std::string>
      table_properties;  ///< meta.playhead.properties, e.g. compression
  std::optional<int64_t> event_time_ahead_us;
  Place place;
};

struct Rival {
  std::string name;  ///< an analysis
  std::string definition;
  Place place;
};

/// A question: a dbt analysis with `config.meta.playhead.question`.
struct Question {
  std::string name;
  std::string question;
  std::string definition;
  std::string sql_file;  ///< relative path
  std::string sql;       ///< with Jinja
  std::vector<Rival> rivals;
  std::string unit;
  Place place;
};

struct Analysis {
  std::string name;
  std::string file;
  std::string sql;
};

/// A value of a setting in playhead.yml, judged by `config`.
struct SettingDecl {
  std::string value;
  Place place;
};

struct Target {
  std::string name;
  std::string warehouse;  ///< as written; relative to the project folder
  std::string catalog;    ///< empty = `sqlite:<warehouse>/catalog.db`
  std::string log_type = "journal";
  std::map<std::string, std::string> kafka_properties;
  std::string landing = "landing";              ///< as written; relative to the project folder
  std::map<std::string, SettingDecl> settings;  ///< intervals and limits: `epoch.rows_max` …
  Place place;
};

/// Values of dbt's `var()` by name, as Jinja prints them: `2025-09-09`, `10`, `True`, `None`.
using Vars = std::map<std::string, std::string>;
/// Environment variables, for dbt's `{{ env_var('NAME', 'default') }}` in values of playhead.yml.
using Environment = std::map<std::string, std::string>;

/// A CSV file with a header line that `ref` names. Columns are those of the header, in its order.
struct Seed {
  struct Column {
    std::string name;
    std::string data_type;  ///< DuckDB's SQL name
  };
  std::string name;
  std::string file;  ///< relative
  std::vector<Column> columns;
};

struct Project {
  std::string folder;  ///< absolute
  std::string name;
  std::string default_target;
  std::vector<Target> targets;
  std::vector<Stream> streams;
  std::vector<Question> questions;
  std::vector<Analysis> analyses;  ///< all, questions and rivals included
  Vars vars;                       ///< of dbt_project.yml
  std::vector<Seed> seeds;

  const Stream* FindStream(std::string_view name) const;
  const Question* FindQuestion(std::string_view name) const;
  const Analysis* FindAnalysis(std::string_view name) const;
  const Seed* FindSeed(std::string_view name) const;
};

/// Everything that was read, and everything that is wrong with it. The project is usable only
/// without problems.
struct ReadOutcome {
  Project project;
  std::vector<Problem> problems;
};

/// Errors: kNotFound (no playhead.yml in `folder`). All mistakes in the files are `problems`.
Result<ReadOutcome> ReadProject(const std::string& folder, const Environment& environment = {});

/// The map of `--vars`: YAML or JSON, name to scalar. Errors: kInvalidArgument.
Result<Vars> ParseVars(std::string_view yaml);

/// `file:line: message` per problem and line, sorted.
std::string DescribeProblems(const std::vector<Problem>& problems);

/// The given folder or its nearest parent with a playhead.yml. Errors: kNotFound.
Result<std::string> FindProjectFolder(const std::string& start);

/// Arrow type of DuckDB's SQL type name: `VARCHAR`, `BIGINT`, `TIMESTAMPTZ`, `VARCHAR[]`,
/// `STRUCT(a VARCHAR, b STRUCT(c BIGINT)[])`, `DECIMAL(12,2)`, `MAP(VARCHAR, BIGINT)`. Errors:
/// kInvalidArgument says where the name cannot be understood; kNotSupported.
Result<std::shared_ptr<arrow::DataType>> ParseDataType(std::string_view sql_name);

}  // namespace playhead::project
