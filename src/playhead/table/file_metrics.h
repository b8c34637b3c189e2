#pragma once

#include "playhead/base/status.h"
#include "playhead/iceberg/types.h"

#include <cstdint>

namespace parquet {
class FileMetaData;
}

namespace playhead::table {

/// Fills counts, sizes, bounds and split offsets of `file` from a Parquet footer. Bounds are those
/// of the first 100 columns that are not lists, maps or binary; strings are cut to 16 code points
/// except `_topic`, which is kept whole (up to 200 bytes) because a landing file's data files are
/// found by it. Source: Iceberg spec, "Manifests" (data_file) and Appendix D.
void FillFileMetrics(const parquet::FileMetaData& footer, const iceberg::Schema& schema,
                     iceberg::DataFile& file);

}  // namespace playhead::table
