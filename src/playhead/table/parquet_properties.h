#pragma once

#include "playhead/base/status.h"
#include "playhead/iceberg/types.h"

#include <arrow/type_fwd.h>
#include <parquet/properties.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace playhead::table {

/// How one Parquet column is written.
enum class ColumnEncoding {
  kDictionary,   ///< few distinct values
  kPlain,        ///< many distinct floats and doubles (zstd finds more in them whole than split)
  kDeltaBinary,  ///< many distinct integers and times: differences of neighbours
  kDeltaLength,  ///< many distinct strings: the lengths apart from the text
};

/// Chooses an encoding for each Parquet leaf column, in schema order, from the rows of a row group:
/// dictionary arrays are written as such, for the others a sample tells whether a dictionary pays.
std::vector<ColumnEncoding> ChooseEncodings(
    const std::vector<std::shared_ptr<arrow::ChunkedArray>>& columns);

/// zstd, snappy or none, by the table property `write.parquet.compression-codec`.
/// Errors: kInvalidArgument names the value.
Result<parquet::Compression::type> TableCompression(const iceberg::TableMetadata& table);

/// `rows`, the first row group, tell how many values Arrow takes at once and how a column is best
/// compressed.
/// Errors: kInternal (Arrow finds no Parquet form of the schema).
Result<std::shared_ptr<parquet::WriterProperties>> MakeWriterProperties(
    const arrow::Schema& schema, const std::vector<ColumnEncoding>& encodings,
    parquet::Compression::type compression,
    const std::vector<std::shared_ptr<arrow::ChunkedArray>>& rows, arrow::MemoryPool* memory);

}  // namespace playhead::table
