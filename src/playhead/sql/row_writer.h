#pragma once

#include "playhead/base/status.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::sql {

/// The first three are for people and print a query plan as drawn.
enum class OutputFormat { kTable, kLine, kMarkdown, kCsv, kTsv, kJson, kNdjson };
/// In the order of OutputFormat.
const std::vector<std::string>& OutputFormatNames();
/// Errors: kInvalidArgument, names the formats there are.
Result<OutputFormat> ParseOutputFormat(std::string_view name);

struct OutputStyle {
  OutputFormat format = OutputFormat::kCsv;
  int terminal_columns = 0;  ///< a box is fitted to this width; 0: as wide as its cells
  int64_t rows_max = 0;      ///< a box of more shows the first and the last ones; 0: all
  int digits_max = -1;       ///< after the point of floating numbers, but in JSON; negative: exact
  bool is_colored = false;
};

struct OutputColumn {
  std::string name;
  std::string type;  ///< a box shows it below the name; empty: no such line
  bool is_number = false;
};

/// A value to write. A literal (number, boolean, finished JSON) is never quoted.
struct OutputCell {
  enum class Kind { kNull, kText, kLiteral };
  Kind kind = Kind::kNull;
  std::string_view text;
};

/// Receives the output in pieces; an error stops the writer.
using OutputSink = std::function<Status(std::string_view)>;

/// Formats rows one by one. Only a box buffers rows: those it will show.
class RowWriter {
 public:
  static std::unique_ptr<RowWriter> Make(const OutputStyle& style,
                                         std::vector<OutputColumn> columns, OutputSink sink);
  virtual ~RowWriter() = default;

  /// One cell a column; they are copied. Errors: the sink's.
  Status Add(const std::vector<OutputCell>& row) {
    AddRow(row);
    return text_.size() < kFlushBytes ? OkStatus() : Flush();
  }
  /// Passes on everything formatted so far.
  Status Flush();
  Status Finish() {
    End();
    return Flush();
  }

 protected:
  RowWriter(std::vector<OutputColumn> columns, OutputSink sink)
      : columns_(std::move(columns)), sink_(std::move(sink)) {}
  virtual void AddRow(const std::vector<OutputCell>& row) = 0;
  virtual void End() {}

  std::vector<OutputColumn> columns_;
  std::string text_;

 private:
  static constexpr size_t kFlushBytes = size_t{1} << 16;
  OutputSink sink_;
};

/// `"text"` in JSON; bytes that are no UTF-8 become U+FFFD.
void AppendJsonText(std::string_view text, std::string& json);

/// Columns of a terminal that a UTF-8 text takes.
size_t DisplayWidth(std::string_view text);
/// As much of the text as fits into this many columns, with `…` for its end.
std::string CutToColumns(std::string_view text, size_t columns);
/// The same with `…` for its middle, since names often differ only at their ends.
std::string CutMiddle(std::string_view text, size_t columns);

}  // namespace playhead::sql
