#include "playhead/sim/json_text.h"

#include <charconv>

namespace playhead::sim {

void AppendInt(int64_t value, std::string& text) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  text.append(digits, static_cast<size_t>(end - digits));
}

void AppendPadded(int64_t value, int digits, std::string& text) {
  const size_t start = text.size();
  AppendInt(value, text);
  const int missing = digits - static_cast<int>(text.size() - start);
  if (missing > 0) text.insert(start, static_cast<size_t>(missing), '0');
}

void AppendThousandths(int64_t value, std::string& text) {
  if (value < 0) {
    text.push_back('-');
    value = -value;
  }
  AppendInt(value / 1000, text);
  text.push_back('.');
  const int64_t fraction = value % 1000;
  text.push_back(static_cast<char>('0' + fraction / 100));
  if (fraction % 100 == 0) return;
  text.push_back(static_cast<char>('0' + fraction / 10 % 10));
  if (fraction % 10 == 0) return;
  text.push_back(static_cast<char>('0' + fraction % 10));
}

void AppendQuoted(std::string_view value, std::string& text) {
  text.push_back('"');
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      text.push_back('\\');
      text.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      text.append("\\u00");
      text.push_back(c < 0x10 ? '0' : '1');
      text.push_back("0123456789abcdef"[c & 15]);
    } else {
      text.push_back(c);
    }
  }
  text.push_back('"');
}

void AppendCsvField(std::string_view value, std::string& text) {
  if (value.find_first_of(",\"\r\n") == std::string_view::npos) {
    text.append(value);
    return;
  }
  text.push_back('"');
  for (const char c : value) {
    if (c == '"') text.push_back('"');
    text.push_back(c);
  }
  text.push_back('"');
}

}  // namespace playhead::sim
