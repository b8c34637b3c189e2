#pragma once

#include "playhead/base/status.h"
#include "playhead/decode/generation.h"
#include "playhead/decode/row_schema.h"

#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace playhead::decode {

/// Where the records of the following calls come from; constant for a run of records.
struct SourceOfRows {
  /// Value of `_topic`: Kafka topic, journal topic, or `file:<name>#<12 hex digits>`.
  std::string topic;
  int32_t partition = 0;
  int64_t ingested_at_us = 0;                  ///< one value per epoch
  std::optional<int32_t> ingestion_date_days;  ///< since 1970, for landing files
};

/// One record as delivered. `bytes` may be followed by anything; no padding is required.
struct Record {
  std::string_view bytes;
  /// The bytes stay as they are until RecordDecoder::ReleaseInput() or Flush(), so they are not
  /// copied.
  bool is_stable = false;
  /// The JSON of a row of typed columns: text for a BLOB is base64, and `"NaN"`, `"Infinity"` and
  /// `"-Infinity"` are floats.
  bool is_typed_row = false;
  int64_t offset = 0;
  int64_t log_time_us = 0;  ///< 0 = unknown
  std::optional<std::string_view> key;
  std::string_view headers_json;  ///< JSON object, empty = none
};

/// Why a record is a dead letter. The names are written to `_reason` and used as a metric label.
enum class Reason {
  kNotJson,       ///< not_json: syntax, truncated, more than one value
  kNotUtf8,       ///< not_utf8
  kNotAnObject,   ///< not_an_object
  kTooDeep,       ///< too_deep
  kTooLarge,      ///< too_large
  kDuplicateKey,  ///< duplicate_key: a declared column given twice
  kMissingField,  ///< missing_field: required and absent or null
  kWrongType,     ///< wrong_type
  kOutOfRange,    ///< out_of_range: number or time not representable, event time outside its range
  kPartitionValue,  ///< partition_value: not accepted, or too many keys
  kRaggedLine,      ///< ragged_line: a CSV line with another number of fields than its header
  kUnreadable,      ///< unreadable: the rest of a damaged file
};
std::string_view ReasonName(Reason reason);

/// One record's verdict; `detail` names column and problem, never more than 200 bytes of the value.
struct Verdict {
  bool is_good = true;
  Reason reason = Reason::kNotJson;
  std::string detail;
};

/// Partition key value: null, text (identity of a VARCHAR), or a number (identity of an INTEGER or
/// DATE, days or hours since 1970; all of them fit 32 bits).
using KeyValue = std::variant<std::monostate, std::string, int64_t>;
using PartitionKey = std::vector<KeyValue>;

/// The decoded rows of one partition key.
struct PartitionBatch {
  PartitionKey key;  ///< one value per RowSchema::partition_by
  /// Text columns and lists of text come as codes of dictionaries, unless these do not pay.
  std::shared_ptr<arrow::RecordBatch> rows;
  Generation generation;
};

struct DecodedRows {
  std::vector<PartitionBatch> partitions;            ///< non-empty batches, in order of first row
  std::shared_ptr<arrow::RecordBatch> dead_letters;  ///< DeadLetterSchema(), null if none
  int64_t good = 0;
  int64_t dead = 0;
};

struct RecordDecoderOptions {
  /// Off: for verdicts alone; Flush() hands out counts without rows.
  bool keeps_rows = true;
};

/// Turns JSON records into Arrow columns, one set of builders per partition key.
///
/// A record either becomes one row or one dead letter (a decode never fails on input). Values are
/// kept as delivered, with the coercions of docs/formats/decode.md. The record's fields are parsed
/// into slots first and appended only when the whole record is valid, so nothing is rolled back.
/// Order    of reasons: too_large, not_utf8, not_json or too_deep, not_an_object, then what is
///          found first in the record, missing fields last, event time and partition value after
///          them.
/// Memory   grows until Flush(); buffered_bytes() says how much, so that the caller can flush,
///          which it must before 1 GiB. The memory of a batch is used again once the batch is
///          dropped.
/// Threads  one at a time.
class RecordDecoder {
 public:
  /// Errors: kInvalidArgument names the column whose type or transform is not supported, the
  /// unknown time zone, or the limit that is out of bounds.
  static Result<std::unique_ptr<RecordDecoder>> Make(std::shared_ptr<const RowSchema> schema,
                                                     RecordDecoderOptions options = {});
  virtual ~RecordDecoder() = default;

  /// Another `ingested_at_us` than before begins an epoch (RowSchema::partition_keys_max).
  virtual void SetSource(const SourceOfRows& source) = 0;
  /// Decodes one JSON record. `now_us` bounds the event time.
  virtual Verdict Decode(const Record& record, int64_t now_us) = 0;
  /// Says which columns the fields of the following DecodeFields() are. Names that are not declared
  /// go to `_extra`, repeated ones numbered (`name_2`). Errors: kInvalidArgument (a declared column
  /// twice, not UTF-8).
  virtual Status PrepareCsvHeader(const std::vector<std::string>& header) = 0;
  /// Decodes a record that another reader has cut into text fields (CSV), one per header name;
  /// nullopt is null (an empty field without quotes). `record.bytes` is the line as delivered.
  virtual Verdict DecodeFields(const std::vector<std::optional<std::string_view>>& fields,
                               const Record& record, int64_t now_us) = 0;
  /// Records a dead letter found by a caller (ragged line, unreadable rest).
  virtual void AddDeadLetter(const Record& record, std::string_view stage,
                             const Verdict& verdict) = 0;

  /// Takes what it needs of all records so far; their bytes may go.
  virtual void ReleaseInput() = 0;

  virtual int64_t buffered_bytes() const = 0;       ///< about
  virtual int64_t buffered_rows() const = 0;        ///< good and dead since the last Flush()
  virtual int64_t buffered_dead() const = 0;        ///< the dead ones of them
  virtual int64_t buffered_partitions() const = 0;  ///< partition keys since the last Flush()
  /// Hands out what has been decoded since the last call and starts anew (builders are reused).
  virtual Result<DecodedRows> Flush() = 0;
};

/// Settles at the end of a scope, while the records that stay are still there.
class ReleaseInputAtEnd {
 public:
  explicit ReleaseInputAtEnd(RecordDecoder& decoder) : decoder_(decoder) {}
  ~ReleaseInputAtEnd() { decoder_.ReleaseInput(); }
  ReleaseInputAtEnd(const ReleaseInputAtEnd&) = delete;
  ReleaseInputAtEnd& operator=(const ReleaseInputAtEnd&) = delete;

 private:
  RecordDecoder& decoder_;
};

}  // namespace playhead::decode
