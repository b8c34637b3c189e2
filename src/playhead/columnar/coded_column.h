#pragma once

#include "playhead/columnar/column_pages.h"

#include <arrow/type_fwd.h>

#include <cstdint>
#include <span>
#include <vector>

namespace parquet {
class ColumnChunkMetaDataBuilder;
}

namespace playhead::columnar {

/// Whether CodedColumnWriter takes the array: text or binary as codes of a dictionary, or a list of
/// such.
bool IsCodedColumn(const arrow::DataType& type);

/// Writes column chunks of text whose dictionary is already made: the dictionary as it is and the
/// codes packed. Arrow's own writer hashes all texts again and searches each batch of codes for the
/// distinct ones (for the statistics); that cost three times as much (docs/decisions/041).
/// Threads  one at a time.
class CodedColumnWriter {
 public:
  explicit CodedColumnWriter(ColumnPages& pages) : pages_(pages) {}

  /// Writes the dictionary page, data pages and statistics of a column chunk and closes it. Every
  /// text of the dictionary must be the value of a row: the bounds are taken from it. Returns its
  /// bytes before compression. Errors: parquet::ParquetException, of a column that does not fit its
  /// schema with kInvalid.
  int64_t Write(const arrow::Array& column, parquet::ColumnChunkMetaDataBuilder& metadata,
                parquet::PageWriter& writer);

 private:
  /// These set levels_ and return the codes of the values that are there.
  std::span<const int32_t> ReadValues(const arrow::Array& values,
                                      const parquet::ColumnDescriptor& descriptor);
  std::span<const int32_t> ReadLists(const arrow::ListArray& lists,
                                     const parquet::ColumnDescriptor& descriptor);

  ColumnPages& pages_;
  ColumnLevels levels_;
  std::vector<int32_t> codes_;
};

}  // namespace playhead::columnar
