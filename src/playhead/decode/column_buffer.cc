#include "playhead/decode/column_buffer.h"

#include "playhead/base/status.h"

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

namespace playhead::decode {
namespace {

constexpr int64_t kFirstCapacity = 64;

TypeKind KindOf(const arrow::DataType& type) {
  auto plan = MakeTypePlan("", type);
  PH_CHECK(plan.ok());
  return plan->kind;
}

/// Bytes a value takes; 0 for kinds whose values are bits, offsets or nothing.
int64_t WidthOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kInt32:
    case TypeKind::kFloat32:
    case TypeKind::kDate32:
      return 4;
    case TypeKind::kInt64:
    case TypeKind::kFloat64:
    case TypeKind::kTimestamp:
      return 8;
    case TypeKind::kDecimal128:
      return 16;
    default:
      return 0;
  }
}

bool HasOffsets(TypeKind kind) {
  return kind == TypeKind::kText || kind == TypeKind::kBinary || kind == TypeKind::kList ||
         kind == TypeKind::kMap;
}

int64_t BitBytes(int64_t bits) { return (bits + 7) / 8; }

}  // namespace

ColumnBuffer::ColumnBuffer(std::shared_ptr<arrow::DataType> type, BlockPool* pool)
    : type_(std::move(type)), kind_(KindOf(*type_)), validity_(pool), values_(pool), text_(pool) {
  if (kind_ == TypeKind::kMap) {
    const auto& map = static_cast<const arrow::MapType&>(*type_);
    children_.emplace_back(map.key_type(), pool);
    children_.emplace_back(map.item_type(), pool);
  } else {
    for (const auto& field : type_->fields()) children_.emplace_back(field->type(), pool);
  }
}

int64_t ColumnBuffer::ValueBytes(int64_t length) const {
  if (HasOffsets(kind_)) return (length + 1) * 4;
  if (kind_ == TypeKind::kBool) return BitBytes(length);
  return length * WidthOf(kind_);
}

void ColumnBuffer::AddRoom() {
  // The next batch is about as large as the one before, and growing copies.
  const bool is_empty = capacity_ == 0;
  capacity_ = std::max({kFirstCapacity, 2 * capacity_, is_empty ? last_length_ : 0});
  if (is_empty && last_text_size_ > 0) text_.Reserve(last_text_size_, 0);
  if (kind_ != TypeKind::kStruct) {
    bool is_first = values_.capacity() == 0;
    values_.Reserve(ValueBytes(capacity_), is_first ? 0 : ValueBytes(length_));
    if (is_first && HasOffsets(kind_)) values_.as<int32_t>()[0] = 0;
  }
  if (has_validity_) validity_.Reserve(BitBytes(capacity_), BitBytes(length_));
}

void ColumnBuffer::MarkNull() {
  if (!has_validity_) {
    has_validity_ = true;
    validity_.Reserve(BitBytes(capacity_), 0);
    auto whole = static_cast<size_t>(length_ / 8);
    std::memset(validity_.data(), 0xFF, whole);
    validity_.data()[whole] = static_cast<uint8_t>((1 << (length_ & 7)) - 1);
  }
  PutBit(validity_.data(), length_, false);
  ++null_count_;
  ++length_;
}

void ColumnBuffer::AppendNull() {
  if (length_ == capacity_) AddRoom();
  switch (kind_) {
    case TypeKind::kText:
    case TypeKind::kBinary:
      EndText(text_size_);
      break;
    case TypeKind::kList:
    case TypeKind::kMap:
      values_.as<int32_t>()[length_ + 1] = static_cast<int32_t>(children_[0].length());
      break;
    case TypeKind::kStruct:
      for (ColumnBuffer& child : children_) child.AppendNull();
      break;
    case TypeKind::kBool:
      PutBit(values_.data(), length_, false);
      break;
    default: {
      auto width = static_cast<size_t>(WidthOf(kind_));
      std::memset(values_.data() + static_cast<size_t>(length_) * width, 0, width);
    }
  }
  MarkNull();
}

void ColumnBuffer::AppendNulls(int64_t count) {
  for (int64_t i = 0; i < count; ++i) AppendNull();
}

void ColumnBuffer::AppendTexts(std::string_view text, int64_t count) {
  const auto size = static_cast<int64_t>(text.size());
  text_.Reserve(text_size_ + count * size, text_size_);
  for (int64_t i = 0; i < count; ++i) AppendText(text);
}

void ColumnBuffer::AppendIntegers(int64_t value, int64_t count) {
  for (int64_t i = 0; i < count; ++i) AppendInteger(value);
}

void ColumnBuffer::AppendInteger(int64_t value) {
  if (kind_ == TypeKind::kInt32 || kind_ == TypeKind::kDate32) {
    PutValue(static_cast<int32_t>(value));
  } else {
    PutValue(value);
  }
}

void ColumnBuffer::AppendValue(const Slot& slot, const SlotArena& arena) {
  if (!slot.has_value()) return AppendNull();
  switch (kind_) {
    case TypeKind::kText:
    case TypeKind::kBinary:
      return AppendText(slot.view());
    case TypeKind::kInt32:
    case TypeKind::kDate32:
      return PutValue(static_cast<int32_t>(slot.integer));
    case TypeKind::kInt64:
    case TypeKind::kTimestamp:
      return PutValue(slot.integer);
    case TypeKind::kFloat32:
      return PutValue(static_cast<float>(slot.real));
    case TypeKind::kFloat64:
      return PutValue(slot.real);
    case TypeKind::kDecimal128:
      return PutValue(arena.decimals[slot.decimal]);
    case TypeKind::kBool:
      if (length_ == capacity_) AddRoom();
      PutBit(values_.data(), length_, slot.integer != 0);
      return MarkValid();
    case TypeKind::kStruct:
      if (length_ == capacity_) AddRoom();
      for (size_t i = 0; i < children_.size(); ++i) {
        children_[i].Append(arena.slots[slot.first + i], arena);
      }
      return MarkValid();
    case TypeKind::kList:
    case TypeKind::kMap:
      return AppendElements(slot, arena);
  }
}

void ColumnBuffer::AppendElements(const Slot& slot, const SlotArena& arena) {
  if (length_ == capacity_) AddRoom();
  uint32_t at = slot.first;
  uint32_t count = slot.size * static_cast<uint32_t>(children_.size());
  for (uint32_t i = 0; i < count; ++i) {
    const Slot& element = arena.slots[at];
    children_[i % children_.size()].Append(element, arena);
    at = element.next;
  }
  values_.as<int32_t>()[length_ + 1] = static_cast<int32_t>(children_[0].length());
  MarkValid();
}

std::shared_ptr<arrow::ArrayData> ColumnBuffer::Finish() {
  if (capacity_ == 0) AddRoom();
  std::vector<std::shared_ptr<arrow::Buffer>> buffers;
  buffers.push_back(has_validity_ ? validity_.Take(BitBytes(length_)) : nullptr);
  if (kind_ != TypeKind::kStruct) buffers.push_back(values_.Take(ValueBytes(length_)));
  if (kind_ == TypeKind::kText || kind_ == TypeKind::kBinary) {
    text_.Reserve(1, 0);
    buffers.push_back(text_.Take(text_size_));
  }
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  children.reserve(children_.size());
  for (ColumnBuffer& child : children_) children.push_back(child.Finish());
  if (kind_ == TypeKind::kMap) {
    int64_t entries = children[0]->length;
    std::vector<std::shared_ptr<arrow::Buffer>> no_validity{nullptr};
    auto entry = arrow::ArrayData::Make(type_->field(0)->type(), entries, std::move(no_validity),
                                        std::move(children), /*null_count=*/0);
    children = {std::move(entry)};
  }
  auto data =
      arrow::ArrayData::Make(type_, length_, std::move(buffers), std::move(children), null_count_);
  last_length_ = length_;
  last_text_size_ = text_size_;
  length_ = capacity_ = null_count_ = text_size_ = 0;
  has_validity_ = false;
  return data;
}

RowBuffers::RowBuffers(std::shared_ptr<arrow::Schema> schema, BlockPool* pool)
    : schema_(std::move(schema)) {
  columns_.reserve(static_cast<size_t>(schema_->num_fields()));
  for (const auto& field : schema_->fields()) columns_.emplace_back(field->type(), pool);
}

std::shared_ptr<arrow::RecordBatch> RowBuffers::Finish() {
  int64_t rows = row_count();
  std::vector<std::shared_ptr<arrow::ArrayData>> arrays;
  arrays.reserve(columns_.size());
  for (ColumnBuffer& column : columns_) arrays.push_back(column.Finish());
  return arrow::RecordBatch::Make(schema_, rows, std::move(arrays));
}

}  // namespace playhead::decode
