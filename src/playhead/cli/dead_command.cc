#include "playhead/cli/dead_command.h"

#include "playhead/base/suggest.h"
#include "playhead/cli/lake.h"
#include "playhead/cli/output.h"
#include "playhead/sql/quote.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace playhead::cli {
namespace {

/// Of a sample's record; the whole is in the table's `_record`.
constexpr int kRecordCharactersMax = 1000;

struct DeadArgs {
  std::string stream;
  std::string reason;
  std::string show;
  int64_t limit = 3;
  std::optional<std::string> format;
};

Result<std::vector<const project::Stream*>> ChooseStreams(const project::Project& project,
                                                          const std::string& name) {
  std::vector<const project::Stream*> chosen;
  std::vector<std::string> known;
  for (const project::Stream& stream : project.streams) {
    known.push_back(stream.name);
    if (name.empty() || stream.name == name) chosen.push_back(&stream);
  }
  if (chosen.empty() && !name.empty()) {
    return Error(StatusCode::kNotFound, "no such stream in models/sources.yml: {}{}", name,
                 DidYouMean(name, known));
  }
  return chosen;
}

/// All dead letters asked for, as one relation; the streams whose tables are there.
Result<std::string> DeadLettersSql(const std::vector<const project::Stream*>& streams,
                                   catalog::Catalog& catalog) {
  PH_ASSIGN_OR_RETURN(const std::vector<catalog::TableId> tables, catalog.ListTables());
  const std::set<catalog::TableId> present(tables.begin(), tables.end());
  std::string sql;
  for (const project::Stream* stream : streams) {
    const catalog::TableId id{stream->table_namespace, stream->identifier + "_dead"};
    if (!present.contains(id)) continue;
    sql += fmt::format("{}SELECT {} AS stream, * FROM {}.{}", sql.empty() ? "" : " UNION ALL ",
                       sql::QuotedText(stream->name), sql::QuotedName(id.table_namespace),
                       sql::QuotedName(id.name));
  }
  return sql;
}

/// If no dead letter has the given reason, notes which reasons there are.
Status ExplainNone(const std::string& reason, const std::string& dead_letters,
                   sql::Connection& connection) {
  PH_ASSIGN_OR_RETURN(
      const auto found,
      connection.Query(
          fmt::format("SELECT _reason, count(*) FROM ({}) GROUP BY 1 ORDER BY 1", dead_letters)));
  std::vector<std::string> names;
  std::string there;
  for (int64_t row = 0; row < found->rows(); ++row) {
    names.push_back(found->CellText(row, 0).value_or(""));
    there += fmt::format("{}{} ({})", row == 0 ? "; there are " : ", ", names.back(),
                         found->CellText(row, 1).value_or(""));
  }
  const bool is_there =
      reason.empty() ? !names.empty() : std::ranges::find(names, reason) != names.end();
  if (!is_there) {
    WriteNote(fmt::format("no dead letters{}{}{}\n", reason.empty() ? "" : " of reason " + reason,
                          DidYouMean(reason, names), there));
  }
  return OkStatus();
}

std::string ReasonsSql(const std::string& dead_letters) {
  return fmt::format(
      "SELECT stream, _reason AS reason, count(*) AS count,"
      " date_trunc('second', min(_ingested_at)) AS first_ingested_at,"
      " date_trunc('second', max(_ingested_at)) AS last_ingested_at FROM ({}) GROUP BY ALL"
      " ORDER BY stream, count DESC, reason",
      dead_letters);
}

/// The newest of each stream and reason. They are chosen by their position and joined with their
/// records afterwards, so that the sort does not carry records of 16 MiB.
std::string SamplesSql(const std::string& dead_letters, int64_t limit) {
  return fmt::format(
      "WITH dead AS ({0}), chosen AS (SELECT * FROM (SELECT stream, _reason, _topic, "
      "_topic_partition,"
      " _offset, _ingested_at, row_number() OVER (PARTITION BY stream, _reason ORDER BY"
      " _ingested_at DESC, _topic, _topic_partition, _offset DESC) AS number FROM dead)"
      " WHERE number <= {1})"
      " SELECT stream, _reason AS reason, _stage AS stage, _detail AS detail, _topic AS topic,"
      " _topic_partition AS partition, _offset AS offset, _ingested_at AS ingested_at,"
      " _log_time AS log_time, coalesce(try(decode(_key)), _key::VARCHAR) AS key,"
      " try_cast(_headers AS JSON) AS headers, octet_length(_record) AS record_bytes,"
      " left(coalesce(try(decode(_record)), _record::VARCHAR), {2}) AS record"
      " FROM dead JOIN chosen USING (stream, _reason, _topic, _topic_partition, _offset, "
      "_ingested_at)"
      " ORDER BY stream, reason, number",
      dead_letters, limit, kRecordCharactersMax);
}

/// Column numbers of SamplesSql().
enum SampleColumn { kStream, kReason, kStage, kDetail, kTopic, kPartition, kOffset, kRecord = 12 };

/// The reasons as objects, each with its samples inside.
std::string ReasonsJson(const sql::ResultTable& reasons, const sql::ResultTable& samples) {
  const auto object = [](const sql::ResultTable& table, int64_t row, size_t first_column) {
    std::string json = "{";
    for (size_t column = first_column; column < table.columns().size(); ++column) {
      json += fmt::format("{}\"{}\":{}", json.size() > 1 ? "," : "", table.columns()[column],
                          table.CellJson(row, static_cast<int>(column)));
    }
    return json;
  };
  std::string json = "[";
  for (int64_t row = 0; row < reasons.rows(); ++row) {
    if (row > 0) json += ",\n";
    json += object(reasons, row, 0) + ",\"samples\":[";
    bool is_first = true;
    for (int64_t sample = 0; sample < samples.rows(); ++sample) {
      const bool is_of_it = samples.CellText(sample, kStream) == reasons.CellText(row, kStream) &&
                            samples.CellText(sample, kReason) == reasons.CellText(row, kReason);
      if (!is_of_it) continue;
      json += (is_first ? "" : ",\n ") + object(samples, sample, kStage) + "}";
      is_first = false;
    }
    json += "]}";
  }
  return json + "]\n";
}

/// The reasons are shown as `playhead tables` shows its facts.
Table FactsOf(const sql::ResultTable& result) {
  Table table{.columns = result.columns(), .rows = {}};
  for (int64_t row = 0; row < result.rows(); ++row) {
    std::vector<Cell>& cells = table.rows.emplace_back();
    for (size_t column = 0; column < table.columns.size(); ++column) {
      const auto value = nlohmann::json::parse(result.CellJson(row, static_cast<int>(column)));
      cells.push_back(value.is_number_integer() ? Cell(value.get<int64_t>())
                                                : Cell(value.get<std::string>()));
    }
  }
  return table;
}

/// Cut to the terminal, so that a record does not push the others away, and without control
/// characters, so that it does not steer it either.
std::string Line(std::string text) {
  std::ranges::replace_if(text, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, ' ');
  const int columns = TerminalColumns();
  if (columns == 0) return text + "\n";
  return sql::CutToColumns(text, static_cast<size_t>(columns)) + "\n";
}

std::string SamplesText(const sql::ResultTable& samples) {
  std::string text;
  std::string heading;
  for (int64_t row = 0; row < samples.rows(); ++row) {
    const auto cell = [&](int column) { return samples.CellText(row, column).value_or(""); };
    const std::string group = fmt::format("{} {}", cell(kStream), cell(kReason));
    if (group != heading) text += (text.empty() ? "" : "\n") + group + "\n";
    heading = group;
    text += Line(fmt::format("  {} partition {} offset {}: {}", cell(kTopic), cell(kPartition),
                             cell(kOffset), cell(kDetail)));
    text += Line("    " + cell(kRecord));
  }
  return text;
}

Status ShowDeadLetters(const config::ResolvedConfig& config, const DeadArgs& args) {
  PH_ASSIGN_OR_RETURN(const auto streams, ChooseStreams(config.project, args.stream));
  PH_ASSIGN_OR_RETURN(const ReadableLake lake, OpenLake(config));
  PH_ASSIGN_OR_RETURN(const std::string all_dead, DeadLettersSql(streams, *lake.catalog));
  if (all_dead.empty()) {
    return Error(StatusCode::kNotFound, "nothing of {} has been ingested yet",
                 args.stream.empty() ? "this project" : args.stream);
  }
  PH_ASSIGN_OR_RETURN(const auto engine, sql::Engine::Open(*lake.catalog, *lake.store,
                                                           config::EngineOptionsOf(config)));
  PH_ASSIGN_OR_RETURN(const auto connection, engine->Connect());
  PH_RETURN_IF_ERROR(ExplainNone(args.reason, all_dead, *connection));
  const std::string dead = args.reason.empty()
                               ? all_dead
                               : fmt::format("SELECT * FROM ({}) WHERE _reason = {}", all_dead,
                                             sql::QuotedText(args.reason));
  const sql::OutputFormat format = ChooseFormat(args.format);
  const bool shows_reasons = args.show.empty() || args.show == "reasons";
  const bool shows_samples =
      args.show == "samples" || (args.show.empty() && !HoldsOneTable(format));
  std::unique_ptr<sql::ResultTable> reasons;
  std::unique_ptr<sql::ResultTable> samples;
  if (shows_reasons) {
    PH_ASSIGN_OR_RETURN(reasons, connection->Query(ReasonsSql(dead)));
  }
  if (shows_samples) {
    PH_ASSIGN_OR_RETURN(samples, connection->Query(SamplesSql(dead, args.limit)));
  }
  if (format == sql::OutputFormat::kJson && shows_reasons && shows_samples) {
    return WriteOut(ReasonsJson(*reasons, *samples));
  }
  std::string text;
  if (shows_reasons) text = Render(FactsOf(*reasons), format, TerminalColumns());
  if (shows_samples && format == sql::OutputFormat::kTable) {
    if (!text.empty() && samples->rows() > 0) text += "\n";
    text += SamplesText(*samples);
  } else if (shows_samples) {
    text += (text.empty() ? "" : "\n") + samples->Render(StyleOf(format));
  }
  return WriteOut(text);
}

}  // namespace

void AddDeadCommand(CommandLine& line) {
  auto args = std::make_shared<DeadArgs>();
  CLI::App& app = line.Add("dead", "Lists the records that did not fit, by reason, with samples",
                           "playhead dead media_events --limit 1");
  app.add_option("STREAM", args->stream, "One stream (default: all)");
  app.add_option("--reason", args->reason, "One reason, such as not_json (default: all)");
  app.add_option("--limit", args->limit, "Samples of each reason, the newest [3]")
      ->check(CLI::Range(int64_t{0}, int64_t{1'000'000}));
  app.add_option("--show", args->show,
                 "reasons or samples [both; in CSV, TSV and NDJSON the reasons]")
      ->check(OneOf({"reasons", "samples"}));
  AddFormatFlag(app, args->format);
  line.OnRun(app, [args](const config::ResolvedConfig& config) {
    const Status status = ShowDeadLetters(config, *args);
    return status.ok() ? kExitDone : Fail(status);
  });
}

}  // namespace playhead::cli
