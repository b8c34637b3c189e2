#pragma once

#include "playhead/decode/generation.h"
#include "playhead/decode/text_dictionary.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace playhead::columnar {

/// Codes plain batches as a partition of the decoder does: text (also in lists) becomes codes of
/// dictionaries that go on until a generation is started.
class CodedPartition {
 public:
  struct Batch {
    std::shared_ptr<arrow::RecordBatch> rows;
    decode::Generation generation;
  };

  Batch Code(const arrow::RecordBatch& plain) {
    arrow::ArrayVector columns;
    arrow::FieldVector fields;
    for (int i = 0; i < plain.num_columns(); ++i) {
      columns.push_back(given_up_.contains(i) ? plain.column(i) : Code(i, plain.column(i)));
      fields.push_back(plain.schema()->field(i)->WithType(columns.back()->type()));
    }
    return {.rows = arrow::RecordBatch::Make(arrow::schema(std::move(fields)), plain.num_rows(),
                                             std::move(columns)),
            .generation = {.number = number_, .is_first_batch = std::exchange(is_first_, false)}};
  }

  void StartGeneration() {
    number_ = ++last_number;
    is_first_ = true;
    dictionaries_.clear();
  }

  /// The column comes plain from now on.
  void FallBackToPlain(int column) { given_up_.insert(column); }

 private:
  std::shared_ptr<arrow::Array> Code(int column, const std::shared_ptr<arrow::Array>& plain) {
    if (plain->type_id() == arrow::Type::LIST) {
      const auto& lists = static_cast<const arrow::ListArray&>(*plain);
      auto data = plain->data()->Copy();
      data->child_data = {Code(column, lists.values())->data()};
      data->type = arrow::list(plain->type()->field(0)->WithType(data->child_data[0]->type));
      return arrow::MakeArray(data);
    }
    if (plain->type_id() != arrow::Type::STRING && plain->type_id() != arrow::Type::BINARY) {
      return plain;
    }
    auto& dictionary =
        dictionaries_.try_emplace(column, BlockPool::OfProcess().get()).first->second;
    std::vector<int32_t> codes(static_cast<size_t>(plain->length()));
    dictionary.Encode(static_cast<const arrow::BinaryArray&>(*plain), codes.data());
    std::shared_ptr<arrow::Buffer> validity;
    if (plain->null_count() > 0) {
      arrow::TypedBufferBuilder<bool> bits;
      for (int64_t i = 0; i < plain->length(); ++i) {
        EXPECT_TRUE(bits.Append(plain->IsValid(i)).ok());
      }
      validity = *bits.Finish();
    }
    auto data =
        arrow::ArrayData::Make(arrow::dictionary(arrow::int32(), plain->type()), plain->length(),
                               {validity, arrow::Buffer::FromVector(std::move(codes))});
    data->dictionary = dictionary.texts(plain->type())->data();
    return arrow::MakeArray(data);
  }

  static inline uint64_t last_number = 0;
  uint64_t number_ = ++last_number;
  bool is_first_ = true;
  std::map<int, decode::TextDictionary> dictionaries_;
  std::set<int> given_up_;
};

/// The text of an array that may be coded; lists too.
inline std::shared_ptr<arrow::Array> PlainText(const std::shared_ptr<arrow::Array>& array) {
  if (array->type_id() == arrow::Type::LIST) {
    const auto& lists = static_cast<const arrow::ListArray&>(*array);
    if (lists.value_type()->id() != arrow::Type::DICTIONARY) return array;
    auto data = array->data()->Copy();
    data->child_data = {PlainText(lists.values())->data()};
    data->type = arrow::list(array->type()->field(0)->WithType(data->child_data[0]->type));
    return arrow::MakeArray(data);
  }
  if (array->type_id() != arrow::Type::DICTIONARY) return array;
  const auto& coded = static_cast<const arrow::DictionaryArray&>(*array);
  const auto& texts = static_cast<const arrow::BinaryArray&>(*coded.dictionary());
  arrow::BinaryBuilder builder;
  for (int64_t i = 0; i < coded.length(); ++i) {
    EXPECT_TRUE((coded.IsNull(i) ? builder.AppendNull()
                                 : builder.Append(texts.GetView(coded.GetValueIndex(i))))
                    .ok());
  }
  return *(*builder.Finish())->View(texts.type());
}

/// Expects a coded array, or the elements of coded lists, to have a dictionary of just the texts
/// that appear, each once, in that order: the bounds and sizes of Parquet are told from it.
inline void ExpectDictionaryOfItsTexts(const std::shared_ptr<arrow::Array>& array) {
  if (array->type_id() == arrow::Type::LIST) {
    return ExpectDictionaryOfItsTexts(static_cast<const arrow::ListArray&>(*array).values());
  }
  ASSERT_EQ(array->type_id(), arrow::Type::DICTIONARY);
  const auto& coded = static_cast<const arrow::DictionaryArray&>(*array);
  const auto& texts = static_cast<const arrow::BinaryArray&>(*coded.dictionary());
  ASSERT_TRUE(coded.ValidateFull().ok()) << coded.ValidateFull().ToString();
  int64_t next = 0;
  for (int64_t i = 0; i < coded.length(); ++i) {
    if (coded.IsNull(i)) continue;
    ASSERT_LE(coded.GetValueIndex(i), next) << "row " << i;
    next = std::max(next, coded.GetValueIndex(i) + 1);
  }
  EXPECT_EQ(texts.length(), next);
  std::set<std::string> distinct;
  for (int64_t i = 0; i < texts.length(); ++i) distinct.insert(texts.GetString(i));
  EXPECT_EQ(static_cast<int64_t>(distinct.size()), texts.length());
}

}  // namespace playhead::columnar
