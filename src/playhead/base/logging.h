#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace playhead::logging {

enum class Level { kDebug, kInfo, kWarn, kError, kOff };

/// One key and its value, which is printed only if the line is: it must live as long as the call
/// that the field is an argument of.
class Field {
 public:
  template <typename T>
  Field(std::string_view key, const T& value)
      : key_(key), value_(&value), print_([](const void* printed) {
          return fmt::format("{}", *static_cast<const T*>(printed));
        }) {}
  std::string_view key() const { return key_; }
  std::string value() const { return print_(value_); }

 private:
  std::string_view key_;
  const void* value_;
  std::string (*print_)(const void*);
};

/// Lines below `level` are dropped. Everything goes to stderr. Default: kInfo. Threads: any.
void SetLevel(Level level);
bool IsOn(Level level);

/// A line that stays below all log lines on a terminal, without a line break; empty takes it away.
/// Threads: any.
void SetStatusLine(std::string line);

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
  Log(Level::kDebug, in, msg, fields);
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
