#pragma once

#include "playhead/base/block_pool.h"
#include "playhead/base/status.h"
#include "playhead/columnar/parquet_writer.h"
#include "playhead/columnar/row_group_builder.h"
#include "playhead/iceberg/types.h"
#include "playhead/storage/object_store.h"

#include <arrow/type_fwd.h>
#include <parquet/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace playhead::table {

struct DataFileOptions {
  parquet::Compression::type compression = parquet::Compression::ZSTD;
  /// At most; a row group ends with its generation, which is shorter.
  int64_t row_group_rows = 2 * decode::kGenerationRows;
  int64_t row_group_bytes = 128LL << 20;  ///< of Arrow memory; closes a row group early
};

/// One Parquet file on its way to a staged name. Rows wait, text as dictionary codes, until their
/// row group is full; then it is encoded at once, column by column. Encodings are chosen from the
/// first row group. Threads: one at a time.
class DataFileWriter {
 public:
  /// `schema` carries the field ids. The file is made with its first row group. `writers` outlive
  /// it and may serve other files.
  DataFileWriter(storage::ObjectStore& store, std::string staged_uri,
                 std::shared_ptr<arrow::Schema> schema, DataFileOptions options,
                 columnar::ColumnWriters& writers);

  /// Columns as in the schema, without regard to nullability and metadata.
  Status Write(const arrow::RecordBatch& rows, decode::Generation generation = {});
  /// Ends the row group early, to free its memory.
  Status EndRowGroup();

  /// Bytes in the file so far and, estimated, of the open row group.
  int64_t bytes() const;
  /// Of the open row group.
  int64_t memory_bytes() const { return row_group_.memory_bytes(); }

  /// Writes the footer; at least one row must have come. The stream returned is to be closed by the
  /// caller, many at a time, before the file is durable. `file` gets all but its path and
  /// partition.
  Result<std::shared_ptr<storage::OutputObject>> Finish(const iceberg::Schema& schema,
                                                        iceberg::DataFile& file);

 private:
  Status Open(const std::vector<std::shared_ptr<arrow::ChunkedArray>>& first_rows);

  storage::ObjectStore& store_;
  std::string staged_uri_;
  std::shared_ptr<arrow::Schema> schema_;
  DataFileOptions options_;
  columnar::ColumnWriters& writers_;
  BlockMemory memory_;
  columnar::RowGroupBuilder row_group_;
  uint64_t generation_ = 0;  // of the rows that came last
  std::shared_ptr<storage::OutputObject> output_;
  std::unique_ptr<columnar::ParquetWriter> file_;
  int64_t arrow_bytes_ = 0;  // of all closed row groups
};

}  // namespace playhead::table
