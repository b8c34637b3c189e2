#pragma once

#include "playhead/base/status.h"
#include "playhead/sql/session.h"

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
/// 0 when stdout is no terminal.
int TerminalColumns();

/// As much of the text as fits into this many columns of a terminal, with `…` for what is cut off.
std::string CutToColumns(const std::string& text, size_t columns);

/// `--format table|json|csv|markdown` into `format`; left empty when not given.
void AddFormatFlag(CLI::App& command, std::optional<std::string>& format);
/// The given format; by default a table on a terminal and `in_pipe` elsewhere.
sql::OutputFormat ChooseFormat(const std::optional<std::string>& format,
                               sql::OutputFormat in_pipe = sql::OutputFormat::kCsv);

/// A cell of a table of facts: null, number, boolean or text.
using Cell = std::variant<std::monostate, int64_t, double, bool, std::string>;

/// A small table that does not come from SQL.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
};

/// JSON is an array of objects, one a row; the last line ends with a line break. A box that is
/// wider than `terminal_columns` has its longest texts cut with `…`; 0 cuts nothing.
std::string Render(const Table& table, sql::OutputFormat format, int terminal_columns = 0);

}  // namespace playhead::cli
