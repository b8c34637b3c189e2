#pragma once

#include <stop_token>
#include <thread>

namespace playhead {

/// Turns the first SIGTERM or SIGINT into a stop request. The second one ends the process as if
/// nobody had listened, so that a shutdown that hangs can be interrupted. At most one lives at a
/// time; the old handlers come back with its end. Threads: any may call token() and wait on it.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  /// Blocks until there is a stop request.
  void Wait() const;

 private:
  std::stop_source source_;
  std::jthread listener_;
};

}  // namespace playhead
