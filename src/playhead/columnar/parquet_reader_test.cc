#include "playhead/columnar/parquet_reader.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/util/byte_size.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace playhead::columnar {
namespace {

class ParquetRowsTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "/parquet-rows-" +
            testing::UnitTest::GetInstance()->current_test_info()->name();
  }

  void TearDown() override { std::filesystem::remove(path_); }

  /// `rows` strings of `bytes` bytes each, all equal, so that the file is tiny.
  void WriteStrings(int64_t rows, int64_t bytes, int64_t row_group_rows, bool dictionary = true) {
    arrow::StringBuilder builder;
    const std::string text(static_cast<size_t>(bytes), 'x');
    for (int64_t i = 0; i < rows; ++i) ASSERT_TRUE(builder.Append(text).ok());
    WriteColumn(builder.Finish().ValueOrDie(), row_group_rows, dictionary, false);
  }

  void WriteColumn(const std::shared_ptr<arrow::Array>& column, int64_t row_group_rows,
                   bool dictionary, bool int96) {
    const auto table =
        arrow::Table::Make(arrow::schema({arrow::field("v", column->type())}), {column});
    const auto out = arrow::io::FileOutputStream::Open(path_).ValueOrDie();
    parquet::WriterProperties::Builder properties;
    properties.compression(parquet::Compression::ZSTD)->dictionary_pagesize_limit(1LL << 30);
    if (!dictionary) properties.disable_dictionary();
    parquet::ArrowWriterProperties::Builder arrow_properties;
    if (int96) arrow_properties.enable_deprecated_int96_timestamps();
    ASSERT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), out,
                                           row_group_rows, properties.build(),
                                           arrow_properties.build())
                    .ok());
    ASSERT_TRUE(out->Close().ok());
  }

  std::string path_;
};

int64_t CountRows(ParquetReader& rows, int64_t* largest_batch) {
  int64_t count = 0;
  while (true) {
    const auto batch = rows.Next();
    EXPECT_TRUE(batch.ok()) << batch.error().ToString();
    if (!batch.ok() || *batch == nullptr) return count;
    EXPECT_GT((*batch)->num_rows(), 0);
    count += (*batch)->num_rows();
    *largest_batch = std::max(*largest_batch, arrow::util::TotalBufferSize(**batch));
  }
}

TEST_F(ParquetRowsTest, GivesEveryRowOfEveryRowGroupInOrder) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < 10'000; ++i) ASSERT_TRUE(builder.Append(i).ok());
  WriteColumn(builder.Finish().ValueOrDie(), 3'000, true, false);
  const auto rows = ParquetReader::Open(path_, {.batch_rows_max = 700});
  ASSERT_TRUE(rows.ok()) << rows.error().ToString();
  EXPECT_EQ((*rows)->row_count(), 10'000);
  int64_t next = 0;
  while (true) {
    const auto batch = (*rows)->Next();
    ASSERT_TRUE(batch.ok()) << batch.error().ToString();
    if (*batch == nullptr) break;
    ASSERT_LE((*batch)->num_rows(), 700);
    const auto& values = static_cast<const arrow::Int64Array&>(*(*batch)->column(0));
    for (int64_t i = 0; i < values.length(); ++i) ASSERT_EQ(values.Value(i), next++);
  }
  EXPECT_EQ(next, 10'000);
}

// 64 MiB of text in a file of some hundred bytes, with a limit of 8 MiB.
TEST_F(ParquetRowsTest, TextThatUnpacksBeyondTheLimitComesInSmallBatches) {
  WriteStrings(1'024, 64 << 10, 1'024);
  ASSERT_LT(std::filesystem::file_size(path_), 4'096U);
  const auto rows = ParquetReader::Open(path_, {.memory_bytes_max = 8 << 20});
  ASSERT_TRUE(rows.ok()) << rows.error().ToString();
  int64_t largest = 0;
  EXPECT_EQ(CountRows(**rows, &largest), 1'024);
  EXPECT_LE(largest, 8 << 20);
}

TEST_F(ParquetRowsTest, ARowThatNeedsMoreThanTheLimitIsRefused) {
  WriteStrings(1, 16 << 20, 1, /*dictionary=*/false);
  const auto rows = ParquetReader::Open(path_, {.memory_bytes_max = 8 << 20});
  ASSERT_TRUE(rows.ok()) << rows.error().ToString();
  const auto batch = (*rows)->Next();
  ASSERT_FALSE(batch.ok());
  EXPECT_EQ(batch.error().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(batch.error().message().find("one row needs too much"), std::string::npos)
      << batch.error().ToString();
}

TEST_F(ParquetRowsTest, Int96IsUtc) {
  arrow::TimestampBuilder builder(arrow::timestamp(arrow::TimeUnit::NANO),
                                  arrow::default_memory_pool());
  ASSERT_TRUE(builder.Append(1'700'000'000'123'456'789).ok());
  WriteColumn(builder.Finish().ValueOrDie(), 10, true, /*int96=*/true);
  const auto rows = ParquetReader::Open(path_);
  ASSERT_TRUE(rows.ok()) << rows.error().ToString();
  const auto type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  EXPECT_TRUE((*rows)->schema()->field(0)->type()->Equals(type));
  const auto batch = (*rows)->Next();
  ASSERT_TRUE(batch.ok()) << batch.error().ToString();
  const auto& values = static_cast<const arrow::TimestampArray&>(*(*batch)->column(0));
  EXPECT_TRUE(values.type()->Equals(type));
  EXPECT_EQ(values.Value(0), 1'700'000'000'123'456);
}

TEST_F(ParquetRowsTest, RefusesWhatIsNotWholeParquet) {
  WriteStrings(1'000, 100, 1'000);
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 20);
  const auto truncated = ParquetReader::Open(path_);
  ASSERT_FALSE(truncated.ok());
  EXPECT_EQ(truncated.error().code(), StatusCode::kInvalidArgument);

  std::ofstream(path_) << "title\nHeat\n";
  const auto text = ParquetReader::Open(path_);
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().code(), StatusCode::kInvalidArgument);

  const auto missing = ParquetReader::Open(path_ + "-none");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), StatusCode::kNotFound);
}

TEST_F(ParquetRowsTest, RefusesADamagedPage) {
  WriteStrings(1'000, 100, 1'000, /*dictionary=*/false);
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(40);
    file << std::string(20, '\xff');
  }
  const auto rows = ParquetReader::Open(path_);
  ASSERT_TRUE(rows.ok()) << rows.error().ToString();
  const auto batch = (*rows)->Next();
  ASSERT_FALSE(batch.ok());
  EXPECT_EQ(batch.error().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace playhead::columnar
