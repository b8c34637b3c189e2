#pragma once

#include "playhead/base/status.h"
#include "playhead/ingest/status_board.h"

#include <optional>
#include <string>
#include <vector>

namespace playhead::cli {

/// The end summary of ingest on stdout, one row a stream: stream, read, good, dead, skipped, files,
/// bytes, seconds.
Status PrintSummary(const std::vector<ingest::StreamState>& states,
                    const std::optional<std::string>& format);

}  // namespace playhead::cli
