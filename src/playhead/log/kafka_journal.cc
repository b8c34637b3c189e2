#include "playhead/log/kafka_journal.h"

#include "playhead/base/hash.h"
#include "playhead/base/logging.h"
#include "playhead/base/thread_annotations.h"
#include "playhead/log/kafka_client.h"
#include "playhead/log/kafka_headers.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace playhead::log {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kServeFor(20);
constexpr std::chrono::seconds kAskEvery(5);
constexpr int kCloseWaitMs = 10'000;

std::string HashOfRecords(const std::vector<std::string_view>& records) {
  ContentHasher hasher;
  for (const std::string_view record : records) {
    hasher.Update(fmt::format("{}:", record.size()));
    hasher.Update(record);
  }
  return hasher.Hex();
}

/// An append on its way; every one of its messages points to it.
struct Delivery {
  JournalAppend append;
  AppendDone done;
  std::string request_hash;  // with an idempotency key only
  SteadyClock::time_point started_at;
  JournalReceipt receipt;
  size_t waiting = 0;  // messages not yet acknowledged or refused
  Status failure;      // the first one
};

/// The receipts of idempotency keys, the oldest forgotten first.
class ReceiptMemory {
 public:
  explicit ReceiptMemory(int64_t keys_max) : keys_max_(static_cast<size_t>(keys_max)) {}

  struct Known {
    std::string topic;
    std::string request_hash;
    std::optional<JournalReceipt> receipt;  // none while the append is under way
  };

  Known* Find(const std::string& key) {
    const auto found = known_.find(key);
    return found == known_.end() ? nullptr : &found->second;
  }

  void Start(const std::string& key, Known known) {
    known_.emplace(key, std::move(known));
    oldest_first_.push_back(key);
    if (known_.size() <= keys_max_) return;
    known_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }

  void Finish(const std::string& key, const JournalReceipt& receipt) {
    if (Known* known = Find(key)) known->receipt = receipt;
  }

  void Forget(const std::string& key) {
    if (known_.erase(key) > 0) std::erase(oldest_first_, key);
  }

 private:
  const size_t keys_max_;
  std::unordered_map<std::string, Known> known_;
  std::deque<std::string> oldest_first_;
};

/// One thread runs librdkafka's delivery reports, answers appends, and asks for topics: at once for
/// those that appends wait for, every few seconds for all, to see partitions that were added and
/// brokers that are away.
class KafkaJournal final : public Journal {
 public:
  explicit KafkaJournal(KafkaJournalOptions options)
      : options_(options), receipts_(options.idempotency_keys_max) {}

  Status Open(const KafkaProperties& properties) {
    PH_ASSIGN_OR_RETURN(client_,
                        KafkaClient::Open(KafkaRole::kProducer, properties, OnDelivery, this));
    thread_ = std::jthread([this](const std::stop_token& stop) { Loop(stop); });
    return {};
  }

  ~KafkaJournal() override { Close(); }

  const std::string& id() const override { return no_id_; }

  Result<JournalReceipt> Append(JournalAppend append) override {
    std::promise<Result<JournalReceipt>> promise;
    auto receipt = promise.get_future();
    AppendAsync(std::move(append), [&promise](Result<JournalReceipt> result) {
      promise.set_value(std::move(result));
    });
    return receipt.get();
  }

  void AppendAsync(JournalAppend append, AppendDone done) override {
    if (append.topic.empty() || append.records.empty()) {
      return done(Error(StatusCode::kInvalidArgument, "an append needs a topic and records"));
    }
    auto delivery = std::make_unique<Delivery>();
    if (!append.idempotency_key.empty()) delivery->request_hash = HashOfRecords(append.records);
    delivery->append = std::move(append);
    delivery->started_at = SteadyClock::now();
    std::optional<Result<JournalReceipt>> answer;
    {
      const std::lock_guard lock(mutex_);
      answer = Accept(*delivery);
      if (!answer) {
        delivery->done = std::move(done);
        const auto topic = topics_.find(delivery->append.topic);
        if (topic == topics_.end()) {
          unsent_.push_back(std::move(delivery));
        } else {
          Send(topic->second, std::move(delivery));
        }
      }
    }
    // Only an append that is not answered here took `done` with it.
    if (answer) done(*std::move(answer));  // NOLINT(bugprone-use-after-move)
  }

  Result<int64_t> EndOffset(const std::string& topic) override {
    PH_ASSIGN_OR_RETURN(const OffsetRange bounds, client_->Bounds(topic, 0));
    return bounds.end;
  }

  Status Health() const override {
    const std::lock_guard lock(mutex_);
    return health_;
  }

  void Close() override {
    {
      const std::lock_guard lock(mutex_);
      if (is_closed_) return;
      is_closed_ = true;
    }
    if (client_ == nullptr) return;
    thread_.request_stop();
    thread_.join();
    rd_kafka_flush(client_->handle(), kCloseWaitMs);
    // What is left is refused by its delivery report, so that every append gets its answer.
    rd_kafka_purge(client_->handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (rd_kafka_outq_len(client_->handle()) > 0) client_->Serve(kServeFor);
    RefuseUnsent(nullptr, Status(StatusCode::kCancelled, "the journal is closed"));
    AnswerFinished();
    const std::lock_guard lock(mutex_);
    topics_.clear();
  }

 private:
  struct Topic {
    KafkaTopic handle;
    LogId log_id;
    int32_t partitions = 1;
    uint32_t turn = 0;
  };

  // An answer at once, or none when the append is to be sent. Under the lock.
  std::optional<Result<JournalReceipt>> Accept(const Delivery& delivery) {
    if (is_closed_) return Error(StatusCode::kCancelled, "the journal is closed");
    const std::string& key = delivery.append.idempotency_key;
    if (key.empty()) return std::nullopt;
    const ReceiptMemory::Known* known = receipts_.Find(key);
    if (known == nullptr) {
      receipts_.Start(key, {.topic = delivery.append.topic,
                            .request_hash = delivery.request_hash,
                            .receipt = std::nullopt});
      return std::nullopt;
    }
    if (known->topic != delivery.append.topic || known->request_hash != delivery.request_hash) {
      return Error(StatusCode::kConflict,
                   "idempotency key was used for other records: key={} topic={}", key,
                   delivery.append.topic);
    }
    if (!known->receipt) {
      return Error(StatusCode::kResourceExhausted,
                   "the first append of this idempotency key is under way: key={}", key);
    }
    JournalReceipt receipt = *known->receipt;
    receipt.is_repeat = true;
    return receipt;
  }

  // Hands the messages to librdkafka, which answers through OnDelivery(). Under the lock, so that
  // the records of one append follow each other.
  void Send(Topic& topic, std::unique_ptr<Delivery> owned) {
    Delivery* delivery = owned.get();
    delivery->receipt = {
        .log_id = topic.log_id,
        .partition = static_cast<int32_t>(topic.turn++ % static_cast<uint32_t>(topic.partitions)),
        .first_offset = -1,
        .count = static_cast<int64_t>(delivery->append.records.size()),
        .note = delivery->append.note};
    const KafkaHeaders headers = HeadersFromJson(delivery->append.headers_json);
    for (const std::string_view record : delivery->append.records) {
      const rd_kafka_resp_err_t error =
          Produce(topic.handle.get(), delivery->receipt.partition, record, headers.get(), delivery);
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        delivery->failure =
            client_->ErrorOf(error, rd_kafka_err2str(error), "topic=" + delivery->append.topic);
        break;
      }
      ++delivery->waiting;
    }
    if (delivery->waiting == 0) {
      finished_.push_back(std::move(owned));
    } else {
      sent_.emplace(delivery, std::move(owned));
    }
  }

  rd_kafka_resp_err_t Produce(rd_kafka_topic_t* topic, int32_t partition, std::string_view record,
                              const rd_kafka_headers_t* headers, Delivery* delivery) {
    // Not copied: the records live until the append is answered. A null pointer would make an
    // empty record a missing one.
    char* bytes = const_cast<char*>(record.data() == nullptr ? "" : record.data());
    if (headers == nullptr) {
      const int refused =
          rd_kafka_produce(topic, partition, 0, bytes, record.size(), nullptr, 0, delivery);
      return refused == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_last_error();
    }
    std::array<rd_kafka_vu_t, 5> message = {};
    message[0] = {.vtype = RD_KAFKA_VTYPE_RKT, .u = {.rkt = topic}};
    message[1] = {.vtype = RD_KAFKA_VTYPE_PARTITION, .u = {.i32 = partition}};
    message[2] = {.vtype = RD_KAFKA_VTYPE_VALUE, .u = {.mem = {bytes, record.size()}}};
    message[3] = {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u = {.ptr = delivery}};
    KafkaHeaders copy(rd_kafka_headers_copy(headers));
    message[4] = {.vtype = RD_KAFKA_VTYPE_HEADERS, .u = {.headers = copy.get()}};
    rd_kafka_error_t* refused =
        rd_kafka_produceva(client_->handle(), message.data(), message.size());
    if (refused == nullptr) {
      copy.release();  // NOLINT(bugprone-unused-return-value): the message owns them now
      return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    const rd_kafka_resp_err_t code = rd_kafka_error_code(refused);
    rd_kafka_error_destroy(refused);
    return code;
  }

  static void OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    static_cast<KafkaJournal*>(opaque)->Delivered(*message);
  }

  void Delivered(const rd_kafka_message_t& message) {
    auto* delivery = static_cast<Delivery*>(message._private);
    const std::lock_guard lock(mutex_);
    JournalReceipt& receipt = delivery->receipt;
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (receipt.first_offset < 0) receipt.first_offset = message.offset;
      receipt.first_offset = std::min(receipt.first_offset, message.offset);
    } else if (delivery->failure.ok()) {
      delivery->failure = client_->ErrorOf(message.err, rd_kafka_message_errstr(&message),
                                           "topic=" + delivery->append.topic);
    }
    if (--delivery->waiting > 0) return;
    const auto found = sent_.find(delivery);
    finished_.push_back(std::move(found->second));
    sent_.erase(found);
  }

  void AnswerFinished() {
    std::vector<std::unique_ptr<Delivery>> finished;
    {
      const std::lock_guard lock(mutex_);
      finished.swap(finished_);
      for (const auto& delivery : finished) {
        const std::string& key = delivery->append.idempotency_key;
        if (delivery->failure.code() == StatusCode::kUnavailable) health_ = delivery->failure;
        if (key.empty()) continue;
        if (delivery->failure.ok()) {
          receipts_.Finish(key, delivery->receipt);
        } else {
          receipts_.Forget(key);
        }
      }
    }
    for (const auto& delivery : finished) {
      Count(*delivery);
      if (delivery->failure.ok()) {
        delivery->done(std::move(delivery->receipt));
      } else {
        delivery->done(std::move(delivery->failure));
      }
    }
  }

  void Count(const Delivery& delivery) {
    if (options_.metrics == nullptr) return;
    if (!delivery.failure.ok()) return options_.metrics->Add(Metric::kLogCommitFailures, 1);
    const std::chrono::duration<double> seconds = SteadyClock::now() - delivery.started_at;
    size_t bytes = 0;
    for (const std::string_view record : delivery.append.records) bytes += record.size();
    const std::string& topic = delivery.append.topic;
    options_.metrics->Add(Metric::kLogCommits, 1);
    options_.metrics->Observe(Metric::kLogCommitSeconds, seconds.count());
    options_.metrics->Add(Metric::kLogRecords, static_cast<double>(delivery.receipt.count),
                          {topic});
    options_.metrics->Add(Metric::kLogRecordBytes, static_cast<double>(bytes), {topic});
  }

  void Loop(const std::stop_token& stop) {
    SteadyClock::time_point asked_at;
    while (!stop.stop_requested()) {
      client_->Serve(kServeFor);
      AnswerFinished();
      const bool is_due = SteadyClock::now() - asked_at >= kAskEvery;
      AskForTopics(is_due);
      if (is_due) asked_at = SteadyClock::now();
    }
  }

  // For the topics that appends wait for; all of them, and the cluster, when `all` is set.
  void AskForTopics(bool all) {
    std::set<std::string> wanted;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& delivery : unsent_) wanted.insert(delivery->append.topic);
      if (all) {
        for (const auto& [name, topic] : topics_) wanted.insert(name);
      }
    }
    if (wanted.empty() && !all) return;
    const Result<std::string> cluster = client_->ClusterId();
    Status health = cluster.status();
    for (const std::string& name : wanted) {
      Status status = cluster.status();
      if (status.ok()) status = AskForTopic(*cluster, name);
      if (status.ok()) continue;
      health = status;
      RefuseUnsent(&name, status);
    }
    AnswerFinished();
    const std::lock_guard lock(mutex_);
    if (health.ok() != health_.ok()) {
      logging::Warn("log", health.ok() ? "kafka answers again" : "kafka does not take records",
                    {{"why", health.ToString()}});
    }
    health_ = std::move(health);
  }

  Status AskForTopic(const std::string& cluster_id, const std::string& name) {
    Result<KafkaTopicFacts> facts = client_->DescribeTopic(name);
    if (!facts.ok()) {
      // Somebody may be about to make the topic.
      if (facts.error().code() != StatusCode::kNotFound) return facts.error();
      return {StatusCode::kUnavailable, facts.error().message()};
    }
    const std::lock_guard lock(mutex_);
    Topic& topic = topics_[name];
    if (topic.handle == nullptr) {
      topic.handle.reset(rd_kafka_topic_new(client_->handle(), name.c_str(), nullptr));
    }
    topic.log_id = cluster_id + "/" + facts->id;
    topic.partitions = std::max(1, facts->partitions);
    std::vector<std::unique_ptr<Delivery>> others;
    for (auto& delivery : std::exchange(unsent_, {})) {
      if (delivery->append.topic == name) {
        Send(topic, std::move(delivery));
      } else {
        others.push_back(std::move(delivery));
      }
    }
    unsent_ = std::move(others);
    return {};
  }

  // Those of one topic, or all.
  void RefuseUnsent(const std::string* topic, const Status& why) {
    const std::lock_guard lock(mutex_);
    std::vector<std::unique_ptr<Delivery>> others;
    for (auto& delivery : std::exchange(unsent_, {})) {
      const bool is_refused = topic == nullptr || delivery->append.topic == *topic;
      if (is_refused) delivery->failure = why;
      (is_refused ? finished_ : others).push_back(std::move(delivery));
    }
    unsent_ = std::move(others);
  }

  const KafkaJournalOptions options_;
  const std::string no_id_;  // every topic has its own
  std::unique_ptr<KafkaClient> client_;
  mutable std::mutex mutex_;
  std::map<std::string, Topic, std::less<>> topics_ PH_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Delivery>> unsent_ PH_GUARDED_BY(mutex_);  // of topics not yet known
  std::unordered_map<Delivery*, std::unique_ptr<Delivery>> sent_ PH_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Delivery>> finished_ PH_GUARDED_BY(mutex_);  // not yet answered
  ReceiptMemory receipts_ PH_GUARDED_BY(mutex_);
  Status health_ PH_GUARDED_BY(mutex_);
  bool is_closed_ PH_GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace

Result<std::unique_ptr<Journal>> OpenKafkaJournal(
    const std::map<std::string, std::string>& properties, KafkaJournalOptions options) {
  auto journal = std::make_unique<KafkaJournal>(options);
  PH_RETURN_IF_ERROR(journal->Open(properties));
  return std::unique_ptr<Journal>(std::move(journal));
}

}  // namespace playhead::log
