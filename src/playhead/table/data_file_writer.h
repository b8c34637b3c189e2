#pragma once

#include "playhead/base/status.h"
#include "playhead/iceberg/types.h"
#include "playhead/storage/object_store.h"

#include <arrow/type_fwd.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace playhead::table {

/// One Parquet file on its way to a staged name. Rows are encoded as they come, into a row group
/// that is kept in memory, compressed, until it is full. Threads: one at a time.
class DataFileWriter {
 public:
  /// `schema` carries the field ids.
  static Result<std::unique_ptr<DataFileWriter>> Open(
      storage::ObjectStore& store, const std::string& staged_uri,
      const std::shared_ptr<arrow::Schema>& schema,
      std::shared_ptr<parquet::WriterProperties> properties, int64_t row_group_bytes);

  /// Columns as in `schema`, without regard to nullability and metadata.
  Status Write(const arrow::RecordBatch& rows);
  /// Bytes in the file so far and, estimated, in the open row group.
  int64_t bytes() const;

  /// Writes the footer. The stream returned is to be closed by the caller, many at a time, before
  /// the file is durable. `file` gets all but its path and partition.
  Result<std::shared_ptr<arrow::io::OutputStream>> Finish(const iceberg::Schema& schema,
                                                          iceberg::DataFile& file);

 private:
  DataFileWriter() = default;

  std::shared_ptr<arrow::io::OutputStream> output_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  int64_t row_group_bytes_max_ = 0;
  int64_t row_group_rows_max_ = 0;
  int64_t row_group_bytes_ = 0;  // of Arrow memory
  int64_t row_group_rows_ = 0;
  int64_t arrow_bytes_ = 0;  // of all closed row groups
};

}  // namespace playhead::table
