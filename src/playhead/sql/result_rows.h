#pragma once

#include "playhead/sql/row_writer.h"

#include <duckdb.hpp>

#include <memory>
#include <string>
#include <vector>

namespace playhead::sql {

/// Feeds a result to a RowWriter chunk by chunk. Columns are converted to text as a whole by
/// DuckDB's own casts.
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

/// Rounds a floating-point number for display, keeping significant digits of small ones: with two
/// digits 71.333… becomes 71.33 and 0.0012345 becomes 0.00123.
std::string RoundedText(const std::string& number, int digits);

}  // namespace playhead::sql
