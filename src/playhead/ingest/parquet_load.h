#pragma once

#include "playhead/columnar/parquet_reader.h"
#include "playhead/ingest/epoch_builder.h"
#include "playhead/ingest/file_load.h"

#include <cstdint>
#include <stop_token>

namespace playhead::ingest {

/// Decodes every row of a Parquet file of `file_bytes` into `epoch`, as the JSON object that
/// RowJson makes of it; `_offset` is the row's number in the file. A row that does not fit is a
/// dead letter with that JSON. Memory is bounded by columnar::ParquetReaderOptions and one row.
/// Returns the number of rows. Errors: those of columnar::ParquetReader; kInvalidArgument (no
/// column is declared, or a declared one comes twice), kCancelled (`stop`).
Result<int64_t> LoadParquet(columnar::ParquetReader& file, int64_t file_bytes, EpochBuilder& epoch,
                            const Clock& clock, const LoadProgress& progress,
                            const std::stop_token& stop);

}  // namespace playhead::ingest
