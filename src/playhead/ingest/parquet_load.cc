#include "playhead/ingest/parquet_load.h"

#include "playhead/ingest/row_json.h"

#include <arrow/api.h>

#include <algorithm>

namespace playhead::ingest {
namespace {

constexpr std::string_view kReadStage = "read";

Status CheckColumns(const arrow::Schema& schema, const std::vector<decode::Column>& declared) {
  bool knows_any = false;
  for (const decode::Column& column : declared) {
    const size_t count = schema.GetAllFieldIndices(column.name).size();
    knows_any = knows_any || count > 0;
    if (count > 1) {
      return Error(StatusCode::kInvalidArgument, "Parquet file has a column twice: column={}",
                   column.name);
    }
  }
  if (!knows_any) {
    return Error(StatusCode::kInvalidArgument, "Parquet file has no declared column: columns={}",
                 fmt::join(schema.field_names(), ","));
  }
  return {};
}

}  // namespace

Result<int64_t> LoadParquet(columnar::ParquetReader& file, int64_t file_bytes, EpochBuilder& epoch,
                            const Clock& clock, const LoadProgress& progress,
                            const std::stop_token& stop) {
  PH_RETURN_IF_ERROR(CheckColumns(*file.schema(), epoch.columns()));
  const int64_t now_us = clock.NowMicros();
  const auto bytes_max = static_cast<size_t>(epoch.record_bytes_max());
  RowJson json(*file.schema(), epoch.columns(), epoch.record_bytes_max());
  int64_t rows = 0;
  while (true) {
    if (stop.stop_requested()) return Status(StatusCode::kCancelled, "stopped while reading");
    PH_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::RecordBatch> batch, file.Next());
    if (batch == nullptr) return rows;
    for (int64_t row = 0; row < batch->num_rows(); ++row, ++rows) {
      const std::string_view record = json.Write(*batch, row);
      if (record.size() <= bytes_max) {
        (void)epoch.decoder().Decode({.bytes = record, .is_typed_row = true, .offset = rows},
                                     now_us);
      } else {
        epoch.decoder().AddDeadLetter(
            {.bytes = record.substr(0, bytes_max), .offset = rows}, kReadStage,
            {.is_good = false,
             .reason = decode::Reason::kTooLarge,
             .detail = fmt::format("row has more than {} bytes as JSON, the first {} are kept",
                                   bytes_max, bytes_max)});
      }
      PH_RETURN_IF_ERROR(epoch.FlushIfFull());
    }
    if (progress) progress(file_bytes * rows / std::max<int64_t>(file.row_count(), 1));
  }
}

}  // namespace playhead::ingest
