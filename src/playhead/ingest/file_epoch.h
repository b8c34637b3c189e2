#pragma once

#include "playhead/ingest/epoch_builder.h"
#include "playhead/ingest/file_load.h"
#include "playhead/ingest/lake.h"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::ingest {

/// `_topic` of a file's rows: `file:<name>#<the first 12 digits of id>`. `id` is hexadecimal and
/// tells deliveries of one name apart.
std::string FileTopic(std::string_view name, std::string_view id);

/// Files on their way into their table, as one epoch: Stage() each, then Commit(); an object that
/// goes without Commit() leaves nothing behind. Threads: one at a time.
class FileEpoch {
 public:
  static Result<FileEpoch> Open(const Lake& lake, const IngestStream& stream);
  ~FileEpoch();
  FileEpoch(FileEpoch&&) = default;
  FileEpoch& operator=(FileEpoch&&) = delete;

  /// Names this load; random.
  const std::string& plan_id() const { return epoch_->plan_id(); }
  /// Where the caller may stage files of its own (raw copies).
  std::string staging_uri() const { return epoch_->staging_uri(); }

  /// Decodes the whole file, with the topic and the ingestion date of its ledger row, and fills in
  /// how many rows it has. `hasher` as in LoadFile(). Errors: those of LoadFile() and of writing;
  /// if is_spoilt() then says so, the object can only be dropped.
  Status Stage(const InputFile& file, catalog::LandingFile* row, const LoadProgress& progress,
               ContentHasher* hasher);

  /// Whether rows of a file that failed are among those staged.
  bool is_spoilt() const { return is_spoilt_; }

  /// Commits what is staged together with the ledger rows of the files, whose time is filled in
  /// here. The files are counted on the lake's board. Errors: kConflict (the ledger has moved since
  /// the files were judged: judge them again), those of writing and of CommitPatiently().
  Status Commit(std::vector<table::EpochLanding> landing, std::stop_token stop);

 private:
  FileEpoch(const Lake& lake, const IngestStream& stream)
      : lake_(&lake), stream_(&stream), started_us_(lake.clock.NowMicros()) {}

  const Lake* lake_;
  const IngestStream* stream_;
  std::unique_ptr<decode::RecordDecoder> decoder_;
  std::unique_ptr<EpochBuilder> epoch_;  // null once it is the committer's
  int64_t started_us_;
  bool is_spoilt_ = false;
};

}  // namespace playhead::ingest
