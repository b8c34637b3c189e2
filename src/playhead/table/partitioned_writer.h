#pragma once

#include "playhead/base/status.h"
#include "playhead/decode/generation.h"
#include "playhead/iceberg/types.h"
#include "playhead/storage/object_store.h"
#include "playhead/table/ensure_table.h"

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace playhead::table {

struct PartitionedWriterOptions {
  int64_t file_bytes_max = 256LL << 20;  ///< compressed; the file is closed at the next batch
  /// At most; a row group ends with its generation, which is shorter.
  int64_t row_group_rows = 2 * decode::kGenerationRows;
  int64_t row_group_bytes = 128LL << 20;     ///< of Arrow memory; closes a row group early
  int32_t open_files_max = 64;               ///< least recently used is closed first
  int64_t buffered_bytes_max = 128LL << 20;  ///< of rows not yet encoded, all files together
};

/// A file that is durable under its staged name and ready to be published.
struct StagedFile {
  iceberg::DataFile file;  ///< `path` is the final name; counts and bounds are filled in
  std::string staged_uri;
};

/// Splits rows over Hive partitions and keeps one Parquet file open per partition key.
///
/// Rows     any order of keys; columns are the table's by field id (ColumnBinder), in any order.
///          Other columns of the table are written as null, narrower numbers widened.
///          Text, also in lists, may come as codes of a dictionary (int32).
/// Keys     those of the declaration; rows go where the table's current spec wants them.
/// Files    staged below `staging_uri`; final names `<table>/data/<hive
/// folders>/<stem>-<n>.parquet`.
///          zstd by default (table property `write.parquet.compression-codec`: zstd, snappy, none).
///          Field ids at every level; encodings by column, from each file's first row group.
/// Memory   at most `buffered_bytes_max` of rows (the largest row group ends early where there are
///          more) and the encoder of one column.
/// Threads  one at a time.
/// Source   Iceberg spec, "Partitioning", "Parquet"; docs/formats/lake.md.
class PartitionedWriter {
 public:
  /// `staging_uri` is a folder that no other writer uses. `declared` says what the values of the
  /// keys are; without it they are those of the table's current spec. Neither is kept. Errors:
  /// kInvalidArgument (compression), kNotSupported (a partition field of another writer).
  static Result<std::unique_ptr<PartitionedWriter>> Open(storage::ObjectStore& store,
                                                         const iceberg::TableMetadata& table,
                                                         const std::string& staging_uri,
                                                         PartitionedWriterOptions options = {},
                                                         const TableSpec* declared = nullptr);
  virtual ~PartitionedWriter() = default;

  /// `key` has one value per partition field of the declaration. `generation` says which batches
  /// of a key share their dictionaries.
  /// Errors: kInvalidArgument (schema or key differs), kResourceExhausted (disk full),
  /// kUnavailable. After an error the writer can only be destroyed; its files are never committed.
  virtual Status Append(const std::vector<iceberg::PartitionValue>& key,
                        const std::shared_ptr<arrow::RecordBatch>& rows,
                        decode::Generation generation = {}) = 0;
  /// Compressed bytes written and buffered so far, roughly.
  virtual int64_t bytes() const = 0;
  /// Closes all files, durably. The final names are made here, from `stem`, which is unique per
  /// table for ever (topic, partition, first-last offset, schema id); bytes other than letters,
  /// digits and `._-` are written as `%XX`. In the order in which the files were begun.
  virtual Result<std::vector<StagedFile>> Finish(const std::string& stem) = 0;
};

}  // namespace playhead::table
