#pragma once

#include <cstdint>

namespace playhead {

/// Source of the present time, so that tests can hold it. Threads: any.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Microseconds since 1970-01-01 UTC.
  virtual int64_t NowMicros() const = 0;
};

/// The machine's clock; lives as long as the process.
const Clock& SystemClock();

}  // namespace playhead
