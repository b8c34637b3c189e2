#include "playhead/sql/row_writer.h"

#include "playhead/sql/box_writer.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace playhead::sql {
namespace {

using Kind = OutputCell::Kind;
using Row = std::vector<OutputCell>;

/// CSV and TSV. A null is nothing; empty text is `""` in CSV, which tells it from null.
class DelimitedWriter final : public RowWriter {
 public:
  DelimitedWriter(std::vector<OutputColumn> columns, OutputSink sink, bool is_csv)
      : RowWriter(std::move(columns), std::move(sink)), is_csv_(is_csv) {
    for (const char c : is_csv ? std::string_view(",\"\r\n") : std::string_view("\t\\\r\n")) {
      is_special_[static_cast<unsigned char>(c)] = true;
    }
    Row names;
    for (const OutputColumn& column : columns_) names.push_back({Kind::kText, column.name});
    AddRow(names);
  }

 protected:
  void AddRow(const Row& row) override {
    for (const OutputCell& cell : row) {
      if (&cell != row.data()) text_ += is_csv_ ? ',' : '\t';
      if (cell.kind == Kind::kNull) continue;
      const bool is_plain = cell.kind == Kind::kLiteral ||
                            std::none_of(cell.text.begin(), cell.text.end(), [this](char c) {
                              return is_special_[static_cast<unsigned char>(c)];
                            });
      if (is_plain && !(is_csv_ && cell.text.empty())) {
        text_ += cell.text;
      } else if (is_csv_) {
        AddQuoted(cell.text);
      } else {
        AddEscaped(cell.text);
      }
    }
    text_ += '\n';
  }

 private:
  void AddQuoted(std::string_view text) {
    text_ += '"';
    for (const char c : text) {
      if (c == '"') text_ += '"';
      text_ += c;
    }
    text_ += '"';
  }
  void AddEscaped(std::string_view text) {
    for (const char c : text) {
      if (!is_special_[static_cast<unsigned char>(c)]) {
        text_ += c;
        continue;
      }
      text_ += '\\';
      text_ += c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : '\\';
    }
  }

  bool is_csv_;
  std::array<bool, 256> is_special_{};
};

/// An array of objects, one a line; or the objects alone, one a line.
class JsonWriter final : public RowWriter {
 public:
  JsonWriter(std::vector<OutputColumn> columns, OutputSink sink, bool is_array)
      : RowWriter(std::move(columns), std::move(sink)), is_array_(is_array) {
    for (const OutputColumn& column : columns_) {
      std::string& key = keys_.emplace_back(keys_.empty() ? "{" : ",");
      AppendJsonText(column.name, key);
      key += ':';
    }
    if (is_array) text_ = "[";
  }

 protected:
  void AddRow(const Row& row) override {
    if (is_array_ && !is_first_) text_ += ",\n";
    is_first_ = false;
    for (size_t c = 0; c < row.size(); ++c) {
      text_ += keys_[c];
      if (row[c].kind == Kind::kNull) {
        text_ += "null";
      } else if (row[c].kind == Kind::kLiteral) {
        text_ += row[c].text;
      } else {
        AppendJsonText(row[c].text, text_);
      }
    }
    text_ += is_array_ ? "}" : "}\n";
  }
  void End() override {
    if (is_array_) text_ += "]\n";
  }

 private:
  bool is_array_;
  bool is_first_ = true;
  std::vector<std::string> keys_;
};

class MarkdownWriter final : public RowWriter {
 public:
  MarkdownWriter(std::vector<OutputColumn> columns, OutputSink sink)
      : RowWriter(std::move(columns), std::move(sink)) {
    text_ = "|";
    for (const OutputColumn& column : columns_) AddCell(column.name);
    text_ += "\n|";
    for (const OutputColumn& column : columns_) text_ += column.is_number ? "---:|" : "---|";
    text_ += '\n';
  }

 protected:
  void AddRow(const Row& row) override {
    text_ += '|';
    for (const OutputCell& cell : row) AddCell(cell.text);
    text_ += '\n';
  }

 private:
  void AddCell(std::string_view text) {
    text_ += ' ';
    for (const char c : text) {
      if (c == '|') text_ += '\\';
      if (c == '\n') {
        text_ += "<br>";
      } else if (c != '\r') {
        text_ += c;
      }
    }
    text_ += " |";
  }
};

/// One value a line, `name = value`; a blank line between rows.
class LineWriter final : public RowWriter {
 public:
  LineWriter(std::vector<OutputColumn> columns, OutputSink sink)
      : RowWriter(std::move(columns), std::move(sink)) {
    for (const OutputColumn& column : columns_)
      width_ = std::max(width_, DisplayWidth(column.name));
  }

 protected:
  void AddRow(const Row& row) override {
    if (!is_first_) text_ += '\n';
    is_first_ = false;
    for (size_t c = 0; c < row.size(); ++c) {
      text_.append(width_ - DisplayWidth(columns_[c].name), ' ');
      text_ += columns_[c].name + " = ";
      text_ += row[c].kind == Kind::kNull ? "NULL" : row[c].text;
      text_ += '\n';
    }
  }

 private:
  size_t width_ = 0;
  bool is_first_ = true;
};

}  // namespace

const std::vector<std::string>& OutputFormatNames() {
  static const auto* const kNames =
      new std::vector<std::string>{"table", "line", "markdown", "csv", "tsv", "json", "ndjson"};
  return *kNames;
}

Result<OutputFormat> ParseOutputFormat(std::string_view name) {
  const auto& names = OutputFormatNames();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    return Error(StatusCode::kInvalidArgument, "got '{}', expected one of {}", name,
                 fmt::join(names, ", "));
  }
  return static_cast<OutputFormat>(found - names.begin());
}

std::unique_ptr<RowWriter> RowWriter::Make(const OutputStyle& style,
                                           std::vector<OutputColumn> columns, OutputSink sink) {
  switch (style.format) {
    case OutputFormat::kTable:
      return MakeBoxWriter(style, std::move(columns), std::move(sink));
    case OutputFormat::kLine:
      return std::make_unique<LineWriter>(std::move(columns), std::move(sink));
    case OutputFormat::kMarkdown:
      return std::make_unique<MarkdownWriter>(std::move(columns), std::move(sink));
    case OutputFormat::kCsv:
    case OutputFormat::kTsv:
      return std::make_unique<DelimitedWriter>(std::move(columns), std::move(sink),
                                               style.format == OutputFormat::kCsv);
    case OutputFormat::kJson:
    case OutputFormat::kNdjson:
      return std::make_unique<JsonWriter>(std::move(columns), std::move(sink),
                                          style.format == OutputFormat::kJson);
  }
  return nullptr;
}

Status RowWriter::Flush() {
  if (text_.empty()) return OkStatus();
  const Status status = sink_(text_);
  text_.clear();
  return status;
}

void AppendJsonText(std::string_view text, std::string& json) {
  const bool is_plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c != '"' && c != '\\';  // also not above ASCII: char is signed
  });
  if (is_plain) {
    json += '"';
    json += text;
    json += '"';
  } else {
    json += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
}

}  // namespace playhead::sql
