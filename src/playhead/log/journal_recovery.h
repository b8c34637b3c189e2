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

/// A journal as its files say it is, ready for the next append.
struct RecoveredJournal {
  std::unique_ptr<SegmentWriter> current;  ///< none in a new journal
  /// Older segments whose WAL was not moved into the file before the last writer ended.
  std::vector<std::unique_ptr<SegmentWriter>> unfinished;
  TopicOffsets end_offsets;
  std::map<int64_t, int64_t> created_at_us;  ///< by segment number
};

/// Refuses a folder that holds segments without journal.db: with a new identity their records would
/// be taken for others. Errors: kDataCorrupt.
Status CheckBeforeOpen(const std::string& folder);

/// Reads all segments, removes files that a crash left behind, fills `receipts`.
/// Errors: kDataCorrupt names the file that is lost, foreign, damaged or does not continue the one
/// before it; kUnavailable.
Result<RecoveredJournal> RecoverJournal(const std::string& folder, const JournalState& state,
                                        ReceiptIndex& receipts);

}  // namespace playhead::log
