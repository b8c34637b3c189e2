#include "playhead/cli/live_status.h"

#include "playhead/base/logging.h"
#include "playhead/cli/output.h"
#include "playhead/cli/progress.h"
#include "playhead/ingest/lake.h"
#include "playhead/sql/row_writer.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <deque>
#include <utility>

namespace playhead::cli {
namespace {

constexpr std::chrono::milliseconds kRedraw(500);
constexpr std::chrono::minutes kLogged(1);
// Long enough to even out epochs of a second.
constexpr std::chrono::seconds kRateWindow(5);

size_t StderrColumns() {
  constexpr size_t kColumnsWhenUnknown = 80;
  winsize size{};
  const bool is_known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return is_known ? size.ws_col : kColumnsWhenUnknown;
}

/// Events a second over the last seconds; over the whole interval where that is longer.
class Rate {
 public:
  double Add(int64_t count) {
    const auto now = std::chrono::steady_clock::now();
    seen_.emplace_back(now, count);
    while (seen_.size() > 2 && now - seen_[1].first >= kRateWindow) seen_.pop_front();
    const auto& [since, before] = seen_.front();
    const double seconds = std::chrono::duration<double>(now - since).count();
    return seconds > 0 ? static_cast<double>(count - before) / seconds : 0;
  }

 private:
  std::deque<std::pair<std::chrono::steady_clock::time_point, int64_t>> seen_;
};

}  // namespace

StatusTotals TotalsOf(const std::vector<ingest::StreamState>& states) {
  StatusTotals totals;
  for (const ingest::StreamState& state : states) {
    totals.committed += state.summary.good + state.summary.dead;
    totals.dead += state.summary.dead;
    totals.files += state.summary.files;
    if (state.lag) totals.lag = totals.lag.value_or(0) + *state.lag;
    if (!state.held_by.empty()) totals.held.push_back(state.summary.stream);
  }
  return totals;
}

std::string StatusText(const StatusTotals& totals, double events_per_second) {
  std::string text = fmt::format("{} events/s, {} committed",
                                 Grouped(static_cast<int64_t>(events_per_second + 0.5)),
                                 Grouped(totals.committed));
  if (totals.lag) text += fmt::format(", lag {}", Grouped(*totals.lag));
  text += fmt::format(", {} dead", Grouped(totals.dead));
  if (totals.files > 0) text += fmt::format(", {} files", Grouped(totals.files));
  if (!totals.held.empty()) text += fmt::format("; held: {}", fmt::join(totals.held, ", "));
  return text;
}

LiveStatus::LiveStatus(const ingest::StatusBoard& board, bool is_terminal,
                       std::chrono::milliseconds interval)
    : board_(board),
      is_terminal_(is_terminal),
      interval_(interval),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

LiveStatus::LiveStatus(const ingest::StatusBoard& board)
    : LiveStatus(board, StderrIsTerminal(), StderrIsTerminal() ? kRedraw : kLogged) {}

LiveStatus::~LiveStatus() {
  thread_.request_stop();
  thread_.join();
  if (is_terminal_) logging::SetStatusLine("");
}

void LiveStatus::Run(const std::stop_token& stop) {
  Rate rate;
  rate.Add(TotalsOf(board_.States()).committed);
  while (ingest::SleepUnlessStopped(
      stop, std::chrono::duration_cast<std::chrono::microseconds>(interval_).count())) {
    const StatusTotals totals = TotalsOf(board_.States());
    const std::string text = StatusText(totals, rate.Add(totals.committed));
    if (is_terminal_) {
      logging::SetStatusLine(sql::CutToColumns(text, StderrColumns()));
    } else {
      logging::Info("ingest", text);
    }
  }
}

}  // namespace playhead::cli
