#include "playhead/sql/result_rows.h"

#include "playhead/sql/value_json.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <utility>

namespace playhead::sql {
namespace {

using duckdb::LogicalTypeId;
using Kind = OutputCell::Kind;

bool IsFloating(const duckdb::LogicalType& type) {
  return type.id() == LogicalTypeId::FLOAT || type.id() == LogicalTypeId::DOUBLE;
}

bool IsTime(const duckdb::LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_SEC:
    case LogicalTypeId::TIMESTAMP_MS:
    case LogicalTypeId::TIMESTAMP_NS:
    case LogicalTypeId::TIMESTAMP_TZ:
      return true;
    default:
      return false;
  }
}

std::vector<OutputColumn> ColumnsOf(const duckdb::QueryResult& result) {
  std::vector<OutputColumn> columns;
  for (size_t c = 0; c < result.names.size(); ++c) {
    columns.push_back({.name = result.names[c],
                       .type = duckdb::StringUtil::Lower(result.types[c].ToString()),
                       .is_number = result.types[c].IsNumeric()});
  }
  return columns;
}

}  // namespace

/// One column of a chunk as cells.
class ResultRows::Column {
 public:
  Column(ResultRows& rows, duckdb::Vector& values, duckdb::idx_t count)
      : text_(duckdb::LogicalType::VARCHAR, count) {
    const duckdb::LogicalType& type = values.GetType();
    if (type.IsNumeric() || type.id() == LogicalTypeId::BOOLEAN) kind_ = Kind::kLiteral;
    if (rows.is_json_ && (type.IsNested() || type.IsJSONType())) {
      kind_ = Kind::kLiteral;
      for (duckdb::idx_t i = 0; i < count; ++i) made_.push_back(ValueJson(values.GetValue(i)));
      return;
    }
    if (type.id() == LogicalTypeId::VARCHAR) {
      text_.Reinterpret(values);
    } else {
      duckdb::VectorOperations::Cast(rows.context_, values, text_, count);
    }
    text_.ToUnifiedFormat(count, format_);
    const bool is_rounded = IsFloating(type) && !rows.is_json_ && rows.digits_max_ >= 0;
    if (is_rounded || (rows.is_json_ && (IsFloating(type) || IsTime(type)))) {
      for (duckdb::idx_t i = 0; i < count; ++i) {
        std::string& text = made_.emplace_back(TextAt(i));
        if (is_rounded) {
          text = RoundedText(text, rows.digits_max_);
        } else if (IsTime(type)) {
          text = IsoTime(std::move(text), type.id() == LogicalTypeId::TIMESTAMP_TZ);
        } else if (text.ends_with(".0")) {
          text.resize(text.size() - 2);
        } else if (text.ends_with("nan") || text.ends_with("inf")) {
          text = "null";
        }
      }
    }
  }

  OutputCell Cell(duckdb::idx_t row) const {
    if (!made_.empty()) {
      return IsNull(row) ? OutputCell() : OutputCell{.kind = kind_, .text = made_[row]};
    }
    return IsNull(row) ? OutputCell() : OutputCell{.kind = kind_, .text = TextAt(row)};
  }

 private:
  bool IsNull(duckdb::idx_t row) const {
    return format_.sel != nullptr && !format_.validity.RowIsValid(format_.sel->get_index(row));
  }
  std::string_view TextAt(duckdb::idx_t row) const {
    if (IsNull(row)) return {};
    const auto& text = duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(
        format_)[format_.sel->get_index(row)];
    return {text.GetData(), text.GetSize()};
  }

  Kind kind_ = Kind::kText;
  duckdb::Vector text_;
  duckdb::UnifiedVectorFormat format_;
  std::vector<std::string> made_;
};

ResultRows::ResultRows(duckdb::ClientContext& context, const duckdb::QueryResult& result,
                       const OutputStyle& style, OutputSink sink)
    : context_(context),
      is_json_(style.format == OutputFormat::kJson || style.format == OutputFormat::kNdjson),
      digits_max_(style.digits_max),
      writer_(RowWriter::Make(style, ColumnsOf(result), std::move(sink))) {}

Status ResultRows::Add(duckdb::DataChunk& chunk) {
  const duckdb::idx_t count = chunk.size();
  std::vector<std::unique_ptr<Column>> columns;
  for (duckdb::Vector& values : chunk.data) {
    columns.push_back(std::make_unique<Column>(*this, values, count));
  }
  std::vector<OutputCell> row(columns.size());
  for (duckdb::idx_t i = 0; i < count; ++i) {
    for (size_t c = 0; c < columns.size(); ++c) row[c] = columns[c]->Cell(i);
    PH_RETURN_IF_ERROR(writer_->Add(row));
  }
  return OkStatus();
}

std::string RoundedText(const std::string& number, int digits) {
  const double value = std::strtod(number.c_str(), nullptr);
  if (!std::isfinite(value) || value == 0) return number;
  // As many more as a small number has zeros behind its point.
  const int zeros = std::max(0, -1 - static_cast<int>(std::floor(std::log10(std::fabs(value)))));
  if (zeros > 6 || std::fabs(value) >= 1e15) return number;
  std::string rounded = fmt::format("{:.{}f}", value, digits + (zeros > 0 ? zeros + 1 : 0));
  if (rounded.size() >= number.size()) return number;
  return rounded;
}

}  // namespace playhead::sql
