#pragma once

#include "playhead/base/block_pool.h"
#include "playhead/decode/generation.h"
#include "playhead/decode/text_dictionary.h"

#include <arrow/buffer_builder.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace playhead::columnar {

/// Bits that are kept only from the first null on.
class Validity {
 public:
  void Append(const arrow::Array& array);
  int64_t null_count() const { return null_count_; }
  /// Null when all are valid; starts anew.
  std::shared_ptr<arrow::Buffer> Take();

 private:
  arrow::TypedBufferBuilder<bool> bits_;
  int64_t length_ = 0;
  int64_t null_count_ = 0;
};

/// The texts of one column of a row group, as codes of a dictionary that has no other texts.
///
/// Values that come as codes and whose generation begins with the row group keep their codes and
/// share the dictionary they came with; all others get codes of a dictionary of this column.
/// Threads  one at a time.
class GatheredText {
 public:
  /// `type` is utf8 or binary.
  explicit GatheredText(std::shared_ptr<arrow::DataType> type);

  /// `values` are of the type, or codes (int32) of a dictionary of it.
  void Append(const arrow::Array& values, decode::Generation generation);

  bool is_empty() const { return length_ == 0; }
  /// Without nulls.
  int64_t values() const { return length_ - validity_.null_count(); }
  int64_t memory_bytes() const;
  /// Of the texts and their lengths.
  int64_t dictionary_bytes() const;
  bool IsDictionaryWorthwhile(int64_t values_expected) const;

  /// A dictionary array; starts anew.
  std::shared_ptr<arrow::Array> Take();
  /// The text itself; starts anew.
  std::shared_ptr<arrow::Array> TakePlain();
  /// Forgets all values.
  void Clear();

 private:
  static constexpr int64_t kCodeBytes = sizeof(int32_t);

  void AppendCodes(const arrow::DictionaryArray& values, decode::Generation generation);
  void Translate(const arrow::DictionaryArray& values, decode::Generation generation,
                 int32_t* codes);
  /// Takes the shared dictionary over into the own one; the codes stay.
  void StopSharing();
  int64_t distinct() const { return is_sharing_ ? shared_size_ : own_.size(); }
  /// The dictionary; its first distinct() texts are meant.
  std::shared_ptr<arrow::Array> TakeDictionary();

  std::shared_ptr<arrow::DataType> type_;
  GrowingBytes codes_;
  int64_t length_ = 0;
  Validity validity_;

  bool is_sharing_ = false;
  std::shared_ptr<arrow::BinaryArray> shared_;  // the longest dictionary that came
  int64_t shared_size_ = 0;                     // of its texts those that have appeared
  decode::TextDictionary own_;
  uint64_t generation_ = 0;         // of the shared dictionary or of own_codes_
  std::vector<int32_t> own_codes_;  // by the codes of another dictionary, -1 = not yet
};

}  // namespace playhead::columnar
