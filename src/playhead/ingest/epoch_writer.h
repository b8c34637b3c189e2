#pragma once

#include "playhead/base/thread_annotations.h"
#include "playhead/ingest/epoch_builder.h"
#include "playhead/ingest/lake.h"
#include "playhead/ingest/status_board.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <variant>
#include <vector>

namespace playhead::ingest {

/// What closes an epoch: the records it has, and where they came from.
struct EpochEnd {
  std::string stem;  ///< of its files' names
  std::vector<table::EpochRange> ranges;
  StreamSummary summary;      ///< what it adds; reasons and seconds are filled in
  int64_t started_ticks = 0;  ///< Clock::TicksMicros()
};

/// Writes and commits the epochs of one stream on a thread of its own, so that its caller decodes
/// the next rows meanwhile: while one core encodes Parquet, waits for the disk and commits, another
/// decodes.
///
///   Begin, Write…, End; Begin, Write…, End; …     done in this order
///
/// The first failure stops it: it does nothing more until Discard(). Ended epochs are committed one
/// after the other, so each finds the offsets of the one before in the table.
/// Memory   kWaitingMax batches of decoded rows, and what a PartitionedWriter holds.
/// Threads  one caller; failure(), commits(), bytes() any.
class EpochWriter {
 public:
  /// `stop` ends the patience of a commit that waits for what passes by itself.
  /// With `waits_for_room` false a full disk is a failure.
  EpochWriter(const Lake& lake, std::stop_token stop, bool waits_for_room = true);
  /// What is not committed stays staged: the next start sweeps it.
  ~EpochWriter();
  EpochWriter(const EpochWriter&) = delete;
  EpochWriter& operator=(const EpochWriter&) = delete;

  /// These wait for room and return the failure, if there is one.
  Status Begin(EpochBuilder epoch);
  Status Write(decode::DecodedRows rows);
  Status End(EpochEnd end);
  /// Until everything is done.
  Status Wait();

  Status failure() const;
  int64_t commits() const { return commits_; }
  /// Of the epoch it writes, roughly.
  int64_t bytes() const { return bytes_; }

  /// Forgets the failure and every epoch that is not committed; their staged files are deleted.
  void Discard();

 private:
  using Item = std::variant<EpochBuilder, decode::DecodedRows, EpochEnd>;
  static constexpr size_t kWaitingMax = 3;

  Status Put(Item item);
  void Loop(const std::stop_token& stop);
  Status Do(Item item);
  Status Commit(EpochEnd end);

  Lake lake_;
  const std::stop_token stop_;
  const bool waits_for_room_;
  std::optional<EpochBuilder> epoch_;  // the thread's own while it works
  int64_t last_commit_ticks_ = 0;
  std::atomic<int64_t> commits_ = 0;
  std::atomic<int64_t> bytes_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Item> waiting_ PH_GUARDED_BY(mutex_);
  bool is_working_ PH_GUARDED_BY(mutex_) = false;
  Status failure_ PH_GUARDED_BY(mutex_);
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace playhead::ingest
