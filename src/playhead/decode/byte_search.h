#pragma once

#include <emmintrin.h>

#include <bit>
#include <cstdint>

namespace playhead::decode {

/// The first byte in [p, end) that is `a` or `b`, or `end`.
inline const char* FindEither(const char* p, const char* end, char a, char b) {
  const __m128i wanted_a = _mm_set1_epi8(a);
  const __m128i wanted_b = _mm_set1_epi8(b);
  for (; end - p >= 16; p += 16) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    __m128i hits = _mm_or_si128(_mm_cmpeq_epi8(bytes, wanted_a), _mm_cmpeq_epi8(bytes, wanted_b));
    auto mask = static_cast<unsigned>(_mm_movemask_epi8(hits));
    if (mask != 0) return p + std::countr_zero(mask);
  }
  while (p != end && *p != a && *p != b) ++p;
  return p;
}

/// How many bytes in [p, end) are `a`, less how many are `b`.
inline int64_t CountDifference(const char* p, const char* end, char a, char b) {
  const __m128i wanted_a = _mm_set1_epi8(a);
  const __m128i wanted_b = _mm_set1_epi8(b);
  const auto hits = [](__m128i bytes, __m128i wanted) {
    return std::popcount(static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, wanted))));
  };
  int64_t difference = 0;
  for (; end - p >= 16; p += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    difference += hits(bytes, wanted_a) - hits(bytes, wanted_b);
  }
  for (; p != end; ++p) difference += (*p == a ? 1 : 0) - (*p == b ? 1 : 0);
  return difference;
}

/// Blanks as JSON knows them.
inline bool IsBlank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace playhead::decode
