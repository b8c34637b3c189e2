#pragma once

#include "playhead/decode/record_splitter.h"

#include <optional>
#include <string_view>

namespace playhead::decode {

/// The mode of an input that begins with `head` (without a byte order mark); nullopt when more of
/// it is needed, which never happens when `is_all`.
std::optional<Framing> DetectFraming(std::string_view head, bool is_all);

}  // namespace playhead::decode
