#include "playhead/cli/tables_command.h"

#include "playhead/base/suggest.h"
#include "playhead/catalog/scan.h"
#include "playhead/cli/lake.h"
#include "playhead/cli/output.h"
#include "playhead/cli/table_facts.h"

#include <CLI/CLI.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace playhead::cli {
namespace {

/// A terminal or a page shows no more files than this; JSON and CSV show all.
constexpr size_t kFilesShownMax = 20;

struct TablesArgs {
  std::string name;
  std::string show;
  std::optional<std::string> format;
};

/// Column of the event time of a declared stream's table; empty for others.
std::string EventTimeColumn(const config::ResolvedConfig& config, const catalog::TableId& id) {
  for (const project::Stream& stream : config.project.streams) {
    if (stream.table_namespace == id.table_namespace && stream.identifier == id.name) {
      return stream.event_time;
    }
  }
  return "";
}

Result<std::vector<Cell>> SummaryOf(const config::ResolvedConfig& config, const ReadableLake& lake,
                                    const catalog::TableId& id) {
  PH_ASSIGN_OR_RETURN(const catalog::TableState state, lake.catalog->Load(id));
  PH_ASSIGN_OR_RETURN(const std::vector<catalog::LiveFile> files,
                      catalog::LiveFiles(*lake.store, *state.metadata));
  int64_t rows = 0;
  int64_t bytes = 0;
  for (const catalog::LiveFile& file : files) {
    rows += file.file.record_count;
    bytes += file.file.file_bytes;
  }
  const std::optional<int64_t> newest =
      NewestMicros(*state.metadata, files, EventTimeColumn(config, id));
  const iceberg::Snapshot* snapshot = state.metadata->CurrentSnapshot();
  return std::vector<Cell>{
      id.ToString(),
      rows,
      static_cast<int64_t>(files.size()),
      bytes,
      static_cast<int64_t>(state.metadata->snapshots.size()),
      newest ? Cell(IsoMicros(*newest)) : Cell(),
      snapshot != nullptr ? Cell(IsoMicros(snapshot->timestamp_ms * 1000)) : Cell()};
}

/// The column `problem` is there only when a table has one; such a table has nothing else.
Result<Table> ListTables(const config::ResolvedConfig& config, const ReadableLake& lake) {
  Table table{
      .columns = {"table", "rows", "files", "bytes", "snapshots", "newest_event", "last_commit"},
      .rows = {}};
  PH_ASSIGN_OR_RETURN(const std::vector<catalog::TableId> ids, lake.catalog->ListTables());
  bool has_problem = false;
  for (const catalog::TableId& id : ids) {
    Result<std::vector<Cell>> summary = SummaryOf(config, lake, id);
    if (!summary.ok() && summary.error().code() == StatusCode::kNotFound) continue;  // dropped
    has_problem |= !summary.ok();
    Cell problem;
    if (!summary.ok()) problem = summary.error().message();
    std::vector<Cell> row = {id.ToString()};
    if (summary.ok()) row = *std::move(summary);
    row.resize(table.columns.size());
    row.push_back(std::move(problem));
    table.rows.push_back(std::move(row));
  }
  if (has_problem) {
    table.columns.emplace_back("problem");
  } else {
    for (std::vector<Cell>& row : table.rows) row.pop_back();
  }
  return table;
}

/// `bronze.plays`, or `plays` when only one namespace has it.
Result<catalog::TableId> FindTable(catalog::Catalog& catalog, const std::string& name) {
  PH_ASSIGN_OR_RETURN(const std::vector<catalog::TableId> ids, catalog.ListTables());
  std::vector<catalog::TableId> found;
  std::vector<std::string> names;
  for (const catalog::TableId& id : ids) {
    if (id.ToString() == name) return id;
    if (id.name == name) found.push_back(id);
    names.push_back(id.ToString());
  }
  if (found.size() == 1) return found[0];
  if (found.size() > 1) {
    return Error(StatusCode::kInvalidArgument,
                 "table {} is in several namespaces; name it as NAMESPACE.TABLE", name);
  }
  return Error(StatusCode::kNotFound, "no such table: {}{}", name, DidYouMean(name, names));
}

using Sections = std::vector<std::pair<std::string, Table>>;

Sections SectionsOf(const TableFacts& facts) {
  return {{"schema", facts.Schema()},
          {"partition_spec", facts.Spec()},
          {"snapshots", facts.Snapshots()},
          {"partitions", facts.Partitions()},
          {"files", facts.Files()}};
}

std::string WithoutLineBreak(std::string text) {
  text.pop_back();
  return text;
}

/// One object with an array per section.
std::string SectionsJson(const catalog::TableState& state, const Sections& sections) {
  const Table names{.columns = {"table", "location", "metadata", "format_version"},
                    .rows = {{state.id.ToString(), state.metadata->location,
                              state.metadata_location, int64_t{2}}}};
  std::string json = WithoutLineBreak(Render(names, sql::OutputFormat::kJson));
  // `[{…}]` → `{…` to go on with the sections.
  json = json.substr(1, json.size() - 3);
  for (const auto& [name, table] : sections) {
    json += fmt::format(",\n\"{}\":{}", name,
                        WithoutLineBreak(Render(table, sql::OutputFormat::kJson)));
  }
  return json + "}\n";
}

/// All sections with headings, long file lists cut.
std::string SectionsText(const catalog::TableState& state, Sections sections,
                         sql::OutputFormat format) {
  const bool is_markdown = format == sql::OutputFormat::kMarkdown;
  std::string text = fmt::format("{}{}\n{}\n", is_markdown ? "# " : "", state.id.ToString(),
                                 state.metadata->location);
  for (auto& [name, table] : sections) {
    const size_t count = table.rows.size();
    const bool is_cut = name == "files" && count > kFilesShownMax;
    if (is_cut) table.rows.resize(kFilesShownMax);
    text += fmt::format("\n{}{}\n{}{}", is_markdown ? "## " : "", name, is_markdown ? "\n" : "",
                        Render(table, format, TerminalColumns()));
    if (is_cut) {
      text += fmt::format("{} of {} files; --show files --format csv lists all\n", kFilesShownMax,
                          count);
    }
  }
  return text;
}

Result<std::string> DescribeTable(const ReadableLake& lake, const TablesArgs& args,
                                  sql::OutputFormat format) {
  PH_ASSIGN_OR_RETURN(const catalog::TableId id, FindTable(*lake.catalog, args.name));
  PH_ASSIGN_OR_RETURN(const catalog::TableState state, lake.catalog->Load(id));
  PH_ASSIGN_OR_RETURN(const std::vector<catalog::LiveFile> files,
                      catalog::LiveFiles(*lake.store, *state.metadata));
  const Sections sections = SectionsOf({.state = state, .files = files});
  const std::string show = args.show.empty() && HoldsOneTable(format) ? "schema" : args.show;
  if (!show.empty()) {
    for (const auto& [name, table] : sections) {
      if (name == show) return Render(table, format, TerminalColumns());
    }
  }
  return format == sql::OutputFormat::kJson ? SectionsJson(state, sections)
                                            : SectionsText(state, sections, format);
}

Status RunTables(const config::ResolvedConfig& config, const TablesArgs& args) {
  PH_ASSIGN_OR_RETURN(const ReadableLake lake, OpenLake(config));
  const sql::OutputFormat format = ChooseFormat(args.format);
  if (args.name.empty()) {
    if (!args.show.empty()) {
      return Error(StatusCode::kInvalidArgument, "--show needs the NAME of a table");
    }
    PH_ASSIGN_OR_RETURN(const Table table, ListTables(config, lake));
    return WriteOut(Render(table, format, TerminalColumns()));
  }
  PH_ASSIGN_OR_RETURN(const std::string text, DescribeTable(lake, args, format));
  return WriteOut(text);
}

}  // namespace

void AddTablesCommand(CommandLine& line) {
  auto args = std::make_shared<TablesArgs>();
  CLI::App& app =
      line.Add("tables", "Lists the tables, or one table's schema, partitions, snapshots and files",
               "playhead tables bronze.media_events --show partitions");
  app.add_option("NAME", args->name, "A table; all when left out");
  app.add_option("--show", args->show,
                 "schema, partition_spec, snapshots, partitions or files [all; in CSV, TSV and "
                 "NDJSON the schema]")
      ->check(OneOf({"schema", "partition_spec", "snapshots", "partitions", "files"}));
  AddFormatFlag(app, args->format);
  line.OnRun(app, [args](const config::ResolvedConfig& config) {
    const Status status = RunTables(config, *args);
    return status.ok() ? kExitDone : Fail(status);
  });
}

}  // namespace playhead::cli
