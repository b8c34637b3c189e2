#pragma once

#include "playhead/base/bounded_queue.h"
#include "playhead/decode/record_decoder.h"
#include "playhead/ingest/stream_tables.h"
#include "playhead/table/epoch_commit.h"
#include "playhead/table/partitioned_writer.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace playhead::ingest {

/// Encodes the decoded rows of one epoch as staged Parquet files, on a thread of its own while the
/// caller decodes the next ones, in the order in which they are given. With one core to run on (see
/// taskset(1)) on the caller's thread: rows that wait would only fall out of its cache.
///
/// Memory   at most kWaitingMax batches wait; a full queue holds the caller up.
/// Threads  one caller at a time.
class RowStager {
 public:
  struct Target {
    storage::ObjectStore* store = nullptr;
    std::string staging_uri;
    const IngestStream* stream = nullptr;  ///< outlives this
    std::shared_ptr<const iceberg::TableMetadata> main;
    std::shared_ptr<const iceberg::TableMetadata> dead;
  };

  explicit RowStager(Target target) : target_(std::move(target)) {}
  /// Waits until nothing is written any more; what is staged stays, to be discarded.
  ~RowStager();
  RowStager(const RowStager&) = delete;
  RowStager& operator=(const RowStager&) = delete;

  /// Has rows staged, by the thread if there is one. Errors: those of the writers, also of rows
  /// given before; then nothing can be staged.
  Status Take(decode::DecodedRows rows);

  /// Stages rows on the caller's thread; not after Take().
  Status Stage(decode::DecodedRows rows);

  /// Stages `last` on the caller's thread (a small epoch needs no other), waits for the rest and
  /// fills in the epoch's files.
  Status Finish(decode::DecodedRows last, const std::string& stem, table::Epoch* epoch);

  /// Bytes staged, roughly, without the batches that wait.
  int64_t bytes() const { return bytes_; }

 private:
  static constexpr int64_t kWaitingMax = 2;

  Status OpenOnce(std::unique_ptr<table::PartitionedWriter>& writer,
                  const iceberg::TableMetadata& table, const table::TableSpec& declared,
                  const char* folder, const table::PartitionedWriterOptions& options);
  void Work(const std::stop_token& stop);
  /// Ends the thread once it has staged what waits; its error, if any.
  Status Join();

  const Target target_;
  // Of the thread while it runs, else of the caller.
  std::unique_ptr<table::PartitionedWriter> main_writer_;
  std::unique_ptr<table::PartitionedWriter> dead_writer_;
  std::atomic<int64_t> bytes_ = 0;

  BoundedQueue<decode::DecodedRows> waiting_{kWaitingMax};
  std::mutex mutex_;
  Status failure_ PH_GUARDED_BY(mutex_);
  std::jthread thread_;  // from the first Take() on
};

}  // namespace playhead::ingest
