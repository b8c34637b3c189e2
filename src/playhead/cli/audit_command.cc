#include "playhead/cli/audit_command.h"

#include "playhead/cli/lake.h"
#include "playhead/cli/log_reader.h"
#include "playhead/cli/output.h"
#include "playhead/config/config.h"
#include "playhead/ingest/audit.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

namespace playhead::cli {
namespace {

struct AuditArgs {
  std::optional<std::string> format;
};

Result<ingest::AuditReport> AuditWarehouse(const config::ResolvedConfig& config) {
  PH_ASSIGN_OR_RETURN(const ReadableLake lake, OpenLake(config));
  std::vector<ingest::IngestStream> streams;
  streams.reserve(config.project.streams.size());
  for (const project::Stream& stream : config.project.streams) {
    streams.push_back(ingest::MakeIngestStream(stream));
  }
  return ingest::Audit(
      streams, *lake.catalog, *lake.store,
      {.warehouse_uri = config.warehouse_uri,
       .open_log = [&config](const std::string& topic) { return OpenLogReader(config, topic); },
       .sql = config::EngineOptionsOf(config)});
}

/// A box fits a terminal of 100 columns without these; the problems are told below it anyway.
void LeaveOutForBox(Table& table) {
  for (const char* name : {"next_offset", "lag", "problem"}) {
    const auto column = std::ranges::find(table.columns, name) - table.columns.begin();
    table.columns.erase(table.columns.begin() + column);
    for (auto& row : table.rows) row.erase(row.begin() + column);
  }
}

/// "exact" is said only of what was looked at.
std::string Verdict(const ingest::AuditReport& report) {
  if (report.has_problems()) return "NOT exact";
  if (report.lines.empty()) return "nothing to audit";
  return "exact";
}

void Tell(const ingest::AuditReport& report) {
  for (const std::string& note : report.notes) WriteNote("audit: note: " + note + "\n");
  for (const std::string& what : report.unchecked) WriteNote("audit: not checked: " + what + "\n");
  for (const ingest::AuditLine& line : report.lines) {
    if (line.lag.value_or(0) == 0) continue;
    WriteNote(fmt::format("audit: note: {} {}: {} records of the log are not ingested yet\n",
                          line.stream, line.source, *line.lag));
  }
  int64_t foreign_rows = 0;
  for (const ingest::ForeignRows& rows : report.foreign) {
    foreign_rows += rows.rows + rows.dead_rows;
    WriteNote(fmt::format("audit: {}: {} rows and {} dead letters: {}\n", rows.stream, rows.rows,
                          rows.dead_rows, rows.source));
  }
  for (const std::string& problem : report.problems) WriteNote("audit: " + problem + "\n");
  for (const ingest::AuditLine& line : report.lines) {
    for (const std::string& problem : line.problems) {
      WriteNote(fmt::format("audit: {} {}: {}\n", line.stream, line.source, problem));
    }
  }
  WriteNote(fmt::format(
      "audit: {} sources, {} live files: {}{}\n", report.lines.size(), report.files,
      Verdict(report),
      report.foreign.empty() ? "" : fmt::format("; {} rows of other writers", foreign_rows)));
}

int RunAudit(const config::ResolvedConfig& config, const AuditArgs& args) {
  const Result<ingest::AuditReport> report = AuditWarehouse(config);
  if (!report.ok()) return Fail(report.error());
  Table table{.columns = {"stream", "source", "next_offset", "read", "good", "dead", "skipped",
                          "rows", "dead_rows", "lag", "exact", "problem"},
              .rows = {}};
  for (const ingest::AuditLine& line : report->lines) {
    std::string problems;
    for (const std::string& problem : line.problems) {
      problems += (problems.empty() ? "" : "; ") + problem;
    }
    const Cell problem = problems.empty() ? Cell(std::monostate()) : Cell(problems);
    table.rows.push_back({line.stream, line.source, line.next_offset, line.counts.read,
                          line.counts.good, line.counts.dead, line.counts.skipped, line.rows,
                          line.dead_rows, line.lag ? Cell(*line.lag) : Cell(std::monostate()),
                          problems.empty(), problem});
  }
  for (const ingest::ForeignRows& rows : report->foreign) {
    table.rows.push_back(
        {rows.stream, rows.source, {}, {}, {}, {}, {}, rows.rows, rows.dead_rows, {}, {}, {}});
  }
  const sql::OutputFormat format = ChooseFormat(args.format);
  if (format == sql::OutputFormat::kTable) LeaveOutForBox(table);
  const Status printed = WriteOut(Render(table, format, TerminalColumns()));
  if (!printed.ok()) return Fail(printed);
  Tell(*report);
  return report->is_exact() ? kExitDone : kExitCheckSaidNo;
}

}  // namespace

void AddAuditCommand(CommandLine& line) {
  auto args = std::make_shared<AuditArgs>();
  CLI::App& app =
      line.Add("audit", "Proves that every record read is a row or a dead letter, exactly once",
               "playhead audit --format json");
  AddFormatFlag(app, args->format);
  line.OnRun(app, [args](const config::ResolvedConfig& config) { return RunAudit(config, *args); });
}

}  // namespace playhead::cli
