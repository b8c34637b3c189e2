#include "playhead/decode/text_dictionary.h"

#include "playhead/base/hash.h"
#include "playhead/base/status.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace playhead::decode {
namespace {

constexpr size_t kFirstPlaces = 128;
// A dictionary is worth its hashing while at most this share of the values is distinct: measured
// with UUIDs (8 bytes a value instead of 12, in the same time).
constexpr double kTextShareMax = 0.7;

// How many distinct values a column has if `seen` of `drawn` values drawn from it at random differ:
// solves seen = d · (1 − e^(−drawn/d)) for d.
double EstimateDistinct(double seen, double drawn) {
  if (seen >= drawn) return drawn * drawn;
  double low = seen;
  double high = drawn * drawn;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (middle * (1 - std::exp(-drawn / middle)) < seen ? low : high) = middle;
  }
  return low;
}

}  // namespace

bool IsDictionaryWorthwhile(double values, double seen, double seen_bytes, double share_max,
                            double values_expected) {
  if (values == 0) return true;
  const double expected = std::max(values_expected, values);
  // A small file is its own sample.
  const double distinct =
      expected > values ? std::min(EstimateDistinct(seen, values), expected) : seen;
  return distinct <= share_max * expected &&
         distinct * (seen_bytes / seen) <= static_cast<double>(kDictionaryBytesMax);
}

bool IsDictionaryWorthwhile(int64_t values, int64_t distinct, int64_t distinct_bytes,
                            int64_t values_expected) {
  return IsDictionaryWorthwhile(static_cast<double>(values), static_cast<double>(distinct),
                                static_cast<double>(distinct_bytes), kTextShareMax,
                                static_cast<double>(values_expected));
}

void AppendedBytes::Grow(int64_t bytes, int64_t used) {
  const BlockPool::Block block = pool_->Take(std::max(bytes, 2 * capacity_));
  if (used > 0) std::memcpy(block.data, data_, static_cast<size_t>(used));
  buffer_ = pool_->Wrap(block, block.bytes);
  data_ = block.data;
  capacity_ = block.bytes;
}

void AppendedBytes::Clear() {
  buffer_.reset();
  data_ = nullptr;
  capacity_ = 0;
}

TextDictionary::TextDictionary(BlockPool* pool) : places_(pool), ends_(pool), text_(pool) {
  Begin();
}

int32_t TextDictionary::Find(std::string_view text) {
  uint64_t hash = 0;
  HashTexts({&text, 1}, {&hash, 1});
  return Find(text, hash);
}

void TextDictionary::Encode(const arrow::BinaryArray& values, int32_t* codes) {
  std::array<std::string_view, kBlock> texts;
  const int64_t length = values.length();
  const bool has_nulls = values.null_count() > 0;
  for (int64_t begin = 0; begin < length; begin += static_cast<int64_t>(kBlock)) {
    const auto count = static_cast<size_t>(std::min<int64_t>(kBlock, length - begin));
    for (size_t i = 0; i < count; ++i) texts[i] = values.GetView(begin + static_cast<int64_t>(i));
    if (!has_nulls) {
      FindTogether({texts.data(), count}, codes + begin);
      continue;
    }
    // Nulls are left out, so that they do not bring the empty text into the dictionary.
    std::array<int32_t, kBlock> given;
    size_t valid = 0;
    for (size_t i = 0; i < count; ++i) {
      if (values.IsValid(begin + static_cast<int64_t>(i))) texts[valid++] = texts[i];
    }
    FindTogether({texts.data(), valid}, given.data());
    valid = 0;
    for (size_t i = 0; i < count; ++i) {
      codes[begin + static_cast<int64_t>(i)] =
          values.IsValid(begin + static_cast<int64_t>(i)) ? given[valid++] : 0;
    }
  }
}

void TextDictionary::FindTogether(std::span<const std::string_view> texts, const uint64_t* hashes,
                                  int32_t* codes) {
  for (size_t i = 0; i < texts.size(); ++i) Fetch(hashes[i]);
  for (size_t i = 0; i < texts.size(); ++i) FetchText(hashes[i]);
  for (size_t i = 0; i < texts.size(); ++i) codes[i] = Find(texts[i], hashes[i]);
}

void TextDictionary::FindTogether(std::span<const std::string_view> texts, int32_t* codes) {
  std::array<uint64_t, kBlock> hashes;
  HashTexts(texts, hashes);
  FindTogether(texts, hashes.data(), codes);
}

int32_t TextDictionary::Add(std::string_view value, uint64_t hash, size_t place) {
  const auto bytes = static_cast<int64_t>(value.size());
  PH_CHECK(text_bytes_ + bytes <= INT32_MAX);
  text_.Reserve(text_bytes_ + bytes, text_bytes_);
  CopyText(text_.data() + text_bytes_, value.data(), value.size());
  text_bytes_ += bytes;
  ends_.Reserve((size_ + 2) * 4, (size_ + 1) * 4);
  ends_.as<int32_t>()[size_ + 1] = static_cast<int32_t>(text_bytes_);
  const int64_t code = size_++;
  places_.as<Place>()[place] = {.tag = TagOf(hash), .code = static_cast<uint32_t>(code)};
  if (static_cast<size_t>(size_) * 2 > mask_) SetPlaces((mask_ + 1) * 2);
  return static_cast<int32_t>(code);
}

void TextDictionary::SetPlaces(size_t count) {
  PH_CHECK(count <= size_t{1} << 32);
  GrowingBytes old = std::move(places_);
  const size_t old_count = size_ == 0 ? 0 : mask_ + 1;
  places_.Reserve(static_cast<int64_t>(count * sizeof(Place)), 0);
  Place* places = places_.as<Place>();
  std::fill_n(places, count, Place{.tag = 0, .code = Place::kFree});
  mask_ = count - 1;
  for (size_t k = 0; k < old_count; ++k) {
    const Place& place = old.as<Place>()[k];
    if (place.code == Place::kFree) continue;
    size_t i = place.tag & mask_;
    while (places[i].code != Place::kFree) i = (i + 1) & mask_;
    places[i] = place;
  }
}

void TextDictionary::Begin() {
  size_ = text_bytes_ = 0;
  ends_.Reserve(4, 0);
  ends_.as<int32_t>()[0] = 0;
  text_.Reserve(1, 0);
  SetPlaces(kFirstPlaces);
}

std::shared_ptr<arrow::Array> TextDictionary::texts(
    const std::shared_ptr<arrow::DataType>& type) const {
  return arrow::MakeArray(arrow::ArrayData::Make(
      type, size_, {nullptr, ends_.buffer(), text_.buffer()}, /*null_count=*/0));
}

void TextDictionary::Clear() {
  ends_.Clear();
  text_.Clear();
  Begin();
}

}  // namespace playhead::decode
