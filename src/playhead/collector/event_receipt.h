#pragma once

#include "playhead/base/status.h"
#include "playhead/collector/stream_judge.h"
#include "playhead/log/journal.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::collector {

/// The body of a 200: log id, partition, offsets, how many are ok and dead, and each record's
/// verdict (docs/reference/collector.md).
std::string ReceiptJson(const log::JournalReceipt& receipt, std::span<const DeadRecord> dead);

/// The dead records as the journal keeps them beside an idempotency key: `[[2,"wrong_type","…"]]`.
std::string DeadRecordsNote(std::span<const DeadRecord> dead);

/// What a repeated request is answered: the first one's receipt, with the verdicts in its note.
/// Errors: kDataCorrupt (not a note).
Result<std::string> RepeatedReceiptJson(const log::JournalReceipt& receipt);

}  // namespace playhead::collector
