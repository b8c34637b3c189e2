#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace playhead::cli {

/// A line on stderr that says how far a long step is. On a terminal it is redrawn at most ten times
/// a second, after half a second; in a pipe only the last line is printed. Threads: one at a time.
class Progress {
 public:
  /// `total` 0: unknown, only the count and the rate are shown. `unit`: "events", "bytes".
  Progress(std::string label, int64_t total, std::string unit);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Advance(int64_t done);
  /// Draws the last state: "label: 1,000,000 events in 1.62 s (617,284 events/s)".
  void Finish();

  int64_t done() const { return done_; }
  double seconds() const;

 private:
  void Draw();
  std::string label_;
  int64_t total_;
  std::string unit_;
  int64_t done_ = 0;
  bool is_terminal_;
  bool is_drawn_ = false;
  bool is_finished_ = false;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point drawn_;
};

/// 1234567 → "1,234,567".
std::string Grouped(int64_t number);
/// "1,234,567 events"; of bytes "999 bytes", "12.3 MB", "12.3 GB".
std::string Amount(int64_t number, const std::string& unit);

}  // namespace playhead::cli
