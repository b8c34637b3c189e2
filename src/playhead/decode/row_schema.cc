#include "playhead/decode/row_schema.h"

#include <arrow/type.h>

namespace playhead::decode {
namespace {

std::shared_ptr<arrow::DataType> UtcMicros() {
  return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
}

}  // namespace

std::vector<std::shared_ptr<arrow::Field>> SourceFields() {
  return {
      arrow::field("_topic", arrow::utf8(), /*nullable=*/false),
      arrow::field("_topic_partition", arrow::int32(), /*nullable=*/false),
      arrow::field("_offset", arrow::int64(), /*nullable=*/false),
      arrow::field("_ingested_at", UtcMicros(), /*nullable=*/false),
      arrow::field("_extra", arrow::utf8()),
  };
}

std::shared_ptr<arrow::Schema> BatchSchema(const RowSchema& schema) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  // Nullable also when required: the decoder keeps the promise, and a `not_null` test that comes or
  // goes in the project then is no change of the table.
  for (const Column& column : schema.columns) {
    fields.push_back(arrow::field(column.name, column.type));
  }
  for (auto& field : SourceFields()) fields.push_back(std::move(field));
  return arrow::schema(std::move(fields));
}

std::shared_ptr<arrow::Schema> DeadLetterSchema() {
  return arrow::schema({
      arrow::field("_topic", arrow::utf8(), /*nullable=*/false),
      arrow::field("_topic_partition", arrow::int32(), /*nullable=*/false),
      arrow::field("_offset", arrow::int64(), /*nullable=*/false),
      arrow::field("_ingested_at", UtcMicros(), /*nullable=*/false),
      arrow::field("_log_time", UtcMicros()),
      arrow::field("_key", arrow::binary()),
      arrow::field("_headers", arrow::utf8()),
      arrow::field("_stage", arrow::utf8(), /*nullable=*/false),
      arrow::field("_reason", arrow::utf8(), /*nullable=*/false),
      arrow::field("_detail", arrow::utf8(), /*nullable=*/false),
      arrow::field("_record", arrow::binary(), /*nullable=*/false),
  });
}

}  // namespace playhead::decode
