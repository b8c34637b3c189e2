#pragma once

#include "playhead/ingest/file_load.h"
#include "playhead/ingest/lake.h"
#include "playhead/ingest/stream_tables.h"

#include <stop_token>
#include <string>

namespace playhead::ingest {

/// Loads one file or pipe (kStandardInput too) through a stream's decoder without a raw copy
/// (`playhead ingest --stream`), as one commit. Content that this stream has loaded before is a
/// no-op (false), whatever its name; other rows are appended. `display_name` goes into `_topic`,
/// with the load's id: the file is read once, so its hash is known only at its end. Errors: those
/// of LoadFile() and of a commit, kCancelled (stopped before the commit; nothing is loaded).
Result<bool> LoadDirect(const Lake& lake, const IngestStream& stream, const std::string& path,
                        const std::string& display_name, std::stop_token stop,
                        const LoadProgress& progress);

}  // namespace playhead::ingest
