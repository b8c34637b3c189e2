#pragma once

#include "playhead/base/status.h"

#include <string>
#include <string_view>

namespace playhead::iceberg {

/// Raw deflate (RFC 1951), as Avro's codec of that name uses it.
Result<std::string> Deflate(std::string_view bytes);

/// Errors: kDataCorrupt, also when the result would be longer than `bytes_max`.
Result<std::string> Inflate(std::string_view deflated, size_t bytes_max);

/// The contents of one gzip member (RFC 1952). Errors: as Inflate.
Result<std::string> Gunzip(std::string_view gzip, size_t bytes_max);

}  // namespace playhead::iceberg
