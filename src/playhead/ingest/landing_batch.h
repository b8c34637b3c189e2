#pragma once

#include "playhead/ingest/file_epoch.h"
#include "playhead/ingest/lake.h"
#include "playhead/ingest/landing_scan.h"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace playhead::ingest {

/// Landing files of one stream that are taken in one commit, each with its own ledger row, guard
/// and claim. A file is copied while it is hashed, decoded from the copy, and the copies become
/// durable together: many small files cost little more than one.
///
///   Take each file; Commit: copies to raw/<table>/ingestion_date=D/, rows and ledger rows
///
/// Memory   what a FileEpoch holds; one open file for each file taken.
/// Threads  one at a time.
class LandingBatch {
 public:
  enum class Outcome { kStaged, kUnchanged, kNotStill };

  /// `stream` outlives it. Errors: those of the catalog.
  static Result<LandingBatch> Open(const Lake& lake, const IngestStream& stream);

  /// A file that the ledger does not know is staged; the same content under the same name is
  /// unchanged; changed content follows the stream's on_change. Errors: kAlreadyExists (on_change:
  /// refuse), kCancelled, those of reading and writing.
  Result<Outcome> Take(const LandingCandidate& file, const LoadProgress& progress,
                       const std::stop_token& stop);

  /// Rows of a file that failed are among those staged: the batch can only be dropped.
  bool is_spoilt() const { return epoch_ && epoch_->is_spoilt(); }

  /// Commits what is staged, if anything. Errors: kConflict (take the files again), those of
  /// FileEpoch::Commit().
  Status Commit(std::stop_token stop);

 private:
  struct Staged {
    std::shared_ptr<storage::OutputObject> raw;
    std::string raw_uri;
  };

  LandingBatch(const Lake& lake, const IngestStream& stream, std::string table_uuid)
      : lake_(&lake), stream_(&stream), table_uuid_(std::move(table_uuid)) {}

  Result<std::string> CopyRaw(const LandingCandidate& file, const std::stop_token& stop);
  Status PublishRaw();

  const Lake* lake_;
  const IngestStream* stream_;
  std::string table_uuid_;
  std::optional<FileEpoch> epoch_;  // from the first file on that is to be staged
  std::vector<table::EpochLanding> landing_;
  std::vector<Staged> staged_;                // of landing_, in the same order
  std::vector<catalog::SeenFile> unchanged_;  // known content, seen with another stamp
};

}  // namespace playhead::ingest
