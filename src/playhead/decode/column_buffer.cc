#include "playhead/decode/column_buffer.h"

#include "playhead/base/hash.h"
#include "playhead/base/status.h"

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include <algorithm>
#include <array>
#include <utility>

namespace playhead::decode {
namespace {

constexpr int64_t kFirstCapacity = 64;
// Up to so many texts comparing all is less than finding one.
constexpr int64_t kFewTexts = 8;
// Texts from which on a dictionary is large (see PendingTexts).
constexpr int64_t kLargeDictionary = 4096;
constexpr size_t kLookUps = TextDictionary::kBlock;

bool IsText(TypeKind kind) { return kind == TypeKind::kText || kind == TypeKind::kBinary; }

TypeKind KindOf(const arrow::DataType& type) {
  auto plan = MakeTypePlan("", type);
  PH_CHECK(plan.ok());
  return plan->kind;
}

/// Bytes a value takes; 0 for kinds whose values are bits, offsets or nothing.
int64_t WidthOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kInt32:
    case TypeKind::kFloat32:
    case TypeKind::kDate32:
      return 4;
    case TypeKind::kInt64:
    case TypeKind::kFloat64:
    case TypeKind::kTimestamp:
      return 8;
    case TypeKind::kDecimal128:
      return 16;
    default:
      return 0;
  }
}

int64_t BitBytes(int64_t bits) { return (bits + 7) / 8; }

}  // namespace

ColumnBuffer::ColumnBuffer(std::shared_ptr<arrow::DataType> type, BlockPool* pool, Text text)
    : type_(std::move(type)), kind_(KindOf(*type_)), validity_(pool), values_(pool), text_(pool) {
  if (text == Text::kCoded && IsText(kind_)) {
    dictionary_ = std::make_unique<TextDictionary>(pool);
    pending_ = std::make_unique<PendingTexts>(pool);
  }
  if (kind_ == TypeKind::kMap) {
    const auto& map = static_cast<const arrow::MapType&>(*type_);
    children_.emplace_back(map.key_type(), pool);
    children_.emplace_back(map.item_type(), pool);
  } else {
    // Elements that are lists or structs themselves would have to go on being coded below them.
    const bool is_coded = text == Text::kCoded && kind_ == TypeKind::kList &&
                          IsText(KindOf(*type_->field(0)->type()));
    for (const auto& field : type_->fields()) {
      children_.emplace_back(field->type(), pool, is_coded ? Text::kCoded : Text::kPlain);
    }
  }
}

bool ColumnBuffer::HasOffsets() const {
  return (IsText(kind_) && !is_coded()) || kind_ == TypeKind::kList || kind_ == TypeKind::kMap;
}

int64_t ColumnBuffer::ValueBytes(int64_t length) const {
  if (HasOffsets()) return (length + 1) * 4;
  if (is_coded()) return length * 4;
  if (kind_ == TypeKind::kBool) return BitBytes(length);
  return length * WidthOf(kind_);
}

void ColumnBuffer::AddRoom() {
  // The next batch is about as large as the one before, and growing copies.
  const bool is_empty = capacity_ == 0;
  capacity_ = std::max({kFirstCapacity, 2 * capacity_, is_empty ? last_length_ : 0});
  if (is_empty && last_text_size_ > 0) text_.Reserve(last_text_size_, 0);
  if (kind_ != TypeKind::kStruct) {
    bool is_first = values_.capacity() == 0;
    values_.Reserve(ValueBytes(capacity_), is_first ? 0 : ValueBytes(length_));
    if (is_first && HasOffsets()) values_.as<int32_t>()[0] = 0;
  }
  if (has_validity_) validity_.Reserve(BitBytes(capacity_), BitBytes(length_));
}

void ColumnBuffer::MarkNull() {
  if (!has_validity_) {
    has_validity_ = true;
    validity_.Reserve(BitBytes(capacity_), 0);
    auto whole = static_cast<size_t>(length_ / 8);
    std::memset(validity_.data(), 0xFF, whole);
    validity_.data()[whole] = static_cast<uint8_t>((1 << (length_ & 7)) - 1);
  }
  PutBit(validity_.data(), length_, false);
  ++null_count_;
  ++length_;
}

void ColumnBuffer::AppendNull() {
  if (length_ == capacity_) AddRoom();
  switch (kind_) {
    case TypeKind::kText:
    case TypeKind::kBinary:
      if (is_coded()) {
        values_.as<int32_t>()[length_] = 0;
      } else {
        EndText(text_size_);
      }
      break;
    case TypeKind::kList:
    case TypeKind::kMap:
      values_.as<int32_t>()[length_ + 1] = static_cast<int32_t>(children_[0].length());
      break;
    case TypeKind::kStruct:
      for (ColumnBuffer& child : children_) child.AppendNull();
      break;
    case TypeKind::kBool:
      PutBit(values_.data(), length_, false);
      break;
    default: {
      auto width = static_cast<size_t>(WidthOf(kind_));
      std::memset(values_.data() + static_cast<size_t>(length_) * width, 0, width);
    }
  }
  MarkNull();
}

void ColumnBuffer::AppendNulls(int64_t count) {
  if (!is_coded()) {
    for (int64_t i = 0; i < count; ++i) AppendNull();
    return;
  }
  while (capacity_ < length_ + count) AddRoom();
  std::fill_n(values_.as<int32_t>() + length_, count, 0);
  for (int64_t i = 0; i < count; ++i) MarkNull();
}

void ColumnBuffer::AppendTexts(std::string_view text, int64_t count) {
  if (is_coded()) {
    if (count == 0) return;
    ResolvePending();
    AppendText(text);
    return AppendLast(count - 1);
  }
  const auto size = static_cast<int64_t>(text.size());
  text_.Reserve(text_size_ + count * size, text_size_);
  for (int64_t i = 0; i < count; ++i) AppendText(text);
}

void ColumnBuffer::AppendLast(int64_t count) {
  while (capacity_ < length_ + count) AddRoom();
  std::fill_n(values_.as<int32_t>() + length_, count, last_code_);
  coded_values_ += count;
  MarkValid(count);
}

void ColumnBuffer::AppendIntegers(int64_t value, int64_t count) {
  while (capacity_ < length_ + count) AddRoom();
  if (kind_ == TypeKind::kInt32 || kind_ == TypeKind::kDate32) {
    std::fill_n(values_.as<int32_t>() + length_, count, static_cast<int32_t>(value));
  } else {
    std::fill_n(values_.as<int64_t>() + length_, count, value);
  }
  MarkValid(count);
}

void ColumnBuffer::AppendInteger(int64_t value) {
  if (kind_ == TypeKind::kInt32 || kind_ == TypeKind::kDate32) {
    PutValue(static_cast<int32_t>(value));
  } else {
    PutValue(value);
  }
}

void ColumnBuffer::AppendValue(const Slot& slot, const SlotArena& arena) {
  if (!slot.has_value()) return AppendNull();
  switch (kind_) {
    case TypeKind::kText:
    case TypeKind::kBinary:
      return AppendText(slot.view());
    case TypeKind::kInt32:
    case TypeKind::kDate32:
      return PutValue(static_cast<int32_t>(slot.integer));
    case TypeKind::kInt64:
    case TypeKind::kTimestamp:
      return PutValue(slot.integer);
    case TypeKind::kFloat32:
      return PutValue(static_cast<float>(slot.real));
    case TypeKind::kFloat64:
      return PutValue(slot.real);
    case TypeKind::kDecimal128:
      return PutValue(arena.decimals[slot.decimal]);
    case TypeKind::kBool:
      if (length_ == capacity_) AddRoom();
      PutBit(values_.data(), length_, slot.integer != 0);
      return MarkValid();
    case TypeKind::kStruct:
      if (length_ == capacity_) AddRoom();
      for (size_t i = 0; i < children_.size(); ++i) {
        children_[i].Append(arena.slots[slot.first + i], arena);
      }
      return MarkValid();
    case TypeKind::kList:
    case TypeKind::kMap:
      return AppendElements(slot, arena);
  }
}

void ColumnBuffer::AppendSlots(std::span<const Slot* const> rows, size_t column) {
  if (is_coded()) return AppendCoded(rows, column);
  for (const Slot* slots : rows) Append(slots[column], {.slots = slots});
}

void ColumnBuffer::AppendPending(std::span<const Slot* const> rows, size_t column) {
  PendingTexts& pending = *pending_;
  int64_t bytes = 0;
  for (const Slot* slots : rows) bytes += slots[column].has_value() ? slots[column].size : 0;
  const auto count = static_cast<int64_t>(rows.size());
  pending.text.Reserve(pending.text_bytes + bytes, pending.text_bytes);
  pending.ends.Reserve((pending.count + count + 1) * 4,
                       pending.count == 0 ? 0 : (pending.count + 1) * 4);
  pending.hashes.Reserve((pending.count + count) * 8, pending.count * 8);
  pending.rows.Reserve((pending.count + count) * 4, pending.count * 4);
  pending.ends.as<int32_t>()[0] = 0;
  const int64_t first = pending.count;
  std::array<std::string_view, kLookUps> texts;
  size_t valid = 0;
  for (const Slot* slots : rows) {
    const Slot& slot = slots[column];
    if (!slot.has_value()) {
      AppendNull();
      continue;
    }
    const std::string_view text = slot.view();
    texts[valid++] = text;
    CopyText(pending.text.data() + pending.text_bytes, text.data(), text.size());
    pending.text_bytes += static_cast<int64_t>(text.size());
    pending.rows.as<int32_t>()[pending.count] = static_cast<int32_t>(length_);
    pending.ends.as<int32_t>()[++pending.count] = static_cast<int32_t>(pending.text_bytes);
    AppendCode(0);
  }
  HashTexts({texts.data(), valid}, {pending.hashes.as<uint64_t>() + first, valid});
  last_code_ = -1;
}

void ColumnBuffer::AppendAmongFew(std::span<const Slot* const> rows, size_t column) {
  for (const Slot* slots : rows) {
    const Slot& slot = slots[column];
    if (!slot.has_value()) {
      AppendNull();
    } else {
      const std::string_view text = slot.view();
      AppendCode(IsLast(text) ? last_code_ : dictionary_->FindAmongFew(text));
    }
  }
}

void ColumnBuffer::ResolvePending() {
  if (pending_ == nullptr || pending_->count == 0) return;
  PendingTexts& pending = *pending_;
  const uint64_t* hashes = pending.hashes.as<uint64_t>();
  const int32_t* ends = pending.ends.as<int32_t>();
  const int32_t* rows = pending.rows.as<int32_t>();
  const char* texts = pending.text.as<char>();
  auto* codes = values_.as<int32_t>();
  std::array<std::string_view, kLookUps> wanted;
  std::array<int32_t, kLookUps> found;
  for (int64_t begin = 0; begin < pending.count; begin += static_cast<int64_t>(kLookUps)) {
    const auto count = std::min(kLookUps, static_cast<size_t>(pending.count - begin));
    const int32_t* end = ends + begin;
    for (size_t i = 0; i < count; ++i) {
      wanted[i] = {texts + end[i], static_cast<size_t>(end[i + 1] - end[i])};
    }
    dictionary_->FindTogether({wanted.data(), count}, hashes + begin, found.data());
    for (size_t i = 0; i < count; ++i) codes[rows[begin + static_cast<int64_t>(i)]] = found[i];
  }
  pending.count = pending.text_bytes = 0;
}

void ColumnBuffer::AppendCoded(std::span<const Slot* const> rows, size_t column) {
  std::array<std::string_view, kLookUps> texts;
  std::array<int32_t, kLookUps> codes;
  for (; !rows.empty(); rows = rows.subspan(std::min(kLookUps, rows.size()))) {
    const auto part = rows.first(std::min(kLookUps, rows.size()));
    if (dictionary_->size() >= kLargeDictionary) {
      AppendPending(part, column);
      continue;
    }
    if (dictionary_->size() <= kFewTexts) {
      AppendAmongFew(part, column);
      continue;
    }
    // Equal neighbours are compared only.
    size_t count = 0;
    std::string_view before;
    if (last_code_ >= 0) before = dictionary_->text(last_code_);
    bool has_before = last_code_ >= 0;
    for (const Slot* slots : part) {
      const Slot& slot = slots[column];
      if (!slot.has_value()) continue;
      const std::string_view text = slot.view();
      if (has_before && EqualTexts(text, before)) continue;
      has_before = true;
      before = text;
      texts[count++] = text;
    }
    dictionary_->FindTogether({texts.data(), count}, codes.data());
    size_t next = 0;
    for (const Slot* slots : part) {
      const Slot& slot = slots[column];
      if (!slot.has_value()) {
        AppendNull();
      } else if (next < count && slot.text == texts[next].data()) {
        AppendCode(codes[next++]);
      } else {
        AppendCode(last_code_);
      }
    }
  }
}

void ColumnBuffer::AppendElements(const Slot& slot, const SlotArena& arena) {
  if (length_ == capacity_) AddRoom();
  uint32_t at = slot.first;
  uint32_t count = slot.size * static_cast<uint32_t>(children_.size());
  for (uint32_t i = 0; i < count; ++i) {
    const Slot& element = arena.slots[at];
    children_[i % children_.size()].Append(element, arena);
    at = element.next;
  }
  values_.as<int32_t>()[length_ + 1] = static_cast<int32_t>(children_[0].length());
  MarkValid();
}

bool ColumnBuffer::has_full_dictionary() const {
  if (is_coded()) return dictionary_->page_bytes() >= kDictionaryBytesMax;
  return kind_ == TypeKind::kList && children_[0].has_full_dictionary();
}

int64_t ColumnBuffer::dictionary_bytes() const {
  if (is_coded()) return dictionary_->memory_bytes();
  return kind_ == TypeKind::kList ? children_[0].dictionary_bytes() : 0;
}

void ColumnBuffer::Judge(int64_t rows) {
  if (kind_ == TypeKind::kList) return children_[0].Judge(rows);
  if (!is_coded() || is_judged_) return;
  ResolvePending();
  if (coded_values_ < kJudgedValues) {
    // A few large texts are worth it while they come again.
    const bool comes_again =
        IsDictionaryWorthwhile(coded_values_, dictionary_->size(), 0, coded_values_);
    if (has_full_dictionary() && !comes_again) GiveUpDictionary();
    return;
  }
  is_judged_ = true;
  const int64_t expected = coded_values_ * std::max(kGenerationRows, rows) / rows;
  if (!IsDictionaryWorthwhile(coded_values_, dictionary_->size(), dictionary_->page_bytes(),
                              expected)) {
    GiveUpDictionary();
  }
}

void ColumnBuffer::StartGeneration() {
  PH_CHECK(length_ == 0);
  if (is_coded()) dictionary_->Clear();
  last_code_ = -1;
  coded_values_ = 0;
  is_judged_ = false;
  for (ColumnBuffer& child : children_) child.StartGeneration();
}

void ColumnBuffer::GiveUpDictionary() {
  const std::vector<int32_t> codes(values_.as<int32_t>(), values_.as<int32_t>() + length_);
  const auto dictionary = std::move(dictionary_);
  if (capacity_ == 0) return;
  values_.Reserve(ValueBytes(capacity_), 0);
  int64_t end = 0;
  values_.as<int32_t>()[0] = 0;
  for (int64_t i = 0; i < length_; ++i) {
    if (!has_validity_ || (validity_.data()[i >> 3] >> (i & 7) & 1) != 0) {
      const std::string_view text = dictionary->text(codes[static_cast<size_t>(i)]);
      const int64_t begin = end;
      end += static_cast<int64_t>(text.size());
      text_.Reserve(end, begin);
      CopyText(text_.data() + begin, text.data(), text.size());
    }
    values_.as<int32_t>()[i + 1] = static_cast<int32_t>(end);
  }
  text_size_ = end;
}

std::shared_ptr<arrow::ArrayData> ColumnBuffer::Finish() {
  if (capacity_ == 0) AddRoom();
  ResolvePending();
  std::vector<std::shared_ptr<arrow::Buffer>> buffers;
  buffers.push_back(has_validity_ ? validity_.Take(BitBytes(length_)) : nullptr);
  if (kind_ != TypeKind::kStruct) buffers.push_back(values_.Take(ValueBytes(length_)));
  if (IsText(kind_) && !is_coded()) {
    text_.Reserve(1, 0);
    buffers.push_back(text_.Take(text_size_));
  }
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  children.reserve(children_.size());
  for (ColumnBuffer& child : children_) children.push_back(child.Finish());
  std::shared_ptr<arrow::DataType> type = type_;
  if (is_coded()) {
    type = arrow::dictionary(arrow::int32(), type_);
  } else if (kind_ == TypeKind::kList && children_[0].is_coded()) {
    type = arrow::list(type_->field(0)->WithType(children[0]->type));
  } else if (kind_ == TypeKind::kMap) {
    int64_t entries = children[0]->length;
    std::vector<std::shared_ptr<arrow::Buffer>> no_validity{nullptr};
    auto entry = arrow::ArrayData::Make(type_->field(0)->type(), entries, std::move(no_validity),
                                        std::move(children), /*null_count=*/0);
    children = {std::move(entry)};
  }
  auto data = arrow::ArrayData::Make(std::move(type), length_, std::move(buffers),
                                     std::move(children), null_count_);
  if (is_coded()) data->dictionary = dictionary_->texts(type_)->data();
  last_length_ = length_;
  last_text_size_ = text_size_;
  length_ = capacity_ = null_count_ = text_size_ = 0;
  has_validity_ = false;
  return data;
}

}  // namespace playhead::decode
