#include "playhead/decode/record_parser.h"

#include "playhead/base/json_text.h"
#include "playhead/decode/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace playhead::decode {
namespace {

constexpr size_t kLargeMapKeys = 1 << 16;

}  // namespace

RecordParser::RecordParser(const TypePlan& plan, TimeZone zone, RecordParserOptions options)
    : plan_(plan),
      options_(options),
      out_(std::move(zone), options.values_max),
      plain_(plan, options.depth_max) {
  options_.has_plain_reader = options.has_plain_reader && HasQuickScan();
}

void RecordParser::ReleaseLarge() {
  index_.ReleaseLarge();
  field_index_.ReleaseLarge();
  out_.ReleaseLarge();
  if (map_keys_.capacity() > kLargeMapKeys) std::vector<std::string_view>().swap(map_keys_);
}

void RecordParser::Reset() {
  out_.Reset(plan_.children.size());
  has_nested_extra_ = false;
}

bool RecordParser::ParseJson(std::string_view record, bool is_typed_row) {
  Reset();
  out_.set_typed_row(is_typed_row);
  if (options_.has_plain_reader && plain_.IsWorthTrying()) {
    if (plain_.Read(record, out_)) return true;
    Reset();
  }
  index_.Start(record.size());
  switch (index_.Build(record)) {
    case JsonIndex::Outcome::kGood:
      break;
    case JsonIndex::Outcome::kBlank:
      return out_.Refuse(Reason::kNotJson, "", "empty");
    case JsonIndex::Outcome::kNotUtf8:
      return out_.Refuse(Reason::kNotUtf8, "", "invalid UTF-8");
    case JsonIndex::Outcome::kBroken:
      return RefuseSyntax(JsonCursor::Problem::kSyntax, record);
  }
  JsonCursor in(index_, record, options_.depth_max);
  if (!in.Eat('{')) {
    if (!IsSoundJson(record)) return false;
    return out_.Refuse(Reason::kNotAnObject, "", "not a JSON object: " + Excerpt(record));
  }
  if (Fields(in, plan_, 0, /*is_record=*/true)) {
    if (!in.at_end()) return RefuseBehind(record);
    out_.CloseExtra();
    return true;
  }
  if (in.problem() != JsonCursor::Problem::kNone) return RefuseSyntax(in.problem(), record);
  // A value does not fit; the reason still is syntax if something behind it is broken.
  const Reason reason = out_.reason();
  std::string detail = out_.TakeDetail();
  return IsSoundJson(record) && out_.Refuse(reason, "", std::move(detail));
}

bool RecordParser::IsSoundJson(std::string_view record) {
  index_.Start(record.size());
  JsonCursor in(index_, record, options_.depth_max);
  if (!in.Skip()) return RefuseSyntax(in.problem(), record);
  return in.at_end() || RefuseSyntax(JsonCursor::Problem::kSyntax, record);
}

bool RecordParser::RefuseBehind(std::string_view record) {
  const size_t last = record.find_last_not_of(" \t\r\n");
  if (record[last] != ',') return RefuseSyntax(JsonCursor::Problem::kSyntax, record);
  return out_.Refuse(Reason::kNotJson, "", "a comma behind the object: " + Excerpt(record));
}

bool RecordParser::RefuseSyntax(JsonCursor::Problem problem, std::string_view record) {
  constexpr char kRecordSeparator = '\x1E';
  if (record.starts_with(kRecordSeparator)) {
    return out_.Refuse(Reason::kNotJson, "",
                       "a record separator before the object (RFC 7464), which is not read");
  }
  switch (problem) {
    case JsonCursor::Problem::kTooDeep:
      return out_.Refuse(Reason::kTooDeep, "",
                         fmt::format("nested deeper than {} levels", options_.depth_max));
    case JsonCursor::Problem::kNotText:
      // Which of the two is wrong decides the reason: \ud800 alone is JSON, but no text.
      return HasOnlyKnownEscapes(record)
                 ? out_.Refuse(Reason::kNotUtf8, "", "unpaired surrogate escape in a string")
                 : out_.Refuse(Reason::kNotJson, "", "bad escape in a string");
    default:
      return out_.Refuse(Reason::kNotJson, "", "not JSON: " + Excerpt(record));
  }
}

bool RecordParser::Fields(JsonCursor& in, const TypePlan& plan, uint32_t first, bool is_record) {
  if (!in.Enter()) return false;
  if (!in.Eat('}')) {
    size_t expected = 0;
    do {
      size_t field = expected;
      if (expected < plan.children.size()) {
        const TypePlan& child = plan.children[expected];
        Slot& slot = out_.slot(first + expected);
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
      if (out_.slot(slot).state != SlotState::kAbsent) {
        return out_.Refuse(Reason::kDuplicateKey, child.name, "given twice");
      }
      const char* begin = is_record && child.is_nested() ? in.position() : nullptr;
      if (!Value(in, child, slot)) return false;
      if (begin != nullptr && has_nested_extra_) {
        out_.AddExtra(raw_key, in.TakenSince(begin));
        has_nested_extra_ = false;
      }
      expected = field + 1;
    } while (in.Eat(','));
    if (!in.Eat('}')) return in.Fail();
  }
  in.Leave();
  return out_.CheckFields(plan, first);
}

bool RecordParser::UndeclaredField(JsonCursor& in, std::string_view raw_key, bool is_record) {
  if (in.at_end()) return in.Fail();
  const char* begin = in.position();
  if (!in.Skip()) return false;
  if (is_record) {
    out_.AddExtra(raw_key, in.TakenSince(begin));
  } else {
    has_nested_extra_ = true;
  }
  return true;
}

bool RecordParser::Value(JsonCursor& in, const TypePlan& plan, uint32_t slot) {
  char c = in.Peek();
  if (c == '"') {
    std::string_view text;
    std::string_view raw;
    if (!in.String(&text, &raw)) return false;
    if (plan.kind != TypeKind::kText) return out_.Text(plan, slot, text);
    out_.slot(slot).SetText(text);
    return true;
  }
  if (c == '{') {
    if (plan.kind == TypeKind::kStruct) {
      in.Eat('{');
      uint32_t first = 0;
      if (!out_.AddSlots(static_cast<uint32_t>(plan.children.size()), &first)) return false;
      out_.slot(slot).first = first;
      out_.slot(slot).state = SlotState::kValue;
      return Fields(in, plan, first, /*is_record=*/false) || out_.RefusedIn(plan);
    }
    if (plan.kind == TypeKind::kMap) return Map(in, plan, slot);
    return out_.RefuseValue(Reason::kWrongType, plan, "not a valid", "an object");
  }
  if (c == '[') {
    if (plan.kind == TypeKind::kList) return List(in, plan, slot);
    return out_.RefuseValue(Reason::kWrongType, plan, "not a valid", "an array");
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
      if (!out_.AddSlots(1, &added)) return false;
      if (count++ == 0) {
        out_.slot(slot).first = added;
      } else {
        out_.slot(previous).next = added;
      }
      previous = added;
      if (!Value(in, element, added) || !out_.CheckRequired(element, added))
        return out_.RefusedIn(plan);
    } while (in.Eat(','));
    if (!in.Eat(']')) return in.Fail();
  }
  in.Leave();
  out_.slot(slot).size = count;
  out_.slot(slot).state = SlotState::kValue;
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
      if (!out_.AddSlots(2, &key)) return false;
      out_.slot(key).next = key + 1;
      if (count++ == 0) {
        out_.slot(slot).first = key;
      } else {
        out_.slot(previous).next = key;
      }
      previous = key + 1;
      std::string_view text;
      std::string_view raw;
      if (!in.String(&text, &raw)) return false;
      if (!in.Eat(':')) return in.Fail();
      const TypePlan& value = plan.children[1];
      if (!out_.Text(plan.children[0], key, text)) return out_.RefusedIn(plan);
      if (!Value(in, value, key + 1) || !out_.CheckRequired(value, key + 1))
        return out_.RefusedIn(plan);
    } while (in.Eat(','));
    if (!in.Eat('}')) return in.Fail();
  }
  in.Leave();
  out_.slot(slot).size = count;
  out_.slot(slot).state = SlotState::kValue;
  if (HasDistinctKeys(slot)) return true;
  return out_.Refuse(Reason::kDuplicateKey, plan.name, "a key of the map given twice");
}

bool RecordParser::HasDistinctKeys(uint32_t slot) {
  map_keys_.clear();
  uint32_t key = out_.slot(slot).first;
  for (uint32_t i = 0; i < out_.slot(slot).size; ++i) {
    map_keys_.push_back(out_.slot(key).view());
    key = out_.slot(key + 1).next;
  }
  std::sort(map_keys_.begin(), map_keys_.end());
  return std::adjacent_find(map_keys_.begin(), map_keys_.end()) == map_keys_.end();
}

bool RecordParser::Scalar(JsonCursor& in, const TypePlan& plan, uint32_t slot) {
  std::string_view raw;
  if (!in.Scalar(&raw)) return false;
  bool is_json = false;
  return out_.Scalar(plan, slot, raw, &is_json) || (!is_json && in.Fail());
}

bool RecordParser::NestedText(const TypePlan& plan, uint32_t slot, std::string_view text) {
  if (field_index_.Build(text) != JsonIndex::Outcome::kGood) {
    return out_.RefuseValue(Reason::kWrongType, plan, "not JSON for", text);
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
        out_.AddExtra(name, text);
      }
      return true;
    }
    if (!is_good && in.problem() == JsonCursor::Problem::kTooDeep) {
      return RefuseSyntax(in.problem(), text);
    }
    if (!is_good && in.problem() == JsonCursor::Problem::kNone) return false;
  }
  return out_.RefuseValue(Reason::kWrongType, plan, "not JSON for", text);
}

bool RecordParser::ParseFields(const std::vector<std::optional<std::string_view>>& fields,
                               const std::vector<int>& column_of_field,
                               const std::vector<std::string>& name_of_field) {
  Reset();
  out_.set_typed_row(false);
  size_t bytes = 0;
  for (const auto& field : fields) bytes += field ? field->size() : 0;
  field_index_.Start(bytes);
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!fields[i]) continue;
    int column = column_of_field[i];
    if (column < 0) {
      out_.AddTextExtra(name_of_field[i], *fields[i]);
      continue;
    }
    const TypePlan& plan = plan_.children[static_cast<size_t>(column)];
    bool is_text = plan.kind == TypeKind::kText || plan.kind == TypeKind::kBinary;
    // Writers that quote every field write null as "".
    if (fields[i]->empty() && !is_text) continue;
    const auto slot = static_cast<uint32_t>(column);
    const bool is_good =
        plan.is_nested() ? NestedText(plan, slot, *fields[i]) : out_.Text(plan, slot, *fields[i]);
    if (!is_good) return false;
  }
  out_.CloseExtra();
  return out_.CheckFields(plan_, 0);
}

}  // namespace playhead::decode
