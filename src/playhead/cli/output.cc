#include "playhead/cli/output.h"

#include "playhead/cli/command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace playhead::cli {
namespace {

constexpr int kColumnsWhenUnknown = 80;

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

bool IsNumber(const Cell& cell) {
  return std::holds_alternative<int64_t>(cell) || std::holds_alternative<double>(cell);
}

/// Numbers that JSON has no word for are null everywhere, and so is empty text in CSV.
sql::OutputCell::Kind KindOf(const Cell& cell, sql::OutputFormat format) {
  using Kind = sql::OutputCell::Kind;
  if (const auto* text = std::get_if<std::string>(&cell)) {
    return text->empty() && format == sql::OutputFormat::kCsv ? Kind::kNull : Kind::kText;
  }
  const auto* number = std::get_if<double>(&cell);
  const bool is_null = std::holds_alternative<std::monostate>(cell) ||
                       (number != nullptr && !std::isfinite(*number));
  return is_null ? Kind::kNull : Kind::kLiteral;
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

bool UsesColor(bool is_terminal) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool is_dumb = term != nullptr && std::strcmp(term, "dumb") == 0;
  return is_terminal && !is_dumb && (no_color == nullptr || *no_color == '\0');
}

bool StdoutIsClosed() {
  pollfd out{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
  return poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
}

void AddFormatFlag(CLI::App& command, std::optional<std::string>& format) {
  command
      .add_option("--format", format,
                  fmt::format("{} [a table on a terminal, csv in a pipe]",
                              fmt::join(sql::OutputFormatNames(), ", ")))
      ->check(OneOf(sql::OutputFormatNames()));
}

sql::OutputFormat ChooseFormat(const std::optional<std::string>& format) {
  if (!format) return StdoutIsTerminal() ? sql::OutputFormat::kTable : sql::OutputFormat::kCsv;
  const auto parsed = sql::ParseOutputFormat(*format);
  PH_CHECK(parsed.ok());
  return *parsed;
}

bool HoldsOneTable(sql::OutputFormat format) {
  return format == sql::OutputFormat::kCsv || format == sql::OutputFormat::kTsv ||
         format == sql::OutputFormat::kNdjson;
}

sql::OutputStyle StyleOf(sql::OutputFormat format) {
  return {.format = format,
          .terminal_columns = TerminalColumns(),
          .is_colored = UsesColor(StdoutIsTerminal())};
}

std::string Render(const Table& table, sql::OutputFormat format, int terminal_columns) {
  std::vector<sql::OutputColumn> columns;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const bool is_number = std::ranges::any_of(
        table.rows, [c](const std::vector<Cell>& row) { return IsNumber(row[c]); });
    columns.push_back({.name = table.columns[c], .type = "", .is_number = is_number});
  }
  std::string out;
  const auto writer =
      sql::RowWriter::Make({.format = format,
                            .terminal_columns = terminal_columns,
                            .is_colored = terminal_columns > 0 && UsesColor(StdoutIsTerminal())},
                           std::move(columns), [&](std::string_view piece) {
                             out += piece;
                             return OkStatus();
                           });
  for (const std::vector<Cell>& row : table.rows) {
    std::vector<std::string> texts;
    texts.reserve(row.size());
    for (const Cell& cell : row) texts.push_back(CellText(cell));
    std::vector<sql::OutputCell> cells;
    for (size_t c = 0; c < row.size(); ++c) {
      cells.push_back({.kind = KindOf(row[c], format), .text = texts[c]});
    }
    PH_CHECK(writer->Add(cells).ok());
  }
  PH_CHECK(writer->Finish().ok());
  return out;
}

}  // namespace playhead::cli
