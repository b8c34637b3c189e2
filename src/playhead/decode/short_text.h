#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace playhead::decode {

/// The first and the last N bytes, which may overlap.
template <size_t N>
inline void CopyEnds(uint8_t* to, const char* from, size_t size) {
  struct {
    char bytes[N];
  } first, last;
  std::memcpy(&first, from, N);
  std::memcpy(&last, from + size - N, N);
  std::memcpy(to, &first, N);
  std::memcpy(to + size - N, &last, N);
}

/// memcpy without a call for the short texts that most are.
inline void CopyText(uint8_t* to, const char* from, size_t size) {
  if (size > 64) {
    std::memcpy(to, from, size);
  } else if (size >= 32) {
    CopyEnds<32>(to, from, size);
  } else if (size >= 16) {
    CopyEnds<16>(to, from, size);
  } else if (size >= 8) {
    CopyEnds<8>(to, from, size);
  } else if (size >= 4) {
    CopyEnds<4>(to, from, size);
  } else {
    for (size_t i = 0; i < size; ++i) to[i] = static_cast<uint8_t>(from[i]);
  }
}

/// Whether the first and the last N bytes, which may overlap, are equal.
template <typename Word>
inline bool EqualEnds(const char* a, const char* b, size_t size) {
  Word first[2];
  Word last[2];
  std::memcpy(&first[0], a, sizeof(Word));
  std::memcpy(&first[1], b, sizeof(Word));
  std::memcpy(&last[0], a + size - sizeof(Word), sizeof(Word));
  std::memcpy(&last[1], b + size - sizeof(Word), sizeof(Word));
  return ((first[0] ^ first[1]) | (last[0] ^ last[1])) == 0;
}

/// Whether two texts are equal; without a call for the short ones that most are.
inline bool EqualTexts(std::string_view left, std::string_view right) {
  using Word128 = unsigned __int128;
  const size_t size = left.size();
  if (size != right.size()) return false;
  const char* a = left.data();
  const char* b = right.data();
  if (size > 64) return std::memcmp(a, b, size) == 0;
  if (size > 32) {
    return EqualEnds<Word128>(a, b, 32) && EqualEnds<Word128>(a + size - 32, b + size - 32, 32);
  }
  if (size >= 16) return EqualEnds<Word128>(a, b, size);
  if (size >= 8) return EqualEnds<uint64_t>(a, b, size);
  if (size >= 4) return EqualEnds<uint32_t>(a, b, size);
  for (size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

}  // namespace playhead::decode
