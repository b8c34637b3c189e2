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

/// One file on its way into its table, as one epoch: Stage(), then Commit(); an object that goes
/// without Commit() leaves nothing behind. Threads: one at a time.
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

  /// Decodes the whole file; its rows carry `topic`. `hasher` as in LoadFile(). Errors: those of
  /// LoadFile() and of writing; the object can then only be dropped.
  Status Stage(const InputFile& file, const std::string& topic, int32_t ingestion_date_days,
               const LoadProgress& progress, ContentHasher* hasher);

  /// Commits what is staged together with the file's ledger row, whose topic is Stage()'s; rows
  /// and time are filled in here. The file is counted on the lake's board. Errors: kConflict (the
  /// ledger has moved since the file was judged: judge it again), those of CommitPatiently().
  Status Commit(table::EpochLanding landing, std::stop_token stop);

 private:
  FileEpoch(const Lake& lake, const IngestStream& stream) : lake_(&lake), stream_(&stream) {}

  const Lake* lake_;
  const IngestStream* stream_;
  std::unique_ptr<decode::RecordDecoder> decoder_;
  std::unique_ptr<EpochBuilder> epoch_;  // null once it is the committer's
  table::Epoch staged_;
  int64_t records_ = 0;
  int64_t started_us_ = 0;
};

}  // namespace playhead::ingest
