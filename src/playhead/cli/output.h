#pragma once

#include "playhead/base/status.h"
#include "playhead/sql/row_writer.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace CLI {
class App;
}

namespace playhead::cli {

/// Writes data to stdout, whole and unbuffered. Errors: kCancelled when nobody reads the pipe any
/// more (hand it to Fail(): exit 0), kUnavailable, kResourceExhausted (disk full).
Status WriteOut(std::string_view text);
/// Writes anything that is not data to stderr; failures are nobody's concern.
void WriteNote(std::string_view text);

bool StdoutIsTerminal();
/// A terminal that lines can be drawn on anew; TERM=dumb cannot.
bool StderrIsTerminal();
/// True on a terminal that shows colours, unless NO_COLOR is set.
bool UsesColor(bool is_terminal);
/// True if stdout is a pipe whose reader is gone.
bool StdoutIsClosed();
/// 0 when stdout is no terminal.
int TerminalColumns();

/// `--format` into `format`; left empty when not given.
void AddFormatFlag(CLI::App& command, std::optional<std::string>& format);
/// The given format; by default a table on a terminal and CSV elsewhere.
sql::OutputFormat ChooseFormat(const std::optional<std::string>& format);
/// CSV, TSV and NDJSON hold a single table.
bool HoldsOneTable(sql::OutputFormat format);
/// The style for stdout: boxes fit the terminal.
sql::OutputStyle StyleOf(sql::OutputFormat format);

/// A cell of a table of facts: null, number, boolean or text.
using Cell = std::variant<std::monostate, int64_t, double, bool, std::string>;

/// A small table that does not come from SQL.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
};

/// The table with a final line break. A box fits `terminal_columns`; 0: it is as wide as its cells.
std::string Render(const Table& table, sql::OutputFormat format, int terminal_columns = 0);

}  // namespace playhead::cli
