#pragma once

#include "playhead/base/clock.h"
#include "playhead/base/status.h"
#include "playhead/log/journal_folder.h"
#include "playhead/log/receipt_index.h"
#include "playhead/log/segment.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace playhead::log {

struct SegmentFacts {
  int64_t created_at_us = 0;
  TopicOffsets bases;
};

/// A journal as its files say it is, ready for the next append.
struct RecoveredJournal {
  /// None in a new journal, and where the newest segment is damaged or of an older format: the next
  /// append needs a new one.
  std::unique_ptr<SegmentWriter> current;
  /// Older segments whose WAL was not moved into the file before the last writer ended.
  std::vector<std::unique_ptr<SegmentWriter>> unfinished;
  /// Behind everything that may have been given out: what is found, the next segments' bases, and
  /// journal.db's note.
  TopicOffsets end_offsets;
  std::map<int64_t, SegmentFacts> segments;  ///< the readable ones, by number
  std::map<int64_t, std::string> damaged;    ///< number → what is wrong with it, with its file
};

/// Refuses a folder that holds segments without journal.db: with a new identity their records would
/// be taken for others. Errors: kDataCorrupt.
Status CheckBeforeOpen(const std::string& folder);

/// Reads all segments, removes files that a crash left behind, fills `receipts`. A segment that is
/// lost, foreign, damaged or does not continue the one before it is named in `damaged`: what else
/// is there goes on. Errors: kDataCorrupt (a file with records that journal.db does not name),
/// kUnavailable.
Result<RecoveredJournal> RecoverJournal(const std::string& folder, const JournalState& state,
                                        const TopicOffsets& noted_ends, ReceiptIndex& receipts);

}  // namespace playhead::log
