#include "playhead/cli/output.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <string>
#include <vector>

namespace playhead::cli {
namespace {

constexpr int kColumnsWhenUnknown = 80;
constexpr size_t kTextColumnsMin = 10;

std::string CellText(const Cell& cell) {
  struct Printer {
    std::string operator()(std::monostate) const { return ""; }
    std::string operator()(int64_t number) const { return fmt::format("{}", number); }
    std::string operator()(double number) const { return fmt::format("{}", number); }
    std::string operator()(bool claim) const { return claim ? "true" : "false"; }
    std::string operator()(const std::string& text) const { return text; }
  };
  return std::visit(Printer(), cell);
}

nlohmann::ordered_json CellJson(const Cell& cell) {
  struct Printer {
    nlohmann::ordered_json operator()(std::monostate) const { return nullptr; }
    nlohmann::ordered_json operator()(int64_t number) const { return number; }
    nlohmann::ordered_json operator()(double number) const {
      return std::isfinite(number) ? nlohmann::ordered_json(number) : nullptr;
    }
    nlohmann::ordered_json operator()(bool claim) const { return claim; }
    nlohmann::ordered_json operator()(const std::string& text) const { return text; }
  };
  return std::visit(Printer(), cell);
}

bool IsNumber(const Cell& cell) {
  return std::holds_alternative<int64_t>(cell) || std::holds_alternative<double>(cell);
}

/// One character of a text: its bytes, and the columns of a terminal that it takes.
struct Glyph {
  size_t bytes = 1;
  size_t columns = 1;
};

/// A byte that is no character takes one column.
Glyph GlyphAt(const std::string& text, size_t at) {
  wchar_t character = 0;
  std::mbstate_t state{};
  const size_t length = std::mbrtowc(&character, text.data() + at, text.size() - at, &state);
  if (length == 0 || length > text.size()) return {};
  const int columns = wcwidth(character);
  return {.bytes = length, .columns = columns < 0 ? 1 : static_cast<size_t>(columns)};
}

size_t Width(const std::string& text) {
  size_t width = 0;
  for (size_t at = 0; at < text.size();) {
    const Glyph glyph = GlyphAt(text, at);
    width += glyph.columns;
    at += glyph.bytes;
  }
  return width;
}

std::string Line(const std::vector<size_t>& widths, const char* left, const char* middle,
                 const char* right) {
  std::string line;
  for (const size_t width : widths) {
    line += line.empty() ? left : middle;
    for (size_t i = 0; i < width + 2; ++i) line += "─";
  }
  return line + right + "\n";
}

std::string Row(const std::vector<std::string>& cells, const std::vector<size_t>& widths,
                const std::vector<bool>& is_right) {
  std::string row = "│";
  for (size_t c = 0; c < cells.size(); ++c) {
    const std::string blanks(widths[c] - Width(cells[c]), ' ');
    row += " " + (is_right[c] ? blanks + cells[c] : cells[c] + blanks) + " │";
  }
  return row + "\n";
}

/// Makes the widest text columns narrower until the box fits, but none narrower than
/// kTextColumnsMin. Numbers stay whole.
void FitWidths(std::vector<size_t>& widths, const std::vector<bool>& is_right, size_t columns) {
  // Each column has a blank on both sides and a line, and one line closes the row.
  size_t total = 3 * widths.size() + 1;
  for (const size_t width : widths) total += width;
  while (total > columns) {
    size_t* widest = nullptr;
    for (size_t c = 0; c < widths.size(); ++c) {
      const bool can_shrink = !is_right[c] && widths[c] > kTextColumnsMin;
      if (can_shrink && (widest == nullptr || widths[c] > *widest)) widest = &widths[c];
    }
    if (widest == nullptr) return;
    --*widest;
    --total;
  }
}

std::string RenderBox(const Table& table, int terminal_columns) {
  std::vector<size_t> widths;
  std::vector<bool> is_right;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    widths.push_back(Width(table.columns[c]));
    is_right.push_back(std::any_of(table.rows.begin(), table.rows.end(),
                                   [c](const auto& row) { return IsNumber(row[c]); }));
    for (const auto& row : table.rows) {
      widths[c] = std::max(widths[c], Width(CellText(row[c])));
    }
  }
  if (terminal_columns > 0) FitWidths(widths, is_right, static_cast<size_t>(terminal_columns));
  std::vector<std::string> names;
  names.reserve(widths.size());
  for (size_t c = 0; c < widths.size(); ++c) {
    names.push_back(CutToColumns(table.columns[c], widths[c]));
  }
  std::string box =
      Line(widths, "┌", "┬", "┐") + Row(names, widths, is_right) + Line(widths, "├", "┼", "┤");
  for (const auto& row : table.rows) {
    std::vector<std::string> cells;
    cells.reserve(row.size());
    for (size_t c = 0; c < row.size(); ++c) {
      cells.push_back(CutToColumns(CellText(row[c]), widths[c]));
    }
    box += Row(cells, widths, is_right);
  }
  return box + Line(widths, "└", "┴", "┘");
}

std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string RenderCsv(const Table& table) {
  std::string csv;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    csv += (c > 0 ? "," : "") + CsvField(table.columns[c]);
  }
  csv += "\n";
  for (const auto& row : table.rows) {
    for (size_t c = 0; c < row.size(); ++c) csv += (c > 0 ? "," : "") + CsvField(CellText(row[c]));
    csv += "\n";
  }
  return csv;
}

std::string RenderJson(const Table& table) {
  std::string json = "[";
  for (const auto& row : table.rows) {
    nlohmann::ordered_json object = nlohmann::ordered_json::object();
    for (size_t c = 0; c < row.size(); ++c) object[table.columns[c]] = CellJson(row[c]);
    json += json.size() > 1 ? ",\n" : "";
    json += object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  }
  return json + "]\n";
}

std::string MarkdownCell(const std::string& text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    cell += c == '\n' ? ' ' : c;
  }
  return cell;
}

std::string RenderMarkdown(const Table& table) {
  std::string text = "|";
  for (const std::string& name : table.columns) text += " " + MarkdownCell(name) + " |";
  text += "\n|";
  for (size_t c = 0; c < table.columns.size(); ++c) text += "---|";
  text += "\n";
  for (const auto& row : table.rows) {
    text += "|";
    for (const Cell& cell : row) text += " " + MarkdownCell(CellText(cell)) + " |";
    text += "\n";
  }
  return text;
}

}  // namespace

Status WriteOut(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EPIPE) {
      return Error(StatusCode::kCancelled, "stdout was closed");
    } else if (errno == ENOSPC || errno == EDQUOT) {
      return Error(StatusCode::kResourceExhausted, "cannot write to stdout: {}", strerror(errno));
    } else if (errno != EINTR) {
      return Error(StatusCode::kUnavailable, "cannot write to stdout: {}", strerror(errno));
    }
  }
  return OkStatus();
}

void WriteNote(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) text.remove_prefix(static_cast<size_t>(written));
  }
}

bool StdoutIsTerminal() { return isatty(STDOUT_FILENO) == 1; }
bool StderrIsTerminal() {
  const char* term = std::getenv("TERM");
  const bool is_dumb = term != nullptr && std::strcmp(term, "dumb") == 0;
  return isatty(STDERR_FILENO) == 1 && !is_dumb;
}

int TerminalColumns() {
  if (!StdoutIsTerminal()) return 0;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kColumnsWhenUnknown;
  return size.ws_col;
}

std::string CutToColumns(const std::string& text, size_t columns) {
  size_t width = 0;
  size_t fits = 0;  // bytes that leave a column for the sign
  for (size_t at = 0; at < text.size();) {
    const Glyph glyph = GlyphAt(text, at);
    width += glyph.columns;
    at += glyph.bytes;
    if (width > columns) return text.substr(0, fits) + "…";
    if (width < columns) fits = at;
  }
  return text;
}

void AddFormatFlag(CLI::App& command, std::optional<std::string>& format) {
  command
      .add_option("--format", format,
                  "table, json, csv or markdown [a table on a terminal, csv in a pipe]")
      ->check(CLI::IsMember({"table", "json", "csv", "markdown"}));
}

sql::OutputFormat ChooseFormat(const std::optional<std::string>& format,
                               sql::OutputFormat in_pipe) {
  if (!format) return StdoutIsTerminal() ? sql::OutputFormat::kTable : in_pipe;
  const auto parsed = sql::ParseOutputFormat(*format);
  PH_CHECK(parsed.ok());
  return *parsed;
}

std::string Render(const Table& table, sql::OutputFormat format, int terminal_columns) {
  switch (format) {
    case sql::OutputFormat::kTable:
      return RenderBox(table, terminal_columns);
    case sql::OutputFormat::kCsv:
      return RenderCsv(table);
    case sql::OutputFormat::kJson:
      return RenderJson(table);
    case sql::OutputFormat::kMarkdown:
      return RenderMarkdown(table);
  }
  return "";
}

}  // namespace playhead::cli
