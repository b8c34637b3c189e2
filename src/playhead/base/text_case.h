#pragma once

#include <string>
#include <string_view>

namespace playhead {

/// ASCII letters only, whatever the locale.
inline char LowerCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
std::string LowerCase(std::string_view text);
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

}  // namespace playhead
