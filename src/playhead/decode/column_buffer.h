#pragma once

#include "playhead/base/block_pool.h"
#include "playhead/decode/generation.h"
#include "playhead/decode/short_text.h"
#include "playhead/decode/slot.h"
#include "playhead/decode/text_dictionary.h"
#include "playhead/decode/type_plan.h"

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace playhead::decode {

/// Texts of a column that wait for their codes. A large dictionary lies on more pages than the
/// processor can keep in mind, so many texts of one column are looked up in a row.
struct PendingTexts {
  explicit PendingTexts(BlockPool* pool) : text(pool), ends(pool), hashes(pool), rows(pool) {}

  GrowingBytes text;
  GrowingBytes ends;    // int32_t, of the texts; the first is 0
  GrowingBytes hashes;  // uint64_t
  GrowingBytes rows;    // int32_t, where in the batch
  int64_t count = 0;
  int64_t text_bytes = 0;
};

/// Builds one Arrow array from slots, in memory of a BlockPool.
///
/// Arrow's own builders allocate anew for every batch and check more per value; these two together
/// cost as much as the parsing (docs/decisions/011-decode-buffers.md). Text may be built as codes
/// of a dictionary that goes on from batch to batch (docs/decisions/042-codes.md).
/// Limits   2^31 - 1 bytes of text and as many elements; the caller finishes a batch long before.
/// Threads  one at a time.
class ColumnBuffer {
 public:
  enum class Text { kPlain, kCoded };
  /// `type` must be one that MakeTypePlan accepts; `pool` must outlive the buffer. Only text,
  /// binary and lists of them can be coded; for others `text` means nothing.
  ColumnBuffer(std::shared_ptr<arrow::DataType> type, BlockPool* pool, Text text = Text::kPlain);

  void Append(const Slot& slot, const SlotArena& arena) {
    if (kind_ == TypeKind::kText && slot.has_value()) [[likely]]
      return AppendText(slot.view());
    AppendValue(slot, arena);
  }
  void AppendNull();
  /// Only for text and binary.
  void AppendText(std::string_view text) {
    if (is_coded()) {
      // Codes follow the first appearances, so a text does not overtake those that wait.
      if (pending_->count > 0) return AppendPending(text);
      return AppendCode(IsLast(text) ? last_code_ : dictionary_->Find(text));
    }
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

  /// Whether the values are codes; not those of elements.
  bool is_coded() const { return dictionary_ != nullptr; }
  /// As Append() for slot `column` of each of `rows`, in less time: texts are looked up together
  /// (see TextDictionary).
  void AppendSlots(std::span<const Slot* const> rows, size_t column);
  /// Whether a dictionary, also that of elements, is as large as it may become.
  bool has_full_dictionary() const;
  /// Of dictionaries, also those of elements.
  int64_t dictionary_bytes() const;
  /// Gives up the dictionary for good if it does not pay, once enough values have come or it is
  /// full. `rows`: in the dictionary's time, of the whole column.
  void Judge(int64_t rows);
  /// Begins the dictionary anew; the column must be empty.
  void StartGeneration();

  /// The values appended since the last call. Coded ones are dictionary arrays (int32), whose
  /// dictionaries begin with the one of the call before until a generation is started.
  std::shared_ptr<arrow::ArrayData> Finish();

 private:
  void AppendValue(const Slot& slot, const SlotArena& arena);
  void AddRoom();
  void MarkValid() {
    if (has_validity_) PutBit(validity_.data(), length_, true);
    ++length_;
  }
  void MarkValid(int64_t count) {
    if (!has_validity_) {
      length_ += count;
    } else {
      for (int64_t i = 0; i < count; ++i) MarkValid();
    }
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
  void AppendCoded(std::span<const Slot* const> rows, size_t column);
  void AppendAmongFew(std::span<const Slot* const> rows, size_t column);
  void AppendLast(int64_t count);
  void AppendPending(std::span<const Slot* const> rows, size_t column);
  void AppendPending(std::string_view text) {
    const Slot slot = Slot::OfText(text);
    const Slot* row = &slot;
    AppendPending({&row, 1}, 0);
  }
  void ResolvePending();
  bool IsLast(std::string_view text) const {
    return last_code_ >= 0 && EqualTexts(dictionary_->text(last_code_), text);
  }
  void AppendCode(int32_t code) {
    if (length_ == capacity_) AddRoom();
    values_.as<int32_t>()[length_] = code;
    last_code_ = code;
    ++coded_values_;
    MarkValid();
  }
  void GiveUpDictionary();
  bool HasOffsets() const;
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
  GrowingBytes values_;  // values, bits, codes or offsets
  GrowingBytes text_;
  int64_t text_size_ = 0;
  int64_t last_length_ = 0;  // of the batch before
  int64_t last_text_size_ = 0;
  std::unique_ptr<TextDictionary> dictionary_;  // of coded text
  std::unique_ptr<PendingTexts> pending_;       // of a large dictionary
  int32_t last_code_ = -1;
  int64_t coded_values_ = 0;            // in this generation
  bool is_judged_ = false;              // in this generation
  std::vector<ColumnBuffer> children_;  // list: element; map: key, value; struct: fields
};

}  // namespace playhead::decode
