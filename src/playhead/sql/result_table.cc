#include "playhead/sql/result_table.h"

#include <duckdb/common/box_renderer.hpp>

#include <functional>
#include <utility>
#include <vector>

namespace playhead::sql {
namespace {

constexpr size_t kBoxRowsMax = 40;
constexpr size_t kBoxColumnsUnlimited = 1'000'000;

std::string MarkdownCell(const duckdb::Value& value) {
  if (value.IsNull()) return "";
  std::string cell;
  for (char c : value.ToString()) {
    if (c == '|') cell += '\\';
    if (c == '\n') {
      cell += "<br>";
    } else if (c != '\r') {
      cell += c;
    }
  }
  return cell;
}

bool IsNumber(const duckdb::LogicalType& type) { return type.IsNumeric(); }

class MaterializedTable final : public ResultTable {
 public:
  MaterializedTable(duckdb::shared_ptr<duckdb::ClientContext> context,
                    duckdb::unique_ptr<duckdb::MaterializedQueryResult> result)
      : context_(std::move(context)), result_(std::move(result)) {
    columns_.assign(result_->names.begin(), result_->names.end());
  }

  const std::vector<std::string>& columns() const override { return columns_; }
  int64_t rows() const override { return static_cast<int64_t>(result_->RowCount()); }

  std::string CellJson(int64_t row, int column) const override {
    return ValueJson(
        result_->GetValue(static_cast<duckdb::idx_t>(column), static_cast<duckdb::idx_t>(row)));
  }

  std::optional<std::string> CellText(int64_t row, int column) const override {
    const duckdb::Value value =
        result_->GetValue(static_cast<duckdb::idx_t>(column), static_cast<duckdb::idx_t>(row));
    return value.IsNull() ? std::nullopt : std::optional<std::string>(value.ToString());
  }

  std::string Render(OutputFormat format, int terminal_columns) const override {
    switch (format) {
      case OutputFormat::kTable:
        return Box(terminal_columns);
      case OutputFormat::kCsv:
        return Csv();
      case OutputFormat::kJson:
        return Json();
      case OutputFormat::kMarkdown:
        return Markdown();
    }
    return "";
  }

 private:
  using RowVisitor = std::function<void(const std::vector<duckdb::Value>&)>;

  void VisitRows(const RowVisitor& visit) const {
    std::vector<duckdb::Value> row(columns_.size());
    for (const duckdb::DataChunk& chunk : result_->Collection().Chunks()) {
      for (duckdb::idx_t i = 0; i < chunk.size(); ++i) {
        for (size_t c = 0; c < row.size(); ++c) row[c] = chunk.GetValue(c, i);
        visit(row);
      }
    }
  }

  std::string Box(int terminal_columns) const {
    duckdb::BoxRendererConfig config;
    const bool is_limited = terminal_columns > 0;
    config.max_width = is_limited ? static_cast<size_t>(terminal_columns) : kBoxColumnsUnlimited;
    config.max_col_width = is_limited ? config.max_col_width : kBoxColumnsUnlimited;
    config.max_rows = is_limited ? kBoxRowsMax : result_->RowCount() + 1;
    duckdb::BoxRenderer renderer(config);
    return renderer.ToString(*context_, result_->names, result_->Collection());
  }

  std::string Csv() const {
    std::string text;
    for (size_t c = 0; c < columns_.size(); ++c) {
      text += (c > 0 ? "," : "") + CsvField(duckdb::Value(columns_[c]));
    }
    text += "\n";
    VisitRows([&](const std::vector<duckdb::Value>& row) {
      for (size_t c = 0; c < row.size(); ++c) {
        if (c > 0) text += ',';
        text += CsvField(row[c]);
      }
      text += '\n';
    });
    return text;
  }

  std::string Json() const {
    std::vector<std::string> keys;
    for (const std::string& name : columns_) keys.push_back(ValueJson(duckdb::Value(name)) + ":");
    std::string text = "[";
    VisitRows([&](const std::vector<duckdb::Value>& row) {
      text += text.size() > 1 ? ",\n{" : "{";
      for (size_t c = 0; c < row.size(); ++c) {
        if (c > 0) text += ',';
        text += keys[c] + ValueJson(row[c]);
      }
      text += '}';
    });
    return text + "]\n";
  }

  std::string Markdown() const {
    std::string text = "|";
    for (const std::string& name : columns_) text += " " + MarkdownCell(duckdb::Value(name)) + " |";
    text += "\n|";
    for (const duckdb::LogicalType& type : result_->types)
      text += IsNumber(type) ? "---:|" : "---|";
    text += "\n";
    VisitRows([&](const std::vector<duckdb::Value>& row) {
      text += "|";
      for (const duckdb::Value& value : row) text += " " + MarkdownCell(value) + " |";
      text += "\n";
    });
    return text;
  }

  duckdb::shared_ptr<duckdb::ClientContext> context_;
  duckdb::unique_ptr<duckdb::MaterializedQueryResult> result_;
  std::vector<std::string> columns_;
};

}  // namespace

std::unique_ptr<ResultTable> MakeResultTable(
    duckdb::shared_ptr<duckdb::ClientContext> context,
    duckdb::unique_ptr<duckdb::MaterializedQueryResult> result) {
  return std::make_unique<MaterializedTable>(std::move(context), std::move(result));
}

}  // namespace playhead::sql
