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

// One byte at a time, for machines without a kernel of their own.
void ScanPlain(const char* text, size_t count, JsonBlocks* out) {
  for (size_t block = 0; block < count; ++block, text += kBlock) {
    uint64_t quotes = 0;
    uint64_t high = 0;
    for (size_t i = 0; i < kBlock; ++i) {
      const auto c = static_cast<unsigned char>(text[i]);
      quotes |= uint64_t{c == '"'} << i;
      high |= uint64_t{c >= 0x80} << i;
      out->special |= static_cast<uint64_t>(c == '\\' || c < 0x20);
    }
    out->quotes[block] = quotes;
    out->high[block] = high;
    out->any_high |= high;
  }
}

#if defined(__x86_64__)

// The kernels differ in the bytes that an instruction takes: a byte is below 0x20 when the smaller
// of it and 0x1F is the byte itself, and not ASCII when its sign bit is set.

void ScanSse2(const char* text, size_t count, JsonBlocks* out) {
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i control_max = _mm_set1_epi8(0x1F);
  __m128i special = _mm_setzero_si128();
  for (size_t block = 0; block < count; ++block, text += kBlock) {
    uint64_t quotes = 0;
    uint64_t high = 0;
    for (size_t i = 0; i < kBlock; i += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + i));
      auto bits = [](__m128i mask) {
        return uint64_t{static_cast<uint32_t>(_mm_movemask_epi8(mask))};
      };
      quotes |= bits(_mm_cmpeq_epi8(bytes, quote)) << i;
      high |= bits(bytes) << i;
      special = _mm_or_si128(special, _mm_cmpeq_epi8(bytes, backslash));
      special = _mm_or_si128(special, _mm_cmpeq_epi8(_mm_min_epu8(bytes, control_max), bytes));
    }
    out->quotes[block] = quotes;
    out->high[block] = high;
    out->any_high |= high;
  }
  out->special |= static_cast<uint32_t>(_mm_movemask_epi8(special));
}

[[gnu::target("avx2")]] void ScanAvx2(const char* text, size_t count, JsonBlocks* out) {
  const __m256i quote = _mm256_set1_epi8('"');
  const __m256i backslash = _mm256_set1_epi8('\\');
  const __m256i control_max = _mm256_set1_epi8(0x1F);
  __m256i special = _mm256_setzero_si256();
  for (size_t block = 0; block < count; ++block, text += kBlock) {
    uint64_t quotes = 0;
    uint64_t high = 0;
    for (size_t i = 0; i < kBlock; i += 32) {
      const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + i));
      const __m256i is_quote = _mm256_cmpeq_epi8(bytes, quote);
      quotes |= uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(is_quote))} << i;
      high |= uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(bytes))} << i;
      special = _mm256_or_si256(special, _mm256_cmpeq_epi8(bytes, backslash));
      special =
          _mm256_or_si256(special, _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, control_max), bytes));
    }
    out->quotes[block] = quotes;
    out->high[block] = high;
    out->any_high |= high;
  }
  out->special |= static_cast<uint32_t>(_mm256_movemask_epi8(special));
}

[[gnu::target("avx512f,avx512bw")]] void ScanAvx512(const char* text, size_t count,
                                                    JsonBlocks* out) {
  const __m512i quote = _mm512_set1_epi8('"');
  const __m512i backslash = _mm512_set1_epi8('\\');
  const __m512i control_end = _mm512_set1_epi8(0x20);
  uint64_t special = 0;
  uint64_t any_high = 0;
  for (size_t block = 0; block < count; ++block, text += kBlock) {
    const __m512i bytes = _mm512_loadu_si512(text);
    const uint64_t high = _mm512_movepi8_mask(bytes);
    out->quotes[block] = _mm512_cmpeq_epi8_mask(bytes, quote);
    out->high[block] = high;
    any_high |= high;
    special |= _mm512_cmpeq_epi8_mask(bytes, backslash);
    special |= _mm512_cmplt_epu8_mask(bytes, control_end);
  }
  out->special |= special;
  out->any_high |= any_high;
}

#endif

}  // namespace

std::vector<ScanBlocks> UsableScanBlocks() {
  std::vector<ScanBlocks> usable;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bw")) usable.push_back(ScanAvx512);
  if (__builtin_cpu_supports("avx2")) usable.push_back(ScanAvx2);
  usable.push_back(ScanSse2);
#endif
  usable.push_back(ScanPlain);
  return usable;
}

ScanBlocks BestScanBlocks() { return UsableScanBlocks().front(); }

bool QuoteMap::Build(std::string_view text) {
  if (text.size() > kBytesMax) return false;
  const char* begin = text.data();
  size_ = text.size();
  const size_t whole = size_ / kBlock;
  const size_t rest = size_ % kBlock;
  // The bits of a text that ends with its block are followed by one word, else by the bits of the
  // rest and one word.
  if (quotes_.size() < whole + 2) {
    quotes_.resize(whole + 2);
    high_.resize(whole + 2);
  }
  JsonBlocks found{.quotes = quotes_.data(), .high = high_.data(), .special = 0, .any_high = 0};
  scan_(begin, whole, &found);
  found.quotes += whole;
  found.high += whole;
  found.quotes[0] = 0;
  found.high[0] = 0;
  if (rest != 0) {
    // Nothing outside the text may be read, so its last 64 bytes are read once more.
    char copy[kBlock];
    const char* last = copy;
    if (whole > 0) {
      last = begin + size_ - kBlock;
    } else {
      std::memset(copy, ' ', kBlock - rest);
      std::memcpy(copy + kBlock - rest, begin, rest);
    }
    scan_(last, 1, &found);
    found.quotes[0] >>= kBlock - rest;
    found.high[0] >>= kBlock - rest;
    found.quotes[1] = 0;
  }
  return found.special == 0 && (found.any_high == 0 || IsHighPartUtf8(text));
}

bool QuoteMap::IsHighPartUtf8(std::string_view text) const {
  // What is ASCII before and behind cannot change whether the part between is UTF-8.
  size_t first = 0;
  while (high_[first] == 0) ++first;
  size_t last = (text.size() - 1) / kBlock;
  while (high_[last] == 0) --last;
  const size_t begin = first * kBlock + static_cast<size_t>(std::countr_zero(high_[first]));
  const size_t end = (last + 1) * kBlock - static_cast<size_t>(std::countl_zero(high_[last]));
  return IsUtf8(text.substr(begin, end - begin));
}

}  // namespace playhead::decode
