#pragma once

#include "playhead/base/block_pool.h"

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace playhead::table {

/// Gives equal texts equal codes, 0, 1, 2, … in order of their first appearance.
///
/// Parquet's own dictionary encoder takes one value after the other and waits for memory at each;
/// here the places of many values are fetched ahead (`./dev bench dictionary_bench`). Memory   the
/// distinct texts and about 30 bytes for each; kept for the next row group. Limits   2^31 - 1 bytes
/// of distinct texts; the caller begins anew long before. Threads  one at a time.
class TextDictionary {
 public:
  explicit TextDictionary(BlockPool* pool);

  /// Writes a code for each value of `values` to `codes`, which has room for all; 0 for nulls.
  void Encode(const arrow::BinaryArray& values, int32_t* codes);

  int64_t size() const { return size_; }
  /// Of the distinct texts.
  int64_t text_bytes() const { return text_bytes_; }
  std::string_view text(int32_t code) const {
    const int32_t* ends = ends_.as<int32_t>() + code;
    return {text_.as<char>() + ends[0], static_cast<size_t>(ends[1] - ends[0])};
  }

  /// The texts in order of their codes, as an array of `type` (utf8 or binary); begins anew.
  std::shared_ptr<arrow::Array> Take(const std::shared_ptr<arrow::DataType>& type);

 private:
  /// A free place or the upper half of a hash and the code of its text.
  struct Place {
    static constexpr uint32_t kFree = UINT32_MAX;
    uint32_t tag;
    uint32_t code;
  };

  void EncodeBlock(std::span<const std::string_view> texts, int32_t* codes);
  int32_t Find(std::string_view text, uint64_t hash);
  int32_t Add(std::string_view text, uint64_t hash, size_t place);
  void SetPlaces(size_t count);
  void Begin();

  Place* places() { return places_.as<Place>(); }

  GrowingBytes places_;  // open addressing, a power of two, at most half full
  size_t mask_ = 0;
  GrowingBytes hashes_;  // uint64_t by code
  GrowingBytes ends_;    // int32_t, of the texts; the first is 0
  GrowingBytes text_;
  int64_t size_ = 0;
  int64_t text_bytes_ = 0;
};

}  // namespace playhead::table
