#pragma once

#include "playhead/base/block_pool.h"
#include "playhead/decode/column_buffer.h"
#include "playhead/decode/generation.h"
#include "playhead/decode/slot.h"

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace playhead::decode {

/// The columns of one record batch under construction.
class RowBuffers {
 public:
  RowBuffers(std::shared_ptr<arrow::Schema> schema, BlockPool* pool, ColumnBuffer::Text text);

  ColumnBuffer& column(size_t i) { return columns_[i]; }
  /// Appends rows, column by column: a value to each of the first `columns` columns for each of
  /// `rows`, which are arrays of slots. Rows without decimals only.
  void AppendRows(std::span<const Slot* const> rows, size_t columns);
  /// As AppendRows() for one row.
  void AppendRow(const SlotArena& arena, size_t columns);
  /// Every column must have the same length when a row is complete.
  int64_t row_count() const { return columns_.front().length(); }

  struct Batch {
    std::shared_ptr<arrow::RecordBatch> rows;
    Generation generation;
  };
  Batch Finish();
  /// Of all dictionaries, which go on after Finish().
  int64_t dictionary_bytes() const;
  /// Begins all dictionaries anew; there must be no rows.
  void StartGeneration();

 private:
  void JudgeDictionaries();
  /// Once, when the first rows are there.
  void ReconsiderDictionaries();

  std::shared_ptr<arrow::Schema> schema_;
  std::vector<ColumnBuffer> columns_;
  uint64_t generation_ = 0;
  int64_t generation_rows_ = 0;                  // of the batches before
  bool is_judged_ = false;                       // in this generation
  std::shared_ptr<arrow::Schema> batch_schema_;  // with the types of the last batch
};

}  // namespace playhead::decode
