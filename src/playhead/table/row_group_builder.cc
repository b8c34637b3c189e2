#include "playhead/table/row_group_builder.h"

#include "playhead/base/status.h"
#include "playhead/table/parquet_properties.h"

#include <arrow/api.h>
#include <arrow/buffer_builder.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace playhead::table {
namespace {

// From so many values on a dictionary is judged while more come.
constexpr int64_t kJudgedValues = 4096;

int64_t BytesOf(const arrow::Array& array) {
  const arrow::Result<int64_t> referenced = arrow::util::ReferencedBufferSize(array);
  return referenced.ok() ? *referenced : arrow::util::TotalBufferSize(array);
}

bool IsText(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING || type.id() == arrow::Type::BINARY;
}

/// Bits that are kept only from the first null on.
class Validity {
 public:
  void Append(const arrow::Array& array) {
    const int64_t nulls = array.null_count();
    if (nulls == 0) {
      if (null_count_ > 0) PH_CHECK(bits_.Append(array.length(), true).ok());
    } else {
      if (null_count_ == 0) PH_CHECK(bits_.Append(length_, true).ok());
      PH_CHECK(bits_.Reserve(array.length()).ok());
      for (int64_t i = 0; i < array.length(); ++i) bits_.UnsafeAppend(array.IsValid(i));
      null_count_ += nulls;
    }
    length_ += array.length();
  }
  int64_t null_count() const { return null_count_; }
  /// Null when all are valid; starts anew.
  std::shared_ptr<arrow::Buffer> Take() {
    std::shared_ptr<arrow::Buffer> bits;
    if (null_count_ > 0) bits = bits_.Finish().ValueOrDie();
    length_ = null_count_ = 0;
    return bits;
  }

 private:
  arrow::TypedBufferBuilder<bool> bits_;
  int64_t length_ = 0;
  int64_t null_count_ = 0;
};

/// Text as codes of a dictionary.
class CodedText {
 public:
  static constexpr int64_t kCodeBytes = sizeof(int32_t);

  explicit CodedText(std::shared_ptr<arrow::DataType> type)
      : type_(std::move(type)),
        dictionary_(BlockPool::OfProcess().get()),
        codes_(BlockPool::OfProcess().get()) {}

  void Append(const arrow::BinaryArray& values) {
    validity_.Append(values);
    const int64_t length = length_ + values.length();
    codes_.Reserve(length * kCodeBytes, length_ * kCodeBytes);
    dictionary_.Encode(values, codes_.as<int32_t>() + length_);
    length_ = length;
  }

  int64_t memory_bytes() const {
    return length_ * kCodeBytes + dictionary_.text_bytes() + 32 * dictionary_.size();
  }
  int64_t dictionary_bytes() const {
    return dictionary_.text_bytes() + kCodeBytes * dictionary_.size();
  }
  int64_t values() const { return length_ - validity_.null_count(); }
  bool Pays(int64_t values_expected) const {
    return TextDictionaryPays(values(), dictionary_.size(), dictionary_bytes(), values_expected);
  }

  /// A dictionary array; starts anew.
  std::shared_ptr<arrow::Array> Take() {
    const int64_t length = std::exchange(length_, 0);
    const int64_t nulls = validity_.null_count();
    std::shared_ptr<arrow::Buffer> bits = validity_.Take();
    codes_.Reserve(1, 0);
    auto codes = arrow::ArrayData::Make(arrow::dictionary(arrow::int32(), type_), length,
                                        {std::move(bits), codes_.Take(length * kCodeBytes)}, nulls);
    codes->dictionary = dictionary_.Take(type_)->data();
    return arrow::MakeArray(codes);
  }

  /// The text itself; starts anew.
  std::shared_ptr<arrow::Array> TakePlain() {
    const int64_t length = std::exchange(length_, 0);
    const int64_t nulls = validity_.null_count();
    std::shared_ptr<arrow::Buffer> bits = validity_.Take();
    const int32_t* codes = codes_.as<int32_t>();
    std::vector<int32_t> ends{0};
    std::vector<char> text;
    ends.reserve(static_cast<size_t>(length) + 1);
    for (int64_t i = 0; i < length; ++i) {
      if (bits == nullptr || arrow::bit_util::GetBit(bits->data(), i)) {
        const std::string_view value = dictionary_.text(codes[i]);
        text.insert(text.end(), value.begin(), value.end());
      }
      ends.push_back(static_cast<int32_t>(text.size()));
    }
    return arrow::MakeArray(
        arrow::ArrayData::Make(type_, length,
                               {std::move(bits), arrow::Buffer::FromVector(std::move(ends)),
                                arrow::Buffer::FromVector(std::move(text))},
                               nulls));
  }

 private:
  std::shared_ptr<arrow::DataType> type_;
  TextDictionary dictionary_;
  GrowingBytes codes_;
  int64_t length_ = 0;
  Validity validity_;
};

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

  void Append(const std::shared_ptr<arrow::Array>& array, int64_t bytes, int64_t rows_expected) {
    if (!text_) {
      chunks_.push_back(array);
      chunk_bytes_ += bytes;
      return;
    }
    if (is_list_) {
      AppendLists(static_cast<const arrow::ListArray&>(*array));
    } else {
      text_->Append(static_cast<const arrow::BinaryArray&>(*array));
    }
    if (is_judged_ || text_->values() < kJudgedValues) return;
    is_judged_ = true;
    const auto lists = static_cast<int64_t>(ends_.size());
    const int64_t expected =
        is_list_ ? text_->values() * rows_expected / std::max<int64_t>(lists, 1) : rows_expected;
    if (!text_->Pays(expected)) GiveUp();
  }

  int64_t memory_bytes() const {
    if (!text_) return chunk_bytes_;
    return text_->memory_bytes() + static_cast<int64_t>(ends_.size() * sizeof(int32_t));
  }
  bool is_full() const { return text_ && text_->dictionary_bytes() >= kDictionaryBytesMax; }

  std::shared_ptr<arrow::ChunkedArray> Finish() {
    if (text_ && !text_->Pays(text_->values())) GiveUp();
    if (text_) chunks_.push_back(is_list_ ? TakeLists(text_->Take()) : text_->Take());
    is_judged_ = false;
    chunk_bytes_ = 0;
    const std::shared_ptr<arrow::DataType> type = chunks_.front()->type();
    return std::make_shared<arrow::ChunkedArray>(std::exchange(chunks_, {}), type);
  }

 private:
  void AppendLists(const arrow::ListArray& lists) {
    list_validity_.Append(lists);
    const int32_t begin = lists.value_offset(0);
    const int32_t shift = ends_.back() - begin;
    for (int64_t i = 1; i <= lists.length(); ++i) ends_.push_back(lists.value_offset(i) + shift);
    const auto values = lists.values()->Slice(begin, lists.value_offset(lists.length()) - begin);
    text_->Append(static_cast<const arrow::BinaryArray&>(*values));
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

  void GiveUp() {
    const std::shared_ptr<arrow::Array> text = text_->TakePlain();
    chunks_.push_back(is_list_ ? TakeLists(text) : text);
    chunk_bytes_ = BytesOf(*chunks_.back());
    text_.reset();
    ends_.clear();
  }

  std::shared_ptr<arrow::DataType> type_;
  bool is_list_ = false;
  std::optional<CodedText> text_;  // while the column is coded
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

void RowGroupBuilder::Append(const arrow::RecordBatch& rows, int64_t rows_expected) {
  for (int i = 0; i < rows.num_columns(); ++i) {
    const std::shared_ptr<arrow::Array> column = rows.column(i);
    const int64_t bytes = BytesOf(*column);
    arrow_bytes_ += bytes;
    columns_[static_cast<size_t>(i)].Append(column, bytes, rows_expected);
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

}  // namespace playhead::table
