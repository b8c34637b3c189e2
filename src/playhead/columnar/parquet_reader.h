#pragma once

#include "playhead/base/status.h"

#include <arrow/io/type_fwd.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>

namespace playhead::columnar {

struct ParquetReaderOptions {
  int64_t batch_rows_max = 4096;
  int64_t batch_bytes = 8LL << 20;  ///< aimed at, by what the footer says of the row group
  /// Pages, dictionaries and the batch together. A file of which not even one row can be read with
  /// this much is refused.
  int64_t memory_bytes_max = 512LL << 20;
};

/// Reads a Parquet file that somebody else wrote, in the order of its rows.
///
///   for each row group: guess the rows of a batch from the footer, read batch after batch
///   the memory limit is hit: start the row group again with fewer rows a batch, skip what is out
///
/// Values come as Arrow has them, all columns; INT96 times are UTC.
/// Memory   at most `memory_bytes_max`, whatever pages and dictionaries unpack to; not the caller's
///          copies of a batch.
/// Threads  one at a time.
class ParquetReader {
 public:
  /// Errors: kNotFound; kInvalidArgument (not Parquet, truncated, damaged footer, encrypted);
  /// kUnavailable (I/O).
  static Result<std::unique_ptr<ParquetReader>> Open(const std::string& path,
                                                     ParquetReaderOptions options = {});
  /// The same of a file that is open; `name` is for messages. What it buffers itself is not
  /// counted.
  static Result<std::unique_ptr<ParquetReader>> Open(
      const std::shared_ptr<arrow::io::RandomAccessFile>& file, const std::string& name,
      ParquetReaderOptions options = {});
  virtual ~ParquetReader() = default;

  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  virtual int64_t row_count() const = 0;

  /// The next rows, at least one; null after the last. A batch must be dropped before the next is
  /// read, since its memory counts. Errors: kInvalidArgument (damaged, or one row needs more than
  /// `memory_bytes_max`), kUnavailable (I/O); nothing can be read after one.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Next() = 0;
};

}  // namespace playhead::columnar
