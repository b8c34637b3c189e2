#include "playhead/columnar/gathered_text.h"

#include "playhead/base/status.h"

#include <arrow/api.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace playhead::columnar {

void Validity::Append(const arrow::Array& array) {
  const int64_t nulls = array.null_count();
  if (nulls == 0) {
    if (null_count_ > 0) PH_CHECK(bits_.Append(array.length(), true).ok());
  } else {
    if (null_count_ == 0) PH_CHECK(bits_.Append(length_, true).ok());
    PH_CHECK(bits_.Reserve(array.length()).ok());
    if (nulls == array.length()) {
      bits_.UnsafeAppend(nulls, false);
    } else {
      for (int64_t i = 0; i < array.length(); ++i) bits_.UnsafeAppend(array.IsValid(i));
    }
    null_count_ += nulls;
  }
  length_ += array.length();
}

std::shared_ptr<arrow::Buffer> Validity::Take() {
  std::shared_ptr<arrow::Buffer> bits;
  if (null_count_ > 0) bits = bits_.Finish().ValueOrDie();
  length_ = null_count_ = 0;
  return bits;
}

GatheredText::GatheredText(std::shared_ptr<arrow::DataType> type)
    : type_(std::move(type)),
      codes_(BlockPool::OfProcess().get()),
      own_(BlockPool::OfProcess().get()) {}

void GatheredText::Append(const arrow::Array& values, decode::Generation generation) {
  codes_.Reserve((length_ + values.length()) * kCodeBytes, length_ * kCodeBytes);
  if (values.type_id() == arrow::Type::DICTIONARY) {
    AppendCodes(static_cast<const arrow::DictionaryArray&>(values), generation);
  } else {
    StopSharing();
    own_.Encode(static_cast<const arrow::BinaryArray&>(values), codes_.as<int32_t>() + length_);
  }
  validity_.Append(values);
  length_ += values.length();
}

void GatheredText::AppendCodes(const arrow::DictionaryArray& values,
                               decode::Generation generation) {
  int32_t* codes = codes_.as<int32_t>() + length_;
  if (length_ == 0 && generation.is_first_batch && generation.number != 0) {
    is_sharing_ = true;
    generation_ = generation.number;
  }
  if (!is_sharing_ || generation.number != generation_) {
    StopSharing();
    Translate(values, generation, codes);
    return;
  }
  const int32_t* given = static_cast<const arrow::Int32Array&>(*values.indices()).raw_values();
  std::copy_n(given, values.length(), codes);
  // Codes are given in the order of the texts' first appearances, so none below is missing.
  int32_t last = -1;
  for (int64_t i = 0; i < values.length(); ++i) last = std::max(last, codes[i]);
  if (values.null_count() < values.length()) {
    shared_size_ = std::max<int64_t>(shared_size_, last + 1);
  }
  shared_ = std::static_pointer_cast<arrow::BinaryArray>(values.dictionary());
}

void GatheredText::Translate(const arrow::DictionaryArray& values, decode::Generation generation,
                             int32_t* codes) {
  const auto& texts = static_cast<const arrow::BinaryArray&>(*values.dictionary());
  const int32_t* given = static_cast<const arrow::Int32Array&>(*values.indices()).raw_values();
  if (generation.number == 0 || generation.number != generation_) own_codes_.clear();
  generation_ = generation.number;
  own_codes_.resize(std::max(own_codes_.size(), static_cast<size_t>(texts.length())), -1);
  for (int64_t i = 0; i < values.length(); ++i) {
    if (values.IsNull(i)) {
      codes[i] = 0;
      continue;
    }
    int32_t& code = own_codes_[static_cast<size_t>(given[i])];
    if (code < 0) code = own_.Find(texts.GetView(given[i]));
    codes[i] = code;
  }
}

void GatheredText::StopSharing() {
  if (!is_sharing_) return;
  is_sharing_ = false;
  for (int64_t i = 0; i < shared_size_; ++i) own_.Find(shared_->GetView(i));
  shared_.reset();
  shared_size_ = 0;
  generation_ = 0;
  own_codes_.clear();
}

int64_t GatheredText::memory_bytes() const {
  return length_ * kCodeBytes + dictionary_bytes() + 28 * distinct();
}

int64_t GatheredText::dictionary_bytes() const {
  if (!is_sharing_) return own_.page_bytes();
  const int64_t text_bytes = shared_size_ == 0 ? 0 : shared_->value_offset(shared_size_);
  return text_bytes + kCodeBytes * shared_size_;
}

bool GatheredText::IsDictionaryWorthwhile(int64_t values_expected) const {
  return decode::IsDictionaryWorthwhile(values(), distinct(), dictionary_bytes(), values_expected);
}

std::shared_ptr<arrow::Array> GatheredText::TakeDictionary() {
  if (!is_sharing_) return own_.texts(type_);
  return shared_->Slice(0, shared_size_);
}

void GatheredText::Clear() {
  length_ = 0;
  validity_ = {};
  is_sharing_ = false;
  shared_.reset();
  shared_size_ = 0;
  if (own_.size() > 0) own_.Clear();
  generation_ = 0;
  own_codes_.clear();
}

std::shared_ptr<arrow::Array> GatheredText::Take() {
  const int64_t nulls = validity_.null_count();
  std::shared_ptr<arrow::Buffer> bits = validity_.Take();
  codes_.Reserve(1, 0);
  auto codes = arrow::ArrayData::Make(arrow::dictionary(arrow::int32(), type_), length_,
                                      {std::move(bits), codes_.Take(length_ * kCodeBytes)}, nulls);
  codes->dictionary = TakeDictionary()->data();
  Clear();
  return arrow::MakeArray(codes);
}

std::shared_ptr<arrow::Array> GatheredText::TakePlain() {
  const int64_t length = length_;
  const int64_t nulls = validity_.null_count();
  std::shared_ptr<arrow::Buffer> bits = validity_.Take();
  const std::shared_ptr<arrow::Array> dictionary = TakeDictionary();
  const auto& texts = static_cast<const arrow::BinaryArray&>(*dictionary);
  const int32_t* codes = codes_.as<int32_t>();
  std::vector<int32_t> ends{0};
  std::vector<char> text;
  ends.reserve(static_cast<size_t>(length) + 1);
  for (int64_t i = 0; i < length; ++i) {
    if (bits == nullptr || arrow::bit_util::GetBit(bits->data(), i)) {
      const std::string_view value = texts.GetView(codes[i]);
      text.insert(text.end(), value.begin(), value.end());
    }
    ends.push_back(static_cast<int32_t>(text.size()));
  }
  Clear();
  return arrow::MakeArray(
      arrow::ArrayData::Make(type_, length,
                             {std::move(bits), arrow::Buffer::FromVector(std::move(ends)),
                              arrow::Buffer::FromVector(std::move(text))},
                             nulls));
}

}  // namespace playhead::columnar
