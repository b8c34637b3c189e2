#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace playhead::columnar {

/// Appends `values` as differences of neighbours, packed to the bits that they need (Parquet
/// "Encodings", DELTA_BINARY_PACKED = 5): blocks of 128 values in four miniblocks.
/// Differences wrap around as the specification has it, so all values of the type are taken.
void AppendDelta(std::span<const int32_t> values, std::vector<uint8_t>* out);
void AppendDelta(std::span<const int64_t> values, std::vector<uint8_t>* out);

}  // namespace playhead::columnar
