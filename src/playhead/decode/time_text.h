#pragma once

#include "playhead/decode/time_zone.h"

#include <cstdint>
#include <string_view>

namespace playhead::decode {

enum class TimeOutcome {
  kGood,
  kNotATime,    ///< not of the forms below
  kOutOfRange,  ///< of the form, but there is no such day or time (30 February, 25:00, offset
                ///< +19:00)
};

/// Reads a point in time as microseconds since 1970 UTC.
///
/// Forms    `YYYY-MM-DD`, or that followed by `T`, `t` or a blank and `hh:mm[:ss[.fraction]]` and
///          an optional offset `Z`, `±hh`, `±hhmm`, `±hh:mm` or ` UTC`, which a blank may precede.
/// Zone     without an offset the wall clock of `zone`; a date alone is its midnight.
/// Fraction 1 to 9 digits after a point or comma, cut to microseconds.
/// Range    years 0001 to 9999, of the result too; second 60 (a leap second) is the next minute's
/// first.
TimeOutcome ParseTime(std::string_view text, const TimeZone& zone, int64_t* micros);

/// Reads a date as days since 1970: a date alone, or the date as written of any form above.
TimeOutcome ParseDate(std::string_view text, int32_t* days);

}  // namespace playhead::decode
