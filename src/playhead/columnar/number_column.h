#pragma once

#include "playhead/columnar/column_pages.h"
#include "playhead/columnar/number_dictionary.h"

#include <arrow/type_fwd.h>

#include <cstdint>
#include <tuple>
#include <vector>

namespace parquet {
class ColumnChunkMetaDataBuilder;
}

namespace playhead::columnar {

/// Whether NumberColumnWriter takes a column of this type: int32, int64, float, double, date32 or
/// timestamp in microseconds, not nested and stored as what it is.
bool IsNumberColumn(const arrow::DataType& type, const parquet::ColumnDescriptor& descriptor);

/// Writes column chunks of numbers as the writer properties say: with a dictionary, as differences
/// of neighbours or plain. A dictionary that grows beyond the limit is given up for the chunk.
/// Threads  one at a time.
class NumberColumnWriter {
 public:
  explicit NumberColumnWriter(ColumnPages& pages) : pages_(pages) {}

  /// Writes pages and statistics of a column chunk and closes it. Returns its
  /// bytes before compression. Errors: parquet::ParquetException, of a column that does not fit its
  /// schema with kInvalid.
  int64_t Write(const arrow::ChunkedArray& column, parquet::ColumnChunkMetaDataBuilder& metadata,
                parquet::PageWriter& writer);

 private:
  template <typename Number>
  int64_t WriteNumbers(const arrow::ChunkedArray& column,
                       parquet::ColumnChunkMetaDataBuilder& metadata, parquet::PageWriter& writer);
  /// Fills dictionary_ and codes_; false if the dictionary grows beyond the limit.
  template <typename Number>
  bool EncodeAll(const std::vector<Number>& numbers);
  template <typename Number>
  int64_t WriteUncoded(const std::vector<Number>& numbers, parquet::PageWriter& writer);

  ColumnPages& pages_;
  ColumnLevels levels_;
  // The values that are there, one behind the other.
  std::tuple<std::vector<int32_t>, std::vector<int64_t>, std::vector<float>, std::vector<double>>
      numbers_;
  NumberDictionary dictionary_;
  std::vector<int32_t> codes_;
};

}  // namespace playhead::columnar
