#include "playhead/decode/value_scan.h"

#include "playhead/decode/byte_search.h"

namespace playhead::decode {

size_t ValueScan::Scan(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (after_backslash_) {
      after_backslash_ = false;
    } else if (in_string_) {
      after_backslash_ = c == '\\';
      in_string_ = c != '"';
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      open_ += c;
    } else if (c == '}' || c == ']') {
      open_.pop_back();
      if (open_.empty()) return i + 1;
    }
    if (!IsBlank(c)) previous_ = c;
  }
  return std::string_view::npos;
}

bool ValueScan::CanGoOnWith(char next) const {
  const bool expects_value =
      previous_ == ':' || (open_.back() == '[' && (previous_ == '[' || previous_ == ','));
  if (next == '{' || next == '[') return expects_value;
  if (open_.back() == '{' && (previous_ == '{' || previous_ == ',')) {
    return next == '"' || (next == '}' && previous_ == '{');
  }
  if (!expects_value) return next == ',' || next == '}' || next == ']' || next == ':';
  return true;
}

}  // namespace playhead::decode
