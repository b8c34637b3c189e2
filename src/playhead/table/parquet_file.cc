#include "playhead/table/parquet_file.h"

#include "playhead/base/arrow_status.h"
#include "playhead/table/coded_column.h"

#include <arrow/api.h>
#include <arrow/io/interfaces.h>
#include <parquet/arrow/schema.h>
#include <parquet/column_writer.h>
#include <parquet/exception.h>
#include <parquet/file_writer.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>

#include <utility>

namespace playhead::table {
namespace {

constexpr uint8_t kMagic[] = {'P', 'A', 'R', '1'};

}  // namespace

/// One row group of Contents. Arrow asks for the writer of each of its columns in turn; coded
/// columns come by WriteCoded() instead.
class ParquetFile::RowGroup final : public parquet::RowGroupWriter::Contents {
 public:
  RowGroup(std::shared_ptr<parquet::ArrowOutputStream> output,
           parquet::RowGroupMetaDataBuilder* metadata, int16_t ordinal, int64_t rows,
           const parquet::WriterProperties* properties)
      : output_(std::move(output)),
        metadata_(metadata),
        ordinal_(ordinal),
        rows_(rows),
        properties_(properties) {}

  int num_columns() const override { return metadata_->num_columns(); }
  int64_t num_rows() const override { return rows_; }
  int current_column() const override { return column_; }
  bool buffered() const override { return false; }
  int64_t total_bytes_written() const override { return bytes_; }
  int64_t total_compressed_bytes() const override { return 0; }
  int64_t total_compressed_bytes_written() const override { return compressed_bytes_; }
  parquet::RowGroupWriter::BufferedStats EstimatedBufferedStats() const override { return {}; }

  parquet::ColumnWriter* column(int /*i*/) override {
    throw parquet::ParquetException("row groups are not buffered");
  }

  parquet::ColumnWriter* NextColumn() override {
    CloseColumn();
    parquet::ColumnChunkMetaDataBuilder* metadata = NextChunk();
    writer_ = parquet::ColumnWriter::Make(metadata, OpenPages(metadata), properties_);
    return writer_.get();
  }

  void WriteCoded(const arrow::Array& column, CodedColumnWriter& writer) {
    CloseColumn();
    parquet::ColumnChunkMetaDataBuilder* metadata = NextChunk();
    const auto pages = OpenPages(metadata);
    bytes_ += writer.Write(column, *metadata, *pages);
    compressed_bytes_ += pages->total_compressed_bytes_written();
  }

  void Close() override {
    if (std::exchange(is_closed_, true)) return;
    CloseColumn();
    metadata_->set_num_rows(rows_);
    metadata_->Finish(bytes_, ordinal_);
  }

 private:
  parquet::ColumnChunkMetaDataBuilder* NextChunk() {
    ++column_;
    return metadata_->NextColumnChunk();
  }

  std::unique_ptr<parquet::PageWriter> OpenPages(parquet::ColumnChunkMetaDataBuilder* metadata) {
    const auto path = metadata->descr()->path();
    return parquet::PageWriter::Open(output_, properties_->compression(path), metadata, ordinal_,
                                     static_cast<int16_t>(column_), properties_->memory_pool(),
                                     /*buffered_row_group=*/false, nullptr, nullptr,
                                     /*page_write_checksum_enabled=*/false, nullptr, nullptr,
                                     *properties_->codec_options(path));
  }

  void CloseColumn() {
    if (writer_ == nullptr) return;
    if (writer_->rows_written() != rows_) {
      throw parquet::ParquetException("column has another number of rows than its row group");
    }
    bytes_ += writer_->Close();
    compressed_bytes_ += writer_->total_compressed_bytes_written();
    writer_.reset();
  }

  const std::shared_ptr<parquet::ArrowOutputStream> output_;
  parquet::RowGroupMetaDataBuilder* const metadata_;
  const int16_t ordinal_;
  const int64_t rows_;
  const parquet::WriterProperties* const properties_;
  std::shared_ptr<parquet::ColumnWriter> writer_;
  int column_ = -1;
  int64_t bytes_ = 0;
  int64_t compressed_bytes_ = 0;
  bool is_closed_ = false;
};

/// The file as Arrow's writer sees it. It has no page index: row groups have few pages.
class ParquetFile::Contents final : public parquet::ParquetFileWriter::Contents {
 public:
  Contents(std::shared_ptr<parquet::ArrowOutputStream> output,
           std::shared_ptr<parquet::schema::GroupNode> schema,
           std::shared_ptr<parquet::WriterProperties> properties, arrow::MemoryPool* memory)
      : parquet::ParquetFileWriter::Contents(std::move(schema), nullptr),
        output_(std::move(output)),
        properties_(std::move(properties)),
        coded_(properties_, memory),
        metadata_(parquet::FileMetaDataBuilder::Make(&schema_, properties_)) {
    PARQUET_THROW_NOT_OK(output_->Write(kMagic, sizeof(kMagic)));
  }

  /// Of the row group that Arrow begins next.
  void set_next_rows(int64_t rows) { next_rows_ = rows; }
  void WriteCoded(const arrow::Array& column) { row_group_->WriteCoded(column, coded_); }

  parquet::RowGroupWriter* AppendRowGroup() override {
    EndRowGroup();
    auto row_group = std::make_unique<RowGroup>(output_, metadata_->AppendRowGroup(),
                                                static_cast<int16_t>(row_groups_++), next_rows_,
                                                properties_.get());
    row_group_ = row_group.get();
    row_group_writer_ = std::make_unique<parquet::RowGroupWriter>(std::move(row_group));
    return row_group_writer_.get();
  }
  parquet::RowGroupWriter* AppendBufferedRowGroup() override {
    throw parquet::ParquetException("row groups are not buffered");
  }

  int64_t num_rows() const override { return rows_; }
  int num_columns() const override { return schema_.num_columns(); }
  int num_row_groups() const override { return row_groups_; }
  const std::shared_ptr<parquet::WriterProperties>& properties() const override {
    return properties_;
  }
  void AddKeyValueMetadata(
      const std::shared_ptr<const arrow::KeyValueMetadata>& metadata) override {
    key_value_metadata_ =
        key_value_metadata_ == nullptr ? metadata : key_value_metadata_->Merge(*metadata);
  }

  void Close() override {
    if (std::exchange(is_closed_, true)) return;
    EndRowGroup();
    file_metadata_ = metadata_->Finish(key_value_metadata_);
    parquet::WriteFileMetaData(*file_metadata_, output_.get());
  }

 private:
  void EndRowGroup() {
    if (row_group_ == nullptr) return;
    row_group_->Close();
    rows_ += row_group_->num_rows();
    row_group_ = nullptr;
    row_group_writer_.reset();
  }

  const std::shared_ptr<parquet::ArrowOutputStream> output_;
  const std::shared_ptr<parquet::WriterProperties> properties_;
  CodedColumnWriter coded_;
  const std::unique_ptr<parquet::FileMetaDataBuilder> metadata_;
  RowGroup* row_group_ = nullptr;  // of row_group_writer_
  std::unique_ptr<parquet::RowGroupWriter> row_group_writer_;
  int64_t next_rows_ = 0;
  int64_t rows_ = 0;
  int row_groups_ = 0;
  bool is_closed_ = false;
};

ParquetFile::~ParquetFile() = default;

Result<std::unique_ptr<ParquetFile>> ParquetFile::Open(
    std::shared_ptr<arrow::io::OutputStream> output, const arrow::Schema& schema,
    std::shared_ptr<parquet::WriterProperties> properties, arrow::MemoryPool* memory) {
  std::shared_ptr<parquet::SchemaDescriptor> columns;
  PH_RETURN_IF_ERROR(parquet::arrow::ToParquetSchema(&schema, *properties, &columns));
  auto root = std::static_pointer_cast<parquet::schema::GroupNode>(columns->schema_root());
  std::unique_ptr<ParquetFile> file(new ParquetFile());
  auto writer = std::make_unique<parquet::ParquetFileWriter>();
  const auto open = [&]() -> arrow::Status {
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    auto contents =
        std::make_unique<Contents>(std::move(output), std::move(root), properties, memory);
    file->contents_ = contents.get();
    writer->Open(std::move(contents));
    return arrow::Status::OK();
    END_PARQUET_CATCH_EXCEPTIONS
  };
  PH_RETURN_IF_ERROR(open());
  PH_RETURN_IF_ERROR(parquet::arrow::FileWriter::Make(
      memory, std::move(writer), std::make_shared<arrow::Schema>(schema),
      parquet::default_arrow_writer_properties(), &file->arrow_writer_));
  return file;
}

Status ParquetFile::BeginRowGroup(int64_t rows) {
  contents_->set_next_rows(rows);
  return internal::ToStatus(arrow_writer_->NewRowGroup());
}

Status ParquetFile::WriteColumn(const std::shared_ptr<arrow::ChunkedArray>& column) {
  if (column->num_chunks() != 1 || !IsCodedColumn(*column->type())) {
    return internal::ToStatus(arrow_writer_->WriteColumnChunk(column));
  }
  const auto write = [&]() -> arrow::Status {
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    contents_->WriteCoded(*column->chunk(0));
    return arrow::Status::OK();
    END_PARQUET_CATCH_EXCEPTIONS
  };
  return internal::ToStatus(write());
}

Status ParquetFile::Close() {
  PH_RETURN_IF_ERROR(arrow_writer_->Close());
  contents_ = nullptr;
  return {};
}

}  // namespace playhead::table
