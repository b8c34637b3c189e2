#include "playhead/columnar/row_group_builder.h"

#include "playhead/columnar/test_codes.h"
#include "playhead/columnar/test_parquet.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace playhead::columnar {
namespace {

std::shared_ptr<arrow::Schema> TestSchema() {
  return arrow::schema({arrow::field("id", arrow::utf8()), arrow::field("title", arrow::utf8()),
                        arrow::field("genre", arrow::list(arrow::utf8())),
                        arrow::field("bytes", arrow::binary()),
                        arrow::field("position", arrow::int64())});
}

/// Rows `begin` to `end`: ids differ, titles, genres and bytes repeat, some of each are null.
std::shared_ptr<arrow::RecordBatch> Rows(int64_t begin, int64_t end) {
  arrow::StringBuilder id;
  arrow::StringBuilder title;
  arrow::ListBuilder genre(arrow::default_memory_pool(), std::make_shared<arrow::StringBuilder>());
  auto& element = static_cast<arrow::StringBuilder&>(*genre.value_builder());
  arrow::BinaryBuilder bytes;
  arrow::Int64Builder position;
  for (int64_t i = begin; i < end; ++i) {
    EXPECT_TRUE(id.Append("id " + std::to_string(i)).ok());
    EXPECT_TRUE((i % 7 == 0 ? title.AppendNull() : title.Append("t" + std::to_string(i % 5))).ok());
    EXPECT_TRUE((i % 11 == 3 ? genre.AppendNull() : genre.Append()).ok());
    for (int64_t k = 0; i % 11 != 3 && k < i % 4; ++k) {
      EXPECT_TRUE((k == 2 ? element.AppendNull() : element.Append("g" + std::to_string(k))).ok());
    }
    EXPECT_TRUE(bytes.Append(i % 2 == 0 ? std::string("\0\xff", 2) : std::string()).ok());
    EXPECT_TRUE((i % 3 == 0 ? position.AppendNull() : position.Append(i)).ok());
  }
  return arrow::RecordBatch::Make(
      TestSchema(), end - begin,
      {*id.Finish(), *title.Finish(), *genre.Finish(), *bytes.Finish(), *position.Finish()});
}

/// The column as plain text again.
std::shared_ptr<arrow::Array> Plain(const arrow::ChunkedArray& column) {
  return PlainText(*arrow::Concatenate(column.chunks()));
}

bool IsCoded(const arrow::ChunkedArray& column) {
  const arrow::DataType& type = *column.type();
  return type.id() == arrow::Type::DICTIONARY ||
         (type.id() == arrow::Type::LIST && type.field(0)->type()->id() == arrow::Type::DICTIONARY);
}

void ExpectRows(const std::vector<std::shared_ptr<arrow::ChunkedArray>>& columns,
                const std::shared_ptr<arrow::RecordBatch>& rows) {
  for (int i = 0; i < rows->num_columns(); ++i) {
    const auto plain = Plain(*columns[static_cast<size_t>(i)]);
    EXPECT_TRUE(plain->ValidateFull().ok()) << plain->ValidateFull().ToString();
    EXPECT_TRUE(plain->Equals(rows->column(i))) << rows->schema()->field(i)->name();
    for (const auto& chunk : columns[static_cast<size_t>(i)]->chunks()) {
      if (IsCoded(*columns[static_cast<size_t>(i)])) ExpectDictionaryOfItsTexts(chunk);
    }
  }
}

TEST(RowGroupBuilder, GivesBackTheRowsOfManyBatches) {
  RowGroupBuilder builder(TestSchema());
  for (int64_t begin = 0; begin < 12'000; begin += 1'500) {
    builder.Append(*Rows(begin, begin + 1'500), 131'072);
  }
  EXPECT_EQ(builder.rows(), 12'000);
  const auto columns = builder.Finish();
  EXPECT_FALSE(IsCoded(*columns[0]));
  EXPECT_TRUE(IsCoded(*columns[1]));
  EXPECT_TRUE(IsCoded(*columns[2]));
  EXPECT_TRUE(IsCoded(*columns[3]));
  ExpectRows(columns, Rows(0, 12'000));
  EXPECT_EQ(builder.rows(), 0);

  // The second row group begins with new dictionaries; what was plain stays plain.
  builder.Append(*Rows(5, 5'000), 131'072);
  const auto second = builder.Finish();
  EXPECT_FALSE(IsCoded(*second[0]));
  ExpectRows(second, Rows(5, 5'000));
}

TEST(RowGroupBuilder, FewRowsAreJudgedAtTheEnd) {
  RowGroupBuilder builder(TestSchema());
  builder.Append(*Rows(20, 60), 131'072);
  const auto columns = builder.Finish();
  EXPECT_FALSE(IsCoded(*columns[0]));
  EXPECT_TRUE(IsCoded(*columns[1]));
  ExpectRows(columns, Rows(20, 60));
}

TEST(RowGroupBuilder, ALargeFirstBatchIsJudgedByItsFirstValues) {
  RowGroupBuilder builder(TestSchema());
  const auto rows = Rows(0, 10'000);
  builder.Append(*rows, 100'000);
  auto columns = builder.Finish();
  ExpectRows(columns, rows);
  EXPECT_FALSE(IsCoded(*columns[0]));
  EXPECT_TRUE(IsCoded(*columns[1]));
  // Not copied.
  EXPECT_EQ(columns[0]->chunk(0)->data()->buffers[2], rows->column_data(0)->buffers[2]);

  // Nulls at first say nothing of what comes.
  RowGroupBuilder late(TestSchema());
  arrow::StringBuilder text;
  ASSERT_TRUE(text.AppendNulls(5'000).ok());
  for (int i = 0; i < 5'000; ++i) ASSERT_TRUE(text.Append("t" + std::to_string(i % 5)).ok());
  arrow::ArrayVector arrays = rows->columns();
  arrays[0] = *text.Finish();
  const auto with_nulls = arrow::RecordBatch::Make(TestSchema(), 10'000, arrays);
  late.Append(*with_nulls, 100'000);
  columns = late.Finish();
  ExpectRows(columns, with_nulls);
  EXPECT_TRUE(IsCoded(*columns[0]));
}

TEST(RowGroupBuilder, TakesSlices) {
  RowGroupBuilder builder(TestSchema());
  const auto rows = Rows(0, 300);
  for (int64_t begin = 0; begin < 300; begin += 70) builder.Append(*rows->Slice(begin, 70), 1'000);
  ExpectRows(builder.Finish(), rows);
}

TEST(RowGroupBuilder, CountsItsMemory) {
  RowGroupBuilder builder(TestSchema());
  EXPECT_EQ(builder.arrow_bytes(), 0);
  builder.Append(*Rows(0, 10'000), 131'072);
  const int64_t before = builder.memory_bytes();
  // ids and positions as they are, codes of 4 bytes for the rest.
  EXPECT_GT(before, 10'000 * (8 + 8));
  EXPECT_LT(before, 10'000 * 60);
  EXPECT_FALSE(builder.has_full_dictionary());
  builder.Finish();
  EXPECT_LT(builder.memory_bytes(), 1'000);
}

constexpr int kId = 0;
constexpr int kTitle = 1;
constexpr int kGenre = 2;

TEST(RowGroupBuilder, TakesAGenerationFromItsStart) {
  CodedPartition partition;
  partition.FallBackToPlain(kId);
  RowGroupBuilder builder(TestSchema());
  CodedPartition::Batch last;
  for (int64_t begin = 0; begin < 6'000; begin += 1'500) {
    last = partition.Code(*Rows(begin, begin + 1'500));
    builder.Append(*last.rows, 131'072, last.generation);
  }
  const auto columns = builder.Finish();
  EXPECT_FALSE(IsCoded(*columns[kId]));
  ExpectRows(columns, Rows(0, 6'000));
  // The texts were not copied.
  const auto text_of = [](const arrow::Array& array) {
    const auto* elements = array.data().get();
    if (array.type_id() == arrow::Type::LIST) elements = elements->child_data[0].get();
    return elements->dictionary->buffers[2]->data();
  };
  EXPECT_EQ(text_of(*columns[kTitle]->chunk(0)), text_of(*last.rows->column(kTitle)));
  EXPECT_EQ(text_of(*columns[kGenre]->chunk(0)), text_of(*last.rows->column(kGenre)));

  // The second row group begins in the middle of the generation, the third with another one.
  const CodedPartition::Batch more = partition.Code(*Rows(1, 3'000));
  builder.Append(*more.rows, 131'072, more.generation);
  ExpectRows(builder.Finish(), Rows(1, 3'000));
  partition.StartGeneration();
  const CodedPartition::Batch anew = partition.Code(*Rows(2, 3'000));
  builder.Append(*anew.rows, 131'072, anew.generation);
  ExpectRows(builder.Finish(), Rows(2, 3'000));
}

TEST(RowGroupBuilder, TakesSlicesOfAFirstBatch) {
  CodedPartition partition;
  RowGroupBuilder builder(TestSchema());
  const auto rows = Rows(0, 60);
  CodedPartition::Batch batch = partition.Code(*rows);
  // Each of the first slices lacks texts of the next one.
  const std::vector<int64_t> ends = {1, 2, 3, 5, 6, 30, 60};
  int64_t begin = 0;
  int64_t first = 0;
  for (const int64_t end : ends) {
    builder.Append(*batch.rows->Slice(begin, end - begin), 1'000, batch.generation);
    batch.generation.is_first_batch = false;
    begin = end;
    // A row group of four slices, then one of the rest.
    if (end == 5) {
      ExpectRows(builder.Finish(), rows->Slice(0, 5));
      first = 5;
    }
  }
  ExpectRows(builder.Finish(), rows->Slice(first));
}

TEST(RowGroupBuilder, ListsMayHaveTheirFirstElementsLate) {
  const auto schema = arrow::schema({arrow::field("genre", arrow::list(arrow::utf8()))});
  const auto batch_of = [&](const TextLists& lists) {
    return arrow::RecordBatch::Make(schema, std::ssize(lists),
                                    {ListArray(lists, schema->field(0)->type())});
  };
  const std::vector<std::shared_ptr<arrow::RecordBatch>> batches = {
      batch_of({std::nullopt, Texts{}}), batch_of({Texts{std::nullopt, std::nullopt}, Texts{}}),
      batch_of({Texts{"a", "b"}, std::nullopt}), batch_of({Texts{"b", "c", std::nullopt, "a"}})};
  // The row group begins with each of the batches once.
  for (size_t first = 0; first < batches.size(); ++first) {
    CodedPartition partition;
    RowGroupBuilder builder(schema);
    for (size_t i = 0; i < batches.size(); ++i) {
      const CodedPartition::Batch batch = partition.Code(*batches[i]);
      if (i >= first) builder.Append(*batch.rows, 1'000, batch.generation);
    }
    const std::vector rows(batches.begin() + static_cast<std::ptrdiff_t>(first), batches.end());
    ExpectRows(builder.Finish(), *(*arrow::Table::FromRecordBatches(rows))->CombineChunksToBatch());
  }
}

TEST(RowGroupBuilder, PartitionMayGiveUpADictionaryInTheMiddle) {
  CodedPartition partition;
  RowGroupBuilder builder(TestSchema());
  CodedPartition::Batch batch = partition.Code(*Rows(0, 100));
  builder.Append(*batch.rows, 131'072, batch.generation);
  partition.FallBackToPlain(kTitle);
  partition.FallBackToPlain(kGenre);
  batch = partition.Code(*Rows(100, 200));
  builder.Append(*batch.rows, 131'072, batch.generation);
  ExpectRows(builder.Finish(), Rows(0, 200));

  // A row group that begins without codes of a generation goes on so, also when another partition
  // has codes.
  batch = partition.Code(*Rows(200, 300));
  builder.Append(*batch.rows, 131'072, batch.generation);
  CodedPartition other;
  batch = other.Code(*Rows(300, 400));
  builder.Append(*batch.rows->Slice(0, 50), 131'072, batch.generation);
  builder.Append(*batch.rows->Slice(50), 131'072, {.number = batch.generation.number});
  const auto columns = builder.Finish();
  EXPECT_FALSE(IsCoded(*columns[kTitle]));
  EXPECT_FALSE(IsCoded(*columns[kGenre]));
  ExpectRows(columns, Rows(200, 400));
}

TEST(RowGroupBuilder, CodesThatDoNotPayBecomePlain) {
  CodedPartition partition;
  RowGroupBuilder builder(TestSchema());
  // Few rows are judged at the end.
  CodedPartition::Batch batch = partition.Code(*Rows(0, 60));
  builder.Append(*batch.rows, 131'072, batch.generation);
  auto columns = builder.Finish();
  EXPECT_FALSE(IsCoded(*columns[kId]));
  EXPECT_TRUE(IsCoded(*columns[kTitle]));
  ExpectRows(columns, Rows(0, 60));

  // Many are judged as they come, so that no dictionary goes on growing.
  RowGroupBuilder many(TestSchema());
  partition.StartGeneration();
  batch = partition.Code(*Rows(0, 5'000));
  many.Append(*batch.rows, 131'072, batch.generation);
  EXPECT_LT(many.memory_bytes(), 5'000 * 50);
  batch = partition.Code(*Rows(5'000, 6'000));
  many.Append(*batch.rows, 131'072, batch.generation);
  columns = many.Finish();
  EXPECT_FALSE(IsCoded(*columns[kId]));
  ExpectRows(columns, Rows(0, 6'000));
}

}  // namespace
}  // namespace playhead::columnar
