#include "playhead/ingest/lake.h"

#include "playhead/base/logging.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace playhead::ingest {
namespace {

constexpr int64_t kFirstPauseMicros = 100'000;
constexpr int64_t kLongestPauseMicros = 5'000'000;

bool PassesByItself(StatusCode code) {
  return code == StatusCode::kUnavailable || code == StatusCode::kResourceExhausted ||
         code == StatusCode::kCommitUnknown;
}

}  // namespace

bool SleepUnlessStopped(std::stop_token stop, int64_t micros) {
  std::mutex mutex;
  std::condition_variable_any condition;
  std::unique_lock lock(mutex);
  condition.wait_for(lock, stop, std::chrono::microseconds(micros), [] { return false; });
  return !stop.stop_requested();
}

Result<table::EpochOutcome> CommitPatiently(const Lake& lake, const std::string& stream,
                                            const table::Epoch& epoch, std::stop_token stop,
                                            bool waits_for_room) {
  table::Committer committer(lake.catalog, lake.store, lake.warehouse_uri, lake.clock);
  for (int64_t pause_us = kFirstPauseMicros;;
       pause_us = std::min(pause_us * 2, kLongestPauseMicros)) {
    Result<table::EpochOutcome> outcome = committer.Commit(epoch);
    if (outcome.ok()) {
      lake.board.Hold(stream, "");
      return outcome;
    }
    const Status& status = outcome.error();
    if (status.code() == StatusCode::kConflict) {
      PH_RETURN_IF_ERROR(committer.Discard(epoch.plan_id));
      return status;
    }
    if (!PassesByItself(status.code())) return status;
    if (status.code() == StatusCode::kResourceExhausted && !waits_for_room) return status;
    logging::Warn("ingest", "commit will be tried again",
                  {{"stream", stream}, {"pause_ms", pause_us / 1000}, {"why", status.ToString()}});
    lake.board.Hold(stream, status.ToString());
    // Committing the same epoch again is safe whatever the lost answer was: its plan id is in the
    // summary.
    if (!SleepUnlessStopped(stop, pause_us)) {
      return Error(StatusCode::kCancelled, "stopped while a commit waited: {}", status.message());
    }
  }
}

}  // namespace playhead::ingest
