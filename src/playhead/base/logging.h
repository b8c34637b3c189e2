#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace playhead::logging {

enum class Level { kDebug, kInfo, kWarn, kError, kOff };

/// One key and its printed value; values with blanks or quotes are quoted by the sink.
struct Field {
  template <typename T>
  Field(std::string_view field_key, const T& field_value)
      : key(field_key), value(fmt::format("{}", field_value)) {}
  std::string_view key;
  std::string value;
};

/// Lines below `level` are dropped. Everything goes to stderr. Default: kInfo. Threads: any.
void SetLevel(Level level);
bool IsOn(Level level);

/// `time=2026-01-02T03:04:05.678Z level=warn in=ingest msg="partition paused" topic=plays`. Never
/// per record, never a secret, never payloads. Threads: any; a line is written whole.
void Log(Level level, std::string_view in, std::string_view msg,
         std::initializer_list<Field> fields = {});

/// The line without its time. Blanks, quotes and line breaks in values are quoted and escaped, so
/// that nothing from outside can forge a second line.
std::string FormatLine(Level level, std::string_view in, std::string_view msg,
                       std::initializer_list<Field> fields);

inline void Debug(std::string_view in, std::string_view msg,
                  std::initializer_list<Field> fields = {}) {
  if (IsOn(Level::kDebug)) Log(Level::kDebug, in, msg, fields);
}
inline void Info(std::string_view in, std::string_view msg,
                 std::initializer_list<Field> fields = {}) {
  Log(Level::kInfo, in, msg, fields);
}
inline void Warn(std::string_view in, std::string_view msg,
                 std::initializer_list<Field> fields = {}) {
  Log(Level::kWarn, in, msg, fields);
}
inline void Error(std::string_view in, std::string_view msg,
                  std::initializer_list<Field> fields = {}) {
  Log(Level::kError, in, msg, fields);
}

}  // namespace playhead::logging
