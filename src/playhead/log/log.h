#pragma once

#include "playhead/base/ids.h"
#include "playhead/base/status.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::log {

/// One record of a log, in Kafka's words. The views live until the reader's next call.
struct LogRecord {
  int64_t offset = 0;
  int64_t time_us = 0;  ///< when the log received it
  std::string_view bytes;
  std::optional<std::string_view> key;
  std::string_view headers_json;  ///< JSON object; empty = none
};

/// What one Read() returned. Offsets skipped over (control records, trimmed gaps) are `next_offset`
/// − `begin` − records.size().
struct LogBatch {
  LogPartition from;
  int64_t begin = 0;
  int64_t next_offset = 0;
  std::vector<LogRecord> records;
  /// Not empty: the log has lost the batch's offsets, and this says why. There are no records, and
  /// the partition is read no further until it is sought again.
  std::string damage = {};
};

/// Another topic of the same log, which the reader of a topic can name.
struct OtherTopic {
  std::string topic;
  OffsetRange bounds;
};

/// Reads the partitions of one topic of a log, Kafka's or the journal's, from given offsets.
/// Threads: one at a time.
class LogReader {
 public:
  virtual ~LogReader() = default;

  /// Partitions the topic has now. Errors: kUnavailable, kNotFound (no such topic yet).
  virtual Result<std::vector<LogPartition>> Partitions() = 0;
  /// First offset still kept, and the one after the last. Control records count.
  virtual Result<OffsetRange> Bounds(const LogPartition& partition) = 0;
  /// The end of a sought partition as far as this reader knows, without asking a broker.
  virtual Result<int64_t> KnownEnd(const LogPartition& partition) {
    PH_ASSIGN_OR_RETURN(const OffsetRange bounds, Bounds(partition));
    return bounds.end;
  }
  /// The topic of the same journal that has this log id. None: the log is no part of it, or this
  /// kind of log cannot say (Kafka).
  virtual Result<std::optional<OtherTopic>> Other(const LogId&) {
    return std::optional<OtherTopic>();
  }
  /// Reading goes on at `offset`. Errors: kNotFound (unknown log id), kDataCorrupt names a position
  /// beyond the log's end or before its beginning.
  virtual Status Seek(const LogPartition& partition, int64_t offset) = 0;
  /// Waits up to `wait_ms` for records of any sought partition; nullptr when there are none. The
  /// batch lives until the next call. At most `bytes_max` bytes beyond its first record.
  virtual Result<const LogBatch*> Read(int wait_ms, int64_t bytes_max) = 0;
};

}  // namespace playhead::log
