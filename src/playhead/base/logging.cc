#include "playhead/base/logging.h"

#include "playhead/base/thread_annotations.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <memory>
#include <mutex>

namespace playhead::logging {
namespace {

spdlog::level::level_enum LevelOf(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
    case Level::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::off;
}

std::string_view NameOf(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarn:
      return "warn";
    case Level::kError:
      return "error";
    case Level::kOff:
      return "off";
  }
  return "off";
}

spdlog::logger& Logger() {
  // Never destroyed: a thread may log while the process ends.
  static spdlog::logger* const kLogger = [] {
    auto* made = new spdlog::logger("playhead", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("time=%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::info);
    return made;
  }();
  return *kLogger;
}

struct StatusLine {
  std::mutex mutex;
  std::string text PH_GUARDED_BY(mutex);
};

StatusLine& TheStatusLine() {
  static auto* const kLine = new StatusLine;  // as the logger
  return *kLine;
}

void Draw(const std::string& line) {
  const std::string text = "\r\x1b[K" + line;
  (void)!write(STDERR_FILENO, text.data(), text.size());
}

bool IsBare(std::string_view value) {
  if (value.empty()) return false;
  for (const char c : value) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == '\x7F') return false;
  }
  return true;
}

void AppendValue(std::string& line, std::string_view value) {
  if (IsBare(value)) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (c == '\n') {
      line += "\\n";
    } else if (static_cast<unsigned char>(c) < ' ' || c == '\x7F') {
      line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      line += c;
    }
  }
  line += '"';
}

}  // namespace

void SetLevel(Level level) { Logger().set_level(LevelOf(level)); }

void SetStatusLine(std::string line) {
  StatusLine& status = TheStatusLine();
  const std::lock_guard lock(status.mutex);
  if (status.text == line) return;
  Draw(line);
  status.text = std::move(line);
}

bool IsOn(Level level) { return Logger().should_log(LevelOf(level)); }

std::string FormatLine(Level level, std::string_view in, std::string_view msg,
                       std::initializer_list<Field> fields) {
  std::string line = fmt::format("level={} in={} msg=\"{}\"", NameOf(level), in, msg);
  for (const Field& field : fields) {
    line += ' ';
    line += field.key();
    line += '=';
    AppendValue(line, field.value());
  }
  return line;
}

void Log(Level level, std::string_view in, std::string_view msg,
         std::initializer_list<Field> fields) {
  if (!IsOn(level)) return;
  const std::string line = FormatLine(level, in, msg, fields);
  StatusLine& status = TheStatusLine();
  const std::lock_guard lock(status.mutex);
  if (!status.text.empty()) Draw("");
  Logger().log(LevelOf(level), "{}", line);
  if (!status.text.empty()) Draw(status.text);
}

}  // namespace playhead::logging
