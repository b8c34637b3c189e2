#include "playhead/decode/json_cursor.h"

#include "playhead/decode/number_text.h"

namespace playhead::decode {

bool IsJsonScalar(std::string_view raw) {
  NumberParts parts;
  return raw == "true" || raw == "false" || raw == "null" ||
         SplitNumber(raw, NumberStyle::kJson, &parts);
}

bool JsonCursor::Skip() {
  std::string_view value;
  std::string_view raw;
  switch (Peek()) {
    case '{':
      return SkipObject();
    case '[':
      return SkipArray();
    case '"':
      return String(&value, &raw);
    default:
      return Scalar(&raw) && (IsJsonScalar(raw) || Fail());
  }
}

bool JsonCursor::SkipObject() {
  Eat('{');
  if (!Enter()) return false;
  if (!Eat('}')) {
    std::string_view key;
    std::string_view raw;
    do {
      if (!String(&key, &raw)) return false;
      if (!Eat(':')) return Fail();
      if (!Skip()) return false;
    } while (Eat(','));
    if (!Eat('}')) return Fail();
  }
  Leave();
  return true;
}

bool JsonCursor::SkipArray() {
  Eat('[');
  if (!Enter()) return false;
  if (!Eat(']')) {
    do {
      if (!Skip()) return false;
    } while (Eat(','));
    if (!Eat(']')) return Fail();
  }
  Leave();
  return true;
}

}  // namespace playhead::decode
