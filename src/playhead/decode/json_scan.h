#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace playhead::decode {

/// What a scan finds in blocks of 64 bytes: bit i of a word belongs to byte i of its block.
struct JsonBlocks {
  uint64_t* quotes;   ///< one word a block
  uint64_t* high;     ///< the same: bytes that are not ASCII
  uint64_t special;   ///< not zero once any byte was a backslash or below 0x20
  uint64_t any_high;  ///< not zero once any byte was not ASCII
};

/// Scans `count` blocks from `text` on and adds what it finds to `out`.
using ScanBlocks = void (*)(const char* text, size_t count, JsonBlocks* out);

/// The quickest one for this machine.
ScanBlocks BestScanBlocks();
/// All that this machine can run, the quickest first; for tests.
std::vector<ScanBlocks> UsableScanBlocks();

/// Knows the quotes of a JSON text without escapes, so that each string's end is found in a few
/// instructions.
///
/// Memory   128 bytes for each KiB of the longest text, at most 8 KiB.
/// Threads  one at a time.
class QuoteMap {
 public:
  static constexpr size_t kBytesMax = 32 << 10;

  explicit QuoteMap(ScanBlocks scan = BestScanBlocks()) : scan_(scan) {}

  /// Maps `text`, which needs no padding. False when it is longer than kBytesMax, is not UTF-8, or
  /// has a backslash or a byte below 0x20 anywhere.
  bool Build(std::string_view text);

  /// Position of the first quote at `from` (at most the text's size) or behind; the text's size
  /// when there is none.
  size_t Next(size_t from) const {
    const uint64_t* word = quotes_.data() + from / 64;
    const size_t shift = from % 64;
    // 64 bits from `from` on, whatever block they begin in: a branch on it would often be
    // mispredicted. Shifting twice is how to shift by 64.
    uint64_t window = word[0] >> shift | word[1] << 1 << (63 - shift);
    while (window == 0) [[unlikely]] {
      from += 64;
      if (from >= size_) return size_;
      ++word;
      window = word[0] >> shift | word[1] << 1 << (63 - shift);
    }
    return from + static_cast<size_t>(std::countr_zero(window));
  }

 private:
  bool IsHighPartUtf8(std::string_view text) const;

  ScanBlocks scan_;
  size_t size_ = 0;
  std::vector<uint64_t> quotes_;  // a word of zeros follows those of the text
  std::vector<uint64_t> high_;
};

}  // namespace playhead::decode
