#pragma once

#include "playhead/base/status.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace playhead::decode {

/// Turns wall-clock times of one IANA zone into UTC.
///
/// A time that the clocks skipped (spring) or showed twice (autumn) is read with the offset that
/// was in force before the change: 02:30 in a gap becomes 03:30 of the new time, and of two 02:30
/// the first one is meant.
/// Source   /usr/share/zoneinfo, by Abseil; changes are laid out to the year 2400, so that a
///          look-up is a binary search. "UTC" needs no file.
/// Threads  any, once loaded.
class TimeZone {
 public:
  /// UTC.
  TimeZone() = default;

  /// Errors: kInvalidArgument (no such zone).
  static Result<TimeZone> Load(std::string_view name);

  bool is_utc() const { return switches_.empty() && first_offset_s_ == 0; }

  /// `local_s` are seconds since 1970 as the wall clock shows them.
  int64_t ToUtcSeconds(int64_t local_s) const;

 private:
  struct Switch {
    int64_t local_s;   // first wall-clock second that is read with offset_s
    int32_t offset_s;  // east of UTC
  };

  int32_t first_offset_s_ = 0;
  std::vector<Switch> switches_;  // ascending
};

}  // namespace playhead::decode
