#pragma once

#include "playhead/base/metrics.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace playhead::ingest {

/// What one stream has taken in since the process started; the summary of `playhead ingest`.
struct StreamSummary {
  std::string stream;
  int64_t read = 0;  ///< records and skipped offsets
  int64_t good = 0;
  int64_t dead = 0;
  int64_t skipped = 0;  ///< offsets without a record (control records, accepted gaps)
  int64_t files = 0;    ///< input files loaded
  int64_t bytes = 0;    ///< of the records or files as delivered
  double seconds = 0;   ///< from the first record taken to the last commit
  int64_t commits = 0;
  std::map<std::string, int64_t> dead_by_reason = {};  ///< by `_reason`
};

/// Whether a stream moves. The text says what holds it and what to do; empty while all is well.
struct StreamState {
  StreamSummary summary;
  std::string held_by;
  std::optional<int64_t> lag;  ///< records of its log that are not committed; none: not known
};

/// The streams' states, written by ingest threads, read by the end summary, `/readyz` and
/// `/metrics`. Threads: any.
class StatusBoard {
 public:
  /// Counts into `metrics` as well when given; it outlives the board.
  explicit StatusBoard(Metrics* metrics = nullptr) : metrics_(metrics) {}

  void Add(const StreamSummary& delta);
  /// `held_by` empty: moves again.
  void Hold(const std::string& stream, std::string held_by);
  void SetLag(const std::string& stream, int64_t records);
  /// In stream order.
  std::vector<StreamState> States() const;

 private:
  Metrics* metrics_;
  mutable std::mutex mutex_;
  std::map<std::string, StreamState> states_;
};

}  // namespace playhead::ingest
