#include "playhead/columnar/delta_encoding.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>

namespace playhead::columnar {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr size_t kBlock = 128;
constexpr size_t kMiniblocks = 4;
constexpr size_t kMiniblock = kBlock / kMiniblocks;

void AppendVarint(uint64_t value, std::vector<uint8_t>* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<uint8_t>(value | 0x80));
  out->push_back(static_cast<uint8_t>(value));
}

void AppendZigzag(int64_t value, std::vector<uint8_t>* out) {
  AppendVarint(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63), out);
}

/// Packs a miniblock, the first value into the lowest bits; returns where its bytes end.
template <typename Unsigned>
uint8_t* Pack(const Unsigned* values, int width, uint8_t* out) {
  if (width == 0) return out;
  unsigned __int128 word = 0;
  int bits = 0;
  for (size_t i = 0; i < kMiniblock; ++i) {
    word |= static_cast<unsigned __int128>(values[i]) << bits;
    bits += width;
    if (bits >= 64) {
      std::memcpy(out, &word, sizeof(uint64_t));
      out += sizeof(uint64_t);
      word >>= 64;
      bits -= 64;
    }
  }
  std::memcpy(out, &word, static_cast<size_t>(bits) / 8);
  return out + bits / 8;
}

template <typename Signed>
void Append(std::span<const Signed> values, std::vector<uint8_t>* out) {
  using Unsigned = std::make_unsigned_t<Signed>;
  AppendVarint(kBlock, out);
  AppendVarint(kMiniblocks, out);
  AppendVarint(values.size(), out);
  AppendZigzag(values.empty() ? 0 : values.front(), out);
  for (size_t begin = 1; begin < values.size(); begin += kBlock) {
    const size_t count = std::min(kBlock, values.size() - begin);
    const Signed* block = values.data() + begin;
    Unsigned deltas[kBlock];
    Signed least = std::numeric_limits<Signed>::max();
    for (size_t i = 0; i < count; ++i) {
      deltas[i] = static_cast<Unsigned>(block[i]) - static_cast<Unsigned>(block[i - 1]);
      least = std::min(least, static_cast<Signed>(deltas[i]));
    }
    // What is missing in the last block becomes 0; miniblocks without values take no bytes.
    std::fill(deltas + count, deltas + kBlock, static_cast<Unsigned>(least));
    AppendZigzag(least, out);

    const size_t widths = out->size();
    out->resize(widths + kMiniblocks + kBlock * sizeof(Unsigned));
    uint8_t* end = out->data() + widths + kMiniblocks;
    for (size_t k = 0; k < kMiniblocks; ++k) {
      Unsigned* miniblock = deltas + k * kMiniblock;
      Unsigned bits = 0;
      for (size_t i = 0; i < kMiniblock; ++i) {
        miniblock[i] -= static_cast<Unsigned>(least);
        bits |= miniblock[i];
      }
      const int width = std::bit_width(bits);
      (*out)[widths + k] = static_cast<uint8_t>(width);
      end = Pack(miniblock, width, end);
    }
    out->resize(static_cast<size_t>(end - out->data()));
  }
}

}  // namespace

void AppendDelta(std::span<const int32_t> values, std::vector<uint8_t>* out) {
  Append(values, out);
}

void AppendDelta(std::span<const int64_t> values, std::vector<uint8_t>* out) {
  Append(values, out);
}

}  // namespace playhead::columnar
