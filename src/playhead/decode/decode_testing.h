#pragma once

// What the tests of this folder share; not part of the library.

#include "playhead/decode/record_decoder.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace playhead::decode {

inline constexpr int64_t kTestNowUs = 1'767'225'600'000'000;  // 2026-01-01T00:00:00Z

inline std::shared_ptr<arrow::DataType> UtcMicrosType() {
  return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
}

inline std::unique_ptr<RecordDecoder> MakeDecoder(RowSchema schema) {
  auto decoder = RecordDecoder::Make(std::make_shared<const RowSchema>(std::move(schema)));
  EXPECT_TRUE(decoder.ok()) << decoder.status().ToString();
  (*decoder)->SetSource({.topic = "events", .partition = 3, .ingested_at_us = kTestNowUs});
  return *std::move(decoder);
}

/// The text of an array that may be coded; lists too.
inline std::shared_ptr<arrow::Array> PlainText(const std::shared_ptr<arrow::Array>& array) {
  if (array->type_id() == arrow::Type::LIST) {
    const auto& lists = static_cast<const arrow::ListArray&>(*array);
    const auto values = PlainText(lists.values());
    if (values->type_id() == lists.value_type()->id()) return array;
    return std::make_shared<arrow::ListArray>(
        arrow::list(array->type()->field(0)->WithType(values->type())), lists.length(),
        lists.value_offsets(), values, lists.null_bitmap(), lists.null_count());
  }
  if (array->type_id() != arrow::Type::DICTIONARY) return array;
  const auto& coded = static_cast<const arrow::DictionaryArray&>(*array);
  auto builder = *arrow::MakeBuilder(coded.dictionary()->type());
  for (int64_t i = 0; i < array->length(); ++i) {
    EXPECT_TRUE((array->IsNull(i) ? builder->AppendNull()
                                  : builder->AppendArraySlice(*coded.dictionary()->data(),
                                                              coded.GetValueIndex(i), 1))
                    .ok());
  }
  return *builder->Finish();
}

/// The batch with all text plain.
inline std::shared_ptr<arrow::RecordBatch> PlainText(const arrow::RecordBatch& rows) {
  arrow::ArrayVector columns;
  arrow::FieldVector fields;
  for (int i = 0; i < rows.num_columns(); ++i) {
    columns.push_back(PlainText(rows.column(i)));
    fields.push_back(rows.schema()->field(i)->WithType(columns.back()->type()));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows.num_rows(),
                                  std::move(columns));
}

/// Flushes and proves what holds for every batch: Arrow's own check, equal lengths, counts. The
/// text comes plain.
inline DecodedRows FlushChecked(RecordDecoder& decoder) {
  auto rows = decoder.Flush();
  EXPECT_TRUE(rows.ok());
  int64_t good = 0;
  for (PartitionBatch& partition : rows->partitions) {
    arrow::Status valid = partition.rows->ValidateFull();
    EXPECT_TRUE(valid.ok()) << valid.ToString();
    partition.rows = PlainText(*partition.rows);
    EXPECT_GT(partition.rows->num_rows(), 0);
    good += partition.rows->num_rows();
  }
  EXPECT_EQ(good, rows->good);
  EXPECT_EQ(rows->dead_letters == nullptr ? 0 : rows->dead_letters->num_rows(), rows->dead);
  if (rows->dead_letters != nullptr) {
    arrow::Status valid = rows->dead_letters->ValidateFull();
    EXPECT_TRUE(valid.ok()) << valid.ToString();
  }
  EXPECT_EQ(decoder.buffered_rows(), 0);
  return *std::move(rows);
}

/// One cell as Arrow prints it; "null" for null.
inline std::string Cell(const arrow::RecordBatch& rows, const std::string& column, int64_t row) {
  auto array = rows.GetColumnByName(column);
  EXPECT_NE(array, nullptr) << column;
  auto scalar = array->GetScalar(row);
  EXPECT_TRUE(scalar.ok());
  if (!(*scalar)->is_valid) return "null";
  if (column == "_record" || array->type_id() == arrow::Type::BINARY) {
    return std::string(std::static_pointer_cast<arrow::BinaryArray>(array)->GetView(row));
  }
  return (*scalar)->ToString();
}

/// An integer, date or timestamp.
inline int64_t Number(const arrow::RecordBatch& rows, const std::string& column, int64_t row) {
  auto array = rows.GetColumnByName(column);
  EXPECT_TRUE(array->IsValid(row)) << column;
  if (array->type_id() == arrow::Type::INT32 || array->type_id() == arrow::Type::DATE32) {
    return array->data()->GetValues<int32_t>(1)[row];
  }
  return array->data()->GetValues<int64_t>(1)[row];
}

}  // namespace playhead::decode
