#pragma once

#include <cstdint>

namespace playhead {

/// Source of the present time and of intervals, so that tests can hold them. Threads: any.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Microseconds since 1970-01-01 UTC.
  virtual int64_t NowMicros() const = 0;
  /// Microseconds since some moment, never set back or ahead: for every interval. A clock that is
  /// never set (a fake, say) may leave it as it is.
  virtual int64_t TicksMicros() const { return NowMicros(); }
};

/// The machine's clock; lives as long as the process.
const Clock& SystemClock();

}  // namespace playhead
