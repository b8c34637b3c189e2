#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace playhead {

/// Identity of a log: `<journal's UUID>/<topic>`, or `<cluster id>/<topic id>` for Kafka. A log
/// that was made anew, and another topic, have another id, so that their offsets are never taken
/// for the old ones.
using LogId = std::string;

/// One partition of one log, which is one topic. Journals have one partition (0) per topic.
struct LogPartition {
  LogId log_id;
  std::string topic;
  int32_t partition = 0;
  auto operator<=>(const LogPartition&) const = default;
};

/// Half-open range of offsets. Offsets may skip, so `end - begin` is not a count.
struct OffsetRange {
  int64_t begin = 0;
  int64_t end = 0;
  auto operator<=>(const OffsetRange&) const = default;
};

}  // namespace playhead
