#include "playhead/columnar/row_group_builder.h"

#include "playhead/columnar/gathered_text.h"
#include "playhead/decode/text_dictionary.h"

#include <arrow/api.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <utility>

namespace playhead::columnar {
namespace {

int64_t BytesOf(const arrow::Array& array) {
  const arrow::Result<int64_t> referenced = arrow::util::ReferencedBufferSize(array);
  return referenced.ok() ? *referenced : arrow::util::TotalBufferSize(array);
}

bool IsText(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING || type.id() == arrow::Type::BINARY;
}

bool IsCoded(const arrow::DataType& type) { return type.id() == arrow::Type::DICTIONARY; }

}  // namespace

class RowGroupBuilder::Column {
 public:
  explicit Column(const std::shared_ptr<arrow::DataType>& type) : type_(type) {
    if (IsText(*type)) {
      text_.emplace(type);
    } else if (type->id() == arrow::Type::LIST && IsText(*type->field(0)->type())) {
      is_list_ = true;
      text_.emplace(type->field(0)->type());
      ends_.push_back(0);
    }
  }

  /// Returns the bytes by which the column has grown.
  int64_t Append(const std::shared_ptr<arrow::Array>& array, int64_t rows_expected,
                 decode::Generation generation) {
    const arrow::DataType& given = is_list_ ? *array->type()->field(0)->type() : *array->type();
    // The decoder has found that codes are not worthwhile here.
    if (text_ && text_->is_empty() && generation.number != 0 && !IsCoded(given)) FallBackToPlain();
    if (text_ && !IsCoded(given) && !IsWorthCoding(*array, rows_expected)) FallBackToPlain();
    if (!text_) {
      chunks_.push_back(IsCoded(given) ? Plain(array) : array);
      const int64_t bytes = BytesOf(*chunks_.back());
      chunk_bytes_ += bytes;
      return bytes;
    }
    const int64_t before = text_->dictionary_bytes();
    if (is_list_) {
      AppendLists(static_cast<const arrow::ListArray&>(*array), generation);
    } else {
      text_->Append(*array, generation);
    }
    const int64_t bytes = array->length() * static_cast<int64_t>(sizeof(int32_t)) +
                          text_->dictionary_bytes() - before;
    if (is_judged_ || text_->values() < decode::kJudgedValues) return bytes;
    is_judged_ = true;
    const auto lists = static_cast<int64_t>(ends_.size());
    const int64_t expected =
        is_list_ ? text_->values() * rows_expected / std::max<int64_t>(lists, 1) : rows_expected;
    if (!text_->IsDictionaryWorthwhile(expected)) FallBackToPlain();
    return bytes;
  }

  int64_t memory_bytes() const {
    if (!text_) return chunk_bytes_;
    return text_->memory_bytes() + static_cast<int64_t>(ends_.size() * sizeof(int32_t));
  }
  bool is_full() const { return text_ && text_->dictionary_bytes() >= decode::kDictionaryBytesMax; }

  std::shared_ptr<arrow::ChunkedArray> Finish() {
    if (text_ && !text_->IsDictionaryWorthwhile(text_->values())) FallBackToPlain();
    if (text_) chunks_.push_back(is_list_ ? TakeLists(text_->Take()) : text_->Take());
    is_judged_ = false;
    chunk_bytes_ = 0;
    const std::shared_ptr<arrow::DataType> type = chunks_.front()->type();
    return std::make_shared<arrow::ChunkedArray>(std::exchange(chunks_, {}), type);
  }

 private:
  /// A coded array of a column that is not, as text.
  std::shared_ptr<arrow::Array> Plain(const std::shared_ptr<arrow::Array>& array) {
    Column column(type_);
    if (is_list_) {
      column.AppendLists(static_cast<const arrow::ListArray&>(*array), {});
      return column.TakeLists(column.text_->TakePlain());
    }
    column.text_->Append(*array, {});
    return column.text_->TakePlain();
  }

  /// Whether the first batch of a row group, given as text, is to be coded: tried with a few of its
  /// values, since coding all of them only to undo it costs as much as writing them.
  bool IsWorthCoding(const arrow::Array& array, int64_t rows_expected) {
    if (is_list_ || !text_->is_empty() || array.length() <= decode::kJudgedValues) return true;
    text_->Append(*array.Slice(0, decode::kJudgedValues), {});
    // Nulls say nothing of the others.
    const bool is_worth =
        text_->values() < decode::kJudgedValues || text_->IsDictionaryWorthwhile(rows_expected);
    text_->Clear();
    return is_worth;
  }

  void AppendLists(const arrow::ListArray& lists, decode::Generation generation) {
    list_validity_.Append(lists);
    const int32_t begin = lists.value_offset(0);
    const int32_t shift = ends_.back() - begin;
    for (int64_t i = 1; i <= lists.length(); ++i) ends_.push_back(lists.value_offset(i) + shift);
    const auto values = lists.values()->Slice(begin, lists.value_offset(lists.length()) - begin);
    text_->Append(*values, generation);
  }

  std::shared_ptr<arrow::Array> TakeLists(const std::shared_ptr<arrow::Array>& values) {
    const auto length = static_cast<int64_t>(ends_.size()) - 1;
    const int64_t nulls = list_validity_.null_count();
    auto type = arrow::list(type_->field(0)->WithType(values->type()));
    auto data = arrow::ArrayData::Make(
        std::move(type), length,
        {list_validity_.Take(), arrow::Buffer::FromVector(std::exchange(ends_, {0}))},
        {values->data()}, nulls);
    return arrow::MakeArray(data);
  }

  void FallBackToPlain() {
    if (!text_->is_empty() || ends_.size() > 1) {
      const std::shared_ptr<arrow::Array> text = text_->TakePlain();
      chunks_.push_back(is_list_ ? TakeLists(text) : text);
      chunk_bytes_ = BytesOf(*chunks_.back());
    }
    text_.reset();
    ends_.clear();
  }

  std::shared_ptr<arrow::DataType> type_;
  bool is_list_ = false;
  std::optional<GatheredText> text_;  // while the column is coded
  bool is_judged_ = false;
  std::vector<int32_t> ends_;  // of lists, from 0
  Validity list_validity_;
  arrow::ArrayVector chunks_;  // of columns that are not coded
  int64_t chunk_bytes_ = 0;
};

RowGroupBuilder::RowGroupBuilder(const std::shared_ptr<arrow::Schema>& schema) {
  columns_.reserve(static_cast<size_t>(schema->num_fields()));
  for (const auto& field : schema->fields()) columns_.emplace_back(field->type());
}
RowGroupBuilder::~RowGroupBuilder() = default;
RowGroupBuilder::RowGroupBuilder(RowGroupBuilder&&) noexcept = default;

void RowGroupBuilder::Append(const arrow::RecordBatch& rows, int64_t rows_expected,
                             decode::Generation generation) {
  for (int i = 0; i < rows.num_columns(); ++i) {
    arrow_bytes_ +=
        columns_[static_cast<size_t>(i)].Append(rows.column(i), rows_expected, generation);
  }
  rows_ += rows.num_rows();
}

int64_t RowGroupBuilder::memory_bytes() const {
  int64_t bytes = 0;
  for (const Column& column : columns_) bytes += column.memory_bytes();
  return bytes;
}

bool RowGroupBuilder::has_full_dictionary() const {
  return std::ranges::any_of(columns_, &Column::is_full);
}

std::vector<std::shared_ptr<arrow::ChunkedArray>> RowGroupBuilder::Finish() {
  std::vector<std::shared_ptr<arrow::ChunkedArray>> columns;
  columns.reserve(columns_.size());
  for (Column& column : columns_) columns.push_back(column.Finish());
  rows_ = arrow_bytes_ = 0;
  return columns;
}

}  // namespace playhead::columnar
