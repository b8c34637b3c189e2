#include "playhead/decode/framing.h"

#include "playhead/decode/byte_search.h"
#include "playhead/decode/value_scan.h"

#include <algorithm>

namespace playhead::decode {
namespace {

size_t FindNonBlank(std::string_view text, size_t from) {
  while (from < text.size() && IsBlank(text[from])) ++from;
  return from;
}

/// Decides by what follows the first object, which ends before `text`.
std::optional<Framing> AfterObject(std::string_view text, bool is_all) {
  const size_t next = std::min(FindNonBlank(text, 0), text.size());
  if (text.substr(0, next).find('\n') != std::string_view::npos) return Framing::kLines;
  if (next < text.size()) {
    return text[next] == '{' || text[next] == '[' ? Framing::kValues : Framing::kLines;
  }
  if (is_all) return Framing::kLines;
  return std::nullopt;
}

}  // namespace

std::optional<Framing> DetectFraming(std::string_view head, bool is_all) {
  head.remove_prefix(FindNonBlank(head, 0));
  if (!head.empty() && head[0] == '[') return Framing::kArray;
  if (!head.empty() && head[0] != '{') return Framing::kLines;
  const size_t line_end = head.find('\n');
  ValueScan scan;
  if (const size_t close = scan.Scan(head.substr(0, line_end)); close != std::string_view::npos) {
    return AfterObject(head.substr(close), is_all);
  }
  if (line_end != std::string_view::npos) {
    // A string cannot span lines, so then the object is broken, and the line is all there is of it.
    if (scan.is_in_string()) return Framing::kLines;
    const size_t next = FindNonBlank(head, line_end);
    if (next < head.size()) {
      return scan.CanGoOnWith(head[next]) ? Framing::kValues : Framing::kLines;
    }
  }
  if (is_all) return Framing::kLines;
  return std::nullopt;
}

}  // namespace playhead::decode
