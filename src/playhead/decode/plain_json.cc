#include "playhead/decode/plain_json.h"

#include "playhead/decode/json_cursor.h"

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

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsScalarEnd(char c) { return c == ',' || c == '}' || c == ']' || c == ' '; }

std::string_view Between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

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

/// Takes the number at `p` if it is short, has no exponent and is of a column of such numbers.
/// Null, or where it ends: a bracket ends every record, so the digits do.
inline const char* TakeShortNumber(const char* p, TypeKind kind, Slot* out) {
  const char* q = p;
  const bool is_negative = *q == '-';
  if (is_negative) ++q;
  const char* first = q;
  uint64_t digits = 0;
  for (; IsDigit(*q); ++q) digits = digits * 10 + static_cast<uint64_t>(*q - '0');
  size_t count = static_cast<size_t>(q - first);
  if (count == 0 || (*first == '0' && count > 1)) return nullptr;
  size_t decimals = 0;
  if (*q == '.') {
    first = ++q;
    for (; IsDigit(*q); ++q) digits = digits * 10 + static_cast<uint64_t>(*q - '0');
    decimals = static_cast<size_t>(q - first);
    if (decimals == 0) return nullptr;
    count += decimals;
  }
  if (count > kExactDigits || !IsScalarEnd(*q)) return nullptr;
  const auto value = static_cast<int64_t>(digits);
  if (kind == TypeKind::kFloat64) {
    const double real = static_cast<double>(value) / kPowersOfTen[decimals];
    out->real = is_negative ? -real : real;
    out->state = SlotState::kValue;
  } else if (decimals > 0 || !SetInteger(kind, is_negative ? -value : value, out)) {
    return nullptr;
  }
  return q;
}

/// Where the number or word at `p` ends.
const char* ScalarEnd(const char* p) {
  while (!IsScalarEnd(*p)) ++p;
  return p;
}

}  // namespace

PlainJson::PlainJson(const TypePlan& plan, int depth_max)
    : plan_(plan), has_depth_for_lists_(depth_max > 1) {
  for (const TypePlan& column : plan.children) {
    const bool is_spelled = !column.quoted_name.empty();
    fields_.push_back({.plan = &column,
                       .key = is_spelled ? column.quoted_name + ":" : "",
                       .next = static_cast<uint32_t>(fields_.size() + 1)});
  }
  fields_.push_back({});
}

bool PlainJson::Read(std::string_view record, SlotWriter& out) {
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

// The walk is bound by the time from one position to the next, so `in` has to stay in registers and
// what follows a position has to be guessed, not computed: hence the forced inlining, and blanks
// are looked for last. What is rare takes its position by value.

[[gnu::always_inline]] inline bool PlainJson::TakeKey(Position& in, std::string_view key) const {
  if (key.empty() || static_cast<size_t>(in.last - in.p) <= key.size()) return false;
  if (!JsonCursor::BeginsWith(in.p, key)) return false;
  in.p += key.size();
  return true;
}

[[gnu::always_inline]] inline bool PlainJson::String(Position& in, std::string_view* text) const {
  if (*in.p != '"') return false;
  const char* begin = in.p + 1;
  const char* end = in.begin + quotes_.Next(static_cast<size_t>(begin - in.begin));
  if (end > in.last) [[unlikely]]
    return false;
  *text = Between(begin, end);
  in.p = end + 1;
  return true;
}

[[gnu::always_inline]] inline bool PlainJson::Value(Position& in, const TypePlan& plan,
                                                    uint32_t slot, SlotWriter& out) {
  std::string_view text;
  if (*in.p == ' ') [[unlikely]]
    ++in.p;
  if (String(in, &text)) {
    if (plan.kind != TypeKind::kText) return out.Text(plan, slot, text);
    out.slot(slot).SetText(text);
    return true;
  }
  const char* end = nullptr;
  if (*in.p == '[') {
    if (plan.kind == TypeKind::kList) end = List(in, plan, slot, out);
  } else {
    end = TakeShortNumber(in.p, plan.kind, &out.slot(slot));
    if (end == nullptr) end = Scalar(in.p, plan, slot, out);
  }
  in.p = end;
  return end != nullptr;
}

// Only the record's last byte is certain to be a bracket, and no step goes beyond a byte that is
// something else: so each byte that is looked at lies in the record.
bool PlainJson::Walk(std::string_view record, SlotWriter& out) {
  const char* last = record.data() + record.size() - 1;
  Position in{.p = record.data() + 1, .begin = record.data(), .last = last};
  size_t previous = fields_.size() - 1;
  for (;; ++in.p) {
    size_t column = fields_[previous].next;
    if (!TakeKey(in, fields_[column].key)) [[unlikely]] {
      if (*in.p == ' ') ++in.p;
      if (!TakeKey(in, fields_[column].key)) {
        in.p = LookUpKey(in, &column, out);
        if (in.p == nullptr) return false;
      }
    }
    if (column != kUndeclared) {
      fields_[previous].next = static_cast<uint32_t>(column);
      previous = column;
      // Given twice.
      if (out.slot(column).state != SlotState::kAbsent) return false;
      if (!Value(in, *fields_[column].plan, static_cast<uint32_t>(column), out)) return false;
    }
    if (*in.p != ',') break;
  }
  if (in.p != last || !out.CheckFields(plan_, 0)) return false;
  out.CloseExtra();
  return true;
}

const char* PlainJson::LookUpKey(Position in, size_t* column, SlotWriter& out) const {
  const char* begin = in.p;
  std::string_view key;
  if (!String(in, &key) || *in.p != ':') return nullptr;
  const std::string_view raw_key = Between(begin, in.p);
  ++in.p;
  const int found = plan_.names.Find(key);
  if (found >= 0) {
    *column = static_cast<size_t>(found);
    return in.p;
  }
  *column = kUndeclared;
  if (*in.p == ' ') ++in.p;
  begin = in.p;
  std::string_view text;
  if (!String(in, &text)) {
    in.p = ScalarEnd(begin);
    if (!IsJsonScalar(Between(begin, in.p))) return nullptr;
  }
  out.AddExtra(raw_key, Between(begin, in.p));
  return in.p;
}

const char* PlainJson::Scalar(const char* p, const TypePlan& plan, uint32_t slot,
                              SlotWriter& out) const {
  const char* end = ScalarEnd(p);
  bool is_json = false;
  return out.Scalar(plan, slot, Between(p, end), &is_json) ? end : nullptr;
}

const char* PlainJson::List(Position in, const TypePlan& plan, uint32_t slot,
                            SlotWriter& out) const {
  if (!has_depth_for_lists_) return nullptr;
  const TypePlan& element = plan.children[0];
  uint32_t count = 0;
  uint32_t previous = 0;
  ++in.p;
  if (*in.p != ']') {
    for (;; ++in.p) {
      uint32_t added = 0;
      if (!out.AddSlots(1, &added)) return nullptr;
      if (count++ == 0) {
        out.slot(slot).first = added;
      } else {
        out.slot(previous).next = added;
      }
      previous = added;
      std::string_view text;
      if (*in.p == ' ') ++in.p;
      if (String(in, &text)) {
        if (!out.Text(element, added, text)) return nullptr;
      } else {
        in.p = Scalar(in.p, element, added, out);
        if (in.p == nullptr || !out.CheckRequired(element, added)) return nullptr;
      }
      if (*in.p != ',') break;
    }
    if (*in.p != ']') return nullptr;
  }
  out.slot(slot).size = count;
  out.slot(slot).state = SlotState::kValue;
  return in.p + 1;
}

}  // namespace playhead::decode
