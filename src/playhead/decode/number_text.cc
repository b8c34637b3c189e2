#include "playhead/decode/number_text.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace playhead::decode {
namespace {

constexpr int64_t kExponentMax = 1'000'000'000;
constexpr int kDigitsMax = 38;  // of an unsigned __int128

using Wide = unsigned __int128;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

const char* SkipDigits(const char* p, const char* end) {
  while (p != end && IsDigit(*p)) ++p;
  return p;
}

/// A number as digits × 10^exponent without zeros at either end.
struct Significand {
  Wide digits = 0;            // the first 38
  int64_t count = 0;          // all significant digits; 0 = the number is zero
  int64_t exponent = 0;       // of the last kept digit
  int64_t last_exponent = 0;  // of the last digit, kept or not

  /// Digits before the decimal point (negative: zeros after it).
  int64_t magnitude() const { return last_exponent + count; }
  bool has_fraction() const { return last_exponent < 0; }
};

Significand Normalize(const NumberParts& parts) {
  std::string_view integer = parts.integer;
  std::string_view fraction = parts.fraction;
  int64_t exponent = parts.exponent;
  while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
  if (fraction.empty()) {
    while (!integer.empty() && integer.back() == '0') {
      integer.remove_suffix(1);
      ++exponent;
    }
  }
  while (!integer.empty() && integer.front() == '0') integer.remove_prefix(1);
  exponent -= static_cast<int64_t>(fraction.size());
  if (integer.empty()) {
    while (!fraction.empty() && fraction.front() == '0') fraction.remove_prefix(1);
  }

  Significand result;
  result.count = static_cast<int64_t>(integer.size() + fraction.size());
  if (result.count == 0) return result;
  int kept = 0;
  for (std::string_view part : {integer, fraction}) {
    for (char c : part) {
      if (kept == kDigitsMax) break;
      result.digits = result.digits * 10 + static_cast<Wide>(c - '0');
      ++kept;
    }
  }
  result.last_exponent = exponent;
  result.exponent = exponent + (result.count - kept);
  return result;
}

Wide PowerOfTen(int64_t exponent) {
  Wide power = 1;
  for (int64_t i = 0; i < exponent; ++i) power *= 10;
  return power;
}

template <typename T>
NumberOutcome ToReal(const NumberParts& parts, T* value) {
  const char* end = parts.text.data() + parts.text.size();
  auto [stop, error] = std::from_chars(parts.text.data(), end, *value);
  if (error == std::errc()) return NumberOutcome::kGood;
  // Both ends of the range report the same error.
  if (Normalize(parts).magnitude() > 0) return NumberOutcome::kOutOfRange;
  *value = parts.is_negative ? T{-0.0} : T{0.0};
  return NumberOutcome::kGood;
}

}  // namespace

bool SplitNumber(std::string_view text, NumberStyle style, NumberParts* parts) {
  const char* p = text.data();
  const char* end = p + text.size();
  if (p == end) return false;
  parts->is_negative = *p == '-';
  if (*p == '+' && style == NumberStyle::kText) {
    text.remove_prefix(1);
    ++p;
  } else if (*p == '-') {
    ++p;
  }
  const char* begin = p;
  p = SkipDigits(p, end);
  parts->integer = {begin, static_cast<size_t>(p - begin)};
  parts->fraction = {};
  parts->exponent = 0;
  parts->text = text;
  if (style == NumberStyle::kJson) {
    if (parts->integer.empty()) return false;
    if (parts->integer.size() > 1 && parts->integer.front() == '0') return false;
  }
  if (p != end && *p == '.') {
    begin = ++p;
    p = SkipDigits(p, end);
    parts->fraction = {begin, static_cast<size_t>(p - begin)};
    if (style == NumberStyle::kJson && parts->fraction.empty()) return false;
  }
  if (parts->integer.empty() && parts->fraction.empty()) return false;
  if (p != end && (*p == 'e' || *p == 'E')) {
    ++p;
    bool is_negative = p != end && *p == '-';
    if (p != end && (*p == '-' || *p == '+')) ++p;
    begin = p;
    int64_t exponent = 0;
    for (; p != end && IsDigit(*p); ++p) {
      exponent = std::min(exponent * 10 + (*p - '0'), kExponentMax);
    }
    if (p == begin) return false;
    parts->exponent = is_negative ? -exponent : exponent;
  }
  return p == end;
}

NumberOutcome ToInteger(const NumberParts& parts, int64_t min, int64_t max, int64_t* value) {
  __int128 wide = 0;
  if (parts.fraction.empty() && parts.exponent == 0 && parts.integer.size() <= 18) {
    int64_t small = 0;
    for (char c : parts.integer) small = small * 10 + (c - '0');
    wide = small;
  } else {
    Significand number = Normalize(parts);
    if (number.count != 0) {
      if (number.has_fraction()) return NumberOutcome::kInexact;
      if (number.magnitude() > 19) return NumberOutcome::kOutOfRange;
      wide = static_cast<__int128>(number.digits * PowerOfTen(number.exponent));
    }
  }
  if (parts.is_negative) wide = -wide;
  if (wide < min || wide > max) return NumberOutcome::kOutOfRange;
  *value = static_cast<int64_t>(wide);
  return NumberOutcome::kGood;
}

NumberOutcome ToDouble(const NumberParts& parts, double* value) { return ToReal(parts, value); }

NumberOutcome ToFloat(const NumberParts& parts, float* value) { return ToReal(parts, value); }

NumberOutcome ToDecimal(const NumberParts& parts, int32_t precision, int32_t scale,
                        __int128* unscaled) {
  Significand number = Normalize(parts);
  *unscaled = 0;
  if (number.count == 0) return NumberOutcome::kGood;
  if (number.last_exponent + scale < 0) return NumberOutcome::kInexact;
  if (number.magnitude() + scale > precision) return NumberOutcome::kOutOfRange;
  auto wide = static_cast<__int128>(number.digits * PowerOfTen(number.exponent + scale));
  *unscaled = parts.is_negative ? -wide : wide;
  return NumberOutcome::kGood;
}

NumberOutcome ToEpochMicros(const NumberParts& parts, int64_t* micros) {
  Significand number = Normalize(parts);
  *micros = 0;
  if (number.count == 0) return NumberOutcome::kGood;
  int64_t magnitude = number.magnitude();
  if (magnitude > 17) return NumberOutcome::kOutOfRange;
  int64_t unit = magnitude <= 11 ? 6 : magnitude <= 14 ? 3 : 0;
  int64_t shift = number.exponent + unit;
  Wide wide = 0;
  bool is_cut = number.last_exponent + unit < 0;
  if (shift >= 0) {
    wide = number.digits * PowerOfTen(shift);
  } else if (shift > -kDigitsMax) {
    wide = number.digits / PowerOfTen(-shift);
  }
  auto value = static_cast<int64_t>(wide);
  *micros = parts.is_negative ? -value - (is_cut ? 1 : 0) : value;
  return NumberOutcome::kGood;
}

}  // namespace playhead::decode
