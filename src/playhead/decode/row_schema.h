#pragma once

#include "playhead/base/partition_decl.h"

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace playhead::decode {

/// One declared column of a stream.
struct Column {
  std::string name;
  /// utf8, bool, int32, int64, float32, float64, date32, timestamp[us] (with tz "UTC" for
  /// TIMESTAMPTZ, without for TIMESTAMP), decimal128, binary, and list<…>, struct<…>, map<utf8, …>
  /// of these.
  std::shared_ptr<arrow::DataType> type;
  /// `not_null` in the project: a record without it is a dead letter.
  bool is_required = false;
  /// `accepted_values` in the project; enforced by the decoder only for identity partition columns.
  std::vector<std::string> accepted_values;
};

/// What a record must look like and how its rows are split. Plain data, shared by a stream's
/// decoders.
struct RowSchema {
  std::vector<Column> columns;  ///< as declared, without the source columns
  std::vector<PartitionDecl> partition_by;
  /// Column whose value must lie in [event_time_min_us, now + event_time_ahead_us]; empty: none.
  std::string event_time_column;
  int64_t event_time_min_us = 946'684'800'000'000;         ///< 2000-01-01
  int64_t event_time_ahead_us = 2LL * 86'400 * 1'000'000;  ///< two days
  /// IANA name of the zone of times without an offset; "UTC" by default.
  std::string timezone = "UTC";
  /// Set for a landing table partitioned by the virtual column `ingestion_date` (DATE): the decoder
  /// fills it with SourceOfRows::ingestion_date_days. The column is part of `columns`, declared
  /// last.
  bool has_ingestion_date = false;

  /// Distinct tuples of the key's identity values in one epoch; the next new one is a dead letter.
  /// Days and hours do not count: the event time's range bounds them.
  int32_t partition_keys_max = 256;
  /// Levels of nesting in one record.
  int32_t json_depth_max = 64;
  /// A longer record is a dead letter (its bytes are kept).
  int64_t record_bytes_max = 16LL << 20;
};

/// The columns that playhead adds after the declared ones, in this order: `_topic` VARCHAR,
/// `_topic_partition` INTEGER, `_offset` BIGINT, `_ingested_at` TIMESTAMPTZ, `_extra` VARCHAR (JSON
/// object of the fields that are not declared; null without any).
std::vector<std::shared_ptr<arrow::Field>> SourceFields();

/// Declared columns and then SourceFields(), as the batches of a decoder have them. Declared
/// columns are nullable, required ones too: the decoder keeps that promise, not the table.
std::shared_ptr<arrow::Schema> BatchSchema(const RowSchema& schema);

/// Schema of the dead-letter table of any stream, columns in this order: `_topic` VARCHAR,
/// `_topic_partition` INTEGER, `_offset` BIGINT, `_ingested_at` TIMESTAMPTZ, `_log_time`
/// TIMESTAMPTZ, `_key` BLOB, `_headers` VARCHAR (JSON), `_stage` VARCHAR, `_reason` VARCHAR,
/// `_detail` VARCHAR, `_record` BLOB.
std::shared_ptr<arrow::Schema> DeadLetterSchema();

}  // namespace playhead::decode
