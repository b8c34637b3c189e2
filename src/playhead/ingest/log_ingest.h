#pragma once

#include "playhead/decode/record_decoder.h"
#include "playhead/ingest/epoch_writer.h"
#include "playhead/ingest/lake.h"
#include "playhead/ingest/stream_tables.h"
#include "playhead/log/log.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace playhead::ingest {

struct LogIngestOptions {
  EpochLimits limits;
  bool once = false;        ///< stop at the partitions' ends as they were at the start
  bool accept_gap = false;  ///< go on after a re-created log or lost offsets, and record it
  /// Topics that some stream of the project reads. Of another one that the table knows nothing may
  /// be left that is not ingested.
  std::set<std::string> declared_topics;
};

/// Carries one stream from its log to its tables.
///
///   seek every partition to the table's offset map, else to its earliest offset
///   while not stopped:
///     read a batch; decode each record; hand rows to the writer's thread
///     when the epoch is old, long or large enough: have it staged, and rows and offsets committed
///     together, while the next one is decoded
///   commit what is left
///
/// The table says where to go on, never a consumer group. A partition whose log was made anew, of
/// which offsets are gone or damaged, or whose stream left records in the topic that it read
/// before, stops by name, what comes before the gap committed, while the others go on. Threads: one
/// at a time; it has a second one for writing.
class LogIngest {
 public:
  LogIngest(const Lake& lake, const IngestStream& stream, log::LogReader& reader,
            LogIngestOptions options);

  /// Returns at the end (`once`) or after a stop, with the open epoch committed. Errors: the reason
  /// why the stream cannot go on, or, at the end, why a partition was stopped (kDataCorrupt);
  /// kCancelled (`once`: stopped before the end).
  Status Run(std::stop_token stop);

 private:
  struct Part {
    LogPartition partition;
    int64_t epoch_begin = 0;
    int64_t next_offset = 0;
    int64_t end_at_start = 0;
    table::RecordCounts counts;  ///< of the open epoch
    bool is_first = false;       ///< the table does not know the partition yet
    std::optional<int64_t> accepted_gap_from;
  };

  /// Finds new partitions and seeks them. A partition that must not go on is put into `stopped_`.
  Status FindPartitions();
  Status Start(const LogPartition& partition, const table::TableProgress& progress);
  /// What other logs the table knows, as far as that matters to the one that it is to go on with.
  struct OtherLogs {
    std::string problem;      ///< why it must not go on; empty when it may
    std::vector<Part> tails;  ///< what of them was not ingested, as accepted gaps
  };
  Result<OtherLogs> LookAtOtherLogs(const LogPartition& partition,
                                    const table::TableProgress& progress);
  /// The log has lost the batch's offsets.
  Status PassDamage(Part& part, const log::LogBatch& batch);
  void StopPartition(const LogPartition& partition, const std::string& problem,
                     int64_t goes_on_from);
  /// One read, and what follows from it.
  Status Step();
  /// Tells the board, at most once a second.
  void ShowLag();
  /// Everything that was read is committed.
  Status Settle();
  /// Back to what is committed, after epochs were discarded.
  Status Rewind();
  /// The stream moves again; its stopped partitions, if any, still do not.
  void ShowStopped();
  Status OpenEpoch();
  Status Take(const log::LogBatch& batch);
  /// Hands decoded rows to the writer.
  Status HandOn();
  Status CloseEpoch();
  void DropEpochs();
  bool IsEpochDue() const;
  bool ReachedEnds() const;
  std::string Stem() const;

  Lake lake_;
  const IngestStream& stream_;
  log::LogReader& reader_;
  LogIngestOptions options_;
  std::unique_ptr<decode::RecordDecoder> decoder_;
  std::map<LogPartition, Part> parts_;
  std::map<LogPartition, std::string> stopped_;
  std::map<LogPartition, int64_t> ends_at_start_;
  /// What is decoded for the epoch that is open.
  struct OpenedEpoch {
    int64_t started_us = 0;  ///< `_ingested_at`
    int64_t started_ticks = 0;
    int64_t rows = 0;
    int64_t input_bytes = 0;
  };
  std::optional<OpenedEpoch> epoch_;
  std::unique_ptr<EpochWriter> writer_;  // while Run() runs
  int64_t commits_shown_ = 0;
  int64_t lag_shown_ticks_ = 0;
};

}  // namespace playhead::ingest
