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

/// Chooses an encoding for each Parquet leaf column, in schema order, from a sample of rows: the
/// number of distinct values among `rows_expected` rows is estimated, and a dictionary pays when it
/// stays small against the column.
std::vector<ColumnEncoding> ChooseEncodings(
    const std::vector<std::shared_ptr<arrow::RecordBatch>>& sample, int64_t rows_expected);

/// zstd, snappy or none, by the table property `write.parquet.compression-codec`.
/// Errors: kInvalidArgument names the value.
Result<parquet::Compression::type> TableCompression(const iceberg::TableMetadata& table);

/// Errors: kInternal (Arrow finds no Parquet form of the schema).
Result<std::shared_ptr<parquet::WriterProperties>> MakeWriterProperties(
    const arrow::Schema& schema, const std::vector<ColumnEncoding>& encodings,
    parquet::Compression::type compression, int64_t row_group_rows);

}  // namespace playhead::table
