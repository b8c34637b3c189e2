#pragma once

#include "playhead/ingest/status_board.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace playhead::cli {

/// All streams together, as one line shows them.
struct StatusTotals {
  int64_t committed = 0;  ///< rows and dead letters
  int64_t dead = 0;
  int64_t files = 0;
  std::optional<int64_t> lag;     ///< none: no stream has a log
  std::vector<std::string> held;  ///< streams that do not move
};
StatusTotals TotalsOf(const std::vector<ingest::StreamState>& states);
/// `1,234 events/s, 56,789 committed, lag 120, 3 dead, 2 files; held: plays`. Lag, files and held
/// only if there are any.
std::string StatusText(const StatusTotals& totals, double events_per_second);

/// Shows how ingest goes on: on a terminal a line below all others, in a pipe a log line a minute.
/// Ends with its destruction, which takes the line away.
class LiveStatus {
 public:
  /// `board` outlives it.
  LiveStatus(const ingest::StatusBoard& board, bool is_terminal,
             std::chrono::milliseconds interval);
  explicit LiveStatus(const ingest::StatusBoard& board);
  ~LiveStatus();

 private:
  void Run(const std::stop_token& stop);

  const ingest::StatusBoard& board_;
  const bool is_terminal_;
  const std::chrono::milliseconds interval_;
  std::jthread thread_;
};

}  // namespace playhead::cli
