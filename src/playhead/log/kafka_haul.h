#pragma once

#include "playhead/log/log.h"

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace playhead::log {

/// Messages of one partition that follow each other in a haul, or one error.
struct HaulRun {
  int32_t partition = 0;
  /// After the run's last offset. A run without records says only this: nothing that can be read is
  /// left before it (control records, aborted transactions).
  int64_t next_offset = 0;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string error_text;
};

/// What was taken at once from a queue of fetched messages. Records are not copied: they live in
/// librdkafka's fetch buffers until Clear().
class KafkaHaul {
 public:
  static constexpr size_t kMessagesMax = 8192;

  KafkaHaul() = default;
  KafkaHaul(KafkaHaul&& other) noexcept { *this = std::move(other); }
  KafkaHaul& operator=(KafkaHaul&& other) noexcept;
  ~KafkaHaul() { Clear(); }

  bool empty() const { return messages_.empty(); }

  /// Waits up to `wait_ms` for a first message, then takes all that are there. Only when empty.
  void Take(rd_kafka_queue_t* queue, int wait_ms);

  /// The next run, its records put into `records`; none when all was handed out. At most
  /// `bytes_max` bytes beyond its first record.
  std::optional<HaulRun> NextRun(int64_t bytes_max, std::vector<LogRecord>& records);

  void Clear();

 private:
  LogRecord RecordOf(const rd_kafka_message_t& message);

  std::vector<rd_kafka_message_t*> messages_;
  size_t used_ = 0;
  std::deque<std::string> headers_;  // a deque: its elements stay where they are
};

}  // namespace playhead::log
