#pragma once

#include <cstdint>
#include <string_view>

namespace playhead::decode {

/// A number as delivered, split at its punctuation; nothing is computed yet.
struct NumberParts {
  bool is_negative = false;
  std::string_view integer;   ///< digits before the point
  std::string_view fraction;  ///< digits after the point, may be empty
  int64_t exponent = 0;       ///< written exponent, held within ±1,000,000,000
  std::string_view text;      ///< the whole number without a leading '+'
};

enum class NumberStyle {
  kJson,  ///< RFC 8259
  kText,  ///< also a leading '+', leading zeros, `.5` and `5.`; never nan, inf, hex, blanks
};

/// False when `text` is not a number of that style.
bool SplitNumber(std::string_view text, NumberStyle style, NumberParts* parts);

enum class NumberOutcome {
  kGood,
  kInexact,     ///< has a fraction that the target cannot hold
  kOutOfRange,  ///< its magnitude is not representable
};

/// `1.0` and `1e3` are integers, `1.5` is kInexact.
NumberOutcome ToInteger(const NumberParts& parts, int64_t min, int64_t max, int64_t* value);

/// Correctly rounded; too small becomes zero, too large is kOutOfRange.
NumberOutcome ToDouble(const NumberParts& parts, double* value);
NumberOutcome ToFloat(const NumberParts& parts, float* value);

/// The unscaled value of DECIMAL(precision, scale); precision at most 38.
NumberOutcome ToDecimal(const NumberParts& parts, int32_t precision, int32_t scale,
                        __int128* unscaled);

/// Microseconds since 1970 from seconds, milliseconds or microseconds, told apart by magnitude:
/// below 10^11 seconds (to the year 5138), below 10^14 ms (from 1973), below 10^17 us, else
/// kOutOfRange. What is finer than a microsecond is cut off (towards the past).
NumberOutcome ToEpochMicros(const NumberParts& parts, int64_t* micros);

}  // namespace playhead::decode
