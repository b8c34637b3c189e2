#include "playhead/columnar/parquet_reader.h"

#include "playhead/base/arrow_status.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <exception>
#include <new>
#include <utility>
#include <vector>

namespace playhead::columnar {
namespace {

constexpr int64_t kReadBufferBytes = 256LL << 10;
// How much smaller the batches become when a row group needs too much memory.
constexpr int64_t kShrink = 16;

/// Errors of Parquet itself carry no detail, those of the operating system do.
Status Refusal(const std::string& path, const arrow::Status& status) {
  if (status.detail() != nullptr) return internal::ToStatus(status);
  return Error(StatusCode::kInvalidArgument, "Parquet file cannot be read: path={} why={}", path,
               status.message());
}

/// Runs what may throw, although Arrow's calls are meant not to.
template <typename Call>
arrow::Status Caught(const Call& call) {
  try {
    return call();
  } catch (const parquet::ParquetStatusException& error) {
    return error.status();
  } catch (const std::bad_alloc&) {
    return arrow::Status::OutOfMemory("an allocation failed");
  } catch (const std::exception& error) {
    return arrow::Status::Invalid(error.what());
  }
}

class Rows : public ParquetReader {
 public:
  Rows(std::string path, ParquetReaderOptions options)
      : path_(std::move(path)),
        options_(options),
        pool_(arrow::default_memory_pool(), options.memory_bytes_max) {}

  Status OpenPath() {
    PH_ASSIGN_OR_RETURN(const auto file, arrow::io::ReadableFile::Open(path_, &pool_));
    return Open(file);
  }

  Status Open(const std::shared_ptr<arrow::io::RandomAccessFile>& file) {
    const arrow::Status opened = Caught([&]() -> arrow::Status {
      parquet::ReaderProperties properties(&pool_);
      // A column of a row group is read bit by bit, not whole.
      properties.enable_buffered_stream();
      properties.set_buffer_size(kReadBufferBytes);
      properties.set_page_checksum_verification(true);
      parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
      arrow_properties.set_pre_buffer(false);
      arrow_properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
      parquet::arrow::FileReaderBuilder builder;
      ARROW_RETURN_NOT_OK(builder.Open(file, properties));
      builder.memory_pool(&pool_)->properties(arrow_properties);
      ARROW_ASSIGN_OR_RAISE(reader_, builder.Build());
      return reader_->GetSchema(&schema_);
    });
    if (!opened.ok()) return Refusal(path_, opened);
    metadata_ = reader_->parquet_reader()->metadata();
    NameInt96AsUtc();
    return {};
  }

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  int64_t row_count() const override { return metadata_->num_rows(); }

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (true) {
      if (group_ == nullptr) {
        if (group_number_ == reader_->num_row_groups()) {
          return std::shared_ptr<arrow::RecordBatch>();
        }
        batch_rows_ = FirstGuess();
        group_rows_ = 0;
        PH_RETURN_IF_ERROR(OpenGroup());
      }
      std::shared_ptr<arrow::RecordBatch> batch;
      arrow::Status read = Caught([&] { return group_->ReadNext(&batch); });
      if (read.IsOutOfMemory() && batch_rows_ > 1) {
        PH_RETURN_IF_ERROR(ShrinkBatches());
        continue;
      }
      if (!read.ok()) return Damage(read);
      if (batch == nullptr) {
        if (group_rows_ != metadata_->RowGroup(group_number_)->num_rows()) {
          return Damage(arrow::Status::Invalid("a column has fewer values than the row group"));
        }
        group_ = nullptr;
        ++group_number_;
        continue;
      }
      const int64_t skipped = std::min(skip_rows_, batch->num_rows());
      skip_rows_ -= skipped;
      if (skipped == batch->num_rows()) continue;
      batch = batch->Slice(skipped);
      group_rows_ += batch->num_rows();
      return WithSchema(*batch);
    }
  }

 private:
  Status Damage(const arrow::Status& status) const {
    return Refusal(
        path_,
        status.WithMessage(status.message(), " (row group ", group_number_, ", row ", group_rows_,
                           ")", status.IsOutOfMemory() ? "; one row needs too much" : ""));
  }

  int64_t FirstGuess() const {
    const auto group = metadata_->RowGroup(group_number_);
    const int64_t row_bytes =
        std::max<int64_t>(group->total_byte_size() / std::max<int64_t>(group->num_rows(), 1), 1);
    return std::clamp<int64_t>(options_.batch_bytes / row_bytes, 1, options_.batch_rows_max);
  }

  Status OpenGroup() {
    reader_->set_batch_size(batch_rows_);
    const arrow::Status opened = Caught([&]() -> arrow::Status {
      ARROW_ASSIGN_OR_RAISE(group_, reader_->GetRecordBatchReader({group_number_}));
      return arrow::Status::OK();
    });
    return opened.ok() ? Status() : Damage(opened);
  }

  /// Begins the row group anew; the rows that are out already are skipped.
  Status ShrinkBatches() {
    batch_rows_ = std::max<int64_t>(batch_rows_ / kShrink, 1);
    skip_rows_ = group_rows_;
    group_ = nullptr;
    return OpenGroup();
  }

  /// Arrow gives INT96 without a zone, but who writes it (Spark, Impala) means UTC.
  void NameInt96AsUtc() {
    std::vector<std::shared_ptr<arrow::Field>> fields = schema_->fields();
    const parquet::SchemaDescriptor& descriptor = *metadata_->schema();
    for (int leaf = 0; leaf < descriptor.num_columns(); ++leaf) {
      const parquet::ColumnDescriptor& column = *descriptor.Column(leaf);
      if (column.physical_type() != parquet::Type::INT96) continue;
      const int field = schema_->GetFieldIndex(column.path()->ToDotString());
      if (field < 0 || fields[field]->type()->id() != arrow::Type::TIMESTAMP) continue;
      fields[field] = fields[field]->WithType(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"));
    }
    schema_ = arrow::schema(std::move(fields));
  }

  Result<std::shared_ptr<arrow::RecordBatch>> WithSchema(const arrow::RecordBatch& batch) const {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (int i = 0; i < batch.num_columns(); ++i) {
      std::shared_ptr<arrow::Array> column = batch.column(i);
      const std::shared_ptr<arrow::DataType>& type = schema_->field(i)->type();
      if (type->id() == arrow::Type::TIMESTAMP && !column->type()->Equals(type)) {
        PH_ASSIGN_OR_RETURN(column, column->View(type));
      }
      columns.push_back(std::move(column));
    }
    return arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns));
  }

  std::string path_;
  ParquetReaderOptions options_;
  arrow::CappedMemoryPool pool_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::shared_ptr<parquet::FileMetaData> metadata_;
  std::shared_ptr<arrow::Schema> schema_;
  int group_number_ = 0;
  std::shared_ptr<arrow::RecordBatchReader> group_;  // of group_number_
  int64_t batch_rows_ = 1;
  int64_t group_rows_ = 0;  // of the open group that have been handed out
  int64_t skip_rows_ = 0;   // of the open group, still to be passed over
};

}  // namespace

Result<std::unique_ptr<ParquetReader>> ParquetReader::Open(const std::string& path,
                                                           ParquetReaderOptions options) {
  auto rows = std::make_unique<Rows>(path, options);
  PH_RETURN_IF_ERROR(rows->OpenPath());
  return std::unique_ptr<ParquetReader>(std::move(rows));
}

Result<std::unique_ptr<ParquetReader>> ParquetReader::Open(
    const std::shared_ptr<arrow::io::RandomAccessFile>& file, const std::string& name,
    ParquetReaderOptions options) {
  auto rows = std::make_unique<Rows>(name, options);
  PH_RETURN_IF_ERROR(rows->Open(file));
  return std::unique_ptr<ParquetReader>(std::move(rows));
}

}  // namespace playhead::columnar
