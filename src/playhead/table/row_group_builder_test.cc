#include "playhead/table/row_group_builder.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace playhead::table {
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
  std::shared_ptr<arrow::Array> array = *arrow::Concatenate(column.chunks());
  const auto decode = [](const arrow::Array& coded) -> std::shared_ptr<arrow::Array> {
    const auto& dictionary = static_cast<const arrow::DictionaryArray&>(coded);
    const auto& texts = static_cast<const arrow::BinaryArray&>(*dictionary.dictionary());
    auto builder = *arrow::MakeBuilder(texts.type());
    for (int64_t i = 0; i < coded.length(); ++i) {
      EXPECT_TRUE((coded.IsNull(i)
                       ? builder->AppendNull()
                       : builder->AppendScalar(**texts.GetScalar(dictionary.GetValueIndex(i))))
                      .ok());
    }
    return *builder->Finish();
  };
  if (array->type_id() == arrow::Type::DICTIONARY) return decode(*array);
  if (array->type_id() == arrow::Type::LIST) {
    const auto& lists = static_cast<const arrow::ListArray&>(*array);
    if (lists.value_type()->id() != arrow::Type::DICTIONARY) return array;
    return std::make_shared<arrow::ListArray>(arrow::list(arrow::utf8()), lists.length(),
                                              lists.value_offsets(), decode(*lists.values()),
                                              lists.null_bitmap());
  }
  return array;
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

}  // namespace
}  // namespace playhead::table
