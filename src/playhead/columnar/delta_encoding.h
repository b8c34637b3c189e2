#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace playhead::columnar {

/// Appends `values` as differences of neighbours, packed to the bits that they need (Parquet
/// "Encodings", DELTA_BINARY_PACKED = 5).
void AppendDelta(std::span<const int32_t> values, std::vector<uint8_t>* out);
void AppendDelta(std::span<const int64_t> values, std::vector<uint8_t>* out);

}  // namespace playhead::columnar
