#pragma once

#include <string>
#include <string_view>

namespace playhead::sql {

/// `"name"` with its own quotes doubled: an identifier whatever it holds.
std::string QuotedName(std::string_view name);
/// `'text'` with its own quotes doubled: a literal.
std::string QuotedText(std::string_view text);

}  // namespace playhead::sql
