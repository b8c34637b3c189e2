#pragma once

#include <arrow/type_fwd.h>
#include <parquet/types.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace parquet {
class ColumnChunkMetaDataBuilder;
class PageWriter;
class WriterProperties;
}  // namespace parquet

namespace playhead::table {

struct PageOptions {
  int64_t page_bytes = 1 << 20;  ///< of packed values in one page: what a reader unpacks at once
};

/// Whether CodedColumnWriter takes the array: text or binary as codes of a dictionary, or a list of
/// such.
bool IsCodedColumn(const arrow::DataType& type);

/// Writes column chunks of text whose dictionary is already made: the dictionary as it is and the
/// codes packed. Arrow's own writer hashes all texts again and searches each batch of codes for the
/// distinct ones (for the statistics); that cost three times as much (docs/decisions/041).
/// Threads  one at a time; the buffers serve every column of a file.
class CodedColumnWriter {
 public:
  CodedColumnWriter(std::shared_ptr<parquet::WriterProperties> properties, PageOptions options,
                    arrow::MemoryPool* memory);

  /// Writes the dictionary page, data pages (version 1) and statistics of a column chunk and closes
  /// it. Every text of the dictionary must be the value of a row: the bounds are taken from it.
  /// Returns its bytes before compression. Errors: parquet::ParquetException, of a column that does
  /// not fit its schema with kInvalid.
  int64_t Write(const arrow::Array& column, parquet::ColumnChunkMetaDataBuilder& metadata,
                parquet::PageWriter& pages);

 private:
  /// A column as its levels and the codes of the values that are there.
  struct Leaf;

  int64_t WriteDictionary(const arrow::BinaryArray& texts, parquet::PageWriter& pages);
  int64_t WriteData(const Leaf& leaf, int width, parquet::PageWriter& pages);

  std::shared_ptr<parquet::WriterProperties> properties_;
  PageOptions options_;
  std::shared_ptr<arrow::ResizableBuffer> compressed_;
  std::vector<uint8_t> page_;
};

}  // namespace playhead::table
