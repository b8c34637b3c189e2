#pragma once

#include "playhead/base/clock.h"
#include "playhead/base/metrics.h"
#include "playhead/base/thread_annotations.h"
#include "playhead/log/journal.h"
#include "playhead/log/journal_folder.h"
#include "playhead/log/journal_recovery.h"
#include "playhead/log/segment.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace playhead::log {

struct JournalUpkeepOptions {
  int64_t retention_us = 0;
  CommittedOffsets committed;
  int64_t checkpoint_bytes = 0;
  Metrics* metrics = nullptr;
};

/// The thread that keeps a journal's files small while another one appends:
///
///   every second, or when a segment's WAL has grown by `checkpoint_bytes`:
///     move closed segments' WALs into their files and close them
///     checkpoint the current segment, again while appends came in between, at most three times
///     when they still did: ask the appending thread to move the few pages that are left, since
///       only a WAL that is moved whole starts from its beginning
///     drop the segments whose newest record is older than the retention, by the wall clock, and
///       of which every record is committed by all streams that read it
class JournalUpkeep {
 public:
  JournalUpkeep(std::string folder, JournalDb db, JournalState state, const Clock& clock,
                JournalUpkeepOptions options);
  ~JournalUpkeep();

  /// A new current segment; the one before it is handed over, if there was one.
  void OnNewSegment(const SegmentInfo& info, TopicOffsets bases,
                    std::unique_ptr<SegmentWriter> closed);
  /// An old segment whose WAL is still to be moved into its file.
  void OnUnfinished(std::unique_ptr<SegmentWriter> segment);
  /// A segment that was already there; not the current one.
  void OnOldSegment(int64_t number, SegmentFacts facts);
  /// After a commit of about this many bytes to the current segment.
  void OnCommit(int64_t bytes);

  /// Asks the appending thread to checkpoint; until it has, this thread leaves the segment alone,
  /// since only one checkpoint can run at a time.
  bool wants_finish() const { return wants_finish_; }
  /// The WAL begins anew with the next append, unless a checkpoint of this thread, late to wake,
  /// gets between; so that one has nothing to do any more.
  void OnFinished();
  int64_t first_segment() const { return first_segment_; }

  /// One last round, then the thread ends.
  void Stop();

 private:
  void Loop(const std::stop_token& stop);
  void Round();
  void FinishClosedSegments();
  void CheckpointCurrent();
  Status Trim();
  /// The first segment that stays as far as age says, and the one that stays all things considered.
  int64_t OlderThanRetention();
  Result<int64_t> NeededFrom(int64_t old_enough);

  const std::string folder_;
  const std::string journal_id_;
  const Clock& clock_;
  const JournalUpkeepOptions options_;

  std::atomic<bool> wants_finish_ = false;
  std::atomic<int64_t> first_segment_ = 0;

  std::mutex mutex_;
  std::condition_variable_any wake_;
  int64_t bytes_since_checkpoint_ PH_GUARDED_BY(mutex_) = 0;
  int64_t current_ PH_GUARDED_BY(mutex_) = 0;
  std::vector<std::unique_ptr<SegmentWriter>> closed_ PH_GUARDED_BY(mutex_);
  std::map<int64_t, SegmentFacts> segments_ PH_GUARDED_BY(mutex_);  // readable ones, by number

  // The thread's own.
  JournalDb db_;
  std::vector<std::unique_ptr<SegmentWriter>> unfinished_;
  std::optional<std::pair<int64_t, sqlite::Database>> checkpointed_;
  std::optional<int64_t> looked_ticks_;  // when NeededFrom() was last asked
  std::string last_refusal_;

  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace playhead::log
