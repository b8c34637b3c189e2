#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace playhead::decode {

/// What a scan finds in blocks of 64 bytes: bit i of a word belongs to byte i of its block.
struct JsonBlocks {
  uint64_t* quotes;          ///< one word a block
  uint64_t* high;            ///< the same: bytes that are not ASCII
  bool has_special = false;  ///< any byte is a backslash or below 0x20
  bool has_high = false;     ///< any byte is not ASCII
};

/// Scans `count` blocks, at least one: those from `text` on, but for the last, which is at `last`.
using ScanBlocks = void (*)(const char* text, const char* last, size_t count, JsonBlocks* out);

/// The quickest one for this machine.
ScanBlocks BestScanBlocks();
/// Whether that one takes the machine's wide instructions. Else a scan costs more than it saves.
bool HasQuickScan();
/// All that this machine can run, the quickest first; for tests.
std::vector<ScanBlocks> UsableScanBlocks();

/// Knows the quotes of a JSON text without escapes, so that each string's end is found in a few
/// instructions.
///
/// Memory   256 bytes for each KiB of the longest text, at most 8 KiB.
/// Threads  one at a time.
class QuoteMap {
 public:
  static constexpr size_t kBytesMax = 32 << 10;

  explicit QuoteMap(ScanBlocks scan = BestScanBlocks()) : scan_(scan) {}

  /// Maps `text`, which needs no padding. False when it is empty or longer than kBytesMax, is not
  /// UTF-8, or has a backslash or a byte below 0x20 anywhere.
  bool Build(std::string_view text);

  /// Position of the first quote at `from` (at most the text's size) or behind; the text's size
  /// when there is none.
  size_t Next(size_t from) const {
    // From the byte on that has the bit, whatever word it is in: a branch on that would often be
    // mispredicted.
    uint64_t window = Load(from) >> from % 8;
    while (window == 0) [[unlikely]] {
      from += kWindow;
      if (from >= size_) return size_;
      window = Load(from) >> from % 8;
    }
    return from + static_cast<size_t>(std::countr_zero(window));
  }

 private:
  static_assert(std::endian::native == std::endian::little);
  static constexpr size_t kWindow = 56;  // so many bits at least are in a window

  uint64_t Load(size_t position) const {
    uint64_t bits = 0;
    std::memcpy(&bits, reinterpret_cast<const char*>(quotes_.data()) + position / 8, 8);
    return bits;
  }
  bool IsHighPartUtf8(std::string_view text) const;

  ScanBlocks scan_;
  size_t size_ = 0;
  std::vector<uint64_t> quotes_;  // a word of zeros follows those of the text
  std::vector<uint64_t> high_;
};

}  // namespace playhead::decode
