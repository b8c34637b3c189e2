#include "playhead/decode/record_parser.h"

#include "playhead/decode/json_text.h"
#include "playhead/decode/time_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace playhead::decode {
namespace {

constexpr size_t kLargeSlots = 1 << 16;
constexpr size_t kLargeExtraBytes = 1 << 20;
// Fewer digits alone are a year or a compact date at least as likely as seconds since 1970.
constexpr size_t kEpochTextDigitsMin = 9;

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
         });
}

}  // namespace

RecordParser::RecordParser(const TypePlan& plan, TimeZone zone, RecordParserOptions options)
    : plan_(plan), zone_(std::move(zone)), options_(options) {}

std::string RecordParser::TakeDetail() {
  if (path_.empty()) return std::exchange(problem_, {});
  return std::exchange(path_, {}) + ": " + std::exchange(problem_, {});
}

void RecordParser::ReleaseLarge() {
  index_.ReleaseLarge();
  field_index_.ReleaseLarge();
  if (slots_.capacity() > kLargeSlots) std::vector<Slot>().swap(slots_);
  if (decimals_.capacity() > kLargeSlots) std::vector<__int128>().swap(decimals_);
  if (map_keys_.capacity() > kLargeSlots) std::vector<std::string_view>().swap(map_keys_);
  if (extra_.capacity() > kLargeExtraBytes) std::string().swap(extra_);
}

void RecordParser::Reset() {
  slots_.clear();
  slots_.resize(plan_.children.size());
  decimals_.clear();
  extra_.clear();
  has_nested_extra_ = false;
}

bool RecordParser::ParseJson(std::string_view record) {
  Reset();
  index_.Start(record.size());
  switch (index_.Build(record)) {
    case JsonIndex::Outcome::kGood:
      break;
    case JsonIndex::Outcome::kBlank:
      reason_ = Reason::kNotJson;
      problem_ = "empty";
      return false;
    case JsonIndex::Outcome::kNotUtf8:
      reason_ = Reason::kNotUtf8;
      problem_ = "invalid UTF-8";
      return false;
    case JsonIndex::Outcome::kBroken:
      return RefuseSyntax(JsonCursor::Problem::kSyntax, record);
  }
  JsonCursor in(index_, record, options_.depth_max);
  if (!in.Eat('{')) {
    if (!IsSoundJson(record)) return false;
    reason_ = Reason::kNotAnObject;
    problem_ = "not a JSON object: " + Excerpt(record);
    return false;
  }
  if (Fields(in, plan_, 0, /*is_record=*/true)) {
    if (!in.at_end()) return RefuseSyntax(JsonCursor::Problem::kSyntax, record);
    if (!extra_.empty()) extra_ += '}';
    return true;
  }
  if (in.problem() != JsonCursor::Problem::kNone) return RefuseSyntax(in.problem(), record);
  // A value does not fit; the reason still is syntax if something behind it is broken.
  Reason reason = reason_;
  std::string detail = TakeDetail();
  if (!IsSoundJson(record)) return false;
  reason_ = reason;
  problem_ = std::move(detail);
  return false;
}

bool RecordParser::IsSoundJson(std::string_view record) {
  index_.Start(record.size());
  JsonCursor in(index_, record, options_.depth_max);
  if (!in.Skip()) return RefuseSyntax(in.problem(), record);
  return in.at_end() || RefuseSyntax(JsonCursor::Problem::kSyntax, record);
}

bool RecordParser::RefuseSyntax(JsonCursor::Problem problem, std::string_view record) {
  path_.clear();
  switch (problem) {
    case JsonCursor::Problem::kTooDeep:
      reason_ = Reason::kTooDeep;
      problem_ = fmt::format("nested deeper than {} levels", options_.depth_max);
      break;
    case JsonCursor::Problem::kNotText:
      // Which of the two is wrong decides the reason: \ud800 alone is JSON, but no text.
      reason_ = Reason::kNotJson;
      problem_ = "bad escape in a string";
      if (HasOnlyKnownEscapes(record)) {
        reason_ = Reason::kNotUtf8;
        problem_ = "unpaired surrogate escape in a string";
      }
      break;
    default:
      reason_ = Reason::kNotJson;
      problem_ = "not JSON: " + Excerpt(record);
  }
  return false;
}

bool RecordParser::Refuse(Reason reason, const TypePlan& plan, std::string_view problem,
                          std::string_view value) {
  reason_ = reason;
  path_ = plan.name;
  problem_ = fmt::format("{} {}: {}", problem, plan.type_name, Excerpt(value));
  return false;
}

bool RecordParser::AddSlots(uint32_t count, uint32_t* first) {
  if (slots_.size() + count > static_cast<size_t>(options_.values_max)) {
    reason_ = Reason::kTooLarge;
    path_.clear();
    problem_ = fmt::format("more than {} values", options_.values_max);
    return false;
  }
  *first = static_cast<uint32_t>(slots_.size());
  slots_.resize(slots_.size() + count);
  return true;
}

void RecordParser::AddExtra(std::string_view raw_key, std::string_view raw_value) {
  extra_ += extra_.empty() ? '{' : ',';
  extra_ += raw_key;
  extra_ += ':';
  extra_ += raw_value;
}

bool RecordParser::Fields(JsonCursor& in, const TypePlan& plan, uint32_t first, bool is_record) {
  if (!in.Enter()) return false;
  if (!in.Eat('}')) {
    size_t expected = 0;
    do {
      size_t field = expected;
      if (expected < plan.children.size()) {
        const TypePlan& child = plan.children[expected];
        Slot& slot = slots_[first + expected];
        std::string_view text;
        if (child.kind == TypeKind::kText && slot.state == SlotState::kAbsent &&
            in.EatTextField(child.quoted_name, &text)) {
          slot.SetText(text);
          ++expected;
          continue;
        }
      }
      std::string_view raw_key;
      // Most records have their fields in the declared order.
      if (expected < plan.children.size() && in.EatKey(plan.children[expected].quoted_name))
          [[likely]] {
        raw_key = plan.children[expected].quoted_name;
      } else {
        std::string_view key;
        if (!in.String(&key, &raw_key)) return false;
        if (!in.Eat(':')) return in.Fail();
        int found = plan.names.Find(key);
        if (found < 0) {
          if (!UndeclaredField(in, raw_key, is_record)) return false;
          continue;
        }
        field = static_cast<size_t>(found);
      }
      const TypePlan& child = plan.children[field];
      auto slot = static_cast<uint32_t>(first + field);
      if (slots_[slot].state != SlotState::kAbsent) {
        reason_ = Reason::kDuplicateKey;
        path_ = child.name;
        problem_ = "given twice";
        return false;
      }
      const char* begin = is_record && child.is_nested() ? in.position() : nullptr;
      if (!Value(in, child, slot)) return false;
      if (begin != nullptr && has_nested_extra_) {
        AddExtra(raw_key, in.TakenSince(begin));
        has_nested_extra_ = false;
      }
      expected = field + 1;
    } while (in.Eat(','));
    if (!in.Eat('}')) return in.Fail();
  }
  in.Leave();
  return CheckFields(plan, first);
}

bool RecordParser::UndeclaredField(JsonCursor& in, std::string_view raw_key, bool is_record) {
  if (in.at_end()) return in.Fail();
  const char* begin = in.position();
  if (!in.Skip()) return false;
  if (is_record) {
    AddExtra(raw_key, in.TakenSince(begin));
  } else {
    has_nested_extra_ = true;
  }
  return true;
}

bool RecordParser::CheckFields(const TypePlan& plan, uint32_t first) {
  for (uint32_t i : plan.required) {
    if (!CheckRequired(plan.children[i], first + i)) return false;
  }
  return true;
}

bool RecordParser::CheckRequired(const TypePlan& plan, uint32_t slot) {
  if (!plan.is_required || slots_[slot].has_value()) return true;
  reason_ = Reason::kMissingField;
  path_ = plan.name;
  problem_ = slots_[slot].state == SlotState::kNull ? "required but null" : "required but absent";
  return false;
}

bool RecordParser::RefusedIn(const TypePlan& plan) {
  if (!path_.empty()) path_ = plan.name + "." + path_;
  return false;
}

bool RecordParser::Value(JsonCursor& in, const TypePlan& plan, uint32_t slot) {
  char c = in.Peek();
  if (c == '"') {
    std::string_view text;
    std::string_view raw;
    if (!in.String(&text, &raw)) return false;
    if (plan.kind != TypeKind::kText) return Text(plan, slot, text, /*is_csv=*/false);
    slots_[slot].SetText(text);
    return true;
  }
  if (c == '{') {
    if (plan.kind == TypeKind::kStruct) {
      in.Eat('{');
      uint32_t first = 0;
      if (!AddSlots(static_cast<uint32_t>(plan.children.size()), &first)) return false;
      slots_[slot].first = first;
      slots_[slot].state = SlotState::kValue;
      return Fields(in, plan, first, /*is_record=*/false) || RefusedIn(plan);
    }
    if (plan.kind == TypeKind::kMap) return Map(in, plan, slot);
    return Refuse(Reason::kWrongType, plan, "an object is no", "");
  }
  if (c == '[') {
    if (plan.kind == TypeKind::kList) return List(in, plan, slot);
    return Refuse(Reason::kWrongType, plan, "an array is no", "");
  }
  return Scalar(in, plan, slot);
}

bool RecordParser::List(JsonCursor& in, const TypePlan& plan, uint32_t slot) {
  in.Eat('[');
  if (!in.Enter()) return false;
  const TypePlan& element = plan.children[0];
  uint32_t count = 0;
  uint32_t previous = 0;
  if (!in.Eat(']')) {
    do {
      uint32_t added = 0;
      if (!AddSlots(1, &added)) return false;
      if (count++ == 0) {
        slots_[slot].first = added;
      } else {
        slots_[previous].next = added;
      }
      previous = added;
      if (!Value(in, element, added) || !CheckRequired(element, added)) return RefusedIn(plan);
    } while (in.Eat(','));
    if (!in.Eat(']')) return in.Fail();
  }
  in.Leave();
  slots_[slot].size = count;
  slots_[slot].state = SlotState::kValue;
  return true;
}

bool RecordParser::Map(JsonCursor& in, const TypePlan& plan, uint32_t slot) {
  in.Eat('{');
  if (!in.Enter()) return false;
  uint32_t count = 0;
  uint32_t previous = 0;
  if (!in.Eat('}')) {
    do {
      uint32_t key = 0;
      if (!AddSlots(2, &key)) return false;
      slots_[key].next = key + 1;
      if (count++ == 0) {
        slots_[slot].first = key;
      } else {
        slots_[previous].next = key;
      }
      previous = key + 1;
      std::string_view text;
      std::string_view raw;
      if (!in.String(&text, &raw)) return false;
      if (!in.Eat(':')) return in.Fail();
      const TypePlan& value = plan.children[1];
      if (!Text(plan.children[0], key, text, /*is_csv=*/false)) return RefusedIn(plan);
      if (!Value(in, value, key + 1) || !CheckRequired(value, key + 1)) return RefusedIn(plan);
    } while (in.Eat(','));
    if (!in.Eat('}')) return in.Fail();
  }
  in.Leave();
  slots_[slot].size = count;
  slots_[slot].state = SlotState::kValue;
  if (HasDistinctKeys(slot)) return true;
  reason_ = Reason::kDuplicateKey;
  path_ = plan.name;
  problem_ = "a key of the map given twice";
  return false;
}

bool RecordParser::HasDistinctKeys(uint32_t slot) {
  map_keys_.clear();
  uint32_t key = slots_[slot].first;
  for (uint32_t i = 0; i < slots_[slot].size; ++i) {
    map_keys_.push_back(slots_[key].view());
    key = slots_[key + 1].next;
  }
  std::sort(map_keys_.begin(), map_keys_.end());
  return std::adjacent_find(map_keys_.begin(), map_keys_.end()) == map_keys_.end();
}

bool RecordParser::Scalar(JsonCursor& in, const TypePlan& plan, uint32_t slot) {
  std::string_view raw;
  if (!in.Scalar(&raw)) return false;
  Slot& out = slots_[slot];
  NumberParts parts;
  const bool is_number = SplitNumber(raw, NumberStyle::kJson, &parts);
  const bool is_true = raw == "true";
  if (!is_number && !is_true && raw != "false") {
    if (raw != "null") return in.Fail();
    out.state = SlotState::kNull;
    return true;
  }
  if (plan.kind == TypeKind::kText || plan.kind == TypeKind::kBinary) {
    out.SetText(raw);
    return true;
  }
  if (is_number) return Number(plan, slot, parts, /*is_text=*/false);
  if (plan.kind != TypeKind::kBool) return Refuse(Reason::kWrongType, plan, "not a", raw);
  out.integer = is_true ? 1 : 0;
  out.state = SlotState::kValue;
  return true;
}

bool RecordParser::Number(const TypePlan& plan, uint32_t slot, const NumberParts& parts,
                          bool is_text) {
  Slot& out = slots_[slot];
  NumberOutcome outcome = NumberOutcome::kGood;
  switch (plan.kind) {
    case TypeKind::kInt32:
      outcome = ToInteger(parts, INT32_MIN, INT32_MAX, &out.integer);
      break;
    case TypeKind::kInt64:
      outcome = ToInteger(parts, INT64_MIN, INT64_MAX, &out.integer);
      break;
    case TypeKind::kFloat64:
      outcome = ToDouble(parts, &out.real);
      break;
    case TypeKind::kFloat32: {
      float value = 0;
      outcome = ToFloat(parts, &value);
      out.real = value;
      break;
    }
    case TypeKind::kDecimal128:
      out.decimal = static_cast<uint32_t>(decimals_.size());
      decimals_.emplace_back();
      outcome = ToDecimal(parts, plan.precision, plan.scale, &decimals_.back());
      break;
    case TypeKind::kTimestamp:
      if (is_text && parts.integer.size() < kEpochTextDigitsMin) {
        return Refuse(Reason::kWrongType, plan, "not a", parts.text);
      }
      outcome = ToEpochMicros(parts, &out.integer);
      break;
    default:
      return Refuse(Reason::kWrongType, plan, "a number is no", parts.text);
  }
  switch (outcome) {
    case NumberOutcome::kGood:
      out.state = SlotState::kValue;
      return true;
    case NumberOutcome::kInexact:
      return Refuse(Reason::kWrongType, plan, "fraction too fine for", parts.text);
    case NumberOutcome::kOutOfRange:
      return Refuse(Reason::kOutOfRange, plan, "too large for", parts.text);
  }
  return false;
}

bool RecordParser::Text(const TypePlan& plan, uint32_t slot, std::string_view text, bool is_csv) {
  Slot& out = slots_[slot];
  TimeOutcome time = TimeOutcome::kNotATime;
  switch (plan.kind) {
    case TypeKind::kText:
    case TypeKind::kBinary:
      out.SetText(text);
      return true;
    case TypeKind::kTimestamp:
      time = ParseTime(text, zone_, &out.integer);
      break;
    case TypeKind::kDate32: {
      int32_t days = 0;
      time = ParseDate(text, &days);
      out.integer = days;
      break;
    }
    case TypeKind::kBool: {
      bool is_true = EqualsIgnoringCase(text, "true");
      if (!is_true && !EqualsIgnoringCase(text, "false")) break;
      out.integer = is_true ? 1 : 0;
      out.state = SlotState::kValue;
      return true;
    }
    case TypeKind::kList:
    case TypeKind::kStruct:
    case TypeKind::kMap:
      if (is_csv) return NestedText(plan, slot, text);
      break;
    default:
      break;
  }
  if (time == TimeOutcome::kGood) {
    slots_[slot].state = SlotState::kValue;
    return true;
  }
  if (time == TimeOutcome::kOutOfRange) {
    return Refuse(Reason::kOutOfRange, plan, "no such", text);
  }
  NumberParts parts;
  if (plan.kind != TypeKind::kBool && plan.kind != TypeKind::kDate32 && !plan.is_nested() &&
      SplitNumber(text, NumberStyle::kText, &parts)) {
    return Number(plan, slot, parts, /*is_text=*/true);
  }
  return Refuse(Reason::kWrongType, plan, "not a", text);
}

bool RecordParser::NestedText(const TypePlan& plan, uint32_t slot, std::string_view text) {
  if (field_index_.Build(text) != JsonIndex::Outcome::kGood) {
    return Refuse(Reason::kWrongType, plan, "not JSON for", text);
  }
  JsonCursor in(field_index_, text, options_.depth_max);
  bool is_object = in.Peek() == '{';
  bool is_array = in.Peek() == '[';
  if (is_object || is_array) {
    bool is_good = Value(in, plan, slot);
    if (is_good && in.at_end()) {
      if (std::exchange(has_nested_extra_, false)) {
        std::string name;
        AppendJsonString(plan.name, &name);
        AddExtra(name, text);
      }
      return true;
    }
    if (!is_good && in.problem() == JsonCursor::Problem::kTooDeep) {
      return RefuseSyntax(in.problem(), text);
    }
    if (!is_good && in.problem() == JsonCursor::Problem::kNone) return false;
  }
  return Refuse(Reason::kWrongType, plan, "not JSON for", text);
}

bool RecordParser::ParseFields(const std::vector<std::optional<std::string_view>>& fields,
                               const std::vector<int>& column_of_field,
                               const std::vector<std::string>& name_of_field) {
  Reset();
  size_t bytes = 0;
  for (const auto& field : fields) bytes += field ? field->size() : 0;
  field_index_.Start(bytes);
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!fields[i]) continue;
    int column = column_of_field[i];
    if (column < 0) {
      extra_ += extra_.empty() ? '{' : ',';
      AppendJsonString(name_of_field[i], &extra_);
      extra_ += ':';
      AppendJsonString(*fields[i], &extra_);
      continue;
    }
    const TypePlan& plan = plan_.children[static_cast<size_t>(column)];
    bool is_text = plan.kind == TypeKind::kText || plan.kind == TypeKind::kBinary;
    // Writers that quote every field write null as "".
    if (fields[i]->empty() && !is_text) continue;
    if (!Text(plan, static_cast<uint32_t>(column), *fields[i], /*is_csv=*/true)) return false;
  }
  if (!extra_.empty()) extra_ += '}';
  return CheckFields(plan_, 0);
}

}  // namespace playhead::decode
