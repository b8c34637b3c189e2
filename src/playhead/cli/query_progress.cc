#include "playhead/cli/query_progress.h"

#include "playhead/cli/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace playhead::cli {
namespace {

constexpr std::chrono::milliseconds kDelay{500};
constexpr int kBarColumns = 40;

}  // namespace

std::function<bool(double)> QueryProgress::Callback() {
  return [this, is_drawn = StderrIsTerminal()](double percent) {
    if (is_drawn) Draw(percent);
    return !StdoutIsClosed();
  };
}

void QueryProgress::Start() { started_ = std::chrono::steady_clock::now(); }

void QueryProgress::Draw(double percent) {
  const auto elapsed = std::chrono::steady_clock::now() - started_;
  if (elapsed < kDelay) return;
  const double seconds = std::chrono::duration<double>(elapsed).count();
  if (percent < 0) {
    WriteNote(fmt::format("\r\033[K{:.1f} s", seconds));
  } else {
    const int filled = static_cast<int>(std::clamp(percent, 0.0, 100.0) / 100 * kBarColumns);
    std::string bar;
    for (int i = 0; i < kBarColumns; ++i) bar += i < filled ? "█" : "░";
    WriteNote(fmt::format("\r\033[K{} {:3.0f} % {:.1f} s", bar, percent, seconds));
  }
  is_drawn_ = true;
}

void QueryProgress::Clear() {
  if (is_drawn_) WriteNote("\r\033[K");
  is_drawn_ = false;
}

}  // namespace playhead::cli
