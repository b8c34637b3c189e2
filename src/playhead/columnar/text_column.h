#pragma once

#include "playhead/columnar/column_pages.h"

#include <arrow/type_fwd.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace parquet {
class ColumnChunkMetaDataBuilder;
}

namespace playhead::columnar {

/// Whether TextColumnWriter takes a column of this type: text or binary, not nested.
bool IsTextColumn(const arrow::DataType& type, const parquet::ColumnDescriptor& descriptor);

/// Writes column chunks of text without a dictionary, straight from Arrow's columns: the lengths,
/// then the texts (Parquet "Encodings", DELTA_LENGTH_BYTE_ARRAY = 6).
/// Threads  one at a time.
class TextColumnWriter {
 public:
  explicit TextColumnWriter(ColumnPages& pages) : pages_(pages) {}

  /// Writes data pages and statistics of a column chunk and closes it. A text longer than a page
  /// has one of its own. Returns its bytes before compression. Errors: parquet::ParquetException,
  /// of a column that does not fit its schema with kInvalid.
  int64_t Write(const arrow::ChunkedArray& column, parquet::ColumnChunkMetaDataBuilder& metadata,
                parquet::PageWriter& writer);

 private:
  void Add(std::string_view text);
  /// Writes what was added as the values of these levels.
  int64_t WritePage(int64_t begin, int64_t end, parquet::PageWriter& writer);

  ColumnPages& pages_;
  ColumnLevels levels_;
  std::vector<int32_t> lengths_;
  std::vector<std::string_view> pieces_;  // the texts; neighbours in memory are one piece
};

}  // namespace playhead::columnar
