#pragma once

#include "playhead/base/status.h"
#include "playhead/log/log.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace playhead::ingest {

/// Opens the log of a topic for reading, whether it is there or not.
using OpenLog = std::function<Result<std::unique_ptr<log::LogReader>>(const std::string& topic)>;

/// One topic's log as an audit sees it.
struct LogView {
  std::unique_ptr<log::LogReader> reader;
  /// Begins from before the tables were read and ends from after it: a log that is trimmed or grows
  /// meanwhile is then never behind the tables.
  std::map<LogPartition, OffsetRange> bounds;
  Status failure;  ///< why the log could not be looked at; the bounds may be incomplete then

  const OffsetRange* Find(const LogPartition& partition) const;
};

/// The logs that an audit compares tables with. Threads: one at a time.
class LogViews {
 public:
  explicit LogViews(OpenLog open) : open_(std::move(open)) {}

  /// Looks at a topic's log; to be called before the tables are read.
  void Look(const std::string& topic) { LookAt(topic); }
  /// To be called after the tables are read.
  void LookAgain();
  /// A topic that was not looked at is looked at now.
  LogView& Of(const std::string& topic);

 private:
  LogView& LookAt(const std::string& topic);

  OpenLog open_;
  std::map<std::string, LogView> views_;
};

/// Offsets that a log acknowledged and cannot give any more.
struct LostOffsets {
  OffsetRange range;
  std::string why;  ///< names the file
};

/// Reads a partition from `from` up to `end` and returns what cannot be read.
Result<std::vector<LostOffsets>> FindLostOffsets(log::LogReader& reader,
                                                 const LogPartition& partition, int64_t from,
                                                 int64_t end);

/// The topic of a journal's log id, `<UUID>/<topic>`; none for Kafka's and for the bare UUID of an
/// earlier release.
std::optional<std::string> JournalTopicOf(const LogId& log_id);

}  // namespace playhead::ingest
