#include "playhead/decode/json_scan.h"

#include "playhead/decode/json_index.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace playhead::decode {
namespace {

constexpr size_t kBlock = 64;

// One byte at a time: any machine can, but takes longer than simdjson for its tokens.
void ScanPlain(const char* text, const char* last, size_t count, JsonBlocks* out) {
  for (size_t block = 0; block < count; ++block) {
    const char* p = block + 1 < count ? text + block * kBlock : last;
    uint64_t quotes = 0;
    uint64_t high = 0;
    for (size_t i = 0; i < kBlock; ++i) {
      const auto c = static_cast<unsigned char>(p[i]);
      quotes |= uint64_t{c == '"'} << i;
      high |= uint64_t{c >= 0x80} << i;
      out->has_special |= c == '\\' || c < 0x20;
    }
    out->quotes[block] = quotes;
    out->high[block] = high;
    out->has_high |= high != 0;
  }
}

#if defined(__x86_64__)

// The kernels differ in the bytes that an instruction takes. What concerns all bytes is gathered
// byte by byte and looked at once: the least of them, the least of them after a backslash was made
// zero, and their sign bits, which say what is not ASCII.

void ScanSse2(const char* text, const char* last, size_t count, JsonBlocks* out) {
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  __m128i least = _mm_set1_epi8(-1);
  __m128i least_changed = least;
  __m128i signs = _mm_setzero_si128();
  auto bits = [](__m128i mask) { return uint64_t{static_cast<uint32_t>(_mm_movemask_epi8(mask))}; };
  for (size_t block = 0; block < count; ++block) {
    const char* p = block + 1 < count ? text + block * kBlock : last;
    uint64_t quotes = 0;
    uint64_t high = 0;
    for (size_t i = 0; i < kBlock; i += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i));
      quotes |= bits(_mm_cmpeq_epi8(bytes, quote)) << i;
      high |= bits(bytes) << i;
      least = _mm_min_epu8(least, bytes);
      least_changed = _mm_min_epu8(least_changed, _mm_xor_si128(bytes, backslash));
      signs = _mm_or_si128(signs, bytes);
    }
    out->quotes[block] = quotes;
    out->high[block] = high;
  }
  const __m128i control_max = _mm_set1_epi8(0x1F);
  const __m128i is_control = _mm_cmpeq_epi8(_mm_min_epu8(least, control_max), least);
  const __m128i is_backslash = _mm_cmpeq_epi8(least_changed, _mm_setzero_si128());
  out->has_special = bits(_mm_or_si128(is_control, is_backslash)) != 0;
  out->has_high = bits(signs) != 0;
}

[[gnu::target("avx2")]] void ScanAvx2(const char* text, const char* last, size_t count,
                                      JsonBlocks* out) {
  const __m256i quote = _mm256_set1_epi8('"');
  const __m256i backslash = _mm256_set1_epi8('\\');
  __m256i least = _mm256_set1_epi8(-1);
  __m256i least_changed = least;
  __m256i signs = _mm256_setzero_si256();
  for (size_t block = 0; block < count; ++block) {
    const char* p = block + 1 < count ? text + block * kBlock : last;
    uint64_t quotes = 0;
    uint64_t high = 0;
    for (size_t i = 0; i < kBlock; i += 32) {
      const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + i));
      const __m256i is_quote = _mm256_cmpeq_epi8(bytes, quote);
      quotes |= uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(is_quote))} << i;
      high |= uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(bytes))} << i;
      least = _mm256_min_epu8(least, bytes);
      least_changed = _mm256_min_epu8(least_changed, _mm256_xor_si256(bytes, backslash));
      signs = _mm256_or_si256(signs, bytes);
    }
    out->quotes[block] = quotes;
    out->high[block] = high;
  }
  const __m256i control_max = _mm256_set1_epi8(0x1F);
  const __m256i is_control = _mm256_cmpeq_epi8(_mm256_min_epu8(least, control_max), least);
  const __m256i is_backslash = _mm256_cmpeq_epi8(least_changed, _mm256_setzero_si256());
  out->has_special = _mm256_movemask_epi8(_mm256_or_si256(is_control, is_backslash)) != 0;
  out->has_high = _mm256_movemask_epi8(signs) != 0;
}

#endif

/// Whether `text` is one character of 2 or 3 bytes and nothing else: an umlaut or a dash is often
/// all that is not ASCII.
bool IsShortCharacter(std::string_view text) {
  auto byte = [&](size_t i) { return unsigned{static_cast<unsigned char>(text[i])}; };
  auto is_tail = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  if (text.size() == 2) return byte(0) >= 0xC2 && byte(0) <= 0xDF && is_tail(1);
  if (text.size() != 3 || (byte(0) & 0xF0) != 0xE0 || !is_tail(1) || !is_tail(2)) return false;
  const unsigned code = (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
  return code >= 0x800 && (code < 0xD800 || code > 0xDFFF);
}

}  // namespace

std::vector<ScanBlocks> UsableScanBlocks() {
  std::vector<ScanBlocks> usable;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) usable.push_back(ScanAvx2);
  usable.push_back(ScanSse2);
#endif
  usable.push_back(ScanPlain);
  return usable;
}

bool HasQuickScan() { return BestScanBlocks() != ScanPlain; }

ScanBlocks BestScanBlocks() { return UsableScanBlocks().front(); }

bool QuoteMap::Build(std::string_view text) {
  size_ = text.size();
  if (size_ == 0 || size_ > kBytesMax) return false;
  const size_t count = (size_ + kBlock - 1) / kBlock;
  if (quotes_.size() <= count) {
    quotes_.resize(count + 1);
    high_.resize(count);
  }
  JsonBlocks found{.quotes = quotes_.data(), .high = high_.data()};
  const char* begin = text.data();
  if (size_ >= kBlock) {
    // Nothing outside the text may be read, so the last block begins within the one before.
    scan_(begin, begin + size_ - kBlock, count, &found);
  } else {
    char padded[kBlock];
    std::memset(padded, ' ', kBlock - size_);
    std::memcpy(padded + kBlock - size_, begin, size_);
    scan_(padded, padded, 1, &found);
  }
  const size_t repeated = count * kBlock - size_;
  found.quotes[count - 1] >>= repeated;
  found.high[count - 1] >>= repeated;
  found.quotes[count] = 0;
  return !found.has_special && (!found.has_high || IsHighPartUtf8(text));
}

bool QuoteMap::IsHighPartUtf8(std::string_view text) const {
  // What is ASCII before and behind cannot change whether the part between is UTF-8.
  size_t first = 0;
  while (high_[first] == 0) ++first;
  size_t last = (text.size() - 1) / kBlock;
  while (high_[last] == 0) --last;
  const size_t begin = first * kBlock + static_cast<size_t>(std::countr_zero(high_[first]));
  const size_t end = (last + 1) * kBlock - static_cast<size_t>(std::countl_zero(high_[last]));
  const std::string_view part = text.substr(begin, end - begin);
  return IsShortCharacter(part) || IsUtf8(part);
}

}  // namespace playhead::decode
