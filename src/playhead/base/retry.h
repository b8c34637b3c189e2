#pragma once

#include "playhead/base/status.h"

#include <chrono>
#include <functional>
#include <stop_token>

namespace playhead {

struct RetryOptions {
  std::chrono::milliseconds backoff_first{100};  ///< doubled after each try …
  std::chrono::milliseconds backoff_max{5000};   ///< … up to this
  /// No try begins later than this after the first. 0 = one try.
  std::chrono::milliseconds give_up_after{30'000};
};

/// Calls `attempt` until it returns anything but kUnavailable, the time is up, or `stop` is
/// requested. Waits are spread over 50–100 % of the backoff, so that many clients do not come back
/// at once. Returns the last outcome, with the number of tries in its message when there were
/// several; kCancelled after a stop. Threads: the caller's.
Status Retry(const RetryOptions& options, std::stop_token stop,
             const std::function<Status()>& attempt);

/// The same for something that returns a value.
template <typename T>
Result<T> RetryResult(const RetryOptions& options, std::stop_token stop,
                      const std::function<Result<T>()>& attempt) {
  Result<T> last = Status(StatusCode::kCancelled, "not tried");
  PH_RETURN_IF_ERROR(Retry(options, stop, [&] {
    last = attempt();
    return last.status();
  }));
  return last;
}

}  // namespace playhead
