#pragma once

#include "playhead/sql/row_writer.h"

#include <duckdb.hpp>

#include <memory>
#include <string>
#include <vector>

namespace playhead::sql {

/// Hands the rows of a result, chunk by chunk, to a RowWriter. Whole columns become text at once,
/// by DuckDB's own casts.
class ResultRows {
 public:
  ResultRows(duckdb::ClientContext& context, const duckdb::QueryResult& result,
             const OutputStyle& style, OutputSink sink);

  Status Add(duckdb::DataChunk& chunk);
  Status Flush() { return writer_->Flush(); }
  Status Finish() { return writer_->Finish(); }

 private:
  class Column;

  duckdb::ClientContext& context_;
  bool is_json_;
  int digits_max_;
  std::unique_ptr<RowWriter> writer_;
};

/// A floating number with so many digits after its point that a person sees its size: 71.333… is
/// 71.33 with two, and 0.00123… is 0.00123.
std::string RoundedText(const std::string& number, int digits);

}  // namespace playhead::sql
