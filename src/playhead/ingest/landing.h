#pragma once

#include "playhead/ingest/file_load.h"
#include "playhead/ingest/lake.h"
#include "playhead/ingest/landing_scan.h"
#include "playhead/ingest/stream_tables.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
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
/// committed together with ledger rows, many small files of a stream in one commit. The same
/// content under the same name is a no-op; changed content follows the stream's on_change. A file
/// whose size and times are those it was last seen with is not read again, in this process or a
/// later one.
///
///   look at the folder; of what has rested, file by file of a stream: LandingBatch; wait
///
/// Threads: one at a time.
class LandingIngest {
 public:
  LandingIngest(const Lake& lake, std::string folder, const std::vector<IngestStream>& streams,
                LandingOptions options);

  /// Runs until stopped, or until all present files are in (`once`). A file that is refused or
  /// cannot be read does not stop the others. Errors: those of the catalog and of listing the
  /// folder; kCancelled (`once`: stopped before the end).
  Status Run(std::stop_token stop);

  /// Why a file that lies in the folder is refused; OK when none is.
  Status first_refusal() const;

 private:
  struct Refusal {
    std::string stream;
    Status why;
  };

  /// What an earlier process has seen.
  Status LoadSeen();
  /// One look at the folder.
  Status Pass(std::stop_token stop);
  /// Says once what is left alone or refused by its name.
  void Tell(const LandingScan& scan);
  /// Takes files of one stream, in one commit unless that fails.
  Status TakeFiles(std::span<const LandingCandidate* const> files, std::stop_token stop);
  /// Files that were not taken. Errors: kCancelled.
  Status Fail(std::span<const LandingCandidate* const> files, const Status& status);
  void Refuse(const std::string& name, const std::string& stream, Status why);
  /// Shows on the board what of a stream is refused, if anything.
  void ShowRefused(const std::string& stream);
  /// Forgets what was refused and does not lie there any more.
  void ForgetGone(const LandingScan& scan);
  /// It is taken, or known.
  void Settle(const LandingCandidate& file);
  bool IsSettled(const LandingCandidate& file) const;
  /// How long a file has to rest yet; nothing or less when it has.
  int64_t RestMicros(const LandingCandidate& file);
  void LookAgain(int64_t micros);

  Lake lake_;
  std::string folder_;
  const std::vector<IngestStream>& streams_;
  LandingOptions options_;
  std::optional<int64_t> again_us_;  // after which a file that could not be taken yet may be
  /// Stamps of files that are taken, known or refused, by name.
  std::map<std::string, std::string> settled_;
  /// Of files whose time lies in the future: stamp, and since when it is this one.
  std::map<std::string, std::pair<std::string, int64_t>> future_;
  std::set<std::string> told_;
  std::map<std::string, Refusal> refused_;  // files of the last look, by name
};

}  // namespace playhead::ingest
