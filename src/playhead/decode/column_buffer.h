#pragma once

#include "playhead/base/block_pool.h"
#include "playhead/decode/slot.h"
#include "playhead/decode/type_plan.h"

#include <arrow/type_fwd.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace playhead::decode {

/// The first and the last N bytes, which may overlap.
template <size_t N>
inline void CopyEnds(uint8_t* to, const char* from, size_t size) {
  struct {
    char bytes[N];
  } first, last;
  std::memcpy(&first, from, N);
  std::memcpy(&last, from + size - N, N);
  std::memcpy(to, &first, N);
  std::memcpy(to + size - N, &last, N);
}

/// memcpy without a call for the short texts that most are.
inline void CopyText(uint8_t* to, const char* from, size_t size) {
  if (size > 64) {
    std::memcpy(to, from, size);
  } else if (size >= 32) {
    CopyEnds<32>(to, from, size);
  } else if (size >= 16) {
    CopyEnds<16>(to, from, size);
  } else if (size >= 8) {
    CopyEnds<8>(to, from, size);
  } else if (size >= 4) {
    CopyEnds<4>(to, from, size);
  } else {
    for (size_t i = 0; i < size; ++i) to[i] = static_cast<uint8_t>(from[i]);
  }
}

/// Builds one Arrow array from slots, in memory of a BlockPool.
///
/// Arrow's own builders allocate anew for every batch and check more per value; these two together
/// cost as much as the parsing (docs/decisions/011-decode-buffers.md).
/// Limits   2^31 - 1 bytes of text and as many elements; the caller finishes a batch long before.
/// Threads  one at a time.
class ColumnBuffer {
 public:
  /// `type` must be one that MakeTypePlan accepts; `pool` must outlive the buffer.
  ColumnBuffer(std::shared_ptr<arrow::DataType> type, BlockPool* pool);

  void Append(const Slot& slot, const SlotArena& arena) {
    if (kind_ == TypeKind::kText && slot.has_value()) [[likely]]
      return AppendText(slot.view());
    AppendValue(slot, arena);
  }
  void AppendNull();
  /// Only for text and binary.
  void AppendText(std::string_view text) {
    if (length_ == capacity_) AddRoom();
    const int64_t end = text_size_ + static_cast<int64_t>(text.size());
    text_.Reserve(end, text_size_);
    CopyText(text_.data() + text_size_, text.data(), text.size());
    EndText(end);
    MarkValid();
  }
  /// Only for integers, dates and timestamps.
  void AppendInteger(int64_t value);
  /// As `count` calls of the ones above.
  void AppendNulls(int64_t count);
  void AppendTexts(std::string_view text, int64_t count);
  void AppendIntegers(int64_t value, int64_t count);

  int64_t length() const { return length_; }

  /// The values appended since the last call.
  std::shared_ptr<arrow::ArrayData> Finish();

 private:
  void AppendValue(const Slot& slot, const SlotArena& arena);
  void AddRoom();
  void MarkValid() {
    if (has_validity_) PutBit(validity_.data(), length_, true);
    ++length_;
  }
  void MarkNull();
  void EndText(int64_t end) {
    values_.as<int32_t>()[length_ + 1] = static_cast<int32_t>(end);
    text_size_ = end;
  }
  template <typename T>
  void PutValue(T value) {
    if (length_ == capacity_) AddRoom();
    values_.as<T>()[length_] = value;
    MarkValid();
  }
  void AppendElements(const Slot& slot, const SlotArena& arena);
  int64_t ValueBytes(int64_t length) const;

  // Bits are written one after the other, so the first of a byte also clears the others.
  static void PutBit(uint8_t* bits, int64_t i, bool value) {
    auto bit = static_cast<uint8_t>(static_cast<uint8_t>(value) << (i & 7));
    bits[i >> 3] = (i & 7) == 0 ? bit : static_cast<uint8_t>(bits[i >> 3] | bit);
  }

  std::shared_ptr<arrow::DataType> type_;
  TypeKind kind_;
  int64_t length_ = 0;
  int64_t capacity_ = 0;
  bool has_validity_ = false;  // made when the first null comes
  int64_t null_count_ = 0;
  GrowingBytes validity_;
  GrowingBytes values_;  // values, bits or offsets
  GrowingBytes text_;
  int64_t text_size_ = 0;
  int64_t last_length_ = 0;  // of the batch before
  int64_t last_text_size_ = 0;
  std::vector<ColumnBuffer> children_;  // list: element; map: key, value; struct: fields
};

/// The columns of one record batch under construction.
class RowBuffers {
 public:
  RowBuffers(std::shared_ptr<arrow::Schema> schema, BlockPool* pool);

  ColumnBuffer& column(size_t i) { return columns_[i]; }
  /// Every column must have the same length when a row is complete.
  int64_t row_count() const { return columns_.front().length(); }
  std::shared_ptr<arrow::RecordBatch> Finish();

 private:
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<ColumnBuffer> columns_;
};

}  // namespace playhead::decode
