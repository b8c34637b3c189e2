#include "playhead/cli/progress.h"

#include "playhead/cli/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace playhead::cli {
namespace {

constexpr auto kFirstDraw = std::chrono::milliseconds(500);
constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr int64_t kBarCells = 24;

}  // namespace

std::string Grouped(int64_t number) {
  std::string digits = fmt::format("{}", number < 0 ? -number : number);
  for (auto at = static_cast<int64_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<size_t>(at), ",");
  }
  return number < 0 ? "-" + digits : digits;
}

std::string Amount(int64_t number, const std::string& unit) {
  if (unit != "bytes") return fmt::format("{} {}", Grouped(number), unit);
  if (number < 1'000'000) return fmt::format("{} bytes", Grouped(number));
  if (number < 10'000'000'000) return fmt::format("{:.1f} MB", static_cast<double>(number) / 1e6);
  return fmt::format("{:.1f} GB", static_cast<double>(number) / 1e9);
}

Progress::Progress(std::string label, int64_t total, std::string unit)
    : label_(std::move(label)),
      total_(total),
      unit_(std::move(unit)),
      is_terminal_(StderrIsTerminal()),
      started_(std::chrono::steady_clock::now()),
      drawn_(started_ + kFirstDraw - kRedraw) {}

Progress::~Progress() {
  if (is_drawn_ && !is_finished_) WriteNote("\r\x1b[K");
}

double Progress::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

void Progress::Advance(int64_t done) {
  done_ = done;
  if (is_terminal_ && std::chrono::steady_clock::now() - drawn_ >= kRedraw) Draw();
}

void Progress::Draw() {
  drawn_ = std::chrono::steady_clock::now();
  is_drawn_ = true;
  const double rate = static_cast<double>(done_) / std::max(seconds(), 1e-9);
  std::string bar;
  if (total_ > 0) {
    const int64_t cells = std::clamp<int64_t>(done_ * kBarCells / total_, 0, kBarCells);
    for (int64_t i = 0; i < kBarCells; ++i) bar += i < cells ? "█" : "░";
    bar += fmt::format(" {:3}%", std::clamp<int64_t>(done_ * 100 / total_, 0, 100));
  }
  WriteNote(fmt::format("\r\x1b[K{}: {} {} ({}/s)", label_, bar, Amount(done_, unit_),
                        Amount(static_cast<int64_t>(rate), unit_)));
}

void Progress::Finish() {
  if (is_finished_) return;
  is_finished_ = true;
  const double elapsed = seconds();
  const double rate = static_cast<double>(done_) / std::max(elapsed, 1e-9);
  WriteNote(fmt::format("{}{}: {} in {:.2f} s ({}/s)\n", is_drawn_ ? "\r\x1b[K" : "", label_,
                        Amount(done_, unit_), elapsed, Amount(static_cast<int64_t>(rate), unit_)));
}

}  // namespace playhead::cli
