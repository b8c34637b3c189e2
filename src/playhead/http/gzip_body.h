#pragma once

#include "playhead/base/status.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace playhead::http {

struct GunzipLimits {
  int64_t bytes_max = 0;  ///< of the result
  /// Result bytes for each input byte; checked once the result is larger than 1 MiB, since a small
  /// one harms nobody.
  int64_t ratio_max = 0;
  /// Asked before the result grows to so many bytes; false stops.
  std::function<bool(int64_t bytes)> may_grow_to;
};

/// Unpacks a gzip body (one or several members). Errors: kInvalidArgument (not gzip, damaged,
/// truncated, something behind it), kResourceExhausted names the limit it would pass, kUnavailable
/// (may_grow_to said no).
Result<std::string> Gunzip(std::string_view packed, const GunzipLimits& limits);

}  // namespace playhead::http
