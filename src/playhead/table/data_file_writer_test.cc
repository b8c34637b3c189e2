#include "playhead/table/data_file_writer.h"

#include "playhead/columnar/column_writers.h"
#include "playhead/columnar/test_codes.h"
#include "playhead/columnar/test_parquet.h"
#include "playhead/iceberg/arrow_schema.h"
#include "playhead/table/test_lake.h"

#include <gmock/gmock.h>

namespace playhead::table {
namespace {

using columnar::CodedPartition;
using columnar::ListArray;
using columnar::Text;
using columnar::TextArray;
using columnar::TextLists;
using columnar::Texts;

using ::testing::ElementsAre;
using ::testing::SizeIs;

std::shared_ptr<arrow::Schema> TestSchema() {
  return arrow::schema(
      {arrow::field("id", arrow::utf8()), arrow::field("tags", arrow::list(arrow::utf8()))});
}

/// Rows of `distinct` ids and of tags.
std::shared_ptr<arrow::RecordBatch> Rows(int64_t begin, int64_t end, int64_t distinct) {
  Texts ids;
  TextLists tags;
  for (int64_t i = begin; i < end; ++i) {
    ids.push_back(i % 10 == 3 ? Text() : Text("id " + std::to_string(i * i % distinct)));
    tags.emplace_back();
    if (i % 7 != 0) tags.back() = Texts(static_cast<size_t>(i % 3), "tag " + std::to_string(i % 5));
  }
  return arrow::RecordBatch::Make(
      TestSchema(), end - begin, {TextArray(ids), ListArray(tags, TestSchema()->field(1)->type())});
}

class DataFileWriterTest : public ::testing::Test {
 protected:
  void Open(DataFileOptions options = {}) {
    int32_t last_column_id = 0;
    schema_ = *iceberg::SchemaFromArrow(*TestSchema(), &last_column_id);
    writer_ = std::make_unique<DataFileWriter>(
        lake_.store(), Uri(), iceberg::ArrowFromSchema(schema_), options, writers_);
  }
  void Write(CodedPartition& partition, const std::shared_ptr<arrow::RecordBatch>& rows) {
    const CodedPartition::Batch batch = partition.Code(*rows);
    const Status status = writer_->Write(*batch.rows, batch.generation);
    ASSERT_TRUE(status.ok()) << status.ToString();
    given_.push_back(rows);
  }
  void WritePlain(const std::shared_ptr<arrow::RecordBatch>& rows) {
    ASSERT_TRUE(writer_->Write(*rows).ok());
    given_.push_back(rows);
  }
  /// Expects the file to hold the rows given; returns the lengths of its row groups.
  std::vector<int64_t> Finish() {
    iceberg::DataFile file;
    auto output = writer_->Finish(schema_, file);
    EXPECT_TRUE(output.ok()) << output.status().ToString();
    EXPECT_TRUE((*output)->Close().ok());
    auto reader =
        *parquet::arrow::OpenFile(*lake_.store().OpenForRead(Uri()), arrow::default_memory_pool());
    const auto table = *reader->ReadTable();
    const auto expected = *arrow::Table::FromRecordBatches(given_);
    EXPECT_EQ(table->num_rows(), expected->num_rows());
    EXPECT_EQ(file.record_count, expected->num_rows());
    for (int i = 0; i < expected->num_columns(); ++i) {
      EXPECT_TRUE(table->column(i)->Equals(*expected->column(i))) << i;
    }
    ExpectBounds(*reader->parquet_reader()->metadata());
    std::vector<int64_t> rows;
    for (int i = 0; i < reader->num_row_groups(); ++i) {
      rows.push_back(reader->parquet_reader()->metadata()->RowGroup(i)->num_rows());
    }
    given_.clear();
    return rows;
  }

  std::unique_ptr<DataFileWriter> writer_;

 private:
  /// The bounds of the ids of each row group are just those of its rows.
  void ExpectBounds(const parquet::FileMetaData& footer) {
    const auto ids = *(*arrow::Table::FromRecordBatches(given_))
                          ->SelectColumns({0})
                          .ValueOrDie()
                          ->CombineChunksToBatch();
    const auto& texts = static_cast<const arrow::StringArray&>(*ids->column(0));
    int64_t row = 0;
    for (int i = 0; i < footer.num_row_groups(); ++i) {
      std::vector<std::string> values;
      for (const int64_t end = row + footer.RowGroup(i)->num_rows(); row < end; ++row) {
        if (texts.IsValid(row)) values.push_back(texts.GetString(row));
      }
      const auto statistics = footer.RowGroup(i)->ColumnChunk(0)->encoded_statistics();
      ASSERT_NE(statistics, nullptr);
      EXPECT_EQ(statistics->min(), std::ranges::min(values)) << "row group " << i;
      EXPECT_EQ(statistics->max(), std::ranges::max(values)) << "row group " << i;
    }
  }

  std::string Uri() const { return lake_.uri() + "/a.parquet"; }

  testing::TestLake lake_;
  iceberg::Schema schema_;
  columnar::ColumnWriters writers_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> given_;
};

constexpr int64_t kHalf = decode::kGenerationRows / 2;

TEST_F(DataFileWriterTest, LargeRowGroupsEndWithTheirGenerations) {
  Open();
  CodedPartition partition;
  Write(partition, Rows(0, kHalf - 1'000, 2'000));
  Write(partition, Rows(0, 1'000, 3'000));
  partition.StartGeneration();
  Write(partition, Rows(5, 2'000, 1'000));
  Write(partition, Rows(6, 3'000, 1'000));
  EXPECT_THAT(Finish(), ElementsAre(kHalf, 1'995 + 2'994));
}

TEST_F(DataFileWriterTest, SmallGenerationsShareARowGroup) {
  Open();
  CodedPartition partition;
  for (int64_t i = 1; i < 10; ++i) {
    Write(partition, Rows(i, 2'000, 100 * i));
    Write(partition, Rows(0, 100, 100 * i));
    partition.StartGeneration();
  }
  WritePlain(Rows(0, 500, 700));
  EXPECT_THAT(Finish(), SizeIs(1));
}

TEST_F(DataFileWriterTest, RowGroupsEndWithinBatches) {
  Open({.row_group_rows = 700});
  CodedPartition partition;
  for (int64_t i = 0; i < 5; ++i) Write(partition, Rows(1'000 * i, 1'000 * (i + 1), 37 + 100 * i));
  WritePlain(Rows(3, 900, 20));
  partition.StartGeneration();
  Write(partition, Rows(0, 2'000, 50));
  const std::vector<int64_t> rows = Finish();
  EXPECT_THAT(rows, SizeIs((5'000 + 897 + 2'000 + 699) / 700));
}

// Each text has ten neighbours that are the same, and comes no more after them.
TEST_F(DataFileWriterTest, RowGroupsWithinABatchHaveTheirOwnTexts) {
  Open({.row_group_rows = 700});
  Texts ids;
  for (int i = 10'000; i < 13'000; ++i) ids.emplace_back("id " + std::to_string(i / 10));
  const auto rows = Rows(0, 3'000, 10);
  CodedPartition partition;
  for (int batch = 0; batch < 2; ++batch) {
    Write(partition, *rows->SetColumn(0, TestSchema()->field(0), TextArray(ids)));
    partition.StartGeneration();
  }
  EXPECT_THAT(Finish(), SizeIs(9));
}

TEST_F(DataFileWriterTest, FileMayBeginInTheMiddleOfAGeneration) {
  CodedPartition partition;
  for (int64_t i = 0; i < 4; ++i) {
    Open();
    Write(partition, Rows(100 * i, 100 * i + 80, 1'000));
    Write(partition, Rows(100 * i, 100 * i + 150, 1'000));
    EXPECT_THAT(Finish(), ElementsAre(230));
  }
}

TEST_F(DataFileWriterTest, RowGroupsMayEndEarly) {
  Open();
  CodedPartition partition;
  for (int64_t i = 0; i < 5; ++i) {
    Write(partition, Rows(100 * i, 100 * i + 80, 1'000));
    if (i % 2 != 0) continue;
    ASSERT_TRUE(writer_->EndRowGroup().ok());
  }
  EXPECT_THAT(Finish(), ElementsAre(80, 160, 160));
}

}  // namespace
}  // namespace playhead::table
