#pragma once

#include "playhead/decode/generation.h"

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace playhead::columnar {

/// Gathers the rows of one row group. Text columns (also lists of text) wait as codes of a
/// dictionary, unless too many of their values differ; the others wait as they are.
///
/// Rows     all batches have the columns of the schema, in its order; text may come plain or as
///          codes of a dictionary (int32). Where the row group begins with a generation, these
///          codes and the dictionary are taken as they are.
/// Memory   of codes, dictionaries and the other columns: memory_bytes().
/// Threads  one at a time.
class RowGroupBuilder {
 public:
  explicit RowGroupBuilder(const std::shared_ptr<arrow::Schema>& schema);
  ~RowGroupBuilder();
  RowGroupBuilder(RowGroupBuilder&&) noexcept;

  /// `rows_expected`: of the whole row group, to judge by its first rows whether a dictionary pays.
  void Append(const arrow::RecordBatch& rows, int64_t rows_expected,
              decode::Generation generation = {});

  int64_t rows() const { return rows_; }
  /// Of the columns as they were given, and of dictionaries.
  int64_t arrow_bytes() const { return arrow_bytes_; }
  int64_t memory_bytes() const;
  /// A dictionary has grown as large as Parquet's may.
  bool has_full_dictionary() const;

  /// The columns, in order; starts anew. Text columns whose dictionary pays are dictionary arrays.
  /// A column that has once come as plain text stays plain.
  std::vector<std::shared_ptr<arrow::ChunkedArray>> Finish();

 private:
  class Column;

  std::vector<Column> columns_;
  int64_t rows_ = 0;
  int64_t arrow_bytes_ = 0;
};

}  // namespace playhead::columnar
