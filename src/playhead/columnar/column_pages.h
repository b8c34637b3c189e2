#pragma once

#include <arrow/type_fwd.h>
#include <parquet/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace parquet {
class ColumnDescriptor;
class PageWriter;
class WriterProperties;
}  // namespace parquet

namespace playhead::columnar {

struct PageOptions {
  int64_t page_bytes = 1 << 20;  ///< of values in one page: what a reader unpacks at once
};

/// Which values of a column chunk are there, as Parquet tells it ("Nested Encoding").
struct ColumnLevels {
  int16_t repetition_max = 0;
  int16_t definition_max = 0;
  int64_t count = 0;
  std::vector<int32_t> repetition;  ///< one per level if repetition_max > 0
  std::vector<int32_t> definition;  ///< empty: all are definition_max

  void Clear(const parquet::ColumnDescriptor& descriptor);
  /// Those of a column that is not nested. Errors: parquet::ParquetException (kInvalid: a null in a
  /// required column).
  void SetFlat(const arrow::ChunkedArray& column, const parquet::ColumnDescriptor& descriptor);

  /// Where the page that begins at `begin` ends: after `levels_max` levels and with the row.
  int64_t PageEnd(int64_t begin, int64_t levels_max) const;
  /// How many values the levels from `begin` to `end` have.
  int64_t ValueCount(int64_t begin, int64_t end) const;
};

/// To be thrown when a column that may not have nulls has one.
[[noreturn]] void ThrowNullInRequired(const parquet::ColumnDescriptor& descriptor);

/// Puts pages (of version 1) together and hands them to Arrow's page writer.
/// Threads  one at a time; the buffers serve every column of every file.
class ColumnPages {
 public:
  explicit ColumnPages(PageOptions options) : options_(options) {}

  /// Before the first page of each column; `properties` are those of its file.
  void BeginColumn(const parquet::WriterProperties& properties) { properties_ = &properties; }

  const parquet::WriterProperties& properties() const { return *properties_; }
  const PageOptions& options() const { return options_; }

  // Both return the bytes to which the values are to be appended, and the bytes written before
  // compression. Errors: parquet::ParquetException.
  std::vector<uint8_t>& BeginDictionary();
  int64_t EndDictionary(int64_t size, parquet::PageWriter& writer);
  std::vector<uint8_t>& BeginData(const ColumnLevels& levels, int64_t begin, int64_t end);
  int64_t EndData(parquet::Encoding::type encoding, parquet::PageWriter& writer);

  /// All data pages of a column whose values are codes of a dictionary with `size` entries.
  int64_t WriteCodes(const ColumnLevels& levels, std::span<const int32_t> codes, int64_t size,
                     parquet::PageWriter& writer);

 private:
  /// A page may be as long as its longest value; such buffers do not stay.
  void DropLargeBuffers();

  PageOptions options_;
  const parquet::WriterProperties* properties_ = nullptr;
  std::shared_ptr<arrow::ResizableBuffer> compressed_;
  std::vector<uint8_t> page_;
  int64_t page_levels_ = 0;
};

}  // namespace playhead::columnar
