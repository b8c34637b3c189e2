#pragma once

#include "playhead/base/block_pool.h"
#include "playhead/decode/short_text.h"

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace playhead::decode {

/// A dictionary begins anew, and with it a row group, once its texts and their lengths take this.
inline constexpr int64_t kDictionaryBytesMax = 4 << 20;

/// From so many values on a dictionary is judged while more come.
inline constexpr int64_t kJudgedValues = 4096;

/// Whether a dictionary is worth its hashing for a text column of `values_expected` values, of
/// which the first `values` hold `distinct` different ones with `distinct_bytes` in all.
bool IsDictionaryWorthwhile(int64_t values, int64_t distinct, int64_t distinct_bytes,
                            int64_t values_expected);

/// As IsDictionaryWorthwhile() for any kind of column: `values` drawn from it hold `seen` different
/// ones, and at most the share `share_max` of all values may differ.
bool IsDictionaryWorthwhile(double values, double seen, double seen_bytes, double share_max,
                            double values_expected);

/// Bytes that grow by doubling and are only ever appended to. What was handed out keeps the block
/// it is in, so that another thread may read it while more is appended.
class AppendedBytes {
 public:
  explicit AppendedBytes(BlockPool* pool) : pool_(pool) {}

  uint8_t* data() { return data_; }
  template <typename T>
  T* as() {
    return reinterpret_cast<T*>(data_);
  }
  template <typename T>
  const T* as() const {
    return reinterpret_cast<const T*>(data_);
  }
  /// Makes room for `bytes`, keeping the first `used`.
  void Reserve(int64_t bytes, int64_t used) {
    if (bytes > capacity_) Grow(bytes, used);
  }
  /// The block; what has been appended to it does not change.
  const std::shared_ptr<arrow::Buffer>& buffer() const { return buffer_; }
  /// Begins anew, in another block: this one may be in use elsewhere.
  void Clear();

 private:
  void Grow(int64_t bytes, int64_t used);

  BlockPool* pool_;
  std::shared_ptr<arrow::Buffer> buffer_;
  uint8_t* data_ = nullptr;
  int64_t capacity_ = 0;
};

/// Gives equal texts equal codes, 0, 1, 2, … in order of their first appearance.
///
/// Finding waits for memory, so several texts are best looked up together: first all places are
/// fetched, then all known texts, then they are compared.
/// Memory   the distinct texts and about 30 bytes for each.
/// Limits   2^31 - 1 bytes of distinct texts; the caller begins anew long before.
/// Threads  one at a time, but for arrays of texts() that others read meanwhile.
class TextDictionary {
 public:
  explicit TextDictionary(BlockPool* pool);

  /// Texts that are looked up together; more would not stay in the first cache.
  static constexpr size_t kBlock = 64;

  /// Writes the code of each text, a new one if it has none, to `codes`. At most kBlock texts;
  /// `hashes` are theirs, from HashTexts() of base.
  void FindTogether(std::span<const std::string_view> texts, const uint64_t* hashes,
                    int32_t* codes);
  void FindTogether(std::span<const std::string_view> texts, int32_t* codes);
  /// For one text alone.
  int32_t Find(std::string_view text);
  /// As Find() in a dictionary of a few texts, without hashing them.
  int32_t FindAmongFew(std::string_view text) {
    for (int32_t code = 0; code < size_; ++code) {
      if (EqualTexts(this->text(code), text)) return code;
    }
    return Find(text);
  }
  /// Writes a code for each value of `values` to `codes`, which has room for all; 0 for nulls.
  void Encode(const arrow::BinaryArray& values, int32_t* codes);

  int64_t size() const { return size_; }
  /// Of the distinct texts.
  int64_t text_bytes() const { return text_bytes_; }
  /// Of the texts and their lengths, as Parquet's dictionary page has them.
  int64_t page_bytes() const { return text_bytes_ + 4 * size_; }
  int64_t memory_bytes() const { return text_bytes_ + 30 * size_; }
  std::string_view text(int32_t code) const {
    const int32_t* ends = ends_.as<int32_t>() + code;
    return {text_.as<char>() + ends[0], static_cast<size_t>(ends[1] - ends[0])};
  }

  /// The texts in order of their codes, as an array of `type` (utf8 or binary), without copying:
  /// texts that are added later do not change it.
  std::shared_ptr<arrow::Array> texts(const std::shared_ptr<arrow::DataType>& type) const;
  void Clear();

 private:
  /// A free place, or the lower half of a hash, which also tells where it belongs in a larger
  /// table, and the code of the text that has it.
  struct Place {
    static constexpr uint32_t kFree = UINT32_MAX;
    uint32_t tag;
    uint32_t code;
  };

  static uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash); }
  void Fetch(uint64_t hash) const { __builtin_prefetch(&places_.as<Place>()[hash & mask_]); }
  void FetchText(uint64_t hash) const {
    const Place* places = places_.as<Place>();
    size_t i = hash & mask_;
    while (places[i].code != Place::kFree && places[i].tag != TagOf(hash)) i = (i + 1) & mask_;
    if (places[i].code == Place::kFree) return;
    const std::string_view known = text(static_cast<int32_t>(places[i].code));
    __builtin_prefetch(known.data());
    __builtin_prefetch(known.data() + known.size());
  }
  int32_t Find(std::string_view text, uint64_t hash) {
    for (size_t i = hash & mask_;; i = (i + 1) & mask_) {
      const Place& place = places_.as<Place>()[i];
      if (place.code == Place::kFree) return Add(text, hash, i);
      const auto code = static_cast<int32_t>(place.code);
      if (place.tag == TagOf(hash) && EqualTexts(this->text(code), text)) return code;
    }
  }
  int32_t Add(std::string_view text, uint64_t hash, size_t place);
  void SetPlaces(size_t count);
  void Begin();

  GrowingBytes places_;  // open addressing, a power of two, at most half full
  size_t mask_ = 0;
  AppendedBytes ends_;  // int32_t, of the texts; the first is 0
  AppendedBytes text_;
  int64_t size_ = 0;
  int64_t text_bytes_ = 0;
};

}  // namespace playhead::decode
