#include "playhead/decode/row_buffers.h"

#include <arrow/array/data.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <atomic>
#include <utility>

namespace playhead::decode {
namespace {

uint64_t NewGeneration() {
  static std::atomic<uint64_t> last = 0;
  return ++last;
}

}  // namespace

RowBuffers::RowBuffers(std::shared_ptr<arrow::Schema> schema, BlockPool* pool,
                       ColumnBuffer::Text text)
    : schema_(std::move(schema)), generation_(NewGeneration()) {
  columns_.reserve(static_cast<size_t>(schema_->num_fields()));
  for (const auto& field : schema_->fields()) columns_.emplace_back(field->type(), pool, text);
}

void RowBuffers::AppendRows(std::span<const Slot* const> rows, size_t columns) {
  for (size_t i = 0; i < columns; ++i) columns_[i].AppendSlots(rows, i);
  ReconsiderDictionaries();
}

void RowBuffers::AppendRow(const SlotArena& arena, size_t columns) {
  for (size_t i = 0; i < columns; ++i) columns_[i].Append(arena.slots[i], arena);
  ReconsiderDictionaries();
}

void RowBuffers::ReconsiderDictionaries() {
  if (!is_judged_ && row_count() >= kJudgedValues) JudgeDictionaries();
}

void RowBuffers::JudgeDictionaries() {
  const int64_t rows = generation_rows_ + row_count();
  if (rows == 0) return;
  is_judged_ = true;
  for (ColumnBuffer& column : columns_) column.Judge(rows);
}

int64_t RowBuffers::dictionary_bytes() const {
  int64_t bytes = 0;
  for (const ColumnBuffer& column : columns_) bytes += column.dictionary_bytes();
  return bytes;
}

void RowBuffers::StartGeneration() {
  for (ColumnBuffer& column : columns_) column.StartGeneration();
  generation_ = NewGeneration();
  generation_rows_ = 0;
  is_judged_ = false;
}

RowBuffers::Batch RowBuffers::Finish() {
  const int64_t rows = row_count();
  JudgeDictionaries();
  std::vector<std::shared_ptr<arrow::ArrayData>> arrays;
  arrays.reserve(columns_.size());
  for (ColumnBuffer& column : columns_) arrays.push_back(column.Finish());

  bool has_batch_types = batch_schema_ != nullptr;
  for (size_t i = 0; has_batch_types && i < arrays.size(); ++i) {
    const arrow::DataType& type = *batch_schema_->field(static_cast<int>(i))->type();
    has_batch_types = type.id() == arrays[i]->type->id() &&
                      (type.num_fields() == 0 || type.Equals(*arrays[i]->type));
  }
  if (!has_batch_types) {
    arrow::FieldVector fields;
    for (size_t i = 0; i < arrays.size(); ++i) {
      fields.push_back(schema_->field(static_cast<int>(i))->WithType(arrays[i]->type));
    }
    batch_schema_ = arrow::schema(std::move(fields), schema_->metadata());
  }
  Batch batch{.rows = arrow::RecordBatch::Make(batch_schema_, rows, std::move(arrays)),
              .generation = {.number = generation_, .is_first_batch = generation_rows_ == 0}};
  generation_rows_ += rows;
  if (generation_rows_ >= kGenerationRows ||
      std::ranges::any_of(columns_, &ColumnBuffer::has_full_dictionary)) {
    StartGeneration();
  }
  return batch;
}

}  // namespace playhead::decode
