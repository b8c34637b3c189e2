#include "playhead/log/kafka_reader.h"

#include "playhead/log/kafka_client.h"
#include "playhead/log/kafka_haul.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace playhead::log {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kAwayGrace(3);
constexpr std::chrono::seconds kIdleCheckEvery(1);

int MillisecondsTo(SteadyClock::time_point until) {
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now());
  return std::max(0, static_cast<int>(wait.count()));
}

/// librdkafka fetches a topic by name from the caller's view: when the topic is deleted and made
/// anew, it goes on in the new one at the old offset and says nothing. So each haul is handed out
/// only after the cluster, asked once the haul was complete, still named the topic id that the
/// partitions were sought with. An id never comes back, so all of the haul is of that topic.
///
///   Read: hand out the present haul run by run; then
///     take what has arrived since as the next haul and ask for the topic's id
///     wait for the answer about it, which ran while the caller worked on the haul before
///
/// Questions have a client, and so connections, of their own: a broker answers the requests of one
/// connection in their order, and a fetch of an idle topic stays unanswered for half a second.
class KafkaReader final : public LogReader {
 public:
  KafkaReader(std::unique_ptr<KafkaClient> fetcher, std::unique_ptr<KafkaClient> asker,
              std::string topic)
      : fetcher_(std::move(fetcher)),
        asker_(std::move(asker)),
        topic_(std::move(topic)),
        queue_(rd_kafka_queue_new(fetcher_->handle())),
        handle_(rd_kafka_topic_new(fetcher_->handle(), topic_.c_str(), nullptr)) {}

  ~KafkaReader() override { StopAll(); }

  bool is_open() const { return handle_ != nullptr; }

  Result<std::vector<LogPartition>> Partitions() override {
    PH_ASSIGN_OR_RETURN(const std::string cluster_id, asker_->ClusterId());
    PH_ASSIGN_OR_RETURN(const KafkaTopicFacts facts, asker_->DescribeTopic(topic_));
    LogId log_id = cluster_id + "/" + facts.id;
    // The fetching client learns of new partitions and a new topic by itself, but minutes later.
    if (log_id != log_id_ || facts.partitions > partition_count_) {
      PH_RETURN_IF_ERROR(fetcher_->DescribeTopic(topic_).status());
    }
    partition_count_ = facts.partitions;
    if (log_id != log_id_) {
      StopAll();
      log_id_ = std::move(log_id);
      topic_id_ = facts.id;
    }
    away_since_.reset();
    std::vector<LogPartition> partitions;
    partitions.reserve(static_cast<size_t>(facts.partitions));
    for (int32_t partition = 0; partition < facts.partitions; ++partition) {
      partitions.push_back({.log_id = log_id_, .topic = topic_, .partition = partition});
    }
    return partitions;
  }

  Result<OffsetRange> Bounds(const LogPartition& partition) override {
    PH_RETURN_IF_ERROR(CheckIsOurs(partition));
    return asker_->Bounds(topic_, partition.partition);
  }

  Result<int64_t> KnownEnd(const LogPartition& partition) override {
    int64_t begin = 0;
    int64_t end = 0;
    // As the brokers' last answers to fetches said.
    const rd_kafka_resp_err_t error = rd_kafka_get_watermark_offsets(
        fetcher_->handle(), topic_.c_str(), partition.partition, &begin, &end);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR || end < 0) {
      return Status(StatusCode::kUnavailable, "nothing has been fetched yet");
    }
    return end;
  }

  Status Seek(const LogPartition& partition, int64_t offset) override {
    PH_ASSIGN_OR_RETURN(const OffsetRange bounds, Bounds(partition));
    if (offset < bounds.begin || offset > bounds.end) {
      return Error(StatusCode::kDataCorrupt,
                   "{}: topic={} partition={} position={} kept={}..{} log_id={}",
                   offset < bounds.begin ? "the topic no longer has the position"
                                         : "the position is beyond the topic's end",
                   topic_, partition.partition, offset, bounds.begin, bounds.end, log_id_);
    }
    // A haul may hold records of this partition from before.
    present_.Clear();
    next_.Clear();
    answer_.reset();
    Stop(partition.partition);
    if (rd_kafka_consume_start_queue(handle_.get(), partition.partition, offset, queue_.get()) !=
        0) {
      return fetcher_->ErrorOf(rd_kafka_last_error(), rd_kafka_err2str(rd_kafka_last_error()),
                               Named(partition.partition));
    }
    positions_[partition.partition] = offset;
    return {};
  }

  Result<const LogBatch*> Read(int wait_ms, int64_t bytes_max) override {
    const auto until = SteadyClock::now() + std::chrono::milliseconds(wait_ms);
    fetcher_->Serve();
    asker_->Serve();
    while (true) {
      PH_ASSIGN_OR_RETURN(const LogBatch* batch, NextRun(bytes_max));
      if (batch != nullptr) return batch;
      present_.Clear();
      if (next_.empty()) TakeNext(until);
      if (answer_ == nullptr && (!next_.empty() || IsCheckDue())) PH_RETURN_IF_ERROR(Ask(until));
      PH_ASSIGN_OR_RETURN(const bool is_checked, AwaitAnswer(until));
      if (is_checked && !next_.empty()) {
        std::swap(present_, next_);
        TakeNext(SteadyClock::now());
      } else if (SteadyClock::now() >= until) {
        return nullptr;
      }
    }
  }

 private:
  std::string Named(int32_t partition) const {
    return fmt::format("topic={} partition={}", topic_, partition);
  }

  Status CheckIsOurs(const LogPartition& partition) const {
    if (partition.log_id == log_id_ && partition.topic == topic_ && !log_id_.empty()) return {};
    return Error(StatusCode::kNotFound, "unknown log: expected={}/{} found={}/{}", log_id_, topic_,
                 partition.log_id, partition.topic);
  }

  void Stop(int32_t partition) {
    if (positions_.erase(partition) > 0) rd_kafka_consume_stop(handle_.get(), partition);
  }

  void StopAll() {
    present_.Clear();
    next_.Clear();
    answer_.reset();
    while (!positions_.empty()) Stop(positions_.begin()->first);
  }

  /// Fills `next_` with what has arrived and has it checked; waits for the first record only.
  void TakeNext(SteadyClock::time_point until) {
    next_.Take(queue_.get(), MillisecondsTo(until));
    if (next_.empty()) return;
    // A question that was asked before does not speak for what arrived after it.
    answer_.reset();
    if (!asker_->is_away()) PutQuestion();
  }

  /// Waits for a broker if it must.
  Status Ask(SteadyClock::time_point until) {
    const Status reached =
        asker_->Reach(std::chrono::milliseconds(MillisecondsTo(until)), "topic=" + topic_);
    if (reached.ok()) {
      PutQuestion();
      return {};
    }
    asked_at_ = SteadyClock::now();
    return Unanswered(reached).status();
  }

  void PutQuestion() {
    answer_ = asker_->AskForTopic(topic_);
    asked_at_ = SteadyClock::now();
  }

  bool IsCheckDue() const { return SteadyClock::now() - asked_at_ >= kIdleCheckEvery; }

  /// True when the topic is still the one that was sought. While there is nothing to hand out it
  /// does not wait.
  Result<bool> AwaitAnswer(SteadyClock::time_point until) {
    if (answer_ == nullptr) return false;
    const KafkaEvent event(
        rd_kafka_queue_poll(answer_.get(), next_.empty() ? 0 : MillisecondsTo(until)));
    if (event == nullptr) return false;
    answer_.reset();
    Result<KafkaTopicFacts> facts = asker_->TopicAnswer(event.get(), topic_);
    if (!facts.ok()) return Unanswered(facts.error());
    away_since_.reset();
    if (facts->id == topic_id_) return true;
    if (positions_.empty()) return false;
    StopAll();
    return Error(StatusCode::kConflict, "the topic was made anew: topic={} known={} found={}",
                 topic_, topic_id_, facts->id);
  }

  Result<bool> Unanswered(const Status& why) {
    if (why.code() == StatusCode::kNotFound) {
      if (positions_.empty()) return false;
      StopAll();
      return Error(StatusCode::kConflict, "the topic was deleted: topic={}", topic_);
    }
    if (why.code() != StatusCode::kUnavailable) return why;
    if (!away_since_) away_since_ = asked_at_;
    if (SteadyClock::now() - *away_since_ < kAwayGrace) return false;
    return why;
  }

  /// The next records of the haul that are of one partition; nullptr when it is used up.
  Result<const LogBatch*> NextRun(int64_t bytes_max) {
    while (true) {
      const std::optional<HaulRun> run = present_.NextRun(bytes_max, batch_.records);
      if (!run) return nullptr;
      const auto position = positions_.find(run->partition);
      if (position == positions_.end()) continue;
      if (run->error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        PH_RETURN_IF_ERROR(Judge(*run));
        continue;
      }
      if (run->next_offset <= position->second) continue;
      batch_.from = {.log_id = log_id_, .topic = topic_, .partition = run->partition};
      batch_.begin = position->second;
      batch_.next_offset = run->next_offset;
      position->second = run->next_offset;
      return &batch_;
    }
  }

  Status Judge(const HaulRun& run) {
    switch (run.error) {
      case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      case RD_KAFKA_RESP_ERR__LOG_TRUNCATION:
      case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: {
        const int64_t position = positions_[run.partition];
        Stop(run.partition);
        return Error(StatusCode::kConflict, "the position is gone: {} position={} why={}",
                     Named(run.partition), position, run.error_text);
      }
      default:
        return fetcher_->ErrorOf(run.error, run.error_text.c_str(), Named(run.partition));
    }
  }

  // In this order: what refers to a client goes before it.
  std::unique_ptr<KafkaClient> fetcher_;
  std::unique_ptr<KafkaClient> asker_;
  const std::string topic_;
  KafkaQueue queue_;
  KafkaTopic handle_;
  LogId log_id_;
  std::string topic_id_;
  int32_t partition_count_ = 0;           // as the fetching client knows it
  std::map<int32_t, int64_t> positions_;  // next offset of each partition that is read
  KafkaHaul present_;                     // checked; what Read() hands out
  KafkaHaul next_;                        // taken, not yet checked
  KafkaQueue answer_;                     // of the check that is under way
  SteadyClock::time_point asked_at_;
  std::optional<SteadyClock::time_point> away_since_;
  LogBatch batch_;
};

}  // namespace

Result<std::unique_ptr<LogReader>> OpenKafkaReader(
    const std::map<std::string, std::string>& properties, const std::string& topic) {
  if (topic.empty()) return Error(StatusCode::kInvalidArgument, "no topic");
  PH_ASSIGN_OR_RETURN(std::unique_ptr<KafkaClient> fetcher,
                      KafkaClient::Open(KafkaRole::kReader, properties));
  PH_ASSIGN_OR_RETURN(std::unique_ptr<KafkaClient> asker,
                      KafkaClient::Open(KafkaRole::kReader, properties));
  auto reader = std::make_unique<KafkaReader>(std::move(fetcher), std::move(asker), topic);
  if (!reader->is_open()) {
    return Error(StatusCode::kInvalidArgument, "not a topic name: topic={}", topic);
  }
  return std::unique_ptr<LogReader>(std::move(reader));
}

}  // namespace playhead::log
