#pragma once

#include <string>
#include <string_view>

namespace playhead {

/// Appends `text`, which is UTF-8, as a JSON string with its quotes.
void AppendJsonString(std::string_view text, std::string* json);

/// The same for any bytes: what is not UTF-8 becomes U+FFFD. Returns whether all of them were.
bool AppendJsonBytes(std::string_view bytes, std::string* json);

}  // namespace playhead
