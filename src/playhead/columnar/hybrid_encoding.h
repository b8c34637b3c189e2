#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace playhead::columnar {

/// Bits that hold every code of a dictionary with `size` entries; 0 for an empty one.
int CodeWidth(int64_t size);

/// Appends `values`, each in [0, 2^width), in Parquet's hybrid of run lengths and bit packing
/// (Parquet "Encodings", RLE = 3), as levels and dictionary codes are written; without the length
/// or the width that may have to stand before them.
/// Limits   `width` 0 to 32; with 0 nothing is written.
void AppendHybrid(std::span<const int32_t> values, int width, std::vector<uint8_t>* out);

/// As AppendHybrid() for `count` times the same value.
void AppendHybridRun(int32_t value, int64_t count, int width, std::vector<uint8_t>* out);

}  // namespace playhead::columnar
