#pragma once

#include "playhead/base/status.h"
#include "playhead/http/http_message.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::collector {

/// A longer value is cut, so that headers never outweigh the records they are kept with.
inline constexpr size_t kRecordHeaderBytesMax = 256;
inline constexpr size_t kRecordHeaderNamesMax = 16;

/// The names of `collector.record_headers`, separated by commas, in lower case; none for empty
/// text. Errors: kInvalidArgument (not a header name, twice, too many, or one that carries a
/// secret).
Result<std::vector<std::string>> ParseRecordHeaders(std::string_view text);

/// The named headers of a request as a JSON object, `{"user-agent":"player/4.2"}`, in the order of
/// `names`; what the request does not have is left out. Empty when it has none of them.
std::string RecordHeadersJson(const http::HttpRequest& request,
                              const std::vector<std::string>& names);

}  // namespace playhead::collector
