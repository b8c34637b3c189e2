#pragma once

#include <cstdint>
#include <string_view>

namespace parquet {
class ColumnDescriptor;
class EncodedStatistics;
class WriterProperties;
}  // namespace parquet

namespace playhead::columnar {

/// The smallest and the largest of texts that outlive it, ordered by their unsigned bytes.
class TextBounds {
 public:
  void Add(std::string_view text) {
    const uint64_t prefix = Prefix(text);
    // Most texts lie between the two and are told by their first bytes.
    if (prefix <= min_prefix_ || prefix >= max_prefix_) [[unlikely]] {
      Widen(text, prefix);
    }
  }

  /// Statistics with these bounds (unless they are too long) of a column chunk of `count` levels,
  /// of which `value_count` have a value.
  parquet::EncodedStatistics Statistics(int64_t count, int64_t value_count,
                                        const parquet::WriterProperties& properties,
                                        const parquet::ColumnDescriptor& descriptor) const;

 private:
  /// The first eight bytes as a number that is ordered as they are.
  static uint64_t Prefix(std::string_view text) {
    uint64_t word = 0;
    if (text.size() >= sizeof(word)) [[likely]] {
      __builtin_memcpy(&word, text.data(), sizeof(word));
      return __builtin_bswap64(word);
    }
    for (size_t i = 0; i < text.size(); ++i) {
      word |= uint64_t{static_cast<uint8_t>(text[i])} << (56 - 8 * i);
    }
    return word;
  }
  void Widen(std::string_view text, uint64_t prefix);

  bool is_empty_ = true;
  std::string_view min_;
  std::string_view max_;
  uint64_t min_prefix_ = UINT64_MAX;
  uint64_t max_prefix_ = 0;
};

}  // namespace playhead::columnar
