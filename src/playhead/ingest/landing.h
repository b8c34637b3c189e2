#pragma once

#include "playhead/ingest/file_load.h"
#include "playhead/ingest/lake.h"
#include "playhead/ingest/landing_scan.h"
#include "playhead/ingest/stream_tables.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace playhead::ingest {

struct LandingOptions {
  /// A file is taken once nobody has it open for writing and its size and time have rested this
  /// long.
  int64_t still_us = 1'000'000;
  bool once = false;  ///< until every file present has been taken
  /// The folder is looked at this often, and at once where the kernel tells of a new file.
  int64_t poll_us = 2'000'000;
  DateRange dates = {};  ///< files of other ingestion dates are left alone
  LoadProgress progress;
  /// Why a stream's tables take no rows now; empty = all do.
  std::function<Status(const IngestStream&)> ready = {};
};

/// Takes landing files into their tables: copied to `raw/<table>/ingestion_date=D/`, decoded, and
/// committed together with a ledger row, one commit a file. The same content under the same name is
/// a no-op; changed content follows the stream's on_change. Threads: one at a time.
class LandingIngest {
 public:
  LandingIngest(const Lake& lake, std::string folder, const std::vector<IngestStream>& streams,
                LandingOptions options);

  /// Runs until stopped, or until all present files are in (`once`). A file that is refused or
  /// cannot be read does not stop the others. Errors: at the end, why a file that still lies there
  /// is refused; kCancelled (`once`: stopped before the end).
  Status Run(std::stop_token stop);

 private:
  enum class Outcome { kLoaded, kUnchanged, kNotStill };
  struct Refusal {
    std::string stream;
    Status why;
  };

  /// One look at the folder. `again_us` becomes the time after which a file that could not be taken
  /// yet may be; it stays as it is when there is none.
  Status Pass(std::stop_token stop, std::optional<int64_t>* again_us);
  Result<Outcome> TakeFile(const LandingCandidate& candidate, std::stop_token stop);
  /// Forgets what was refused and does not lie there any more.
  void ForgetGone(const LandingScan& scan);
  /// Shows on the board what of a stream is refused, if anything.
  void ShowRefused(const std::string& stream);
  Status FirstRefusal() const;
  int64_t RestMicros(const LandingCandidate& candidate) const;

  Lake lake_;
  std::string folder_;
  const std::vector<IngestStream>& streams_;
  LandingOptions options_;
  /// Size and time of files found unchanged or refused, so that they are not read again each poll.
  std::map<std::string, std::pair<int64_t, int64_t>> settled_;
  std::set<std::string> warned_;
  /// Files of the last look that are refused, by name, or what is wrong with several of them.
  std::map<std::string, Refusal> refused_;
};

}  // namespace playhead::ingest
