#pragma once

#include "playhead/base/status.h"

#include <arrow/type_fwd.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <cstdint>
#include <memory>

namespace playhead::columnar {

struct ColumnWriters;

/// A Parquet file being written, row group by row group, column by column. Text,
/// numbers and times are written by our own code, nested columns (but lists of coded text) and the
/// rarer types by Arrow's.
/// Errors   those of the output; kInvalidArgument if a column does not fit the schema or the row
///          group. After an error the file can only be dropped.
/// Threads  one at a time.
class ParquetWriter {
 public:
  /// `writers` outlive the file and may serve others between its columns. Errors: those of
  /// `output`, which is to be closed by the caller; kInternal if Arrow finds no Parquet form of the
  /// schema.
  static Result<std::unique_ptr<ParquetWriter>> Open(
      std::shared_ptr<arrow::io::OutputStream> output, const arrow::Schema& schema,
      std::shared_ptr<parquet::WriterProperties> properties, arrow::MemoryPool* memory,
      ColumnWriters& writers);
  /// Writes nothing: a file that was not closed has no footer.
  ~ParquetWriter();
  ParquetWriter(const ParquetWriter&) = delete;
  ParquetWriter& operator=(const ParquetWriter&) = delete;

  /// All columns of the row group before must have been written.
  Status BeginRowGroup(int64_t rows);
  /// The next column of the schema, with as many rows as the row group.
  Status WriteColumn(const std::shared_ptr<arrow::ChunkedArray>& column);
  /// Writes the footer.
  Status Close();
  /// Of the closed file.
  const parquet::FileMetaData& metadata() const { return *arrow_writer_->metadata(); }

 private:
  class Contents;
  class RowGroup;

  ParquetWriter() = default;
  /// `step`, unless one before has failed.
  template <typename Step>
  Status Run(const Step& step);

  Contents* contents_ = nullptr;  // of arrow_writer_, until it is closed
  Status error_;
  std::unique_ptr<parquet::arrow::FileWriter> arrow_writer_;
};

}  // namespace playhead::columnar
