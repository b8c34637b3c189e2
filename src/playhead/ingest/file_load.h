#pragma once

#include "playhead/base/hash.h"
#include "playhead/ingest/epoch_builder.h"
#include "playhead/project/project.h"

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

namespace playhead::ingest {

/// A file on local disk, a pipe or an object, whose records go into one epoch.
struct InputFile {
  std::string path;
  storage::ObjectStore* store = nullptr;  ///< given: `path` is the URI of an object in it
  project::Format format = project::Format::kJson;
  std::string name = {};  ///< as messages call it; empty = `path`
  /// Reading it ends with kCancelled once this is requested, also where a pipe keeps it waiting.
  std::stop_token stop = {};
};

/// Told now and then: bytes of the file read so far.
using LoadProgress = std::function<void(int64_t bytes)>;

/// Format by the name's endings (`x.csv.gz`), in any case, else the stream's declared one.
InputFile DescribeFile(const std::string& path, project::Format declared);

/// Decodes every record of `file` into `epoch`; `_offset` is the record's number from 0. What
/// cannot be read (a torn gzip, an unbalanced array) becomes one dead letter `unreadable` for the
/// rest and a warning in the log, so nothing is lost silently; a damaged Parquet file is refused as
/// a whole. Memory is bounded by one chunk and one record, for Parquet see LoadParquet(); Parquet
/// that is packed or comes from a pipe is first laid into the epoch's staging folder. `hasher`, if
/// given, takes all bytes of the file as it lies on disk; only a plain Parquet file is read once
/// more for it. Returns the number of records. Errors: kNotFound, kUnavailable (I/O),
/// kInvalidArgument (a CSV header or Parquet schema that lacks every declared column, a damaged or
/// exploding Parquet file, UTF-16), kNotSupported (another compression), kCancelled (`file.stop`).
Result<int64_t> LoadFile(const InputFile& file, EpochBuilder& epoch, const Clock& clock,
                         const LoadProgress& progress, ContentHasher* hasher = nullptr);

}  // namespace playhead::ingest
