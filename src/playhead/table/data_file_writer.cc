#include "playhead/table/data_file_writer.h"

#include "playhead/base/arrow_status.h"
#include "playhead/table/file_metrics.h"

#include <arrow/api.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/byte_size.h>
#include <parquet/exception.h>
#include <parquet/file_writer.h>

#include <algorithm>
#include <utility>

namespace playhead::table {
namespace {

// How much smaller a row group becomes, before the first one of a file has told.
constexpr int64_t kAssumedCompression = 6;

}  // namespace

Result<std::unique_ptr<DataFileWriter>> DataFileWriter::Open(
    storage::ObjectStore& store, const std::string& staged_uri,
    const std::shared_ptr<arrow::Schema>& schema,
    std::shared_ptr<parquet::WriterProperties> properties, int64_t row_group_bytes) {
  std::unique_ptr<DataFileWriter> file(new DataFileWriter());
  file->schema_ = schema;
  file->row_group_bytes_max_ = row_group_bytes;
  file->row_group_rows_max_ = properties->max_row_group_length();
  PH_ASSIGN_OR_RETURN(file->output_, store.OpenForWrite(staged_uri));
  PH_ASSIGN_OR_RETURN(file->writer_,
                      parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(),
                                                       file->output_, std::move(properties)));
  return file;
}

Status DataFileWriter::Write(const arrow::RecordBatch& rows) {
  const auto batch = arrow::RecordBatch::Make(schema_, rows.num_rows(), rows.columns());
  const arrow::Result<int64_t> referenced = arrow::util::ReferencedBufferSize(*batch);
  const int64_t bytes = referenced.ok() ? *referenced : arrow::util::TotalBufferSize(*batch);
  if (row_group_rows_ == 0 || row_group_bytes_ + bytes > row_group_bytes_max_) {
    PH_RETURN_IF_ERROR(writer_->NewBufferedRowGroup());
    arrow_bytes_ += row_group_bytes_;
    row_group_bytes_ = 0;
    row_group_rows_ = 0;
  }
  // Starts a new row group by itself at the row limit.
  PH_RETURN_IF_ERROR(writer_->WriteRecordBatch(*batch));
  row_group_rows_ += rows.num_rows();
  row_group_bytes_ += bytes;
  if (row_group_rows_ > row_group_rows_max_) {
    const int64_t rest = row_group_rows_ % row_group_rows_max_;
    const int64_t rest_bytes = rest * bytes / std::max<int64_t>(rows.num_rows(), 1);
    arrow_bytes_ += row_group_bytes_ - rest_bytes;
    row_group_bytes_ = rest_bytes;
    row_group_rows_ = rest;
  }
  return {};
}

int64_t DataFileWriter::bytes() const {
  const int64_t written = output_->Tell().ValueOr(0);
  const int64_t ratio = written > 0 && arrow_bytes_ > 0
                            ? std::max<int64_t>(arrow_bytes_ / written, 1)
                            : kAssumedCompression;
  return written + row_group_bytes_ / ratio;
}

Result<std::shared_ptr<arrow::io::OutputStream>> DataFileWriter::Finish(
    const iceberg::Schema& schema, iceberg::DataFile& file) {
  PH_RETURN_IF_ERROR(writer_->Close());
  PH_ASSIGN_OR_RETURN(file.file_bytes, output_->Tell());
  try {
    FillFileMetrics(*writer_->metadata(), schema, file);
  } catch (const parquet::ParquetException& error) {
    return Error(StatusCode::kInternal, "cannot read a footer just written: {}", error.what());
  }
  writer_.reset();
  return std::move(output_);
}

}  // namespace playhead::table
