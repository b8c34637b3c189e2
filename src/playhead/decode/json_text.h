#pragma once

#include <string>
#include <string_view>

namespace playhead::decode {

/// `value` for a message: at most 200 bytes, cut between characters; what is not UTF-8 becomes '?'.
std::string Excerpt(std::string_view value);

/// Whether every backslash of `json` begins an escape that JSON knows; a text that fails to
/// unescape all the same has half of a surrogate pair in it.
bool HasOnlyKnownEscapes(std::string_view json);

}  // namespace playhead::decode
