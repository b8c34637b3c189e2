#include "playhead/table/data_file_writer.h"

#include "playhead/base/arrow_status.h"
#include "playhead/table/file_metrics.h"
#include "playhead/table/parquet_properties.h"

#include <arrow/api.h>
#include <arrow/io/interfaces.h>
#include <parquet/exception.h>

#include <algorithm>
#include <utility>

namespace playhead::table {
namespace {

// How much smaller a row group becomes, before the first one of a file has told.
constexpr int64_t kAssumedCompression = 3;

}  // namespace

DataFileWriter::DataFileWriter(storage::ObjectStore& store, std::string staged_uri,
                               std::shared_ptr<arrow::Schema> schema, DataFileOptions options,
                               columnar::ColumnWriters& writers)
    : store_(store),
      staged_uri_(std::move(staged_uri)),
      schema_(std::move(schema)),
      options_(options),
      writers_(writers),
      memory_(BlockPool::OfProcess()),
      row_group_(schema_) {}

Status DataFileWriter::Write(const arrow::RecordBatch& rows, decode::Generation generation) {
  // A new generation has dictionaries of its own; small row groups are worth putting them together.
  if (generation.number != generation_ && row_group_.rows() >= decode::kGenerationRows / 2) {
    PH_RETURN_IF_ERROR(EndRowGroup());
  }
  generation_ = generation.number;
  for (int64_t begin = 0; begin < rows.num_rows();) {
    const int64_t room = options_.row_group_rows - row_group_.rows();
    const int64_t count = std::min(rows.num_rows() - begin, room);
    row_group_.Append(*rows.Slice(begin, count), options_.row_group_rows, generation);
    generation.is_first_batch = false;
    begin += count;
    if (row_group_.rows() == options_.row_group_rows ||
        row_group_.arrow_bytes() >= options_.row_group_bytes || row_group_.has_full_dictionary()) {
      PH_RETURN_IF_ERROR(EndRowGroup());
    }
  }
  return {};
}

Status DataFileWriter::Open(const std::vector<std::shared_ptr<arrow::ChunkedArray>>& first_rows) {
  PH_ASSIGN_OR_RETURN(auto properties,
                      MakeWriterProperties(*schema_, ChooseEncodings(first_rows),
                                           options_.compression, first_rows, &memory_));
  PH_ASSIGN_OR_RETURN(output_, store_.OpenForWrite(staged_uri_));
  PH_ASSIGN_OR_RETURN(file_, columnar::ParquetWriter::Open(output_, *schema_, std::move(properties),
                                                         &memory_, writers_));
  return {};
}

Status DataFileWriter::EndRowGroup() {
  if (row_group_.rows() == 0) return {};
  const int64_t arrow_bytes = row_group_.arrow_bytes();
  const int64_t rows = row_group_.rows();
  auto columns = row_group_.Finish();
  if (file_ == nullptr) PH_RETURN_IF_ERROR(Open(columns));
  PH_RETURN_IF_ERROR(file_->BeginRowGroup(rows));
  for (auto& column : columns) {
    PH_RETURN_IF_ERROR(file_->WriteColumn(column));
    // The next columns are encoded where this one was.
    column.reset();
  }
  arrow_bytes_ += arrow_bytes;
  return {};
}

int64_t DataFileWriter::bytes() const {
  const int64_t written = output_ == nullptr ? 0 : output_->Tell().ValueOr(0);
  const int64_t ratio = written > 0 && arrow_bytes_ > 0
                            ? std::max<int64_t>(arrow_bytes_ / written, 1)
                            : kAssumedCompression;
  return written + row_group_.arrow_bytes() / ratio;
}

Result<std::shared_ptr<storage::OutputObject>> DataFileWriter::Finish(const iceberg::Schema& schema,
                                                                      iceberg::DataFile& file) {
  PH_RETURN_IF_ERROR(EndRowGroup());
  PH_CHECK(file_ != nullptr);
  PH_RETURN_IF_ERROR(file_->Close());
  PH_ASSIGN_OR_RETURN(file.file_bytes, output_->Tell());
  try {
    FillFileMetrics(file_->metadata(), schema, file);
  } catch (const parquet::ParquetException& error) {
    return Error(StatusCode::kInternal, "cannot read a footer just written: {}", error.what());
  }
  file_.reset();
  return std::move(output_);
}

}  // namespace playhead::table
