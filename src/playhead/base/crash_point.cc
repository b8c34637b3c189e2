#include "playhead/base/crash_point.h"

#include <unistd.h>

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace playhead {
namespace {

struct Target {
  std::string name;
  int64_t passing = 1;
};

Target ReadTarget() {
  const char* value = std::getenv("PLAYHEAD_CRASH_AT");
  if (value == nullptr) return {};
  std::string_view text = value;
  Target target;
  if (const size_t colon = text.rfind(':'); colon != std::string_view::npos) {
    const std::string_view number = text.substr(colon + 1);
    std::from_chars(number.data(), number.data() + number.size(), target.passing);
    text = text.substr(0, colon);
  }
  target.name = text;
  return target;
}

}  // namespace

void CrashPoint(std::string_view name) {
  static const Target kTarget = ReadTarget();
  static std::atomic<int64_t> passed = 0;
  if (kTarget.name.empty() || kTarget.name != name) return;
  if (passed.fetch_add(1) + 1 == kTarget.passing) kill(getpid(), SIGKILL);
}

}  // namespace playhead
