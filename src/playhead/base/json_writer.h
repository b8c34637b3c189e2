#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace playhead {

/// Appends compact JSON to one string, in the order of the calls. Keys and values must alternate
/// inside objects; nothing is checked. Bytes that are not UTF-8 become U+FFFD, since readers refuse
/// a whole document for one bad byte.
class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }

  JsonWriter& Key(std::string_view key);
  JsonWriter& String(std::string_view value);
  JsonWriter& Int(int64_t value);
  JsonWriter& Bool(bool value);
  JsonWriter& Null() { return Raw("null"); }
  /// `json` is one complete value.
  JsonWriter& Raw(std::string_view json);

  /// Whether a text was not UTF-8.
  bool has_replaced() const { return has_replaced_; }
  std::string Take() && { return std::move(text_); }

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void Separate();

  std::string text_;
  bool needs_comma_ = false;
  bool has_replaced_ = false;
};

}  // namespace playhead
