#include "playhead/columnar/parquet_writer.h"

#include "playhead/columnar/test_parquet.h"

#include <cstdint>

namespace playhead::columnar {
namespace {

std::shared_ptr<arrow::Schema> TestSchema() {
  return arrow::schema({arrow::field("id", arrow::utf8()), arrow::field("number", arrow::int64()),
                        arrow::field("title", arrow::utf8()),
                        arrow::field("genre", TextListType())});
}

/// Plain columns of rows `begin` to `end`.
Columns TestColumns(int64_t begin, int64_t end) {
  Texts ids;
  Texts titles;
  TextLists genres;
  arrow::Int64Builder numbers;
  for (int64_t i = begin; i < end; ++i) {
    ids.emplace_back("id " + std::to_string(i));
    titles.emplace_back("title " + std::to_string(i % 5));
    if (i % 9 == 1) titles.back().reset();
    genres.emplace_back(Texts(static_cast<size_t>(i % 3), "genre"));
    EXPECT_TRUE((i % 4 == 0 ? numbers.AppendNull() : numbers.Append(i)).ok());
  }
  return {Chunked(TextArray(ids)), Chunked(*numbers.Finish()), Chunked(TextArray(titles)),
          Chunked(ListArray(genres, TextListType()))};
}

/// The last two as codes; the first stays, in two chunks.
Columns AsWritten(Columns columns) {
  const auto ids = columns[0]->chunk(0);
  columns[0] = std::make_shared<arrow::ChunkedArray>(
      arrow::ArrayVector{ids->Slice(0, ids->length() / 3), ids->Slice(ids->length() / 3)});
  for (const size_t i : {2, 3}) columns[i] = Chunked(Coded(columns[i]->chunk(0)));
  return columns;
}

TEST(ParquetWriter, WritesSeveralRowGroups) {
  for (const auto compression : {parquet::Compression::ZSTD, parquet::Compression::SNAPPY,
                                 parquet::Compression::UNCOMPRESSED}) {
    const auto bytes =
        WriteParquet(*TestSchema(),
                     {AsWritten(TestColumns(0, 1'000)), AsWritten(TestColumns(1'000, 1'001)),
                      AsWritten(TestColumns(1'001, 1'500))},
                     {.compression = compression});
    ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
    const auto table = ReadTable(*bytes);
    EXPECT_TRUE(table->Equals(*arrow::Table::Make(TestSchema(), TestColumns(0, 1'500))));
    const auto footer = ReadFooter(*bytes);
    EXPECT_EQ(footer->num_rows(), 1'500);
    ASSERT_EQ(footer->num_row_groups(), 3);
    EXPECT_EQ(footer->RowGroup(0)->num_rows(), 1'000);
    EXPECT_EQ(footer->RowGroup(1)->num_rows(), 1);
    EXPECT_EQ(footer->RowGroup(2)->num_rows(), 499);
    for (int group = 0; group < 3; ++group) {
      int64_t unpacked = 0;
      for (int column = 0; column < 4; ++column) {
        unpacked += footer->RowGroup(group)->ColumnChunk(column)->total_uncompressed_size();
      }
      EXPECT_EQ(footer->RowGroup(group)->total_byte_size(), unpacked);
    }
  }
}

TEST(ParquetWriter, WritesAFileWithoutRowGroups) {
  const auto bytes = WriteParquet(*TestSchema(), {});
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(ReadTable(*bytes)->num_rows(), 0);
}

TEST(ParquetWriter, ReadsItsFooterBack) {
  auto output = *arrow::io::BufferOutputStream::Create();
  ColumnWriters writers;
  auto file = ParquetWriter::Open(output, *TestSchema(), TestProperties({}),
                                  arrow::default_memory_pool(), writers);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->BeginRowGroup(10).ok());
  for (const auto& column : AsWritten(TestColumns(0, 10))) {
    ASSERT_TRUE((*file)->WriteColumn(column).ok());
  }
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_TRUE((*file)->metadata().Equals(*ReadFooter(*output->Finish())));
}

TEST(ParquetWriter, SharesWritersWithOtherFiles) {
  ColumnWriters writers;
  const auto open = [&](const std::shared_ptr<arrow::io::BufferOutputStream>& output,
                        parquet::Compression::type compression) {
    auto file =
        ParquetWriter::Open(output, *TestSchema(), TestProperties({.compression = compression}),
                            arrow::default_memory_pool(), writers);
    EXPECT_TRUE(file.ok());
    EXPECT_TRUE((*file)->BeginRowGroup(100).ok());
    return *std::move(file);
  };
  auto first = *arrow::io::BufferOutputStream::Create();
  auto second = *arrow::io::BufferOutputStream::Create();
  auto first_file = open(first, parquet::Compression::ZSTD);
  auto second_file = open(second, parquet::Compression::UNCOMPRESSED);
  const Columns columns = AsWritten(TestColumns(0, 100));
  const Columns others = AsWritten(TestColumns(500, 600));
  for (size_t i = 0; i < columns.size(); ++i) {
    ASSERT_TRUE(first_file->WriteColumn(columns[i]).ok());
    // A file that fails between them.
    auto third = *arrow::io::BufferOutputStream::Create();
    const auto third_file = open(third, parquet::Compression::SNAPPY);
    EXPECT_FALSE(third_file->WriteColumn(AsWritten(TestColumns(0, 7))[i]).ok() &&
                 third_file->Close().ok());
    ASSERT_TRUE(second_file->WriteColumn(others[i]).ok());
  }
  ASSERT_TRUE(second_file->Close().ok());
  ASSERT_TRUE(first_file->Close().ok());
  EXPECT_TRUE(
      ReadTable(*first->Finish())->Equals(*arrow::Table::Make(TestSchema(), TestColumns(0, 100))));
  EXPECT_TRUE(ReadTable(*second->Finish())
                  ->Equals(*arrow::Table::Make(TestSchema(), TestColumns(500, 600))));
}

/// What WriteParquet() says of these columns in a row group of 10 rows; then the file is dropped.
Status Refusal(const Columns& columns) {
  auto output = *arrow::io::BufferOutputStream::Create();
  ColumnWriters writers;
  auto opened = ParquetWriter::Open(output, *TestSchema(), TestProperties({}),
                                    arrow::default_memory_pool(), writers);
  EXPECT_TRUE(opened.ok());
  ParquetWriter& file = **opened;
  Status status = file.BeginRowGroup(10);
  EXPECT_TRUE(status.ok());
  for (const auto& column : columns) {
    status = file.WriteColumn(column);
    if (!status.ok()) break;
  }
  if (status.ok()) status = file.Close();
  EXPECT_FALSE(status.ok());
  // It stays so, and nothing is written any more.
  const int64_t written = *output->Tell();
  EXPECT_EQ(file.BeginRowGroup(10).message(), status.message());
  EXPECT_EQ(file.Close().message(), status.message());
  opened->reset();
  EXPECT_EQ(*output->Tell(), written);
  return status;
}

TEST(ParquetWriter, RefusesColumnsWithOtherRowCounts) {
  for (size_t i = 0; i < 4; ++i) {
    for (const int64_t rows : {0, 9, 11}) {
      Columns columns = AsWritten(TestColumns(0, 10));
      columns[i] = AsWritten(TestColumns(0, rows))[i];
      const Status status = Refusal(columns);
      EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status.ToString();
      EXPECT_EQ(status.message(), "column has another number of rows than its row group: got=" +
                                      std::to_string(rows) + " expected=10");
    }
  }
}

TEST(ParquetWriter, RefusesARowGroupWithoutAllColumns) {
  Columns columns = AsWritten(TestColumns(0, 10));
  while (!columns.empty()) {
    columns.pop_back();
    const Status status = Refusal(columns);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status.ToString();
    EXPECT_EQ(status.message(),
              "row group lacks columns: got=" + std::to_string(columns.size()) + " expected=4");
  }
}

TEST(ParquetWriter, RefusesMoreColumnsThanTheSchemaHas) {
  Columns columns = AsWritten(TestColumns(0, 10));
  columns.push_back(columns.back());
  EXPECT_EQ(Refusal(columns).message(), "row group has all its columns: expected=4");
  columns.back() = TestColumns(0, 10)[0];
  EXPECT_FALSE(Refusal(columns).ok());
}

TEST(ParquetWriter, RefusesCodesWhereTheSchemaHasNone) {
  Columns columns = AsWritten(TestColumns(0, 10));
  std::swap(columns[1], columns[2]);
  Status status = Refusal(columns);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "column of another type than its schema's: path=number "
            "type=dictionary<values=string, indices=int32, ordered=0>");
  columns = AsWritten(TestColumns(0, 10));
  std::swap(columns[2], columns[3]);
  EXPECT_EQ(Refusal(columns).code(), StatusCode::kInvalidArgument);
}

TEST(ParquetWriter, RefusesAColumnBeforeTheFirstRowGroup) {
  for (const size_t i : {0, 2}) {
    auto output = *arrow::io::BufferOutputStream::Create();
    ColumnWriters writers;
    auto file = ParquetWriter::Open(output, *TestSchema(), TestProperties({}),
                                    arrow::default_memory_pool(), writers);
    ASSERT_TRUE(file.ok());
    EXPECT_FALSE((*file)->WriteColumn(AsWritten(TestColumns(0, 10))[i]).ok());
  }
}

TEST(ParquetWriter, WritesNoFooterWhenDropped) {
  // Wherever it is left, also behind a whole row group.
  for (size_t columns = 0; columns <= 4; ++columns) {
    auto output = *arrow::io::BufferOutputStream::Create();
    ColumnWriters writers;
    auto file = ParquetWriter::Open(output, *TestSchema(), TestProperties({}),
                                    arrow::default_memory_pool(), writers);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->BeginRowGroup(10).ok());
    const Columns all = AsWritten(TestColumns(0, 10));
    for (size_t i = 0; i < columns; ++i) ASSERT_TRUE((*file)->WriteColumn(all[i]).ok());
    const int64_t written = *output->Tell();
    file->reset();
    EXPECT_EQ(*output->Tell(), written);
  }
}

/// Takes so many bytes and then fails.
class FullOutput final : public arrow::io::OutputStream {
 public:
  explicit FullOutput(int64_t bytes_max) : bytes_max_(bytes_max) {}

  arrow::Status Write(const void* /*data*/, int64_t bytes) override {
    if (bytes_ + bytes > bytes_max_) return arrow::Status::IOError("output is full");
    bytes_ += bytes;
    return arrow::Status::OK();
  }
  arrow::Status Close() override { return arrow::Status::OK(); }
  bool closed() const override { return false; }
  arrow::Result<int64_t> Tell() const override { return bytes_; }

 private:
  const int64_t bytes_max_;
  int64_t bytes_ = 0;
};

TEST(ParquetWriter, ReturnsTheErrorsOfItsOutput) {
  const std::vector<Columns> row_groups{AsWritten(TestColumns(0, 50)),
                                        AsWritten(TestColumns(50, 100))};
  const int64_t whole = (*WriteParquet(*TestSchema(), row_groups))->size();
  const auto write = [&](int64_t bytes_max) -> Status {
    ColumnWriters writers;
    PH_ASSIGN_OR_RETURN(
        auto file, ParquetWriter::Open(std::make_shared<FullOutput>(bytes_max), *TestSchema(),
                                       TestProperties({}), arrow::default_memory_pool(), writers));
    for (const Columns& columns : row_groups) {
      PH_RETURN_IF_ERROR(file->BeginRowGroup(50));
      for (const auto& column : columns) PH_RETURN_IF_ERROR(file->WriteColumn(column));
    }
    return file->Close();
  };
  EXPECT_TRUE(write(whole).ok());
  for (int64_t bytes = 0; bytes < whole; ++bytes) {
    const Status status = write(bytes);
    EXPECT_EQ(status.code(), StatusCode::kUnavailable) << bytes;
    EXPECT_EQ(status.message(), "output is full") << bytes;
  }
}

}  // namespace
}  // namespace playhead::columnar
