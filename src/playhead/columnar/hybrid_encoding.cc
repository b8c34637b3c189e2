#include "playhead/columnar/hybrid_encoding.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace playhead::columnar {
namespace {

static_assert(std::endian::native == std::endian::little);

/// Values are packed in groups of so many, each of which then takes `width` whole bytes.
constexpr size_t kGroup = 8;
/// Groups of a packed run: as many as a header of one byte can tell, which is what other writers
/// keep to.
constexpr size_t kRunGroupsMax = 63;

bool IsOneValue(const int32_t* group) {
  return group[0] == group[1] &&
         std::all_of(group + 2, group + kGroup, [&](int32_t value) { return value == group[0]; });
}

/// Packs one group, the first value into the lowest bits; may write up to 16 bytes.
void PackGroup(const int32_t* group, int width, uint8_t* out) {
  if (width <= 16) {
    // Two halves that fit a word each, put together in 16 bytes.
    const auto half = [&](const int32_t* values) {
      uint64_t word = 0;
      for (int i = 3; i >= 0; --i) word = word << width | static_cast<uint32_t>(values[i]);
      return word;
    };
    using Word128 = unsigned __int128;
    const Word128 word = Word128{half(group + 4)} << (4 * width) | half(group);
    std::memcpy(out, &word, sizeof(word));
    return;
  }
  uint64_t word = 0;
  int bits = 0;
  for (size_t i = 0; i < kGroup; ++i) {
    word |= static_cast<uint64_t>(static_cast<uint32_t>(group[i])) << bits;
    bits += width;
    if (bits >= 32) {
      std::memcpy(out, &word, 4);
      out += 4;
      word >>= 32;
      bits -= 32;
    }
  }
  std::memcpy(out, &word, static_cast<size_t>(bits + 7) / 8);
}

}  // namespace

int CodeWidth(int64_t size) {
  if (size <= 1) return static_cast<int>(size);
  return std::bit_width(static_cast<uint64_t>(size - 1));
}

void AppendHybridRun(int32_t value, int64_t count, int width, std::vector<uint8_t>* out) {
  if (count == 0 || width == 0) return;
  auto header = static_cast<uint64_t>(count) << 1;
  for (; header >= 0x80; header >>= 7) out->push_back(static_cast<uint8_t>(header | 0x80));
  out->push_back(static_cast<uint8_t>(header));
  for (int shift = 0; shift < width; shift += 8) {
    out->push_back(static_cast<uint8_t>(static_cast<uint32_t>(value) >> shift));
  }
}

void AppendHybrid(std::span<const int32_t> values, int width, std::vector<uint8_t>* out) {
  if (width == 0) return;
  const auto group_bytes = static_cast<size_t>(width);
  for (size_t begin = 0; begin < values.size();) {
    if (begin + kGroup <= values.size() && IsOneValue(&values[begin])) {
      const auto end = std::find_if(values.begin() + static_cast<ptrdiff_t>(begin + kGroup),
                                    values.end(), [&](int32_t v) { return v != values[begin]; });
      const int64_t count = end - values.begin() - static_cast<ptrdiff_t>(begin);
      AppendHybridRun(values[begin], count, width, out);
      begin += static_cast<size_t>(count);
      continue;
    }
    const size_t header = out->size();
    out->resize(header + 1 + kRunGroupsMax * group_bytes + 2 * sizeof(uint64_t));
    uint8_t* packed = out->data() + header + 1;
    size_t groups = 0;
    for (; groups < kRunGroupsMax && begin + kGroup <= values.size(); ++groups) {
      if (IsOneValue(&values[begin])) break;
      PackGroup(&values[begin], width, packed + groups * group_bytes);
      begin += kGroup;
    }
    if (groups < kRunGroupsMax && begin < values.size() && begin + kGroup > values.size()) {
      int32_t last[kGroup] = {};
      std::copy(values.begin() + static_cast<ptrdiff_t>(begin), values.end(), last);
      PackGroup(last, width, packed + groups * group_bytes);
      ++groups;
      begin = values.size();
    }
    (*out)[header] = static_cast<uint8_t>(groups << 1 | 1);
    out->resize(header + 1 + groups * group_bytes);
  }
}

}  // namespace playhead::columnar
