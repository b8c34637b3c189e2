#pragma once

#include "playhead/ingest/file_load.h"
#include "playhead/ingest/lake.h"
#include "playhead/ingest/landing_scan.h"
#include "playhead/ingest/stream_tables.h"

#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace playhead::ingest {

struct LandingOptions {
  int64_t still_us = 1'000'000;  ///< a file is taken once its size and time have rested this long
  bool once = false;             ///< until every file present has been taken
  int64_t poll_us = 2'000'000;
  LoadProgress progress;
};

/// Takes landing files into their tables: copied to `raw/<table>/ingestion_date=D/`, decoded, and
/// committed together with a ledger row, one commit a file. The same content under the same name is
/// a no-op; changed content follows the stream's on_change. Threads: one at a time.
class LandingIngest {
 public:
  LandingIngest(const Lake& lake, std::string folder, const std::vector<IngestStream>& streams,
                LandingOptions options);

  /// Runs until stopped, or until all present files are in (`once`). A file that is refused or
  /// cannot be read does not stop the others. Errors: the first such refusal, at the end (`once`).
  Status Run(std::stop_token stop);

 private:
  enum class Outcome { kLoaded, kUnchanged, kNotStill };

  Status Pass(std::stop_token stop, bool* waits);
  Result<Outcome> TakeFile(const LandingCandidate& candidate, std::stop_token stop);

  Lake lake_;
  std::string folder_;
  const std::vector<IngestStream>& streams_;
  LandingOptions options_;
  /// Size and time of files found unchanged or refused, so that they are not read again each poll.
  std::map<std::string, std::pair<int64_t, int64_t>> settled_;
  std::set<std::string> warned_;
  Status first_refusal_;
};

/// Loads one file through a stream's decoder without a raw copy (`playhead ingest --stream`).
/// Content that this stream has loaded before is a no-op (false); otherwise the rows are appended.
/// `display_name` goes into `_topic`.
Result<bool> LoadDirect(const Lake& lake, const IngestStream& stream, const std::string& path,
                        const std::string& display_name, std::stop_token stop,
                        const LoadProgress& progress);

}  // namespace playhead::ingest
