#include "playhead/log/kafka_haul.h"

#include "playhead/base/status.h"
#include "playhead/log/kafka_headers.h"

#include <utility>

namespace playhead::log {

KafkaHaul& KafkaHaul::operator=(KafkaHaul&& other) noexcept {
  Clear();
  messages_.swap(other.messages_);
  used_ = std::exchange(other.used_, 0);
  headers_ = std::exchange(other.headers_, {});
  return *this;
}

void KafkaHaul::Clear() {
  for (rd_kafka_message_t* message : messages_) rd_kafka_message_destroy(message);
  messages_.clear();
  used_ = 0;
  headers_.clear();
}

void KafkaHaul::Take(rd_kafka_queue_t* queue, int wait_ms) {
  PH_CHECK(messages_.empty());
  messages_.resize(kMessagesMax);
  // With a timeout librdkafka would wait for all the messages asked for, not for the first.
  ssize_t taken = rd_kafka_consume_batch_queue(queue, 0, messages_.data(), kMessagesMax);
  if (taken <= 0) {
    taken = 0;
    if (wait_ms > 0) {
      if (rd_kafka_message_t* first = rd_kafka_consume_queue(queue, wait_ms); first != nullptr) {
        messages_[0] = first;
        const ssize_t more =
            rd_kafka_consume_batch_queue(queue, 0, messages_.data() + 1, kMessagesMax - 1);
        taken = 1 + (more > 0 ? more : 0);
      }
    }
  }
  messages_.resize(static_cast<size_t>(taken));
}

LogRecord KafkaHaul::RecordOf(const rd_kafka_message_t& message) {
  LogRecord record = {.offset = message.offset,
                      .bytes = {static_cast<const char*>(message.payload), message.len}};
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const int64_t time_ms = rd_kafka_message_timestamp(&message, &type);
  if (type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) record.time_us = time_ms * 1000;
  if (message.key != nullptr) {
    record.key = std::string_view(static_cast<const char*>(message.key), message.key_len);
  }
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    record.headers_json = headers_.emplace_back(HeadersJson(*headers));
  }
  return record;
}

std::optional<HaulRun> KafkaHaul::NextRun(int64_t bytes_max, std::vector<LogRecord>& records) {
  records.clear();
  if (used_ == messages_.size()) return std::nullopt;
  const rd_kafka_message_t& first = *messages_[used_];
  HaulRun run = {.partition = first.partition};
  if (first.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    ++used_;
    // The end of a partition, with the offset that would be next.
    if (first.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      run.next_offset = first.offset;
    } else {
      run.error = first.err;
      run.error_text = rd_kafka_message_errstr(&first);
    }
    return run;
  }
  int64_t bytes = 0;
  for (; used_ < messages_.size(); ++used_) {
    const rd_kafka_message_t& message = *messages_[used_];
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR || message.partition != run.partition) break;
    if (!records.empty()) {
      bytes += static_cast<int64_t>(message.len);
      if (bytes > bytes_max) break;
    }
    records.push_back(RecordOf(message));
    run.next_offset = message.offset + 1;
  }
  return run;
}

}  // namespace playhead::log
