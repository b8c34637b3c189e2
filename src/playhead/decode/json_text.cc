#include "playhead/decode/json_text.h"

#include "playhead/decode/json_index.h"

#include <algorithm>

namespace playhead::decode {
namespace {

constexpr size_t kExcerptBytes = 200;

}  // namespace

std::string Excerpt(std::string_view value) {
  bool is_cut = value.size() > kExcerptBytes;
  if (is_cut) {
    value = value.substr(0, kExcerptBytes);
    // Not in the middle of a character.
    size_t begin = value.size();
    while (begin > 0 && begin + 4 > value.size() && (value[begin - 1] & 0xC0) == 0x80) --begin;
    if (begin > 0 && (value[begin - 1] & 0xC0) == 0xC0) value = value.substr(0, begin - 1);
  }
  std::string text(value);
  if (!IsUtf8(text)) {
    std::replace_if(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; }, '?');
  }
  if (is_cut) text += "…";
  return text;
}

bool HasOnlyKnownEscapes(std::string_view json) {
  for (size_t i = json.find('\\'); i != std::string_view::npos; i = json.find('\\', i)) {
    std::string_view escape = json.substr(i, 6);
    if (escape.size() > 1 &&
        std::string_view("\"\\/bfnrt").find(escape[1]) != std::string_view::npos) {
      i += 2;
      continue;
    }
    bool is_unicode =
        escape.size() == 6 && escape[1] == 'u' &&
        escape.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos;
    if (!is_unicode) return false;
    i += 6;
  }
  return true;
}

}  // namespace playhead::decode
