#pragma once

#include <chrono>
#include <functional>

namespace playhead::cli {

/// The line on stderr that shows how far a running statement is: after half a second, at most ten
/// times a second, and only if stderr is a terminal. Threads: one at a time.
class QueryProgress {
 public:
  /// For sql::ConnectionOptions::on_progress; a statement ends when nobody reads its output any
  /// more.
  std::function<bool(double)> Callback();
  /// A statement begins.
  void Start();
  /// It has ended: takes the line away.
  void Clear();

 private:
  void Draw(double percent);

  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  bool is_drawn_ = false;
};

}  // namespace playhead::cli
