#include "playhead/columnar/parquet_writer.h"

#include "playhead/base/arrow_status.h"
#include "playhead/columnar/column_writers.h"

#include <arrow/api.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/compression.h>
#include <parquet/arrow/schema.h>
#include <parquet/column_writer.h>
#include <parquet/exception.h>
#include <parquet/file_writer.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>

#include <utility>

namespace playhead::columnar {
namespace {

constexpr uint8_t kMagic[] = {'P', 'A', 'R', '1'};

}  // namespace

/// One row group of Contents. Arrow asks for the writer of each of its columns in turn;
/// those that it does not write come by WriteOwn() instead.
class ParquetWriter::RowGroup final : public parquet::RowGroupWriter::Contents {
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

  /// `write` writes the next column by its metadata and pages and returns its bytes.
  template <typename Write>
  void WriteOwn(int64_t rows, const Write& write) {
    CloseColumn();
    CheckRows(rows);
    parquet::ColumnChunkMetaDataBuilder* metadata = NextChunk();
    const auto pages = OpenPages(metadata);
    bytes_ += write(*metadata, *pages);
    compressed_bytes_ += pages->total_compressed_bytes_written();
  }

  void Close() override {
    if (std::exchange(is_closed_, true)) return;
    CloseColumn();
    if (column_ + 1 != num_columns()) {
      throw parquet::ParquetStatusException(arrow::Status::Invalid(
          "row group lacks columns: got=", column_ + 1, " expected=", num_columns()));
    }
    metadata_->set_num_rows(rows_);
    metadata_->Finish(bytes_, ordinal_);
  }

 private:
  parquet::ColumnChunkMetaDataBuilder* NextChunk() {
    if (column_ + 1 == num_columns()) {
      throw parquet::ParquetStatusException(
          arrow::Status::Invalid("row group has all its columns: expected=", num_columns()));
    }
    ++column_;
    return metadata_->NextColumnChunk();
  }

  std::unique_ptr<parquet::PageWriter> OpenPages(parquet::ColumnChunkMetaDataBuilder* metadata) {
    const auto path = metadata->descr()->path();
    static const arrow::util::CodecOptions kWithoutLevel;
    const auto codec_options = properties_->codec_options(path);
    return parquet::PageWriter::Open(output_, properties_->compression(path), metadata, ordinal_,
                                     static_cast<int16_t>(column_), properties_->memory_pool(),
                                     /*buffered_row_group=*/false, nullptr, nullptr,
                                     /*page_write_checksum_enabled=*/false, nullptr, nullptr,
                                     codec_options ? *codec_options : kWithoutLevel);
  }

  void CheckRows(int64_t rows) const {
    if (rows == rows_) return;
    throw parquet::ParquetStatusException(arrow::Status::Invalid(
        "column has another number of rows than its row group: got=", rows, " expected=", rows_));
  }

  void CloseColumn() {
    if (writer_ == nullptr) return;
    CheckRows(writer_->rows_written());
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
class ParquetWriter::Contents final : public parquet::ParquetFileWriter::Contents {
 public:
  Contents(std::shared_ptr<parquet::ArrowOutputStream> output,
           std::shared_ptr<parquet::schema::GroupNode> schema,
           std::shared_ptr<parquet::WriterProperties> properties, ColumnWriters& writers)
      : parquet::ParquetFileWriter::Contents(std::move(schema), nullptr),
        output_(std::move(output)),
        properties_(std::move(properties)),
        writers_(writers),
        metadata_(parquet::FileMetaDataBuilder::Make(&schema_, properties_)) {
    PARQUET_THROW_NOT_OK(output_->Write(kMagic, sizeof(kMagic)));
  }

  /// Of the row group that Arrow begins next.
  void set_next_rows(int64_t rows) { next_rows_ = rows; }
  /// Writes the next column if it is one of those that Arrow need not write.
  bool WriteOwn(const arrow::ChunkedArray& column);
  /// Arrow's writer closes its file when it is destroyed; this one then writes nothing.
  void Abandon() { is_closed_ = true; }

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
  ColumnWriters& writers_;
  const std::unique_ptr<parquet::FileMetaDataBuilder> metadata_;
  RowGroup* row_group_ = nullptr;  // of row_group_writer_
  std::unique_ptr<parquet::RowGroupWriter> row_group_writer_;
  int64_t next_rows_ = 0;
  int64_t rows_ = 0;
  int row_groups_ = 0;
  bool is_closed_ = false;
};

bool ParquetWriter::Contents::WriteOwn(const arrow::ChunkedArray& column) {
  const auto write = [&](const auto& write_chunk) {
    writers_.pages.BeginColumn(*properties_);
    row_group_->WriteOwn(column.length(), write_chunk);
    return true;
  };
  if (column.num_chunks() == 1 && IsCodedColumn(*column.type())) {
    return write([&](parquet::ColumnChunkMetaDataBuilder& metadata, parquet::PageWriter& pages) {
      return writers_.coded.Write(*column.chunk(0), metadata, pages);
    });
  }
  const int next = row_group_->current_column() + 1;
  // Arrow tells of columns that do not fit.
  if (next == num_columns()) return false;
  const parquet::ColumnDescriptor& descriptor = *schema_.Column(next);
  const bool is_coded = properties_->dictionary_enabled(descriptor.path());
  if (IsTextColumn(*column.type(), descriptor) && !is_coded &&
      properties_->encoding(descriptor.path()) == parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY) {
    return write([&](parquet::ColumnChunkMetaDataBuilder& metadata, parquet::PageWriter& pages) {
      return writers_.text.Write(column, metadata, pages);
    });
  }
  if (IsNumberColumn(*column.type(), descriptor)) {
    return write([&](parquet::ColumnChunkMetaDataBuilder& metadata, parquet::PageWriter& pages) {
      return writers_.numbers.Write(column, metadata, pages);
    });
  }
  return false;
}

ParquetWriter::~ParquetWriter() {
  if (contents_ != nullptr) contents_->Abandon();
}

template <typename Step>
Status ParquetWriter::Run(const Step& step) {
  PH_RETURN_IF_ERROR(error_);
  const auto caught = [&]() -> arrow::Status {
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    return step();
    END_PARQUET_CATCH_EXCEPTIONS
  };
  error_ = internal::ToStatus(caught());
  return error_;
}

Result<std::unique_ptr<ParquetWriter>> ParquetWriter::Open(
    std::shared_ptr<arrow::io::OutputStream> output, const arrow::Schema& schema,
    std::shared_ptr<parquet::WriterProperties> properties, arrow::MemoryPool* memory,
    ColumnWriters& writers) {
  std::unique_ptr<ParquetWriter> file(new ParquetWriter());
  PH_RETURN_IF_ERROR(file->Run([&]() -> arrow::Status {
    std::shared_ptr<parquet::SchemaDescriptor> columns;
    ARROW_RETURN_NOT_OK(parquet::arrow::ToParquetSchema(&schema, *properties, &columns));
    auto contents = std::make_unique<Contents>(
        std::move(output),
        std::static_pointer_cast<parquet::schema::GroupNode>(columns->schema_root()), properties,
        writers);
    Contents* const opened = contents.get();
    auto writer = std::make_unique<parquet::ParquetFileWriter>();
    writer->Open(std::move(contents));
    ARROW_RETURN_NOT_OK(parquet::arrow::FileWriter::Make(
        memory, std::move(writer), std::make_shared<arrow::Schema>(schema),
        parquet::default_arrow_writer_properties(), &file->arrow_writer_));
    file->contents_ = opened;
    return arrow::Status::OK();
  }));
  return file;
}

Status ParquetWriter::BeginRowGroup(int64_t rows) {
  return Run([&] {
    contents_->set_next_rows(rows);
    return arrow_writer_->NewRowGroup();
  });
}

Status ParquetWriter::WriteColumn(const std::shared_ptr<arrow::ChunkedArray>& column) {
  return Run([&] {
    // Arrow does not look.
    if (contents_->num_row_groups() == 0) return arrow::Status::Invalid("no row group has begun");
    if (contents_->WriteOwn(*column)) return arrow::Status::OK();
    return arrow_writer_->WriteColumnChunk(column);
  });
}

Status ParquetWriter::Close() {
  return Run([&] {
    ARROW_RETURN_NOT_OK(arrow_writer_->Close());
    contents_ = nullptr;
    return arrow::Status::OK();
  });
}

}  // namespace playhead::columnar
