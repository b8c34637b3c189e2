#pragma once

#include "playhead/decode/row_schema.h"

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::ingest {

/// Writes a row of Arrow columns as the JSON object that the stream's decoder reads and that a dead
/// letter keeps.
///
/// Null columns and null fields of structs are left out, null elements of lists are kept. Numbers
/// are written exactly (floats in the fewest digits that give them back; `"NaN"`, `"Infinity"`);
/// times as ISO 8601 text, with `Z` where the column says UTC; dates and times of day as text; maps
/// as objects. Binary values are base64 for a BLOB (Record::is_typed_row); for other declared
/// columns text of their very bytes, so that a row with bytes that are not UTF-8 is not JSON; where
/// nothing is declared text, or base64 if they are not UTF-8. Threads: one at a time.
class RowJson {
 public:
  /// Objects end behind `bytes_max` bytes.
  RowJson(const arrow::Schema& schema, const std::vector<decode::Column>& declared,
          int64_t bytes_max);

  /// The object of one row; valid until the next call. Longer ones are cut off, somewhere behind
  /// bytes_max.
  std::string_view Write(const arrow::RecordBatch& batch, int64_t row);

 private:
  std::vector<std::string> keys_;                           // `"name":`
  std::vector<std::shared_ptr<arrow::DataType>> declared_;  // null for what is not
  size_t bytes_max_;
  std::string json_;
};

}  // namespace playhead::ingest
