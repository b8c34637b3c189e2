#pragma once

#include <arrow/type_fwd.h>
#include <arrow/util/compression.h>

#include <memory>
#include <vector>

namespace playhead::columnar {

/// zstd 1 writes 1.4 M content events a second in 58 bytes each, zstd 3 1.0 M in 56.
inline constexpr int kZstdLevel = 1;

/// How zstd compresses the pages of a column better or faster than by its level alone, judged by
/// the first row group; null where the level is best (docs/decisions/041).
std::shared_ptr<arrow::util::CodecOptions> ChooseZstdOptions(
    const std::vector<std::shared_ptr<arrow::Array>>& chunks);

}  // namespace playhead::columnar
