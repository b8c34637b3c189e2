#include "playhead/decode/fast_record_reader.h"

#include "playhead/decode/json_cursor.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace playhead::decode {
namespace {

// A record that is given up has cost about half of what a good one saves, at worst somewhat more.
constexpr int kDoubtOfFailure = 2;
constexpr int kTrustOfSuccess = 3;
constexpr int kDoubtMax = 16;
constexpr int kSkippedRecords = 15;

// A double holds so many digits exactly, and so it does ten to so high a power: one division then
// rounds once, as it must be.
constexpr size_t kExactDigits = 15;
constexpr double kPowersOfTen[kExactDigits] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6, 1e7,
                                               1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};
// The magnitudes of docs/formats/decode.md.
constexpr int64_t kEpochSecondsEnd = 100'000'000'000;
constexpr int64_t kEpochMillisEnd = 100'000'000'000'000;

bool IsScalarEnd(char c) { return c == ',' || c == '}' || c == ']' || c == ' '; }

bool SetInteger(TypeKind kind, int64_t value, Slot* out) {
  switch (kind) {
    case TypeKind::kInt64:
      break;
    case TypeKind::kInt32:
      if (value < INT32_MIN || value > INT32_MAX) return false;
      break;
    case TypeKind::kTimestamp: {
      const int64_t magnitude = value < 0 ? -value : value;
      value *= magnitude < kEpochSecondsEnd ? 1'000'000 : magnitude < kEpochMillisEnd ? 1'000 : 1;
      break;
    }
    default:
      return false;
  }
  out->integer = value;
  out->state = SlotState::kValue;
  return true;
}

/// Adds the digits at `p` to `number` and returns what is behind them. A bracket ends every record,
/// so digits end, too.
inline const char* TakeDigits(const char* p, uint64_t* number) {
  for (;; ++p) {
    const unsigned digit = static_cast<unsigned char>(*p) - unsigned{'0'};
    if (digit > 9) return p;
    *number = *number * 10 + digit;
  }
}

/// Takes the number at `p` if it is short, has no exponent and is of a column of such numbers:
/// returns where it ends, or null.
inline const char* TakeShortNumber(const char* p, TypeKind kind, Slot* out) {
  const bool is_negative = *p == '-';
  if (is_negative) ++p;
  const char* begin = p;
  uint64_t digits = 0;
  p = TakeDigits(p, &digits);
  auto count = static_cast<size_t>(p - begin);
  if (count == 0 || (*begin == '0' && count > 1)) return nullptr;
  size_t decimals = 0;
  if (*p == '.') {
    begin = ++p;
    p = TakeDigits(p, &digits);
    decimals = static_cast<size_t>(p - begin);
    if (decimals == 0) return nullptr;
    count += decimals;
  }
  if (count > kExactDigits || !IsScalarEnd(*p)) return nullptr;
  const auto value = static_cast<int64_t>(digits);
  if (kind == TypeKind::kFloat64) {
    const double real = static_cast<double>(value) / kPowersOfTen[decimals];
    out->real = is_negative ? -real : real;
    out->state = SlotState::kValue;
    return p;
  }
  if (decimals > 0 || !SetInteger(kind, is_negative ? -value : value, out)) return nullptr;
  return p;
}

}  // namespace

FastRecordReader::FastRecordReader(const TypePlan& plan, int depth_max)
    : plan_(plan), has_depth_for_lists_(depth_max > 1), fields_(plan.children.size() + 1) {
  for (size_t i = 0; i < fields_.size(); ++i) {
    Field& field = fields_[i];
    field.next = &fields_[(i + 1) % fields_.size()];
    field.slot = static_cast<uint32_t>(i);
    if (i == plan.children.size()) break;
    field.plan = &plan.children[i];
    field.kind = field.plan->kind;
    if (!field.plan->quoted_name.empty()) field.SetKey(field.plan->quoted_name + ":");
  }
}

void FastRecordReader::Field::SetKey(std::string text) {
  key = std::move(text);
  key_size = static_cast<uint32_t>(key.size());
  readable = std::max(key_size, 8U);
  tail_at = readable - 8;
  const uint32_t bytes = std::min(key_size, 8U);
  mask = ~uint64_t{0} >> (64 - 8 * bytes);
  std::memcpy(&head, key.data(), bytes);
  std::memcpy(&tail, key.data() + tail_at, bytes);
}

bool FastRecordReader::Read(std::string_view record, SlotWriter& out) {
  const bool is_read = record.size() > 2 && record.front() == '{' && record.back() == '}' &&
                       quotes_.Build(record) && Walk(record, out);
  if (is_read) {
    doubt_ = doubt_ > kTrustOfSuccess ? doubt_ - kTrustOfSuccess : 0;
    return true;
  }
  doubt_ += kDoubtOfFailure;
  if (doubt_ >= kDoubtMax) {
    doubt_ = kDoubtMax;
    skip_count_ = kSkippedRecords;
  }
  return false;
}

// Only the record's last byte is certain to be a bracket, and no step goes beyond a byte that is
// something else: so each byte that is looked at lies in the record. The loop is what takes the
// time; all but text columns is kept out of it, so that its variables stay in registers.
bool FastRecordReader::Walk(std::string_view record, SlotWriter& out) {
  const char* const text = record.data();
  const size_t last = record.size() - 1;
  text_ = text;
  last_ = last;
  Field* previous = &fields_.back();
  Slot* slots = out.slots();
  for (size_t at = 1;; ++at) {
    Field* field = previous->next;
    if (last - at <= field->readable || !field->IsAt(text + at)) [[unlikely]] {
      at = FindKey(at, previous, out);
      if (at == kGaveUp) return false;
      field = found_;
      if (field == nullptr) {
        if (text[at] != ',') return IsEnd(at, out);
        continue;
      }
    } else {
      at += field->key_size;
    }
    previous = field;
    Slot& slot = slots[field->slot];
    // Given twice.
    if (slot.state != SlotState::kAbsent) return false;
    if (text[at] == '"' && field->kind == TypeKind::kText) {
      const size_t begin = at + 1;
      const size_t end = quotes_.Next(begin);
      if (end > last) return false;
      slot = Slot::OfText({text + begin, end - begin});
      at = end + 1;
    } else {
      at = Value(at, *field, out);
      if (at == kGaveUp) return false;
      slots = out.slots();
    }
    if (text[at] != ',') return IsEnd(at, out);
  }
}

bool FastRecordReader::IsEnd(size_t at, SlotWriter& out) const {
  if (at != last_ || !out.CheckFields(plan_, 0)) return false;
  out.CloseExtra();
  return true;
}

size_t FastRecordReader::AfterBlank(size_t at) const { return text_[at] == ' ' ? at + 1 : at; }

size_t FastRecordReader::String(size_t at, std::string_view* text) const {
  if (text_[at] != '"') return kGaveUp;
  const size_t end = quotes_.Next(at + 1);
  if (end > last_) return kGaveUp;
  *text = {text_ + at + 1, end - at - 1};
  return end + 1;
}

size_t FastRecordReader::FindKey(size_t at, Field* previous, SlotWriter& out) {
  at = AfterBlank(at);
  const size_t begin = at;
  if (previous->next->readable < last_ - at && previous->next->IsAt(text_ + at)) {
    found_ = previous->next;
    return at + previous->next->key_size;
  }
  std::string_view key;
  at = String(at, &key);
  if (at == kGaveUp || text_[at] != ':') return kGaveUp;
  const std::string_view raw_key(text_ + begin, at - begin);
  const int found = plan_.names.Find(key);
  if (found >= 0) {
    found_ = &fields_[static_cast<size_t>(found)];
    previous->next = found_;
    return at + 1;
  }
  found_ = nullptr;
  return Undeclared(AfterBlank(at + 1), raw_key, out);
}

size_t FastRecordReader::Undeclared(size_t at, std::string_view raw_key, SlotWriter& out) const {
  std::string_view value;
  size_t end = String(at, &value);
  if (end == kGaveUp) {
    end = ScalarEnd(at);
    if (!IsJsonScalar({text_ + at, end - at})) return kGaveUp;
  }
  out.AddExtra(raw_key, {text_ + at, end - at});
  return end;
}

size_t FastRecordReader::Value(size_t at, const Field& field, SlotWriter& out) const {
  at = AfterBlank(at);
  if (text_[at] == '[') {
    return field.kind == TypeKind::kList ? List(at, *field.plan, field.slot, out) : kGaveUp;
  }
  return StringOrScalar(at, *field.plan, field.slot, out);
}

size_t FastRecordReader::StringOrScalar(size_t at, const TypePlan& plan, uint32_t slot,
                                        SlotWriter& out) const {
  std::string_view text;
  size_t end = String(at, &text);
  if (end != kGaveUp) {
    if (plan.kind != TypeKind::kText) return out.Text(plan, slot, text) ? end : kGaveUp;
    out.slot(slot).SetText(text);
    return end;
  }
  const char* short_end = TakeShortNumber(text_ + at, plan.kind, &out.slot(slot));
  if (short_end != nullptr) return static_cast<size_t>(short_end - text_);
  end = ScalarEnd(at);
  bool is_json = false;
  return out.Scalar(plan, slot, {text_ + at, end - at}, &is_json) ? end : kGaveUp;
}

size_t FastRecordReader::ScalarEnd(size_t at) const {
  while (!IsScalarEnd(text_[at])) ++at;
  return at;
}

size_t FastRecordReader::List(size_t at, const TypePlan& plan, uint32_t slot,
                              SlotWriter& out) const {
  if (!has_depth_for_lists_) return kGaveUp;
  const TypePlan& element = plan.children[0];
  const bool is_text = element.kind == TypeKind::kText;
  uint32_t count = 0;
  uint32_t previous = 0;
  ++at;
  if (text_[at] != ']') {
    for (;; ++at) {
      uint32_t added = 0;
      if (!out.AddSlots(1, &added)) return kGaveUp;
      if (count++ == 0) {
        out.slot(slot).first = added;
      } else {
        out.slot(previous).next = added;
      }
      previous = added;
      at = AfterBlank(at);
      std::string_view text;
      if (const size_t end = String(at, &text); end != kGaveUp && is_text) {
        out.slot(added) = Slot::OfText(text);
        at = end;
      } else {
        at = StringOrScalar(at, element, added, out);
      }
      if (at == kGaveUp || (element.is_required && !out.slot(added).has_value())) return kGaveUp;
      if (text_[at] != ',') break;
    }
    if (text_[at] != ']') return kGaveUp;
  }
  out.slot(slot).size = count;
  out.slot(slot).state = SlotState::kValue;
  return at + 1;
}

}  // namespace playhead::decode
