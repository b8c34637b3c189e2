#pragma once

#include "playhead/base/metrics.h"
#include "playhead/base/status.h"
#include "playhead/log/journal.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace playhead::log {

struct KafkaJournalOptions {
  /// Idempotency keys that are remembered. They are kept in memory only: a repeat after a restart
  /// is written again (bronze keeps repeats, and silver drops them by event id).
  int64_t idempotency_keys_max = 200'000;
  /// Where it counts; must outlive it. None: it does not count.
  Metrics* metrics = nullptr;
};

/// What a target's properties lack or have too much, for reading and writing. Asks no broker; a
/// certificate's file, say, is looked for when it is needed. Errors: kInvalidArgument.
Status CheckKafkaProperties(const std::map<std::string, std::string>& properties);

/// A Kafka cluster in the place of the embedded journal: appends are acknowledged once all in-sync
/// replicas have the records (idempotent producer, acks=all). The records of one append go to one
/// partition, in their order; appends take turns over the partitions. A receipt's `first_offset` is
/// that of the first record; other producers' records may stand between the following ones.
///
/// Refusals   as Journal's. kUnavailable: not acknowledged within `message.timeout.ms` (30 s here);
///            the records may be in the topic all the same; or no such topic yet.
///            kResourceExhausted: librdkafka's queue is full, or the key's first append is still
///            under way.
/// log_id     is empty, since each topic is a log: the receipts name it. EndOffset is partition
///            0's.
/// Errors of opening: kInvalidArgument (properties). No connection is waited for.
Result<std::unique_ptr<Journal>> OpenKafkaJournal(
    const std::map<std::string, std::string>& properties, KafkaJournalOptions options = {});

}  // namespace playhead::log
