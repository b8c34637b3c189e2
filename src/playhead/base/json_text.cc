#include "playhead/base/json_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace playhead {

void AppendJsonString(std::string_view text, std::string* json) {
  *json += '"';
  size_t copied = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20) continue;
    json->append(text, copied, i - copied);
    copied = i + 1;
    if (c == '"' || c == '\\') {
      *json += '\\';
      *json += c;
    } else {
      *json += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    }
  }
  json->append(text, copied, text.size() - copied);
  *json += '"';
}

bool AppendJsonBytes(std::string_view bytes, std::string* json) {
  const bool is_ascii = std::ranges::all_of(bytes, [](char c) { return (c & 0x80) == 0; });
  if (is_ascii) {
    AppendJsonString(bytes, json);
    return true;
  }
  const nlohmann::json value = bytes;
  try {
    *json += value.dump();
    return true;
  } catch (const nlohmann::json::exception&) {
    *json += value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return false;
  }
}

}  // namespace playhead
