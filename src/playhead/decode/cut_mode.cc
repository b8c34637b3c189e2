#include "playhead/decode/cut_mode.h"

#include "playhead/decode/byte_search.h"

#include <string>

namespace playhead::decode {
namespace {

size_t FindNonBlank(std::string_view text, size_t from) {
  while (from < text.size() && IsBlank(text[from])) ++from;
  return from;
}

/// Whether JSON may go on with `next` on a new line after `previous`, inside an object or array.
/// The beginning of a second record after a truncated line may not.
bool CanContinue(char innermost, char previous, char next) {
  bool expects_value =
      previous == ':' || (innermost == '[' && (previous == '[' || previous == ','));
  if (next == '{' || next == '[') return expects_value;
  if (innermost == '{' && (previous == '{' || previous == ',')) {
    return next == '"' || (next == '}' && previous == '{');
  }
  if (!expects_value) return next == ',' || next == '}' || next == ']' || next == ':';
  return true;
}

/// `text[close]` ends the first object; what follows it decides.
std::optional<CutMode> AfterObject(std::string_view text, size_t close, bool is_all) {
  for (size_t i = close + 1; i < text.size(); ++i) {
    if (text[i] == '\n') return CutMode::kLines;
    if (IsBlank(text[i])) continue;
    return text[i] == '{' || text[i] == '[' ? CutMode::kValues : CutMode::kLines;
  }
  if (is_all) return CutMode::kLines;
  return std::nullopt;
}

/// The first line ends at `line_end`, inside the object.
std::optional<CutMode> AfterOpenLine(std::string_view text, size_t line_end, char innermost,
                                     char previous, bool is_all) {
  size_t next = FindNonBlank(text, line_end);
  if (next < text.size()) {
    return CanContinue(innermost, previous, text[next]) ? CutMode::kValues : CutMode::kLines;
  }
  if (is_all) return CutMode::kLines;
  return std::nullopt;
}

}  // namespace

std::optional<CutMode> DetectCutMode(std::string_view head, bool is_all) {
  size_t first = FindNonBlank(head, 0);
  if (first == head.size()) {
    if (is_all) return CutMode::kLines;
    return std::nullopt;
  }
  if (head[first] == '[') return CutMode::kArray;
  if (head[first] != '{') return CutMode::kLines;
  std::string open;  // the brackets around the present position
  bool in_string = false;
  char previous = '\0';
  for (size_t i = first; i < head.size(); ++i) {
    char c = head[i];
    if (c == '\n') {
      // A string cannot span lines, so this object is broken, and the line is all there is of it.
      if (in_string) return CutMode::kLines;
      return AfterOpenLine(head, i, open.back(), previous, is_all);
    }
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      open += c;
    } else if (c == '}' || c == ']') {
      open.pop_back();
      if (open.empty()) return AfterObject(head, i, is_all);
    }
    if (!IsBlank(c)) previous = c;
  }
  if (is_all) return CutMode::kLines;
  return std::nullopt;
}

}  // namespace playhead::decode
