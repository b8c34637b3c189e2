#include "playhead/table/text_dictionary.h"

#include "playhead/base/hash.h"
#include "playhead/base/status.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace playhead::table {
namespace {

constexpr size_t kFirstPlaces = 256;
/// Values whose places are fetched together; more would not stay in the first cache.
constexpr size_t kBlock = 64;

uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

/// Whether the first and the last N bytes, which may overlap, are equal.
template <typename Word>
bool EqualEnds(const char* a, const char* b, size_t size) {
  Word first[2];
  Word last[2];
  std::memcpy(&first[0], a, sizeof(Word));
  std::memcpy(&first[1], b, sizeof(Word));
  std::memcpy(&last[0], a + size - sizeof(Word), sizeof(Word));
  std::memcpy(&last[1], b + size - sizeof(Word), sizeof(Word));
  return ((first[0] ^ first[1]) | (last[0] ^ last[1])) == 0;
}

/// memcmp without a call for the short texts that most are.
bool EqualBytes(const char* a, const char* b, size_t size) {
  using Word128 = unsigned __int128;
  if (size > 64) return std::memcmp(a, b, size) == 0;
  if (size > 32) {
    return EqualEnds<Word128>(a, b, 32) && EqualEnds<Word128>(a + size - 32, b + size - 32, 32);
  }
  if (size >= 16) return EqualEnds<Word128>(a, b, size);
  if (size >= 8) return EqualEnds<uint64_t>(a, b, size);
  if (size >= 4) return EqualEnds<uint32_t>(a, b, size);
  for (size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

bool IsEqual(std::string_view a, std::string_view b) {
  const char* p = a.data();
  const char* q = b.data();
  return a.size() == b.size() && EqualBytes(p, q, a.size());
}

}  // namespace

TextDictionary::TextDictionary(BlockPool* pool)
    : places_(pool), hashes_(pool), ends_(pool), text_(pool) {
  Begin();
}

void TextDictionary::Encode(const arrow::BinaryArray& values, int32_t* codes) {
  std::array<std::string_view, kBlock> texts;
  const int64_t length = values.length();
  const bool has_nulls = values.null_count() > 0;
  for (int64_t begin = 0; begin < length; begin += static_cast<int64_t>(kBlock)) {
    const auto count = static_cast<size_t>(std::min<int64_t>(kBlock, length - begin));
    for (size_t i = 0; i < count; ++i) texts[i] = values.GetView(begin + static_cast<int64_t>(i));
    if (!has_nulls) {
      EncodeBlock({texts.data(), count}, codes + begin);
      continue;
    }
    // Nulls are left out, so that they do not bring the empty text into the dictionary.
    std::array<int32_t, kBlock> given;
    size_t valid = 0;
    for (size_t i = 0; i < count; ++i) {
      if (values.IsValid(begin + static_cast<int64_t>(i))) texts[valid++] = texts[i];
    }
    EncodeBlock({texts.data(), valid}, given.data());
    valid = 0;
    for (size_t i = 0; i < count; ++i) {
      codes[begin + static_cast<int64_t>(i)] =
          values.IsValid(begin + static_cast<int64_t>(i)) ? given[valid++] : 0;
    }
  }
}

void TextDictionary::EncodeBlock(std::span<const std::string_view> texts, int32_t* codes) {
  std::array<uint64_t, kBlock> hashes;
  // Columns with one value for long stretches need neither hash nor place.
  if (!texts.empty() && std::ranges::all_of(texts, [&](std::string_view text) {
        return IsEqual(text, texts.front());
      })) {
    HashTexts(texts.first(1), hashes);
    std::fill_n(codes, texts.size(), Find(texts.front(), hashes[0]));
    return;
  }
  HashTexts(texts, hashes);
  for (size_t i = 0; i < texts.size(); ++i) __builtin_prefetch(&places()[hashes[i] & mask_]);
  for (size_t i = 0; i < texts.size(); ++i) {
    const Place& place = places()[hashes[i] & mask_];
    if (place.code == Place::kFree || place.tag != TagOf(hashes[i])) continue;
    const char* known = text(static_cast<int32_t>(place.code)).data();
    __builtin_prefetch(known);
    __builtin_prefetch(known + texts[i].size());
  }
  for (size_t i = 0; i < texts.size(); ++i) codes[i] = Find(texts[i], hashes[i]);
}

int32_t TextDictionary::Find(std::string_view value, uint64_t hash) {
  for (size_t i = hash & mask_;; i = (i + 1) & mask_) {
    const Place& place = places()[i];
    if (place.code == Place::kFree) return Add(value, hash, i);
    const auto code = static_cast<int32_t>(place.code);
    if (place.tag == TagOf(hash) && IsEqual(text(code), value)) return code;
  }
}

int32_t TextDictionary::Add(std::string_view value, uint64_t hash, size_t place) {
  const auto bytes = static_cast<int64_t>(value.size());
  PH_CHECK(text_bytes_ + bytes <= INT32_MAX);
  text_.Reserve(text_bytes_ + bytes, text_bytes_);
  std::copy(value.begin(), value.end(), text_.as<char>() + text_bytes_);
  text_bytes_ += bytes;
  hashes_.Reserve((size_ + 1) * 8, size_ * 8);
  hashes_.as<uint64_t>()[size_] = hash;
  ends_.Reserve((size_ + 2) * 4, (size_ + 1) * 4);
  ends_.as<int32_t>()[size_ + 1] = static_cast<int32_t>(text_bytes_);
  const auto code = static_cast<uint32_t>(size_++);
  places()[place] = {TagOf(hash), code};
  if (static_cast<size_t>(size_) * 2 > mask_) SetPlaces((mask_ + 1) * 2);
  return static_cast<int32_t>(code);
}

void TextDictionary::SetPlaces(size_t count) {
  places_.Reserve(static_cast<int64_t>(count * sizeof(Place)), 0);
  std::fill_n(places(), count, Place{.tag = 0, .code = Place::kFree});
  mask_ = count - 1;
  const uint64_t* hashes = hashes_.as<uint64_t>();
  for (int64_t code = 0; code < size_; ++code) {
    size_t i = hashes[code] & mask_;
    while (places()[i].code != Place::kFree) i = (i + 1) & mask_;
    places()[i] = {TagOf(hashes[code]), static_cast<uint32_t>(code)};
  }
}

void TextDictionary::Begin() {
  size_ = text_bytes_ = 0;
  ends_.Reserve(4, 0);
  ends_.as<int32_t>()[0] = 0;
  text_.Reserve(1, 0);
  SetPlaces(kFirstPlaces);
}

std::shared_ptr<arrow::Array> TextDictionary::Take(const std::shared_ptr<arrow::DataType>& type) {
  const int64_t length = size_;
  auto texts = text_.Take(text_bytes_);
  auto offsets = ends_.Take((length + 1) * 4);
  Begin();
  return arrow::MakeArray(arrow::ArrayData::Make(
      type, length, {nullptr, std::move(offsets), std::move(texts)}, /*null_count=*/0));
}

}  // namespace playhead::table
