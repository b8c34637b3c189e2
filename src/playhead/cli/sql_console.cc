#include "playhead/cli/sql_console.h"

#include "playhead/base/suggest.h"
#include "playhead/cli/output.h"
#include "playhead/cli/pager.h"
#include "playhead/sql/quote.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <sstream>
#include <utility>
#include <vector>

namespace playhead::cli {
namespace {

constexpr int kPagedColumns = 100'000;  ///< a box is as wide as this before it loses columns
constexpr char kHelp[] =
    "SQL ends with ; and may take several lines. Tab completes, Ctrl-C ends what runs,\n"
    "Ctrl-R searches the history, Ctrl-D leaves.\n"
    "  .tables         all tables and views (\\d)\n"
    "  .schema NAME    columns of a table (\\d NAME)\n"
    "  .mode FORMAT    table, line, markdown, csv, tsv, json or ndjson\n"
    "  .maxrows N      a box shows no more rows than this [40]; 0: all\n"
    "  .timer on|off   how long each statement took\n"
    "  .help           this text\n"
    "  .quit           leave (exit, quit, \\q)\n";

/// Other spellings, of DuckDB's, PostgreSQL's and other shells.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kAliases{{
    {"exit", ".quit"},
    {"quit", ".quit"},
    {"help", ".help"},
    {"\\q", ".quit"},
    {".q", ".quit"},
    {".exit", ".quit"},
    {"\\?", ".help"},
    {"\\h", ".help"},
    {"\\d", ".tables"},
    {"\\dt", ".tables"},
    {"\\timing", ".timer"},
    {".format", ".mode"},
}};

const std::vector<std::string>& Commands() {
  static const auto* const kCommands = new std::vector<std::string>{
      ".tables", ".schema", ".mode", ".maxrows", ".timer", ".help", ".quit"};
  return *kCommands;
}

struct Command {
  std::string name;
  std::string argument;
};

Command Parse(std::string_view line) {
  const size_t last = line.find_last_not_of(" \t\r;");
  std::istringstream words{std::string(line.substr(0, last + 1))};
  Command command;
  words >> command.name >> command.argument;
  for (const auto& [alias, name] : kAliases) {
    if (command.name == alias) {
      command.name = name;
      break;
    }
  }
  if (line.starts_with("\\d") && !command.argument.empty()) command.name = ".schema";
  return command;
}

}  // namespace

Status SqlConsole::RunSql(const std::string& sql) {
  const auto started = std::chrono::steady_clock::now();
  progress_.Start();
  const Status status = connection_.Run(sql, [&](sql::ResultStream& result) {
    const bool is_plan = result.is_plan() && !format_;
    sql::OutputStyle style =
        StyleOf(is_plan ? sql::OutputFormat::kTable
                        : format_.value_or(StdoutIsTerminal() ? sql::OutputFormat::kTable
                                                              : sql::OutputFormat::kCsv));
    const bool is_paged =
        style.format == sql::OutputFormat::kTable && StdoutIsTerminal() && HasPager();
    if (StdoutIsTerminal()) style.rows_max = rows_max_;
    if (is_paged) style.terminal_columns = kPagedColumns;
    return result.Write(style, [&](std::string_view text) {
      progress_.Clear();
      return is_paged ? WritePaged(text) : WriteOut(text);
    });
  });
  progress_.Clear();
  if (has_timer_) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
    WriteNote(fmt::format("{:.3f} s\n", seconds.count()));
  }
  return status;
}

bool SqlConsole::IsCommand(std::string_view line) {
  return line.starts_with('.') || line.starts_with('\\') || Parse(line).name.starts_with('.');
}

Result<bool> SqlConsole::RunCommand(std::string_view line) {
  const auto [name, argument] = Parse(line);
  if (name == ".quit") return false;
  if (name == ".help") {
    WriteNote(kHelp);
  } else if (name == ".tables") {
    PH_RETURN_IF_ERROR(
        RunSql("SELECT table_schema AS namespace, table_name AS name FROM "
               "information_schema.tables ORDER BY ALL"));
  } else if (name == ".schema") {
    PH_RETURN_IF_ERROR(DescribeTable(argument));
  } else if (std::ranges::find(Commands(), name) != Commands().end()) {
    PH_RETURN_IF_ERROR(SetOption(name, argument));
  } else {
    return Error(StatusCode::kInvalidArgument, "no such command: {}{}; .help lists them", name,
                 DidYouMean(name, Commands()));
  }
  return true;
}

Status SqlConsole::SetOption(const std::string& option, const std::string& value) {
  if (option == ".mode") {
    PH_ASSIGN_OR_RETURN(format_, sql::ParseOutputFormat(value));
  } else if (option == ".timer") {
    if (value != "on" && value != "off" && !value.empty()) {
      return Error(StatusCode::kInvalidArgument, ".timer got '{}', expected on or off", value);
    }
    has_timer_ = value.empty() ? !has_timer_ : value == "on";
  } else {
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), rows_max_);
    if (parsed.ec != std::errc() || parsed.ptr != value.data() + value.size() || rows_max_ < 0) {
      rows_max_ = 40;
      return Error(StatusCode::kInvalidArgument, ".maxrows got '{}', expected a number of rows",
                   value);
    }
  }
  return OkStatus();
}

Status SqlConsole::DescribeTable(const std::string& name) {
  if (name.empty()) return Error(StatusCode::kInvalidArgument, ".schema needs the NAME of a table");
  PH_ASSIGN_OR_RETURN(
      const auto tables,
      connection_.Query("SELECT table_schema || '.' || table_name FROM information_schema.tables"));
  std::vector<std::string> known;
  bool is_known = false;
  for (int64_t row = 0; row < tables->rows(); ++row) {
    known.push_back(tables->CellText(row, 0).value_or(""));
    is_known |= known.back() == name || known.back().ends_with("." + name);
  }
  if (!is_known) {
    return Error(StatusCode::kNotFound, "no such table: {}{}", name,
                 DidYouMean(name.find('.') == std::string::npos ? "bronze." + name : name, known));
  }
  return RunSql("SELECT column_name, data_type FROM information_schema.columns WHERE " +
                sql::QuotedText(name) +
                " IN (table_name, table_schema || '.' || table_name) "
                "ORDER BY table_schema, table_name, ordinal_position");
}

Result<bool> SqlConsole::RunScript(std::string_view text) {
  std::string pending;
  const auto run_pending = [&] {
    const bool is_blank = pending.find_first_not_of(" \t\r\n") == std::string::npos;
    return is_blank ? OkStatus() : RunSql(std::exchange(pending, {}));
  };
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (IsCommand(line) && !sql::IsIncomplete(pending)) {
      PH_RETURN_IF_ERROR(run_pending());
      PH_ASSIGN_OR_RETURN(const bool goes_on, RunCommand(line));
      if (!goes_on) return false;
    } else {
      pending.append(line).push_back('\n');
    }
  }
  PH_RETURN_IF_ERROR(run_pending());
  return true;
}

}  // namespace playhead::cli
