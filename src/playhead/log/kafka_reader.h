#pragma once

#include "playhead/base/status.h"
#include "playhead/log/log.h"

#include <map>
#include <memory>
#include <string>

namespace playhead::log {

/// Reads one topic of a Kafka cluster, every partition in this process (no consumer group). Records
/// are those of committed transactions. The log id is `<cluster id>/<topic id>`.
///
/// Properties  librdkafka's, verbatim (docs/reference/kafka.md). Those of exactly-once are refused.
/// Memory      `queued.max.messages.kbytes` (64 MiB) fetched ahead, and two hauls of at most 8,192
///             records in the caller's hands.
/// Errors      beyond those of LogReader, Read() answers kConflict when the topic was made anew or
///             lost a position under the reader: the partitions are to be found and sought again.
///             While no broker answers it returns nullptr for 3 s, then kUnavailable; it recovers
///             by itself.
/// Errors of opening: kInvalidArgument (properties). No connection is waited for.
Result<std::unique_ptr<LogReader>> OpenKafkaReader(
    const std::map<std::string, std::string>& properties, const std::string& topic);

}  // namespace playhead::log
