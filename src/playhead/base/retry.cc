#include "playhead/base/retry.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>

namespace playhead {
namespace {

/// False when `stop` came first.
bool SleepUnlessStopped(std::chrono::milliseconds time, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

std::chrono::milliseconds Spread(std::chrono::milliseconds backoff) {
  static thread_local std::minstd_rand random(std::random_device{}());
  std::uniform_int_distribution<int64_t> some(backoff.count() / 2, backoff.count());
  return std::chrono::milliseconds(some(random));
}

}  // namespace

Status Retry(const RetryOptions& options, std::stop_token stop,
             const std::function<Status()>& attempt) {
  const auto give_up_at = std::chrono::steady_clock::now() + options.give_up_after;
  std::chrono::milliseconds backoff = options.backoff_first;
  for (int tries = 1;; ++tries) {
    if (stop.stop_requested()) return Status(StatusCode::kCancelled, "stopped before a try");
    Status status = attempt();
    if (status.code() != StatusCode::kUnavailable) return status;
    const std::chrono::milliseconds wait = Spread(backoff);
    if (std::chrono::steady_clock::now() + wait >= give_up_at) {
      return tries == 1 ? status : status.WithContext(fmt::format("gave up after {} tries", tries));
    }
    if (!SleepUnlessStopped(wait, stop)) {
      return Status(StatusCode::kCancelled, "stopped while waiting to try again");
    }
    backoff = std::min(backoff * 2, options.backoff_max);
  }
}

}  // namespace playhead
