#include "playhead/decode/slot_writer.h"

#include "playhead/base/json_text.h"
#include "playhead/base/text_case.h"
#include "playhead/decode/json_text.h"
#include "playhead/decode/time_text.h"

#include <arrow/result.h>
#include <arrow/util/base64.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace playhead::decode {
namespace {

constexpr size_t kLargeSlots = 1 << 16;
constexpr size_t kLargeExtraBytes = 1 << 20;
// Fewer digits, but for a lone 0, are a year or a compact date at least as likely as seconds since
// 1970.
constexpr size_t kEpochTextDigitsMin = 9;

}  // namespace

SlotWriter::SlotWriter(TimeZone zone, int64_t slots_max)
    : zone_(std::move(zone)), slots_max_(slots_max) {}

void SlotWriter::Reset(size_t columns) {
  if (slots_.size() < columns) slots_.resize(columns);
  // An absent slot is all zeros.
  if (columns > 0) std::memset(static_cast<void*>(slots_.data()), 0, columns * sizeof(Slot));
  slot_count_ = columns;
  decimals_.clear();
  blobs_.clear();
  extra_.clear();
  path_.clear();
}

bool SlotWriter::MakeRoom(size_t slots) {
  if (slots > static_cast<size_t>(slots_max_)) {
    return Refuse(Reason::kTooLarge, "", fmt::format("more than {} values", slots_max_));
  }
  slots_.resize(std::max(slots, 2 * slots_.size()));
  return true;
}

bool SlotWriter::TypedText(const TypePlan& plan, uint32_t slot, std::string_view text,
                           bool* is_taken) {
  Slot& out = slots_[slot];
  if (plan.kind == TypeKind::kBinary) {
    *is_taken = true;
    arrow::Result<std::string> bytes = arrow::util::base64_decode(text);
    if (!bytes.ok()) return RefuseValue(Reason::kWrongType, plan, "not base64 for", text);
    out.SetText(blobs_.emplace_back(*std::move(bytes)));
    return true;
  }
  const bool is_negative = text.starts_with('-');
  const bool is_float = plan.kind == TypeKind::kFloat32 || plan.kind == TypeKind::kFloat64;
  *is_taken = is_float && (text == "NaN" || text.substr(is_negative ? 1 : 0) == "Infinity");
  if (!*is_taken) return true;
  out.real = text == "NaN"
                 ? std::numeric_limits<double>::quiet_NaN()
                 : std::copysign(std::numeric_limits<double>::infinity(), is_negative ? -1.0 : 1.0);
  out.state = SlotState::kValue;
  return true;
}

bool SlotWriter::Text(const TypePlan& plan, uint32_t slot, std::string_view text) {
  if (is_typed_row_) {
    bool is_taken = false;
    const bool is_good = TypedText(plan, slot, text, &is_taken);
    if (is_taken) return is_good;
  }
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
    default:
      break;
  }
  if (time == TimeOutcome::kGood) {
    out.state = SlotState::kValue;
    return true;
  }
  if (time == TimeOutcome::kOutOfRange) {
    return RefuseValue(Reason::kOutOfRange, plan, "no such", text);
  }
  NumberParts parts;
  if (plan.kind != TypeKind::kBool && plan.kind != TypeKind::kDate32 && !plan.is_nested() &&
      SplitNumber(text, NumberStyle::kText, &parts)) {
    return Number(plan, slot, parts, /*is_text=*/true);
  }
  return RefuseValue(Reason::kWrongType, plan, "not a valid", text);
}

bool SlotWriter::Scalar(const TypePlan& plan, uint32_t slot, std::string_view raw, bool* is_json) {
  Slot& out = slots_[slot];
  NumberParts parts;
  const bool is_number = SplitNumber(raw, NumberStyle::kJson, &parts);
  const bool is_true = raw == "true";
  *is_json = true;
  if (!is_number && !is_true && raw != "false") {
    *is_json = raw == "null";
    if (*is_json) out.state = SlotState::kNull;
    return *is_json;
  }
  if (plan.kind == TypeKind::kText || plan.kind == TypeKind::kBinary) {
    out.SetText(raw);
    return true;
  }
  if (is_number) return Number(plan, slot, parts, /*is_text=*/false);
  if (plan.kind != TypeKind::kBool)
    return RefuseValue(Reason::kWrongType, plan, "not a valid", raw);
  out.integer = is_true ? 1 : 0;
  out.state = SlotState::kValue;
  return true;
}

bool SlotWriter::Number(const TypePlan& plan, uint32_t slot, const NumberParts& parts,
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
      if (is_text && parts.integer.size() < kEpochTextDigitsMin && parts.text != "0") {
        return RefuseValue(Reason::kWrongType, plan, "not a valid", parts.text);
      }
      outcome = ToEpochMicros(parts, &out.integer);
      break;
    default:
      return RefuseValue(Reason::kWrongType, plan, "not a valid", parts.text);
  }
  switch (outcome) {
    case NumberOutcome::kGood:
      out.state = SlotState::kValue;
      return true;
    case NumberOutcome::kInexact:
      return RefuseValue(Reason::kWrongType, plan, "fraction too fine for", parts.text);
    case NumberOutcome::kOutOfRange:
      return RefuseValue(Reason::kOutOfRange, plan, "too large for", parts.text);
  }
  return false;
}

bool SlotWriter::CheckFields(const TypePlan& plan, uint32_t first) {
  for (uint32_t i : plan.required) {
    if (!slots_[first + i].has_value()) return CheckRequired(plan.children[i], first + i);
  }
  return true;
}

bool SlotWriter::CheckRequired(const TypePlan& plan, uint32_t slot) {
  if (!plan.is_required || slots_[slot].has_value()) return true;
  return Refuse(
      Reason::kMissingField, plan.name,
      slots_[slot].state == SlotState::kNull ? "required but null" : "required but absent");
}

void SlotWriter::AddExtra(std::string_view raw_key, std::string_view raw_value) {
  extra_ += extra_.empty() ? '{' : ',';
  extra_ += raw_key;
  extra_ += ':';
  extra_ += raw_value;
}

void SlotWriter::AddTextExtra(std::string_view name, std::string_view value) {
  extra_ += extra_.empty() ? '{' : ',';
  AppendJsonString(name, &extra_);
  extra_ += ':';
  AppendJsonString(value, &extra_);
}

bool SlotWriter::Refuse(Reason reason, std::string_view path, std::string problem) {
  reason_ = reason;
  path_ = path;
  problem_ = std::move(problem);
  return false;
}

bool SlotWriter::RefuseValue(Reason reason, const TypePlan& plan, std::string_view problem,
                             std::string_view value) {
  return Refuse(reason, plan.name,
                fmt::format("{} {}: {}", problem, plan.type_name, Excerpt(value)));
}

bool SlotWriter::RefusedIn(const TypePlan& plan) {
  if (!path_.empty()) path_ = plan.name + "." + path_;
  return false;
}

std::string SlotWriter::TakeDetail() {
  if (path_.empty()) return std::exchange(problem_, {});
  return std::exchange(path_, {}) + ": " + std::exchange(problem_, {});
}

void SlotWriter::ReleaseLarge() {
  if (slots_.capacity() > kLargeSlots) {
    std::vector<Slot>().swap(slots_);
    slot_count_ = 0;
  }
  if (decimals_.capacity() > kLargeSlots) std::vector<__int128>().swap(decimals_);
  if (extra_.capacity() > kLargeExtraBytes) std::string().swap(extra_);
}

}  // namespace playhead::decode
